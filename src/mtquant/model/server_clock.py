"""The broker's server clock: how its wall time differs from UTC, with daylight saving.

MetaTrader encodes server wall time as if it were a UTC epoch. A profile says which wall clock
a server runs on; everything above the broker boundary is UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Final
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_FIRST_YEAR, _LAST_YEAR = 1990, 2070
KNOWN_UNTIL_MS: Final = int(datetime(_LAST_YEAR, 1, 1, tzinfo=UTC).timestamp()) * 1000


class ServerClock:
    """Convert between UTC and a server's wall clock (both int milliseconds).

    Profiles: `utc`; `eet_eu` (UTC+2, UTC+3 in European summer); `ny_plus_7` (New York wall time
    plus seven hours: UTC+2, UTC+3 in American summer); `fixed:+n` (n hours, no summer time).

    >>> ServerClock("eet_eu").offset_ms(1_483_228_800_000) // 3_600_000  # 2017-01-01
    2
    """

    def __init__(self, profile: str) -> None:
        self.profile = profile
        _parse_profile(profile)  # an unknown one is refused here

    def __repr__(self) -> str:
        return f"ServerClock({self.profile!r})"

    def offset_ms(self, utc_ms: int) -> int:
        """Return server time minus UTC at an instant, in milliseconds."""
        starts, offsets = self._utc_table
        return offsets[bisect_right(starts, utc_ms) - 1]

    def to_server_ms(self, utc_ms: int) -> int:
        """Return the server's wall time at a UTC instant."""
        return utc_ms + self.offset_ms(utc_ms)

    def to_utc_ms(self, server_ms: int) -> int:
        """Return the UTC instant of a server wall time.

        A wall time that happens twice (autumn) means its first occurrence; one that never
        happens (spring) is read with the offset before the change.
        """
        starts, offsets = self._utc_table
        guess = bisect_right(starts, server_ms - offsets[0]) - 1
        index = max(0, guess - 1)
        while index + 1 < len(starts):
            # the larger offset is the one before the autumn change and after the spring change
            larger = max(offsets[index], offsets[index + 1])
            if server_ms - larger < starts[index + 1]:
                break
            index += 1
        return server_ms - offsets[index]

    def day_start_ms(self, utc_ms: int) -> int:
        """Return the UTC instant at which the server's calendar day of `utc_ms` began."""
        server_ms = self.to_server_ms(utc_ms)
        return self.to_utc_ms(server_ms - server_ms % DAY_MS)

    def next_midnight_ms(self, utc_ms: int) -> int:
        """Return the UTC instant of the first server midnight after `utc_ms`."""
        server_ms = self.to_server_ms(utc_ms)
        return self.to_utc_ms(server_ms - server_ms % DAY_MS + DAY_MS)

    def week_start_ms(self, utc_ms: int) -> int:
        """Return the UTC instant at which the server's week of `utc_ms` began, its Monday 00:00."""
        server_ms = self.to_server_ms(utc_ms)
        days_since_monday = (self.weekday(utc_ms) - 1) % 7
        return self.to_utc_ms(server_ms - server_ms % DAY_MS - days_since_monday * DAY_MS)

    def weekday(self, utc_ms: int) -> int:
        """Return the server's day of the week, 0 = Sunday (MetaTrader's count)."""
        return (self.to_server_ms(utc_ms) // DAY_MS + 4) % 7

    @property
    def changes(self) -> tuple[list[int], list[int]]:
        """Return the UTC instants from which offsets hold, rising, and those offsets (ms)."""
        return self._utc_table

    def text(self, utc_ms: int) -> str:
        """Return the server's wall time as MetaTrader writes it: 2026.05.12 08:42."""
        moment = datetime.fromtimestamp(self.to_server_ms(utc_ms) / 1000, UTC)
        return moment.strftime("%Y.%m.%d %H:%M")

    @cached_property
    def _utc_table(self) -> tuple[list[int], list[int]]:
        return _offsets(self.profile)


@cache
def _offsets(profile: str) -> tuple[list[int], list[int]]:
    """Return the UTC instants from which a profile's offsets hold, and those offsets (ms)."""
    zone, shift_ms = _parse_profile(profile)
    if zone is None:
        return [-(2**62)], [shift_ms]
    first = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    starts, offsets = [-(2**62)], [_zone_offset_ms(zone, first)]
    moment = first
    step = timedelta(days=7)  # no zone changes twice in a week
    while moment.year < _LAST_YEAR:
        following = moment + step
        offset = _zone_offset_ms(zone, following)
        if offset != offsets[-1]:
            changed = _first_instant_with(zone, offset, moment, following)
            starts.append(int(changed.timestamp()) * 1000)
            offsets.append(offset)
        moment = following
    return starts, [offset + shift_ms for offset in offsets]


def _first_instant_with(
    zone: ZoneInfo, offset_ms: int, before: datetime, after: datetime
) -> datetime:
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) / 2
        middle = middle.replace(second=0, microsecond=0)
        if _zone_offset_ms(zone, middle) == offset_ms:
            after = middle
        else:
            before = middle
    return after


def _zone_offset_ms(zone: ZoneInfo, moment: datetime) -> int:
    shift = moment.astimezone(zone).utcoffset() or timedelta(0)
    return int(shift.total_seconds()) * 1000


def _parse_profile(profile: str) -> tuple[ZoneInfo | None, int]:
    if profile == "utc":
        return None, 0
    if profile == "eet_eu":
        return ZoneInfo("Europe/Helsinki"), 0
    if profile == "ny_plus_7":
        return ZoneInfo("America/New_York"), 7 * _HOUR_MS
    if profile.startswith("fixed:"):
        try:
            hours = int(profile.removeprefix("fixed:"))
        except ValueError:
            hours = 99
        if -12 <= hours <= 14:
            return None, hours * _HOUR_MS
    raise ValueError(
        f"server clock {profile!r} is not known; use utc, eet_eu, ny_plus_7 or fixed:+2 (-12..+14)"
    )
