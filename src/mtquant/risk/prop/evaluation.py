"""The dry question: would this run have passed the programme?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from mtquant.model import DAY_MS, ConfigError, money_from_minor
from mtquant.risk.prop.guard import PropGuard
from mtquant.risk.prop.kinds import PropStatus
from mtquant.risk.prop.objectives import Objective, objectives, target_minor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.risk.prop.clock import PropClock
    from mtquant.risk.prop.spec import PropRules

_NOT_JUDGED: Final = ("news", "weekend", "stop_loss")  # the path and the trades do not show them


class PathPoint(NamedTuple):
    """Hold the account at an instant (UTC ms, minor units); `paid_minor` since the last point."""

    time_ms: int
    balance_minor: int
    equity_minor: int
    paid_minor: int = 0


class ClosedTrade(NamedTuple):
    """Hold a trade that is over: opened and closed (UTC ms), and its net result (minor units)."""

    opened_ms: int
    closed_ms: int
    net_minor: int


class Verdict(Enum):
    """Say how a run ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_FINISHED = "not finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Say which rule a run broke, when (UTC ms), and the value beside its limit.

    Both are minor units, for `inactivity` whole days.
    """

    rule: str
    time_ms: int
    value: int
    limit: int

    def text(self, currency_digits: int = 2) -> str:
        """Return it in one sentence, money in whole units of a currency with these digits."""
        when = datetime.fromtimestamp(self.time_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        if self.rule == "inactivity":
            return f"inactivity at {when}: {self.value} days without a trade, limit {self.limit}."
        value, limit = (_money(minor, currency_digits) for minor in (self.value, self.limit))
        return f"{self.rule} at {when}: {value} is below the floor of {limit}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Hold the answer for one phase, with what it rests on; money in minor units.

    `objectives` are those of the phase as of `time_ms`, when the run passed, failed or ended.
    `best_day_share` is a fraction of the profit, None without one; `lowest_room_minor` the least
    distance of equity from the firm's floor. `not_judged` names rules that the run cannot show or
    whose numbers the source leaves open: the answer says nothing about them. Trades that were
    opened while the firm had paused the account would not have been: with any, doubt the answer.
    """

    title: str
    phase: str
    verdict: Verdict
    time_ms: int
    failure: Failure | None
    objectives: tuple[Objective, ...]
    profit_minor: int
    days_traded: int
    best_day_share: float | None
    lowest_room_minor: int
    opened_while_paused: int
    not_judged: tuple[str, ...]

    @property
    def open_objectives(self) -> tuple[Objective, ...]:
        """Return the objectives that are not met."""
        return tuple(one for one in self.objectives if not one.is_met)

    def words(self, currency_digits: int = 2) -> tuple[str, ...]:
        """Return the answer in sentences, money in whole units of a currency with these digits."""
        lines = [f"{self.title}, {self.phase}: {self.verdict.value}."]
        if self.failure is not None:
            lines.append(self.failure.text(currency_digits))
        lines += [f"Open: {one.text(currency_digits)}." for one in self.open_objectives]
        share = self.best_day_share
        best = "no profit to share among days" if share is None else f"best day {share:.1%} of it"
        lines.append(
            f"Profit {_money(self.profit_minor, currency_digits)} ({best}), "
            f"{self.days_traded} days traded, lowest room "
            f"{_money(self.lowest_room_minor, currency_digits)}."
        )
        if self.opened_while_paused:
            lines.append(
                f"{self.opened_while_paused} trades were opened while the account was paused: the "
                "firm would not have let them be."
            )
        if self.not_judged:
            lines.append(f"Not judged: {', '.join(self.not_judged)}.")
        return tuple(lines)


def evaluate(
    rules: PropRules,
    initial_minor: int,
    clock: PropClock,
    path: Iterable[PathPoint | tuple[int, int, int, int]],
    deals: Iterable[ClosedTrade | tuple[int, int, int]],
    *,
    phase: str | None = None,
) -> Evaluation:
    """Return whether a run would have passed one phase of a programme.

    A run passes at the first point at which every objective is met, no trade is open and equity
    has the profit, too; a phase without a target passes when it ends unbroken and its other
    objectives are met. Only the points of the path are judged: the finer it is, the surer the
    answer.

    Args:
        rules: the programme.
        initial_minor: the initial balance, minor units.
        clock: the clock of the rules' day.
        path: the account in the order of time, as `PathPoint`.
        deals: the trades as `ClosedTrade`, in any order; one that closes after the path's end
            counts as open.
        phase: its name, the first where none is given.

    Raises:
        ConfigError: the path is empty or runs backwards, or rules and account do not fit.
    """
    run = _Run(rules.for_phase(phase), initial_minor, clock, deals)
    for point in path:
        run.step(PathPoint(*point))
        if run.is_over:
            break
    return run.answer()


def _money(minor: int, digits: int) -> str:
    return f"{money_from_minor(minor, digits):.{digits}f}"


class _Action(NamedTuple):
    """Hold an opening (`net_minor` is None) or a closing."""

    time_ms: int
    net_minor: int | None


