"""The two floors of an account: of the day's loss, and of the whole loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mtquant.model import ConfigError
from mtquant.risk.prop.kinds import BaseShare, DailyBase, FirstDayBase, MaxLossKind, Measure
from mtquant.risk.prop.money import allowance_minor, demand_minor, exact

if TYPE_CHECKING:
    from fractions import Fraction

    from mtquant.risk.prop.booked import DayClose
    from mtquant.risk.prop.spec import DailyLoss, MaxLoss


class DailyLine:
    """Follow the floor of one day's loss (minor units).

    It moves with money paid in or out, which is neither profit nor loss. `base_minor` is what the
    day is measured from; with the base `equity_high` it rises, and the floor with it.

    Raises:
        ConfigError: the rule has no allowance, because its source leaves it open.
    """

    name: ClassVar[str] = "daily_loss"
    __slots__ = (
        "_initial_minor",
        "_rule",
        "_share",
        "allowance_minor",
        "base_minor",
        "effect",
        "floor_minor",
    )

    def __init__(self, rule: DailyLoss, initial_minor: int) -> None:
        if rule.allowance_fraction is None:
            raise ConfigError(
                "daily_loss.allowance_fraction: the source leaves it open, so the rule cannot be "
                "kept; copy the rule file and fill it in"
            )
        self.effect = rule.effect
        self._rule = rule
        self._share = exact(rule.allowance_fraction)
        self._initial_minor = initial_minor
        self.base_minor: int
        self.allowance_minor: int
        self.floor_minor: int
        self._measure_from(initial_minor)

    def begin(self, balance_minor: int, equity_minor: int) -> None:
        """Take the first values that are seen of an untouched account."""
        if self._rule.first_day_base is FirstDayBase.OBSERVED:
            self._begin_with(balance_minor, equity_minor)

    def join(self, opening_minor: int, equity_minor: int) -> None:
        """Begin in a day that others began: with its balance at the reset, and equity of now.

        What equity was at the reset nobody knows; the larger of the two hides no loss.
        """
        is_initial = self._rule.first_day_base is FirstDayBase.INITIAL
        if not (is_initial and opening_minor == self._initial_minor):
            self._begin_with(opening_minor, max(opening_minor, equity_minor))

    def learn(self, net_minor: int, opening_minor: int, paid_minor: int) -> None:
        """Take out of the day's begin what a deal of the same day had added to it.

        `opening_minor` is the balance at the reset as it is known now; `paid_minor` has been paid
        in (positive) or out since, and changes no allowance.
        """
        reached_minor, unpaid_minor = self.floor_minor, self.base_minor - paid_minor
        if self._rule.base is DailyBase.BALANCE:
            self._measure_from(unpaid_minor - net_minor)
            self.pay(paid_minor)
        elif opening_minor > unpaid_minor:
            self._measure_from(opening_minor)
            self.pay(paid_minor)
            self.floor_minor = max(reached_minor, self.floor_minor)

    def reset(self, close: DayClose) -> None:
        """Begin a new day with what the last one ended with."""
        self._begin_with(close.balance_minor, close.equity_minor)

    def pay(self, paid_minor: int) -> int:
        """Move with money paid in (positive) or out; return by how much."""
        self.base_minor += paid_minor
        self.floor_minor += paid_minor
        return paid_minor

    def see(self, _balance_minor: int, equity_minor: int) -> None:
        """Follow the equity of the day where the rule does."""
        if self._rule.base is DailyBase.EQUITY_HIGH and equity_minor > self.base_minor:
            reached_minor = self.floor_minor
            self._measure_from(equity_minor)
            self.floor_minor = max(reached_minor, self.floor_minor)

    def measured_minor(self, balance_minor: int, equity_minor: int) -> int:
        """Return what must not fall below the floor."""
        return equity_minor if self._rule.measure is Measure.EQUITY else balance_minor

    def state(self) -> list[int]:
        """Return what `restore` needs."""
        return [self.base_minor, self.allowance_minor, self.floor_minor]

    def restore(self, state: list[int]) -> None:
        """Take over what `state` returned."""
        self.base_minor, self.allowance_minor, self.floor_minor = state

    def _begin_with(self, balance_minor: int, equity_minor: int) -> None:
        base = self._rule.base
        if base is DailyBase.BALANCE:
            self._measure_from(balance_minor)
        elif base is DailyBase.HIGHER:
            self._measure_from(max(balance_minor, equity_minor))
        else:
            self._measure_from(equity_minor)

    def _measure_from(self, base_minor: int) -> None:
        of_base = self._rule.share is BaseShare.BASE
        whole_minor = base_minor if of_base else self._initial_minor
        self.base_minor = base_minor
        self.allowance_minor = allowance_minor(whole_minor, self._share)
        self.floor_minor = base_minor - self.allowance_minor


class MaxLine:
    """Follow the floor of the whole loss (minor units).

    Money paid in raises it, and takes the rise back when it is paid out again. What is paid out
    beyond that is profit: it leaves the floor where it is, as firms do.
    """

    name: ClassVar[str] = "max_loss"
    __slots__ = (
        "_lock_minor",
        "_paid_minor",
        "_raised_minor",
        "_trigger_minor",
        "allowance_minor",
        "effect",
        "floor_minor",
        "high_minor",
        "is_locked",
        "kind",
    )

    def __init__(self, rule: MaxLoss, initial_minor: int) -> None:
        self.effect = rule.effect
        self.kind = rule.kind
        amount_minor, fraction = rule.allowance_minor, rule.allowance_fraction
        if amount_minor is None:  # the rule has exactly one of the two
            amount_minor = allowance_minor(initial_minor, exact(fraction or 0.0))
        self.allowance_minor = amount_minor
        self.high_minor = initial_minor
        self.floor_minor = initial_minor - amount_minor
        self.is_locked = False
        self._lock_minor = _above(initial_minor, rule.lock_gain_fraction)
        self._trigger_minor = _above(initial_minor, rule.lock_trigger_fraction)
        self._paid_minor = 0
        self._raised_minor = 0

    def begin(self, balance_minor: int, equity_minor: int) -> None:
        """Take the first values that are seen: the floor is measured from the initial balance."""

    def join(self, opening_minor: int, _equity_minor: int) -> None:
        """Begin in a day that others began, with its balance at the reset."""
        if self.kind is MaxLossKind.EOD_BALANCE:
            self._follow(opening_minor)

    def know_high(self, high_minor: int) -> None:
        """Take over the high that a trailing floor has followed before anybody looked."""
        self._follow(high_minor)
        self._lock_at(high_minor)

    def learn(self, _net_minor: int, opening_minor: int, _paid_minor: int) -> None:
        """Take in the balance at the reset as it is known now, raised like the floor since."""
        opening_minor += self._raised_minor
        self.join(opening_minor, opening_minor)

    def reset(self, close: DayClose) -> None:
        """Begin a new day with what the last ones ended with."""
        if self.kind is MaxLossKind.EOD_BALANCE:
            self._follow(close.highest_minor)

    def pay(self, paid_minor: int) -> int:
        """Move with money paid in (positive), or out again; return by how much."""
        self._paid_minor += paid_minor
        rise_minor = max(0, self._paid_minor) - self._raised_minor
        self._raised_minor += rise_minor
        self.high_minor += rise_minor
        self.floor_minor += rise_minor
        return rise_minor

    def see(self, balance_minor: int, equity_minor: int) -> None:
        """Follow the highs where the rule does, and lock once the closed gain suffices."""
        if self.kind is MaxLossKind.BALANCE_HIGH:
            self._follow(balance_minor)
        elif self.kind is MaxLossKind.EQUITY_HIGH:
            self._follow(equity_minor)
        self._lock_at(balance_minor)

    def measured_minor(self, _balance_minor: int, equity_minor: int) -> int:
        """Return what must not fall below the floor."""
        return equity_minor

    def state(self) -> list[int]:
        """Return what `restore` needs."""
        return [
            self.high_minor,
            self.allowance_minor,
            self.floor_minor,
            int(self.is_locked),
            self._paid_minor,
            self._raised_minor,
        ]

    def restore(self, state: list[int]) -> None:
        """Take over what `state` returned."""
        self.high_minor, self.allowance_minor, self.floor_minor, locked = state[:4]
        self.is_locked = bool(locked)
        self._paid_minor, self._raised_minor = state[4:]

    def _follow(self, mark_minor: int) -> None:
        if self.is_locked or mark_minor <= self.high_minor:
            return
        self.high_minor = mark_minor
        self.floor_minor = mark_minor - self.allowance_minor
        if self._lock_minor is None or self._trigger_minor is not None:
            return
        lock_minor = self._lock_minor + self._raised_minor
        if self.floor_minor >= lock_minor:
            self.floor_minor = lock_minor
            self.is_locked = True

    def _lock_at(self, balance_minor: int) -> None:
        """Lock for good once the closed gain has reached the trigger."""
        if self.is_locked or self._trigger_minor is None or self._lock_minor is None:
            return
        if balance_minor >= self._trigger_minor + self._raised_minor:
            self.is_locked = True
            self.floor_minor = max(self.floor_minor, self._lock_minor + self._raised_minor)


Line = DailyLine | MaxLine


def buffered_minor(line: Line, buffer: Fraction) -> int:
    """Return a floor raised by a part of its allowance, rounded up (minor units)."""
    return line.floor_minor + demand_minor(line.allowance_minor, buffer)


def _above(initial_minor: int, fraction: float | None) -> int | None:
    if fraction is None:
        return None
    return initial_minor + demand_minor(initial_minor, exact(fraction))
