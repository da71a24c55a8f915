"""The guard of an account with a prop firm: it follows the firm's floors and stops before them."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from mtquant.model import ConfigError
from mtquant.risk.prop.booked import BookedDeals, DayClose
from mtquant.risk.prop.days import DayBook
from mtquant.risk.prop.guard_state import (
    BOOKED,
    DOUBTFUL,
    GuardMemory,
    Joined,
    floors_fingerprint,
    read_memory,
    written_memory,
)
from mtquant.risk.prop.kinds import DailyBase, Effect, MaxLossKind, PropStatus
from mtquant.risk.prop.lines import DailyLine, Line, MaxLine, buffered_minor
from mtquant.risk.prop.money import exact, money_words
from mtquant.risk.prop.stops import stop_loss_breach
from mtquant.risk.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtquant.risk.prop.clock import PropClock
    from mtquant.risk.prop.guard_state import State
    from mtquant.risk.prop.money import Currency
    from mtquant.risk.prop.spec import PropRules

_STEPS: Final = 400
"""The parts of an allowance by which a floor may lag in what is kept: no buffer is so small."""


class PropEventKind(Enum):
    """Say what has changed."""

    BREACH = "breach"
    PAUSE = "pause"
    BUFFER_STOP = "stop before the firm's line"
    LOCK = "the floor is locked"
    RESUME = "trading may go on"


@dataclass(frozen=True, slots=True, kw_only=True)
class PropEvent:
    """Say what changed, by which rule, when (UTC ms), and the value beside its limit (minor)."""

    kind: PropEventKind
    rule: str
    time_ms: int
    value_minor: int
    limit_minor: int


class PropGuard:
    """Follow an account against a rule set; a pure state machine over what is observed.

    Nobody looks at the very moment of a reset. The balance of then is exact as far as deals
    (`note_traded`) explain how it has changed since the last look; where they do not, and of
    equity, the larger of the last value before and the first one after it counts: a loss between
    the two belongs to one of the days. Only what is observed is judged. Money is whole minor units;
    allowances round down, demands and the buffer up. `buffer_fraction` of each allowance is kept
    away from the firm's lines: under the buffered floor nothing may be opened until the next reset.
    Give the rules of one phase (`PropRules.for_phase`); otherwise every rule applies. A guard
    begins with an untouched account; with one that may have been traded before, `join` it.
    `highest_minor` is the high that a trailing floor has followed by then; `currency` is for words.

    Raises:
        ConfigError: a number is out of range, the account has another size than the rules, or the
            rules have no floor, because there is none or the source leaves it open.
    """

    def __init__(
        self,
        rules: PropRules,
        initial_minor: int,
        clock: PropClock,
        buffer_fraction: float = 0.0,
        *,
        highest_minor: int | None = None,
        currency: Currency | None = None,
    ) -> None:
        _require_account(rules, initial_minor, buffer_fraction, currency)
        if highest_minor is not None and highest_minor < initial_minor:
            raise ConfigError(
                f"highest_balance: {money_words(highest_minor, currency)} lies below the initial "
                f"deposit of {money_words(initial_minor, currency)}, where each account begins"
            )
        self.rules = rules
        self.initial_minor = initial_minor
        self._buffer = exact(buffer_fraction)
        self.days = DayBook()
        self._clock = clock
        self._highest_minor, self._currency = highest_minor, currency
        self._booked = BookedDeals()
        self._doubtful = BookedDeals()  # deals of the joining day, until the next look
        self._lines = _lines(rules, initial_minor)
        self._buffered = [buffered_minor(line, self._buffer) for line in self._lines]
        self._now = GuardMemory(balance_minor=initial_minor, equity_minor=initial_minor)

    @property
    def status(self) -> PropStatus:
        """Return whether the account may trade, as of the last observation."""
        return self._now.status

    @property
    def failure(self) -> PropEvent | None:
        """Return the breach that ended the account, if one has."""
        if not self._now.failure:
            return None
        rule, time_ms, value_minor, limit_minor = self._now.failure
        return PropEvent(
            kind=PropEventKind.BREACH,
            rule=rule,
            time_ms=time_ms,
            value_minor=value_minor,
            limit_minor=limit_minor,
        )

    @property
    def floor_minor(self) -> int:
        """Return the highest of the firm's floors, minor units: equity below it is a breach."""
        return max(line.floor_minor for line in self._lines)

    @property
    def buffered_floor_minor(self) -> int:
        """Return the highest floor with its buffer, minor units: where the guard stops."""
        return max(self._buffered)

    @property
    def room_minor(self) -> int:
        """Return how far the last equity stands above the firm's floor, negative below it."""
        return self._now.equity_minor - self.floor_minor

    @property
    def is_locked(self) -> bool:
        """Tell whether the floor of the whole loss has stopped rising for good."""
        return any(isinstance(line, MaxLine) and line.is_locked for line in self._lines)

    @property
    def marks(self) -> tuple[object, ...]:
        """Return what must not be forgotten when it changes; each floor in small steps."""
        steps = (one.floor_minor // max(1, one.allowance_minor // _STEPS) for one in self._lines)
        return self._now.status, self.is_locked, *steps

    @property
    def has_begun(self) -> bool:
        """Tell whether an account was seen yet, by this guard or by one before it."""
        return self._now.time_ms is not None

    def join(self, now_ms: int, balance_minor: int, equity_minor: int) -> None:
        """Begin with an account that may have been traded before; `observe` it then, too.

        The day is measured from the balance at its reset: the present one without what the deals
        since then have added. Deals of that day which are told later are taken out of it, too.

        Raises:
            ConfigError: the floor follows a high that neither was given nor follows from the
                deals, or the account stands below a floor that ends it: it is over, or of another
                size.
        """
        opening_minor = balance_minor - self._booked.since_minor(self._clock.day_start_ms(now_ms))
        for line in self._lines:
            if isinstance(line, MaxLine) and line.kind is not MaxLossKind.STATIC:
                line.know_high(self._past_high(line.kind, balance_minor))
            line.join(opening_minor, equity_minor)
            line.see(balance_minor, equity_minor)
            value_minor = line.measured_minor(balance_minor, equity_minor)
            if line.effect is Effect.FAIL and value_minor < line.floor_minor:
                raise ConfigError(self._is_over(line, value_minor))
        now = self._now
        now.time_ms, now.day_ms = now_ms, self._clock.day_start_ms(now_ms)
        now.balance_minor, now.equity_minor = balance_minor, equity_minor
        now.joined = Joined(time_ms=now_ms, opening_minor=opening_minor)
        self._booked.clear()

    def note_traded(self, time_ms: int, net_minor: int) -> None:
        """Take in what a deal has added to the balance (UTC ms, minor units), each deal once.

        Money paid in or out is no such deal: `observe` is told of it.
        """
        joined = self._now.joined
        if joined is None or time_ms > joined.time_ms:
            self._booked.note(time_ms, net_minor)
        elif time_ms >= self._now.day_ms:  # the next look tells whether it is a new one
            self._doubtful.note(time_ms, net_minor)

    def observe(
        self, now_ms: int, balance_minor: int, equity_minor: int, paid_minor: int = 0
    ) -> PropEvent | None:
        """Take over the account's values and return what they change, the gravest if several do.

        Args:
            now_ms: UTC milliseconds, never before those of the last observation.
            balance_minor: the balance, minor units.
            equity_minor: the balance and the open profit, without credit.
            paid_minor: money paid in (positive) or out since the last observation, part of both.

        Raises:
            ConfigError: `now_ms` runs backwards.
        """
        before = self._now.status
        if before is PropStatus.FAILED:
            self._booked.clear()
            return None
        was_locked = self.is_locked
        traded_minor = balance_minor - paid_minor
        self._sort_doubtful(traded_minor)
        self._turn_to(now_ms, traded_minor, equity_minor - paid_minor)
        between_minor = traded_minor
        if self._booked and self._is_explained(traded_minor):
            between_minor = self._booked.highest_minor(self._now.balance_minor)
        for line in self._lines:
            rise_minor = line.pay(paid_minor)
            # whether money was paid out before or after the highest, nobody knows
            highest_minor = max(balance_minor, between_minor + max(paid_minor, rise_minor))
            line.see(highest_minor, equity_minor)
        self._booked.clear()
        if self._now.joined is not None:
            self._now.joined.paid_minor += paid_minor
        self._now.balance_minor, self._now.equity_minor = balance_minor, equity_minor
        self._buffered = [buffered_minor(line, self._buffer) for line in self._lines]
        return self._judged(before) or self._announced(before, was_locked=was_locked)

    def _sort_doubtful(self, traded_minor: int) -> None:
        """Tell deals of the time before joining from new ones: a new one moves the balance.

        A terminal that still loads its history tells of the former late, and where our clock is
        ahead of the server's a new one looks like them. What neither explains counts where it
        raises a floor.
        """
        joined, doubtful, now = self._now.joined, self._doubtful, self._now
        if joined is None or not doubtful:
            return
        total_minor, moved_minor = doubtful.total_minor(), traded_minor - now.balance_minor
        if moved_minor == self._booked.total_minor() + total_minor and total_minor:
            for row in doubtful.rows():
                self._booked.note(*row)
        elif total_minor < 0 or moved_minor == self._booked.total_minor():
            joined.opening_minor -= total_minor
            for line in self._lines:
                line.learn(total_minor, joined.opening_minor, joined.paid_minor)
        doubtful.clear()

    def entry_refusal(
        self, now_ms: int, worst_loss_minor: int, trade_loss_minor: int = 0
    ) -> Refusal | None:
        """Return why nothing may be opened now, None where it may.

        Args:
            now_ms: UTC milliseconds; resets since the last observation are taken into account.
            worst_loss_minor: how far equity falls from where it is if the new order and everything
                that is open are closed at their stops, minor units, not negative.
            trade_loss_minor: what the new order alone loses at its stop, minor units.

        Raises:
            ConfigError: the loss is negative.
        """
        if worst_loss_minor < 0:
            raise ConfigError(f"worst_loss_minor must not be negative, was {worst_loss_minor}")
        if self._now.time_ms is None:
            return Refusal(rule="prop_status", value="not observed yet", limit="ok")
        status, floor_minor = self._at(now_ms)
        if status is not PropStatus.OK:
            return Refusal(
                rule="prop_status", value=status.value, limit="ok", remedy=_REMEDIES[status]
            )
        left_minor = self._now.equity_minor - worst_loss_minor
        if left_minor < floor_minor:
            return Refusal(
                rule="prop_floor",
                value=f"equity {self._money(left_minor)} at the stops",
                limit=self._money(floor_minor),
                remedy="a smaller volume or a nearer stop",
            )
        rule = self.rules.stop_loss
        if rule is None:
            return None
        balance_minor = self._now.balance_minor
        return stop_loss_breach(rule, balance_minor, trade_loss_minor, 0, self._currency)

    def can_open(self, now_ms: int, worst_loss_minor: int) -> bool:
        """Tell whether an order may be opened; `entry_refusal` says why not.

        Raises:
            ConfigError: the loss is negative.
        """
        return self.entry_refusal(now_ms, worst_loss_minor) is None

    def status_at(self, now_ms: int) -> PropStatus:
        """Return the status at an instant (UTC ms): a reset since the last one ends a pause."""
        return self._at(now_ms)[0]

    def note_opened(self, now_ms: int) -> None:
        """Count the day of an instant (UTC ms) as traded: a position was opened."""
        self.days.note_opened(self._clock.day_start_ms(now_ms))

    def note_closed(self, now_ms: int, net_minor: int) -> None:
        """Add a closed trade's net result (minor units) to its day."""
        self.days.note_closed(self._clock.day_start_ms(now_ms), net_minor)

    def state(self) -> State:
        """Return everything that is remembered, as JSON scalars and lists of them."""
        lines: State = {line.name: line.state() for line in self._lines}
        waiting = {BOOKED: self._booked, DOUBTFUL: self._doubtful}
        deals: State = {name: one.state() for name, one in waiting.items() if one}
        return {
            **self._identity(),
            **written_memory(self._now),
            **lines,
            **self.days.state(),
            **deals,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Take over what `state` returned, of a guard with the same rules and account size.

        Raises:
            ConfigError: it is of other rules, of other numbers in them, or of another size, or a
                key is missing or wrong.
        """
        for key, value in self._identity().items():
            if state.get(key) != value:
                raise ConfigError(f"{key}: the state is of {state.get(key)!r}, not of {value!r}")
        memory, lists = read_memory(state, self.state())
        self._now = memory
        for line in self._lines:
            line.restore(lists[line.name])
        self.days.restore(*(lists[name] for name in self.days.state()))
        self._booked.restore(lists[BOOKED])
        self._doubtful.restore(lists[DOUBTFUL])
        self._buffered = [buffered_minor(line, self._buffer) for line in self._lines]

    def _identity(self) -> dict[str, int | str]:
        return {
            "rules": self.rules.title,
            "floors": floors_fingerprint(self.rules),
            "initial_minor": self.initial_minor,
        }

    def _turn_to(self, now_ms: int, balance_minor: int, equity_minor: int) -> None:
        """Begin, or roll over the resets that have passed."""
        now = self._now
        day_ms = self._clock.day_start_ms(now_ms)
        if now.time_ms is None:
            for line in self._lines:
                line.begin(balance_minor, equity_minor)
        elif now_ms < now.time_ms:
            raise ConfigError(f"now_ms: time runs backwards, {now.time_ms} -> {now_ms}")
        elif day_ms > now.day_ms:
            close = self._day_close(day_ms, balance_minor, equity_minor)
            for line in self._lines:
                line.reset(close)
            now.status = PropStatus.OK
        now.time_ms, now.day_ms = now_ms, day_ms

    def _day_close(self, day_ms: int, balance_minor: int, equity_minor: int) -> DayClose:
        """Return what the day before a reset ended with, of the first values seen after it."""
        now, booked = self._now, self._booked
        if self._is_explained(balance_minor):
            closing_minor = balance_minor - booked.since_minor(day_ms)
            closes = booked.closes(now.balance_minor, now.day_ms, self._clock.day_start_ms)
        else:
            closing_minor, closes = max(now.balance_minor, balance_minor), []
        return DayClose(
            balance_minor=closing_minor,
            equity_minor=max(now.equity_minor, equity_minor),
            highest_minor=max([closing_minor, *closes]),
        )

    def _is_explained(self, balance_minor: int) -> bool:
        """Tell whether deals are all that has moved the balance since the last look."""
        return balance_minor == self._now.balance_minor + self._booked.total_minor()

    def _past_high(self, kind: MaxLossKind, balance_minor: int) -> int:
        """Return the high that a floor has followed so far: given, or told by all of the deals.

        Deals that lead from the deposit to the balance are all of them; equity they do not tell.
        """
        booked, initial_minor = self._booked, self.initial_minor
        if self._highest_minor is not None:
            return self._highest_minor
        is_whole = balance_minor == initial_minor + booked.total_minor()
        if not is_whole or (booked and kind is MaxLossKind.EQUITY_HIGH):
            raise ConfigError(self._high_is_missing(balance_minor))
        if kind is MaxLossKind.EOD_BALANCE:
            closes = booked.closes(initial_minor, 0, self._clock.day_start_ms)
            return max([initial_minor, *closes])
        return booked.highest_minor(initial_minor)

    def _high_is_missing(self, balance_minor: int) -> str:
        balance, initial = self._money(balance_minor), self._money(self.initial_minor)
        return (
            f"prop.highest_balance: the floor of {self.rules.title} follows the highest value of "
            f"the account, and what it was before is not known (balance {balance}, initial_deposit "
            f"{initial}): give the highest that the firm counts, which is its present floor plus "
            "the allowance"
        )

    def _is_over(self, line: Line, value_minor: int) -> str:
        value, floor = self._money(value_minor), self._money(line.floor_minor)
        return (
            f"prop.initial_deposit: the account is worth {value}, below the {line.name} floor of "
            f"{floor} that {self.rules.title} has for a deposit of "
            f"{self._money(self.initial_minor)}: either the account is over, or the deposit is "
            "another one; nothing was done about it"
        )

    def _money(self, minor: int) -> str:
        return money_words(minor, self._currency)

    def _judged(self, before: PropStatus) -> PropEvent | None:
        """Hold the values against the floors; return what stops the account, if it is news."""
        broken = [line for line in self._lines if self._value(line) < line.floor_minor]
        failing = [line for line in broken if line.effect is Effect.FAIL]
        now = self._now
        if failing:
            now.status = PropStatus.FAILED
            event = self._event(PropEventKind.BREACH, failing[0], failing[0].floor_minor)
            now.failure = (event.rule, event.time_ms, event.value_minor, event.limit_minor)
            return event
        if broken:
            was_paused = now.status is PropStatus.PAUSED
            now.status = PropStatus.PAUSED
            paused = self._event(PropEventKind.PAUSE, broken[0], broken[0].floor_minor)
            return None if was_paused else paused
        if now.status is not PropStatus.OK:
            return None
        for line, floor_minor in zip(self._lines, self._buffered, strict=True):
            if self._value(line) < floor_minor:
                now.status = PropStatus.STOPPED_BY_BUFFER
                stop = self._event(PropEventKind.BUFFER_STOP, line, floor_minor)
                return None if before is PropStatus.STOPPED_BY_BUFFER else stop
        return None

    def _announced(self, before: PropStatus, *, was_locked: bool) -> PropEvent | None:
        """Return what is news though nothing stops the account."""
        for line in self._lines:
            if isinstance(line, MaxLine) and line.is_locked and not was_locked:
                return self._event(PropEventKind.LOCK, line, line.floor_minor)
        if before is not PropStatus.OK and self._now.status is PropStatus.OK:
            line = max(self._lines, key=lambda one: one.floor_minor)
            return self._event(PropEventKind.RESUME, line, line.floor_minor)
        return None

    def _value(self, line: Line) -> int:
        return line.measured_minor(self._now.balance_minor, self._now.equity_minor)

    def _event(self, kind: PropEventKind, line: Line, limit_minor: int) -> PropEvent:
        return PropEvent(
            kind=kind,
            rule=line.name,
            time_ms=self._now.time_ms or 0,
            value_minor=self._value(line),
            limit_minor=limit_minor,
        )

    def _at(self, now_ms: int) -> tuple[PropStatus, int]:
        """Return status and buffered floor at an instant, changing nothing."""
        now = self._now
        day_ms = self._clock.day_start_ms(now_ms)
        if day_ms <= now.day_ms or now.status is PropStatus.FAILED:
            return now.status, self.buffered_floor_minor
        lines = [copy(line) for line in self._lines]
        close = self._day_close(day_ms, now.balance_minor, now.equity_minor)
        for line in lines:
            line.reset(close)
        return PropStatus.OK, max(buffered_minor(line, self._buffer) for line in lines)


_REMEDIES = {
    PropStatus.PAUSED: "entries return at the firm's next reset",
    PropStatus.STOPPED_BY_BUFFER: "entries return at the firm's next reset",
    PropStatus.FAILED: "the account is over: the firm's line was crossed",
}


def _require_account(
    rules: PropRules, initial_minor: int, buffer_fraction: float, currency: Currency | None
) -> None:
    if initial_minor < 1:
        raise ConfigError(f"initial_minor must be at least 1, was {initial_minor}")
    if not 0 <= buffer_fraction < 1:
        raise ConfigError(f"buffer_fraction must be 0 or more and below 1, was {buffer_fraction}")
    if rules.initial_minor is not None and rules.initial_minor != initial_minor:
        raise ConfigError(
            f"initial_deposit: {rules.title} is for accounts of "
            f"{money_words(rules.initial_minor, currency)}, was "
            f"{money_words(initial_minor, currency)}"
        )


def _lines(rules: PropRules, initial_minor: int) -> list[Line]:
    lines: list[Line] = []
    if rules.daily_loss is not None and rules.daily_loss.base is not DailyBase.NONE:
        lines.append(DailyLine(rules.daily_loss, initial_minor))
    if rules.max_loss is not None:
        lines.append(MaxLine(rules.max_loss, initial_minor))
    if not lines:
        raise ConfigError(f"{rules.title} has neither daily_loss nor max_loss: nothing to guard")
    return lines