def _actions(deals: Iterable[ClosedTrade | tuple[int, int, int]]) -> list[_Action]:
    """Return openings and closings, the last first."""
    found: list[_Action] = []
    for deal in deals:
        trade = ClosedTrade(*deal)
        if trade.closed_ms < trade.opened_ms:
            raise ConfigError(
                f"deals: closed_ms {trade.closed_ms} lies before opened_ms {trade.opened_ms}"
            )
        found += [_Action(trade.opened_ms, None), _Action(trade.closed_ms, trade.net_minor)]
    return sorted(found, key=lambda one: one.time_ms, reverse=True)


class _Run:
    """Play a path against a guard and keep count."""

    def __init__(
        self,
        rules: PropRules,
        initial_minor: int,
        clock: PropClock,
        deals: Iterable[ClosedTrade | tuple[int, int, int]],
    ) -> None:
        self._rules = rules
        self._initial_minor = initial_minor
        self._guard = PropGuard(rules, initial_minor, clock)
        self._target_minor = target_minor(rules, initial_minor)
        self._actions = _actions(deals)
        self._open = 0
        self._active_ms: int | None = None
        self._point: PathPoint | None = None
        self._paid_minor = 0
        self._lowest_room_minor: int | None = None
        self._opened_while_paused = 0
        self._failure: Failure | None = None
        self._is_passed = False

    @property
    def is_over(self) -> bool:
        return self._is_passed or self._failure is not None

    def step(self, point: PathPoint) -> None:
        self._point = point
        self._paid_minor += point.paid_minor
        if self._active_ms is None:
            self._active_ms = point.time_ms
        self._take_actions(point.time_ms)
        self._look_idle(point.time_ms)
        self._guard.observe(*point)
        room_minor = self._guard.room_minor
        if self._lowest_room_minor is None or room_minor < self._lowest_room_minor:
            self._lowest_room_minor = room_minor
        if self._failure is None:
            self._failure = self._breach()
        if self._failure is None and self._target_minor is not None:
            self._is_passed = self._is_done(point)

    def answer(self) -> Evaluation:
        point = self._point
        if point is None or self._lowest_room_minor is None:
            raise ConfigError("path: it is empty; give at least one point")
        if not self.is_over and self._target_minor is None:
            self._is_passed = self._is_done(point)
        verdict = Verdict.PASSED if self._is_passed else Verdict.NOT_FINISHED
        share = self._guard.days.best_share()
        return Evaluation(
            title=self._rules.title,
            phase=self._rules.phases[0].name,
            verdict=verdict if self._failure is None else Verdict.FAILED,
            time_ms=point.time_ms,
            failure=self._failure,
            objectives=self._objectives(point),
            profit_minor=self._profit_minor(point.balance_minor),
            days_traded=self._guard.days.days_traded,
            best_day_share=None if share is None else float(share),
            lowest_room_minor=self._lowest_room_minor,
            opened_while_paused=self._opened_while_paused,
            not_judged=self._not_judged(),
        )

    def _take_actions(self, now_ms: int) -> None:
        """Count what was opened and closed up to an instant."""
        while self._actions and self._actions[-1].time_ms <= now_ms:
            action = self._actions.pop()
            self._look_idle(action.time_ms)
            self._active_ms = max(action.time_ms, self._active_ms or action.time_ms)
            if action.net_minor is None:
                self._guard.note_opened(action.time_ms)
                is_paused = self._guard.status_at(action.time_ms) is PropStatus.PAUSED
                self._opened_while_paused += is_paused
                self._open += 1
            else:
                self._guard.note_closed(action.time_ms, action.net_minor)
                self._guard.note_traded(action.time_ms, action.net_minor)
                self._open -= 1

    def _look_idle(self, now_ms: int) -> None:
        """Fail a run that has not traded for too long."""
        most, active_ms = self._rules.inactivity_days, self._active_ms
        if most is None or active_ms is None or self._failure is not None:
            return
        idle_days = (now_ms - active_ms) // DAY_MS
        if idle_days > most:
            self._failure = Failure(rule="inactivity", time_ms=now_ms, value=idle_days, limit=most)

    def _breach(self) -> Failure | None:
        event = self._guard.failure
        if event is None:
            return None
        return Failure(
            rule=event.rule,
            time_ms=event.time_ms,
            value=event.value_minor,
            limit=event.limit_minor,
        )

    def _is_done(self, point: PathPoint) -> bool:
        if self._open or self._guard.status is not PropStatus.OK:
            return False
        wanted_minor = self._target_minor  # looked at first: counting the days costs time
        if wanted_minor is not None and self._worst_profit_minor(point) < wanted_minor:
            return False
        return all(one.is_met for one in self._objectives(point))

    def _objectives(self, point: PathPoint) -> tuple[Objective, ...]:
        profit_minor = self._worst_profit_minor(point)
        return objectives(self._rules, self._initial_minor, profit_minor, self._guard.days)

    def _worst_profit_minor(self, point: PathPoint) -> int:
        return self._profit_minor(min(point.balance_minor, point.equity_minor))

    def _profit_minor(self, value_minor: int) -> int:
        return value_minor - self._initial_minor - self._paid_minor

    def _not_judged(self) -> tuple[str, ...]:
        rules = self._rules
        stated = [name for name in _NOT_JUDGED if getattr(rules, name) is not None]
        if rules.weekend is not None and rules.weekend.may_hold:
            stated.remove("weekend")
        return tuple(dict.fromkeys((*stated, *rules.left_open)))
