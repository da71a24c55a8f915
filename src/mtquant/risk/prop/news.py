"""Windows around economic news in which a firm forbids trading."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING

from mtquant.model.news import Impact, NewsEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mtquant.risk.prop.spec import NewsRule

_time_ms = attrgetter("time_ms")


def blackout(
    now_ms: int,
    currencies: Collection[str],
    calendar: Sequence[NewsEvent],
    rule: NewsRule,
    least: Impact = Impact.HIGH,
) -> NewsEvent | None:
    """Return the first event whose window holds an instant, None where there is none.

    Firms list the instruments of each event; here an event concerns those of its currency.

    Args:
        now_ms: UTC milliseconds; both ends belong to the window.
        currencies: those of the symbol, such as EUR and USD.
        calendar: events in the order of their times.
        rule: how long before and after an event nothing may be traded.
        least: the impact from which an event counts.
    """
    first = bisect_left(calendar, now_ms - 1000 * rule.after_s, key=_time_ms)
    for event in calendar[first:]:
        if event.time_ms > now_ms + 1000 * rule.before_s:
            return None
        if event.currency in currencies and event.impact.value >= least.value:
            return event
    return None
