"""A strategy that takes its time: sweeps with it can be stopped half-way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mtquant.strategy import SmaCrossover

if TYPE_CHECKING:
    from mtquant.strategy import Columns, Signals


class Unhurried(SmaCrossover):
    """Cross like any other, a twentieth of a second later."""

    def signals(self, bars: Columns) -> Signals:
        """Wait, and say the same."""
        time.sleep(0.05)
        return super().signals(bars)
