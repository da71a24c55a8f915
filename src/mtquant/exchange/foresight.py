"""When the prices to come may do something to an account: early at worst, late never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from mtquant.exchange.book import Book
    from mtquant.exchange.feeds import Feed
    from mtquant.exchange.ledger import OpenPosition
    from mtquant.exchange.terms import Terms

NEVER: Final = 2**62
Span = tuple[int, int]
"""From when (included) to when (excluded) something may happen, UTC ms."""
_CHUNK: Final = 256
_Found = tuple[int, int]
_Worst = tuple["NDArray[np.int64]", "NDArray[np.float64]"]


class Foresight:
    """Look through the coming prices for levels that are reached and margin that runs out."""

    def __init__(self, feeds: Iterable[Feed], terms: Mapping[str, Terms]) -> None:
        self._feeds = {feed.symbol: feed for feed in feeds}
        self._terms = terms

    def next_span(self, book: Book, midnight_ms: int) -> Span:
        """Return when something may happen next to what an account holds.

        The rollover of `midnight_ms` is something, too. Positions whose money converts at the
        quotes of another pair are not foreseen: something may happen to them at any time.
        """
        held: dict[str, list[OpenPosition]] = {}
        for position in book.open_positions:
            held.setdefault(position.symbol, []).append(position)
        if not held:
            return NEVER, NEVER
        if not all(self._is_foreseeable(symbol) for symbol in held):
            return book.now_ms, NEVER
        rows = {symbol: max(0, self._feeds[symbol].row) for symbol in held}
        while True:
            end_ms = min(midnight_ms, *(self._chunk_end(s, row) for s, row in rows.items()))
            found = self._first_in(book, held, rows, end_ms)
            if found is not None:
                return found
            if end_ms == midnight_ms:
                return midnight_ms, midnight_ms + 1
            rows = {s: int(np.searchsorted(self._times(s), end_ms, side="right")) - 1 for s in rows}

    def _is_foreseeable(self, symbol: str) -> bool:
        return symbol in self._feeds and not self._terms[symbol].conversions.foreign_pairs

    def _times(self, symbol: str) -> NDArray[np.int64]:
        return self._feeds[symbol].times

    def _chunk_end(self, symbol: str, row: int) -> int:
        times = self._times(symbol)
        return int(times[row + _CHUNK]) if row + _CHUNK < len(times) else NEVER

    def _first_in(
        self,
        book: Book,
        held: Mapping[str, list[OpenPosition]],
        rows: Mapping[str, int],
        end_ms: int,
    ) -> _Found | None:
        """Return the first thing before `end_ms`, None where there is none."""
        found: list[_Found] = []
        worst: list[_Worst] = []
        for symbol, positions in held.items():
            times = self._times(symbol)
            stop = max(rows[symbol] + 1, int(np.searchsorted(times, end_ms, side="left")))
            part = slice(rows[symbol], stop)
            hit, losses = self._reach(symbol, positions, part)
            at = np.flatnonzero(hit)
            if len(at):
                row = part.start + int(at[0])
                found.append(
                    (int(times[row]), int(times[row + 1]) if row + 1 < len(times) else NEVER)
                )
            worst.append((times[part], np.minimum.accumulate(losses)))
        money = float(book.balance_minor + book.credit_minor)
        strained = _first_below(worst, book.stop_out_limit_minor - money, end_ms)
        if strained is not None:
            found.append(strained)
        return min(found, default=None)

    def _reach(
        self, symbol: str, positions: list[OpenPosition], rows: slice
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return, for each row, whether a level is reached, and the least that positions add."""
        low, high, ask_low, ask_high = self._feeds[symbol].reach(rows)
        terms = self._terms[symbol]
        hit = np.zeros(len(low), dtype=bool)
        worst = np.zeros(len(low))
        for p in positions:
            down, up = (low, high) if p.side > 0 else (ask_low, ask_high)
            floor, roof = (p.stop, p.target) if p.side > 0 else (p.target, p.stop)
            if floor:
                hit |= down <= floor
            if roof:
                hit |= up >= roof
            adverse = (down if p.side > 0 else up) - p.opened
            scale = p.units * terms.price_value / terms.divisor
            rates = _rates(terms, down if p.side > 0 else up)
            worst += (p.side * adverse * scale - 1) * rates  # less what rounding may take
            accrued = terms.profit(p.side, p.units, p.opened, p.opened)
            worst += accrued + p.swap_minor - 1
        return hit, worst


def _rates(terms: Terms, closed: NDArray[np.int64]) -> NDArray[np.float64] | float:
    """Return minor units of the account per one of the profit currency, at closing prices."""
    conversion, scale = terms.conversions.profit, terms.minor_scale
    if not conversion.pair:
        return 1.0
    # only the traded pair itself gets here, quoted [account][profit]
    return scale * conversion.point_scale / np.maximum(closed, 1)


def _first_below(worst: list[_Worst], limit: float, end_ms: int) -> _Found | None:
    """Return when losses of several symbols may first have summed up to a limit."""
    times, total = worst[0]
    if len(worst) > 1:
        times = np.unique(np.concatenate([one for one, _ in worst]))
        total = np.zeros(len(times))
        for opened, losses in worst:
            total += losses[np.maximum(0, np.searchsorted(opened, times, side="right") - 1)]
    at = np.flatnonzero(total <= limit)
    if not len(at):
        return None
    row = int(at[0])
    return int(times[row]), int(times[row + 1]) if row + 1 < len(times) else end_ms
