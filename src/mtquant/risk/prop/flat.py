"""When positions must be closed: before the weekend and before long breaks of trading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.model import DAY_MS, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.model import Instrument, ServerClock
    from mtquant.risk.prop.spec import WeekendRule

_MINUTE_MS: Final = 60_000
_REACH_DAYS: Final = 15  # longer than any holiday of a market
_WEEKEND: Final = (0, 6)  # Sunday, Saturday


def must_be_flat(
    now_ms: int,
    instrument: Instrument,
    clock: ServerClock,
    rule: WeekendRule,
    ahead_minutes: int = 0,
) -> bool:
    """Tell whether nothing may be open on an instrument now, by its own trading hours.

    The weekend is a break of at least a day that touches a Saturday or Sunday of the server; an
    instrument that trades through it has none. Where hours or holidays are wrong, so is the answer.

    Args:
        now_ms: UTC milliseconds.
        instrument: whose sessions (server time) and holidays say when it trades.
        clock: the server's.
        rule: whether positions may be held, and over which breaks.
        ahead_minutes: how long before the last session's end the answer becomes yes.

    Raises:
        ConfigError: `ahead_minutes` is negative.
    """
    if ahead_minutes < 0:
        raise ConfigError(f"ahead_minutes must not be negative, was {ahead_minutes}")
    if rule.may_hold:
        return False
    ahead_ms = ahead_minutes * _MINUTE_MS
    for closes_ms, opens_ms in _breaks(instrument, clock.to_server_ms(now_ms) // DAY_MS):
        begins_ms, ends_ms = clock.to_utc_ms(closes_ms), clock.to_utc_ms(opens_ms)
        if begins_ms - ahead_ms <= now_ms < ends_ms and (
            _is_weekend(closes_ms, opens_ms) or _is_long(ends_ms - begins_ms, rule)
        ):
            return True
    return False


def _is_weekend(closes_ms: int, opens_ms: int) -> bool:
    if opens_ms - closes_ms < DAY_MS:
        return False
    days = range(closes_ms // DAY_MS, (opens_ms - 1) // DAY_MS + 1)
    return any((day + 4) % 7 in _WEEKEND for day in days)


def _is_long(length_ms: int, rule: WeekendRule) -> bool:
    longest = rule.break_longer_than_minutes
    return longest is not None and length_ms > longest * _MINUTE_MS


def _breaks(instrument: Instrument, today: int) -> Iterator[tuple[int, int]]:
    """Yield the breaks of trading around a server day, server milliseconds."""
    first, last = today - _REACH_DAYS, today + _REACH_DAYS + 1
    closed_ms = first * DAY_MS
    for day in range(first, last):
        if day in instrument.holidays:
            continue
        for start, end in instrument.sessions[(day + 4) % 7]:
            opened_ms = day * DAY_MS + start * _MINUTE_MS
            if opened_ms > closed_ms:
                yield closed_ms, opened_ms
            closed_ms = day * DAY_MS + end * _MINUTE_MS
    if closed_ms < last * DAY_MS:
        yield closed_ms, last * DAY_MS
