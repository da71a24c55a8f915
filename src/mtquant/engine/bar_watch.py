"""Reading a slot's bars from a terminal as they close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.exchange import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mtquant.broker import BrokerSession
    from mtquant.engine.engine import Engine
    from mtquant.engine.slot import StrategySlot
    from mtquant.model import BarRow, Clock, Command, Quote
    from mtquant.strategy import Series

    Closed = tuple[list[list[BarRow]], int | None]  # of each series; when the forming bar opened

HISTORY_BARS = 100_000
FRESH_MS = 60_000


class BarWatch:
    """Feed the series of one slot, and the longer ones it looks at, with closed bars.

    What reads belongs to the thread that owns the terminal.
    """

    def __init__(self, slot: StrategySlot, session: BrokerSession, clock: Clock) -> None:
        self.series = slot.series
        self.symbol = slot.symbol
        self._slot = slot
        self._session = session
        self._clock = clock
        self._consumed = 0
        self._due_ms = 0

    # ------------------------------------------------------------------ reading

    def is_due(self, quote: Quote | None) -> bool:
        """Tell whether a quote may have closed the forming bar."""
        return quote is not None and quote.time_ms >= self._due_ms

    def read_history(self) -> Closed:
        """Return all closed bars that the terminal has."""
        return self._read(None)

    def read_closed(self, quote: Quote | None) -> Closed:
        """Return the bars that have closed since the newest one that is known."""
        return self._read(None if quote is None else quote.time_ms)

    def _read(self, until_ms: int | None) -> Closed:
        rows = []
        for series in (self.series, *self._slot.longer_series):
            count = HISTORY_BARS
            if until_ms is not None:
                missing = (until_ms - _newest_ms(series)) // series.timeframe.duration_ms
                count = min(HISTORY_BARS, missing + 1)
            rows.append(self._session.closed_bars(self.symbol, series.timeframe, count))
        return rows, self._session.forming_bar_ms(self.symbol, self.series.timeframe)

    # ------------------------------------------------------------------ taking over

    def take_history(self, found: Closed) -> None:
        """Append bars that nobody saw close; only one that closed just now may be decided on."""
        self._append(found)
        self._decide_on_fresh()

    def take_closed(self, found: Closed, *, was_watched: bool) -> None:
        """Append what has closed since the last look.

        Several bars at once closed while prices stood still or the process did: nobody saw that.
        Nor did anybody see one close where the process slept.
        """
        before = len(self.series)
        self._append(found)
        if len(self.series) > before + 1 or not was_watched:
            self._decide_on_fresh()

    def end_history(self) -> None:
        """Note that the bars so far were there before the run began."""
        self.series.history_end = len(self.series)

    def _append(self, found: Closed) -> None:
        rows, forming_ms = found
        for series, bars in zip((self.series, *self._slot.longer_series), rows, strict=True):
            _extend(series, bars)
        self._slot.refresh()
        self._slot.forming_ms = forming_ms
        self._due_ms = 0
        if forming_ms is not None:
            self._due_ms = self._session.bar_end_ms(forming_ms, self.series.timeframe)

    def _decide_on_fresh(self) -> None:
        """Let the newest bar decide if it closed just now, and the engine has not seen it."""
        forming_ms, count = self._slot.forming_ms, len(self.series)
        server_ms = self._clock.now_ms() - self._session.lead_ms
        is_fresh = forming_ms is not None and server_ms - forming_ms <= FRESH_MS
        self.series.decidable_from = count - (1 if is_fresh and self.has_new else 0)

    # ------------------------------------------------------------------ deciding

    @property
    def has_new(self) -> bool:
        """Tell whether there are bars that the engine has not seen."""
        return self._consumed < len(self.series)

    def next_close_ms(self) -> int:
        """Return when the next bar that the engine has not seen was closed (UTC ms).

        The newest one was closed by what the terminal shows now, as all that are read with it: it
        comes after all others.
        """
        following = self._consumed + 1
        if following < len(self.series):
            opened: int = self.series.time_ms[following]
            return opened
        return NEVER

    def consume(self, engine: Engine) -> Sequence[Command]:
        """Let the engine see the next bar; return what must be done."""
        self._consumed, commands = engine.advance(self.series, self._consumed, self._consumed + 1)
        return commands


def _newest_ms(series: Series) -> int:
    count = len(series)
    newest: int = series.time_ms[count - 1] if count else 0
    return newest


def _extend(series: Series, rows: Iterable[BarRow]) -> None:
    newest = _newest_ms(series)
    for row in rows:
        if row.time_ms > newest:
            series.append(row)
