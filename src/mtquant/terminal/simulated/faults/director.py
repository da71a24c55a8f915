"""The faults of a scenario at one server: which are on, which strike, what they do."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from mtquant.exchange import OrderRequest
from mtquant.model import ConfigError, OrderType
from mtquant.terminal.simulated.faults.alarms import Alarm
from mtquant.terminal.simulated.faults.chance import Chance
from mtquant.terminal.simulated.faults.effects import effect_of, require_fit
from mtquant.terminal.simulated.faults.kinds import EFFECT_KINDS, MARKET_ONLY, FaultKind
from mtquant.terminal.simulated.faults.past import Past, Views, views_of
from mtquant.terminal.simulated.faults.spec import PARTS, FaultScenario, FaultSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.exchange import Market, Request
    from mtquant.terminal.simulated.records import Assignment

_PINNED: Final = frozenset({FaultKind.SERVER_LOSS, FaultKind.STALE_FEED})
_REMEMBERED: Final = _PINNED | {FaultKind.CACHE_LAG}


class Faults:
    """Follow a scenario at a server; terminals ask it what is wrong.

    Give it to the server, which tells it of every moment, replayed ones too, and to the terminals
    before it. `calls_differ` tells whether anything but trade requests can go wrong,
    `counts_requests` whether the number of a trade request matters.
    """

    def __init__(self, scenario: FaultScenario | None = None, since_ms: int = 0) -> None:
        """Begin with the first moment, or with the first since a time, UTC milliseconds."""
        self.scenario = scenario or FaultScenario()
        self.chance = Chance(self.scenario.seed)
        specs = self.scenario.all_faults()
        named = zip(specs, _names(specs), strict=True)
        self.alarms = [Alarm(spec, name, self.chance) for spec, name in named]
        self.now_ms = 0
        self.requests = 0  # trade requests that left a terminal
        self.since_ms = since_ms
        self._moments = 0
        self._market: Market | None = None
        self._began: list[Alarm] = []
        self._next: deque[Alarm] = deque()
        lags = [spec.lag_of(part) for spec in specs for part in PARTS]
        remembers = any(spec.kind in _REMEMBERED for spec in specs)
        self._past = Past(max(lags, default=1)) if remembers else None
        self.calls_differ = any(not alarm.is_for_requests for alarm in self.alarms)
        meets_requests = any(alarm.is_for_requests for alarm in self.alarms)
        self.counts_requests = meets_requests or self.scenario.latency.is_any

    # ------------------------------------------------------------------ what the server tells

    def leave(self, market: Market) -> None:
        """See the market before it plays its next moment."""
        if self._past is not None and self._market is not None:
            self._past.remember(market)

    def arrive(self, market: Market) -> None:
        """See the market after it has played a moment."""
        if self._market is None:
            self._set_market(market)
        self.now_ms = market.now_ms
        self._begin(market, self._moments)
        self._moments += 1

    def wait(self, market: Market) -> None:
        """See the market after its clock has run on, without a price."""
        self.now_ms = market.now_ms
        self._begin(market, None)

    def effects(self, market: Market) -> Sequence[Assignment]:
        """Return what the moment brings to the accounts."""
        due = [one.spec for one in self._began if one.spec.kind in EFFECT_KINDS]
        done = [effect_of(spec, market) for spec in due]
        return [one for one in done if one is not None]

    def note_sent(self, struck: int) -> None:
        """Count a trade request, and the fault that met it."""
        self.requests += 1
        if 0 <= struck < len(self.alarms):
            self.alarms[struck].struck += 1

    # ------------------------------------------------------------------ what terminals ask

    def strike_next(self, spec: FaultSpec) -> None:
        """Let the next trade request be met by a fault, whatever the scenario says.

        Raises:
            ConfigError: it is no fault of a trade request.
        """
        alarm = Alarm(spec, f"next.{spec.kind.name}", self.chance)
        if not alarm.is_for_requests:
            raise ConfigError(f"kind: {spec.kind.name.lower()} does not meet trade requests")
        self._next.append(alarm)

    def meeting(self, request: Request, action: int) -> tuple[int, Alarm | None]:
        """Return the number and the fault that meets the next trade request: -1 and None for none.

        Asking changes nothing but the order of `strike_next`; `note_sent` counts.
        """
        if self._next:
            return -1, self._next.popleft()
        for number, alarm in enumerate(self.alarms):
            fits = alarm.is_for_requests and _fits(alarm.spec, request, action)
            if fits and alarm.meets(self.requests + 1, self.now_ms):
                return number, alarm
        return -1, None

    def on(self, kind: FaultKind) -> list[Alarm]:
        """Return the faults of a kind that last now, in the scenario's order."""
        return [one for one in self.alarms if one.spec.kind is kind and one.is_on(self.now_ms)]

    def begin(self, alarm: Alarm) -> None:
        """Let a fault begin with a call."""
        has_begun = alarm.begin(self.now_ms)
        if has_begun and self._market is not None and alarm.spec.kind in _PINNED:
            alarm.pinned = views_of(self._market)

    def views(self, part: str) -> Views | None:
        """Return what terminals show of the accounts in a part, None where they are up to date."""
        for alarm in self.on(FaultKind.SERVER_LOSS):
            return alarm.pinned
        lags = [alarm.spec.lag_of(part) for alarm in self.on(FaultKind.CACHE_LAG)]
        ticks = max(lags, default=0)
        return self._past.ago(ticks) if ticks and self._past is not None else None

    def stale_views(self, symbol: str) -> Views | None:
        """Return from where terminals have the price of a symbol, None where it is up to date."""
        for alarm in self.on(FaultKind.SERVER_LOSS):
            return alarm.pinned
        for alarm in self.on(FaultKind.STALE_FEED):
            if alarm.spec.symbol in {"", symbol}:
                return alarm.pinned
        return None

    def _begin(self, market: Market, moment: int | None) -> None:
        self._began = [one for one in self.alarms if one.play(self.now_ms, moment)]
        before = self._past.ago(1) if self._past is not None and moment is not None else None
        for alarm in self._began:
            if alarm.spec.kind in _PINNED:
                alarm.pinned = before or views_of(market)

    def _set_market(self, market: Market) -> None:
        self._market = market
        for number, alarm in enumerate(self.alarms):
            try:
                require_fit(alarm.spec, market)
            except ConfigError as error:
                where = "rates." if number >= len(self.scenario.faults) else f"faults[{number}]."
                raise ConfigError(f"{where}{error}") from error
            alarm.set_clock(market)


def _names(specs: Sequence[FaultSpec]) -> list[str]:
    """Name each fault by its kind and its place among those of its kind."""
    counts: dict[str, int] = {}
    names = []
    for spec in specs:
        name = f"{spec.kind.name}.{spec.function}.{spec.executed}"
        counts[name] = counts.get(name, 0) + 1
        names.append(f"{name}.{counts[name]}")
    return names


def _fits(spec: FaultSpec, request: Request, action: int) -> bool:
    if spec.kind in MARKET_ONLY:
        return isinstance(request, OrderRequest) and request.order_type is OrderType.MARKET
    return spec.only.value in {None, action}
