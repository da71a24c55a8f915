"""Correlations of the traded symbols, computed once for each pair and bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.portfolio.correlation import Closes, correlation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mtquant.engine.slot import StrategySlot
    from mtquant.model import Side


class Likeness:
    """Compare symbols by the newest closed bars of their series.

    Of a symbol with several series it takes the first; symbols in different timeframes have few
    bars in common, and then nothing is known.
    """

    def __init__(self, slots: Sequence[StrategySlot], bars: int) -> None:
        self._slots = {slot.symbol: slot for slot in reversed(slots)}
        self._bars = bars
        self._known: dict[tuple[str, str], tuple[tuple[int, int], float | None]] = {}

    def strongest(
        self, symbol: str, side: Side, held: Iterable[tuple[str, Side]]
    ) -> tuple[float, str] | None:
        """Return the highest correlation of an entry with what is held, and with which symbol.

        `held` are symbols with the side that is held, or on its way. The other side of a symbol
        that moves along counts as moving against it.
        """
        found: tuple[float, str] | None = None
        seen = {one for one in held if one[0] != symbol}
        for other, its_side in sorted(seen, key=lambda one: (one[0], one[1].value)):
            value = self._between(symbol, other)
            if value is not None:
                together = value * side.value * its_side.value
                if found is None or together > found[0]:
                    found = (together, other)
        return found

    def _between(self, one: str, other: str) -> float | None:
        first, second = self._slots.get(one), self._slots.get(other)
        if first is None or second is None:
            return None
        stand = (first.index, second.index)
        known = self._known.get((one, other))
        if known is None or known[0] != stand:
            value = correlation(self._closes(first), self._closes(second), self._bars)
            known = self._known[one, other] = (stand, value)
        return known[1]

    def _closes(self, slot: StrategySlot) -> Closes:
        rows = slice(max(0, slot.index - 2 * self._bars), slot.index + 1)
        return slot.series.column("time_ms")[rows], slot.series.column("close")[rows]
