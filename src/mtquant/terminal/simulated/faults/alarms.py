"""One fault while a market runs: when it begins, whether it is on, how often it has struck."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from mtquant.terminal.simulated.faults.kinds import (
    EFFECT_KINDS,
    REQUEST_KINDS,
    STATE_KINDS,
    FaultKind,
)

if TYPE_CHECKING:
    from mtquant.exchange import Market
    from mtquant.model import ServerClock
    from mtquant.terminal.simulated.faults.chance import Chance
    from mtquant.terminal.simulated.faults.past import Views
    from mtquant.terminal.simulated.faults.spec import FaultSpec

_NEVER: Final = 2**62
_FOR_GOOD: Final = -1
_BEGINNING: Final = STATE_KINDS | EFFECT_KINDS


class Alarm:
    """Follow one fault of a scenario; `begun` counts how often it has begun."""

    def __init__(self, spec: FaultSpec, name: str, chance: Chance) -> None:
        self.spec = spec
        self.name = name
        self.begun = 0
        self.struck = 0
        self.pinned: Views | None = None  # the accounts when it began
        self._chance = chance
        self._start_ms = _NEVER
        self._until_ms = 0
        self._moment = self._began_with = -1  # the number of a tick

    def set_clock(self, market: Market) -> None:
        """Learn the market's clock and its first moment."""
        spec = self.spec
        if spec.at is not None:
            self._start_ms = at_ms(spec.at, market.venue.clock)
        elif spec.after_ms is not None:
            self._start_ms = market.now_ms + spec.after_ms
        elif spec.nth is None and spec.chance_fraction is None:
            self._start_ms = market.now_ms

    def play(self, now_ms: int, moment: int | None) -> bool:
        """Follow a tick, or (None) the clock between two; tell whether the fault begins now."""
        spec = self.spec
        self._moment = self._moment if moment is None else moment
        if spec.kind not in _BEGINNING:
            return False
        if spec.chance_fraction is not None:
            return moment is not None and self.hits(moment) and self.begin(now_ms)
        if self.begun or self._start_ms > now_ms:
            return False
        is_over = spec.for_ms > 0 and now_ms >= self._start_ms + spec.for_ms
        return self.begin(now_ms, self._start_ms) and not is_over

    def begin(self, now_ms: int, since_ms: int | None = None) -> bool:
        """Let the fault begin; return False for one that lasts already, it only lasts longer."""
        lasts = self.spec.kind in STATE_KINDS and self.is_on(now_ms)
        start_ms = now_ms if since_ms is None else since_ms
        self._until_ms = start_ms + self.spec.for_ms if self.spec.for_ms else _FOR_GOOD
        self._began_with = self._moment
        self.begun += not lasts
        return not lasts

    def begins_with(self, name: str, number: int) -> bool:
        """Tell whether the fault begins with the `number`-th call of a function."""
        if self.spec.nth != number or self.is_for_requests:
            return False
        return (self.spec.function or "order_send") == name

    def is_on(self, now_ms: int) -> bool:
        """Tell whether the fault lasts."""
        if not self.begun:
            return False
        if self.spec.kind is FaultKind.SPIKE:
            return self._began_with == self._moment
        return self._until_ms == _FOR_GOOD or now_ms < self._until_ms

    def hits(self, counter: int) -> bool:
        """Tell whether chance strikes at a count."""
        return self._chance.draw(self.name, counter) < (self.spec.chance_fraction or 0.0)

    def pick(self, counter: int, count: int) -> int:
        """Return one of `count` numbers, by chance."""
        return self._chance.pick(f"{self.name}.pick", counter, count)

    def meets(self, number: int, now_ms: int) -> bool:
        """Tell whether a request or call, the `number`-th from 1 on, is met by the fault."""
        spec = self.spec
        if spec.chance_fraction is not None:
            return self.hits(number)
        if spec.nth is not None:
            return number >= spec.nth and self.struck < max(1, spec.times)
        if now_ms < self._start_ms or (spec.for_ms and now_ms >= self._start_ms + spec.for_ms):
            return False
        return self.struck < (spec.times or (_NEVER if spec.for_ms else 1))

    @property
    def is_for_requests(self) -> bool:
        """Tell whether the fault meets trade requests."""
        return self.spec.kind in REQUEST_KINDS


def at_ms(text: str, clock: ServerClock) -> int:
    """Return a time of the server's clock as UTC milliseconds."""
    wall = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return clock.to_utc_ms(int(wall.timestamp() * 1000))
