"""When waiting orders end by themselves.

Sources: MQL5 reference, ENUM_ORDER_TYPE_TIME (a day's order lives to its end, `SPECIFIED_DAY` to
23:59:59); MetaTrader administrator help (to the end of trading where that is earlier).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.model import DAY_MS, Expiration, GtcMode

if TYPE_CHECKING:
    from mtquant.model import Instrument, ServerClock

_LAST_SECOND_MS = DAY_MS - 1000


def expiry_ms(
    instrument: Instrument, clock: ServerClock, expiration: Expiration, wanted_ms: int, now_ms: int
) -> int:
    """Return when an order placed now expires (UTC ms), 0 for never.

    `wanted_ms` counts for the two specified expirations.
    """
    match expiration:
        case Expiration.SPECIFIED:
            return wanted_ms
        case Expiration.SPECIFIED_DAY:
            server_ms = clock.to_server_ms(wanted_ms)
            return clock.to_utc_ms(server_ms - server_ms % DAY_MS + _LAST_SECOND_MS)
        case Expiration.GTC if instrument.gtc_mode is GtcMode.GTC:
            return 0
        case _:
            return _end_of_day(instrument, clock, now_ms)


def expired_comment(clock: ServerClock, done_ms: int) -> str:
    """Return what the server writes over the comment of an expired order."""
    return f"expired [{clock.text(done_ms)}]"


def _end_of_day(instrument: Instrument, clock: ServerClock, now_ms: int) -> int:
    server_ms = clock.to_server_ms(now_ms)
    day, in_day = divmod(server_ms, DAY_MS)
    ends = (end * 60_000 for _, end in instrument.sessions[(day + 4) % 7])
    last = max(ends, default=DAY_MS)
    return clock.to_utc_ms(day * DAY_MS + (last if last > in_day else DAY_MS))
