"""When the firm's day begins: any time of day in any zone, or by the broker's server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mtquant.model import DAY_MS, ConfigError

if TYPE_CHECKING:
    from mtquant.model import ServerClock
    from mtquant.risk.prop.spec import DayRule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_MS = 60_000


class PropClock:
    """Find the resets of a rule set's day around an instant (UTC milliseconds).

    A reset whose wall time happens twice means the first; one that the spring change leaves out
    is read with the offset before the change. The server's clock is needed for zone `server` only.

    >>> from mtquant.risk.prop.spec import DayRule
    >>> clock = PropClock(DayRule(reset="00:00", zone="Europe/Prague"))
    >>> clock.day_start_ms(1_767_614_400_000)  # 2026-01-05 12:00 UTC
    1767567600000

    Raises:
        ConfigError: the zone is unknown, or is the server's and no server clock is given.
    """

    def __init__(self, day: DayRule, server: ServerClock | None = None) -> None:
        self.day = day
        self._server: ServerClock | None = None
        self._zone: ZoneInfo | None = None
        self._minute = day.reset_minute
        self._today = (0, 0)  # begins (included) and ends (excluded)
        if day.zone == "server":
            if server is None:
                raise ConfigError("zone: 'server' needs the clock of the broker's server")
            self._server = server
        else:
            self._zone = _zone(day.zone)

    def __repr__(self) -> str:
        return f"PropClock({self.day.reset} {self.day.zone})"

    def day_start_ms(self, utc_ms: int) -> int:
        """Return the last reset at or before an instant, UTC milliseconds."""
        return self._day_of(utc_ms)[0]

    def next_reset_ms(self, utc_ms: int) -> int:
        """Return the first reset after an instant, UTC milliseconds."""
        return self._day_of(utc_ms)[1]

    def _day_of(self, utc_ms: int) -> tuple[int, int]:
        today = self._today  # one reading: another thread may move it
        if not today[0] <= utc_ms < today[1]:
            today = self._today = self._found(utc_ms)
        return today

    def _found(self, utc_ms: int) -> tuple[int, int]:
        day = utc_ms // DAY_MS
        # a zone's date differs from the UTC date by one day at most
        resets = [self._reset_ms(day + shift) for shift in (-2, -1, 0, 1, 2)]
        starts = [reset for reset in resets if reset <= utc_ms]
        return max(starts), min(reset for reset in resets if reset > utc_ms)

    def _reset_ms(self, day: int) -> int:
        """Return the reset of a day of the zone's calendar, counted from 1970-01-01."""
        if self._server is not None:
            return self._server.to_utc_ms(day * DAY_MS + self._minute * _MINUTE_MS)
        local = (_EPOCH + timedelta(days=day, minutes=self._minute)).replace(tzinfo=self._zone)
        return int(local.timestamp()) * 1000


@lru_cache(maxsize=32)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # also names that lead elsewhere
        raise ConfigError(
            f"zone: {name!r} is not known; use 'server' or an IANA name such as Europe/Prague"
        ) from error
