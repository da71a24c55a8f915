"""Rule sets of prop firms as data: what a programme forbids, where it says so, and how surely.

Fractions are of the initial balance unless a field says otherwise. What a source leaves open is
absent here and named in `PropRules.left_open`; nothing is made up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mtquant.model import ConfigError
from mtquant.model.reading import nearest
from mtquant.risk.prop.kinds import (
    BaseShare,
    ConsistencyEffect,
    ConsistencyScope,
    DailyBase,
    Effect,
    FirstDayBase,
    Level,
    MaxLossKind,
    Measure,
    Scope,
)

_TIME_OF_DAY: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DATE: Final = re.compile(r"\d{4}-\d{2}(-\d{2})?")
MAY_BE_LEFT_OPEN: Final = (
    "consistency",
    "daily_loss",
    "daily_loss.allowance_fraction",
    "day",
    "max_loss",
    "min_trading_days",
    "news",
    "profit_target_fraction",
    "weekend",
)
"""What `PropRules.left_open` may name."""


def _require_positive(name: str, value: float | None) -> None:
    if value is not None and value <= 0:
        raise ConfigError(f"{name} must be above 0, was {value:g}; leave it out where unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRule:
    """Say when the firm's day begins: a time of day in a zone, or by the broker's server.

    `zone` is an IANA name such as Europe/Prague, or `server` for the server's wall clock.
    """

    reset: str = "00:00"
    zone: str = "server"
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no time of day.

        Raises:
            ConfigError: `reset` is not written as hh:mm.
        """
        if not _TIME_OF_DAY.fullmatch(self.reset):
            raise ConfigError(f"reset: expected a time of day such as '17:00', was {self.reset!r}")

    @property
    def reset_minute(self) -> int:
        """Return the minutes from midnight to the reset."""
        return 60 * int(self.reset[:2]) + int(self.reset[3:])


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyLoss:
    """Hold the limit of one day's loss: floor = base - allowance, from one reset to the next.

    `share` says whether the allowance is a fraction of the initial balance or of the base, and
    `measure` what must not fall below the floor. Base `none` states that there is no such limit.
    """

    base: DailyBase
    allowance_fraction: float | None = None
    share: BaseShare = BaseShare.INITIAL
    effect: Effect = Effect.FAIL
    first_day_base: FirstDayBase = FirstDayBase.INITIAL
    measure: Measure = Measure.EQUITY
    applies: Scope = Scope.ALWAYS
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse an allowance of nothing, or one where there is no limit.

        Raises:
            ConfigError: the message names the key.
        """
        _require_positive("allowance_fraction", self.allowance_fraction)
        if self.base is DailyBase.NONE and self.allowance_fraction is not None:
            raise ConfigError(
                f"allowance_fraction: {self.allowance_fraction:g} has no meaning with base none; "
                "leave it out, or name the base"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxLoss:
    """Hold the limit of the whole loss: a floor that stands, or trails a high and never falls.

    The allowance is a fraction of the initial balance or an amount in minor units. The floor never
    rises above the initial balance plus `lock_gain_fraction` of it (0: the initial balance; None:
    no such bound). With `lock_trigger_fraction` the lock happens once the closed gain reaches that
    fraction, and not before; a floor that has risen further by then stays where it is.
    """

    kind: MaxLossKind
    allowance_fraction: float | None = None
    allowance_minor: int | None = None
    lock_gain_fraction: float | None = None
    lock_trigger_fraction: float | None = None
    effect: Effect = Effect.FAIL
    applies: Scope = Scope.ALWAYS
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse no allowance or two, and a lock on a floor that does not move.

        Raises:
            ConfigError: the message names the key.
        """
        _require_positive("allowance_fraction", self.allowance_fraction)
        _require_positive("allowance_minor", self.allowance_minor)
        if (self.allowance_fraction is None) == (self.allowance_minor is None):
            raise ConfigError("give exactly one of allowance_fraction and allowance_minor")
        if self.lock_gain_fraction is not None and self.kind is MaxLossKind.STATIC:
            raise ConfigError(
                "lock_gain_fraction: a static floor does not move; leave the lock out"
            )
        if self.lock_trigger_fraction is not None and self.lock_gain_fraction is None:
            raise ConfigError("lock_trigger_fraction: say where it locks with lock_gain_fraction")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Hold the objectives of one stage of a programme; a target of None: there is none."""

    name: str
    is_funded: bool = False
    profit_target_fraction: float | None = None
    min_trading_days: int = 0
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse objectives that are none.

        Raises:
            ConfigError: the message names the key.
        """
        _require_positive("profit_target_fraction", self.profit_target_fraction)
        if self.min_trading_days < 0:
            raise ConfigError(f"min_trading_days must not be negative: {self.min_trading_days}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitableDays:
    """Ask for days whose closed profit reaches a fraction of the initial balance."""

    days: int
    threshold_fraction: float
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a count that asks for nothing.

        Raises:
            ConfigError: `days` is below 1.
        """
        if self.days < 1:
            raise ConfigError(f"days must be at least 1, was {self.days}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """Bound the best day's part of the whole profit; never a breach by itself."""

    best_day_fraction: float
    scope: ConsistencyScope = ConsistencyScope.EVALUATION
    effect: ConsistencyEffect = ConsistencyEffect.KEEP_TRADING
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a bound that no run could keep.

        Raises:
            ConfigError: `best_day_fraction` is 0.
        """
        _require_positive("best_day_fraction", self.best_day_fraction)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsRule:
    """Forbid opening around news, both ends of the window included.

    `covers_closing`: closing by hand is forbidden, too; `covers_stops`: so are fills of stop loss,
    take profit and pending orders that were placed earlier.
    """

    before_s: int
    after_s: int
    covers_closing: bool = False
    covers_stops: bool = False
    applies: Scope = Scope.ALWAYS
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a window that ends before it begins.

        Raises:
            ConfigError: a number of seconds is negative.
        """
        for name in ("before_s", "after_s"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must not be negative, was {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekendRule:
    """Say whether positions may be held over the weekend, and over which breaks they may not.

    Where they may not, `break_longer_than_minutes` adds every break of trading that is longer.
    """

    may_hold: bool
    break_longer_than_minutes: int | None = None
    applies: Scope = Scope.ALWAYS
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a break without length.

        Raises:
            ConfigError: `break_longer_than_minutes` is below 1.
        """
        _require_positive("break_longer_than_minutes", self.break_longer_than_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLossRule:
    """Ask for a stop loss soon after the entry and bound the risk of a trade (of the balance)."""

    within_s: int
    max_risk_fraction: float | None = None
    violations_allowed: int = 0
    level: Level | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse negative numbers and a risk of nothing.

        Raises:
            ConfigError: the message names the key.
        """
        _require_positive("max_risk_fraction", self.max_risk_fraction)
        for name in ("within_s", "violations_allowed"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must not be negative, was {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PropRules:
    """Hold one programme of one firm, with its sources and the day they were looked at.

    `level` is the evidence of every rule that has none of its own. `initial_minor` is the account
    size that amounts belong to, None where the rules are fractions alone. `left_open` names what
    the sources do not say. `leverage` is by class of instrument (30 for 1:30). Firms change their
    rules often: show source and date, and promise nothing.
    """

    firm: str
    programme: str
    level: Level
    checked: str
    sources: tuple[str, ...]
    phases: tuple[Phase, ...]
    day: DayRule = field(default_factory=DayRule)
    initial_minor: int | None = None
    daily_loss: DailyLoss | None = None
    max_loss: MaxLoss | None = None
    profitable_days: ProfitableDays | None = None
    consistency: Consistency | None = None
    news: NewsRule | None = None
    weekend: WeekendRule | None = None
    stop_loss: StopLossRule | None = None
    inactivity_days: int | None = None
    leverage: Mapping[str, float] = field(default_factory=dict)
    left_open: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a rule set without source, date or phase, and numbers that bound nothing.

        Raises:
            ConfigError: the message names the key, the value and what would be right.
        """
        if not self.sources:
            raise ConfigError("sources: the list is empty; name at least one")
        if not _DATE.fullmatch(self.checked):
            raise ConfigError(f"checked: expected a date such as '2026-11', was {self.checked!r}")
        names = [phase.name for phase in self.phases]
        if not names or len(set(names)) != len(names):
            raise ConfigError(f"phases: name at least one, each once; there are {names}")
        _require_positive("initial_minor", self.initial_minor)
        _require_positive("inactivity_days", self.inactivity_days)
        for kind, ratio in self.leverage.items():
            _require_positive(f"leverage {kind}", ratio)
        for name in self.left_open:
            if name not in MAY_BE_LEFT_OPEN:
                raise ConfigError(f"left_open: {name!r}; {nearest(name, list(MAY_BE_LEFT_OPEN))}")
        if self.initial_minor is None and self.max_loss and self.max_loss.allowance_minor:
            raise ConfigError("initial_minor: say which account size allowance_minor belongs to")

    @property
    def title(self) -> str:
        """Return the firm and its programme."""
        return f"{self.firm} {self.programme}"

    def level_of(self, rule: str) -> Level:
        """Return how surely a rule is known, by the name of its field.

        Raises:
            ConfigError: there is no such rule.
        """
        known = ("day", *_SCOPED, "profitable_days", "consistency", "stop_loss")
        if rule not in known:
            raise ConfigError(f"rule {rule!r}: {nearest(rule, list(known))}")
        found = getattr(self, rule)
        own: Level | None = None if found is None else found.level
        return own or self.level

    def phase(self, name: str | None = None) -> Phase:
        """Return a phase by its name, the first where none is given.

        Raises:
            ConfigError: there is no such phase.
        """
        if name is None:
            return self.phases[0]
        for phase in self.phases:
            if phase.name == name:
                return phase
        known = [phase.name for phase in self.phases]
        raise ConfigError(f"phase {name!r}: {nearest(name, known)}")

    def for_phase(self, name: str | None = None) -> PropRules:
        """Return the rules that apply in one phase, the first where none is named.

        Raises:
            ConfigError: there is no such phase.
        """
        phase = self.phase(name)
        changes = {rule: None for rule in _SCOPED if not self._applies(rule, phase)}
        if self.consistency is not None:
            is_of_payouts = self.consistency.scope is ConsistencyScope.PAYOUT
            if is_of_payouts != phase.is_funded:
                changes["consistency"] = None
        return replace(self, phases=(phase,), **changes)  # type: ignore[arg-type]  # all are optional

    def _applies(self, rule: str, phase: Phase) -> bool:
        found = getattr(self, rule)
        if found is None or found.applies is Scope.ALWAYS:
            return True
        return bool(phase.is_funded == (found.applies is Scope.FUNDED))


_SCOPED: Final = ("daily_loss", "max_loss", "news", "weekend")
