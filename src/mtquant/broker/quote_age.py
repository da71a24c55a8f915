"""How old a quote is, whatever the two clocks say."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mtquant.model import Quote

_REMEMBERED: Final = 32
_LEARNT_BY: Final = 3
_APART_MS: Final = 1_000
_BOUND_MS: Final = 60_000
MOST_APART_MS: Final = 15 * 60_000
"""How far two clocks may be apart: beyond that it is the quotes that are old."""


class QuoteAges:
    """Tell the age of quotes from when they were first seen, and from their own times.

    The server's clock and ours differ by minutes at times. The quote that came quickest tells by
    how much: later ones are measured against it. Of the quotes that are seen in one second, which
    may have waited together while the machine slept, the quickest counts alone. It is forgotten
    after 32 further ones, so that a clock that was set anew is learnt.
    """

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int, int]] = {}  # by symbol: its time, when it was seen
        self._added_ms = 0
        self._learnt_ms = 0
        self._bound_ms = self._bound_seen_ms = 0  # what the newest quote says at most, and when
        self._leads: deque[int] = deque(maxlen=_REMEMBERED)  # our clock minus the quotes' times

    def see(self, quote: Quote, now_ms: int, added_ms: int = 0) -> int:
        """Take in a quote that is shown now (UTC ms by our clock); return its age, ms.

        `added_ms` is what our clock only went on by, while the computer's was set back: the two
        clocks that are compared are the computer's and the server's.
        """
        self._added_ms = added_ms
        known = self._newest.get(quote.symbol)
        if known is None or known[0] != quote.time_ms:
            if known is not None:  # the first one may have been there for days
                self._learn(now_ms - added_ms - quote.time_ms, now_ms)
            self._newest[quote.symbol] = (quote.time_ms, now_ms)
            self._bound_ms, self._bound_seen_ms = now_ms - quote.time_ms, now_ms
        return self.age_ms(quote.symbol, now_ms)

    def _learn(self, lead_ms: int, now_ms: int) -> None:
        if self._leads and now_ms - self._learnt_ms < _APART_MS:
            self._leads[-1] = min(self._leads[-1], lead_ms)
            return
        self._leads.append(lead_ms)
        self._learnt_ms = now_ms

    def lead_ms(self, now_ms: int) -> int:
        """Return how far our clock is ahead of the server's, ms, as far as the quotes tell.

        Until they have come at three times our clock is believed, but for one thing: the server
        made a quote before it was seen here, so that its time was no earlier. That holds as long as
        our clock is not set, so it is believed for a minute.
        """
        if len(self._leads) < _LEARNT_BY:
            known = self._bound_ms if now_ms - self._bound_seen_ms <= _BOUND_MS else 0
            lead_ms = min(0, known - self._added_ms)
        else:
            lead_ms = min(*self._leads, MOST_APART_MS)
        return self._added_ms + max(-MOST_APART_MS, lead_ms)

    def age_ms(self, symbol: str, now_ms: int) -> int:
        """Return how old the newest quote of a symbol is at a time by our clock, ms.

        Until others have come at three times, nothing but the clocks tells: a quote from the
        future is as doubtful as one from the past.
        """
        time_ms, seen_ms = self._newest[symbol]
        lead_ms = now_ms - time_ms
        if len(self._leads) < _LEARNT_BY:
            return abs(lead_ms - self._added_ms)
        return max(0, now_ms - seen_ms, lead_ms - self.lead_ms(now_ms))
