"""Simple moving average."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtquant.indicators.base import Floats, PriceColumns, Stream, pieces, require_period

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Sma:
    """Average the last `period` closes (MetaTrader's iMA, MODE_SMA, PRICE_CLOSE).

    Sums run over whole points, so the two forms agree to the last bit.

    >>> stream = Sma(2).stream()
    >>> [stream.update(0, 0, close) for close in (10, 13, 15)]
    [nan, 11.5, 14.0]
    """

    period: int

    def __post_init__(self) -> None:
        require_period(self.period)

    @property
    def name(self) -> str:
        """Return name and parameters."""
        return f"SMA({self.period})"

    @property
    def first(self) -> int:
        """Return the index of the first bar that has a value."""
        return self.period - 1

    def calculate(self, prices: PriceColumns) -> Floats:
        """Return float64[n] in points, NaN before `first`."""
        values = np.empty(len(prices))
        first = min(self.first, len(prices))
        values[:first] = np.nan
        if first == len(prices):
            return values
        total = prices.close_total
        values[first] = total[first] / self.period
        later, earlier = total[self.period :], total[: -self.period]
        averages = values[self.period :]
        for rows in pieces(len(averages)):
            np.divide(later[rows] - earlier[rows], self.period, out=averages[rows])
        return values

    def stream(self) -> Stream:
        """Return a new stream that has seen no bar."""
        return _SmaStream(self.period)


class _SmaStream:
    def __init__(self, period: int) -> None:
        self._period = period
        self._window: deque[int] = deque()
        self._sum = 0

    def update(self, high: int, low: int, close: int) -> float:  # noqa: ARG002 - the protocol's bar
        self._window.append(close)
        self._sum += close
        if len(self._window) > self._period:
            self._sum -= self._window.popleft()
        return self._sum / self._period if len(self._window) == self._period else float("nan")

    def reset(self) -> None:
        self._window.clear()
        self._sum = 0

    def state(self) -> Mapping[str, object]:
        return {"period": self._period, "bars": len(self._window), "sum_points": self._sum}
