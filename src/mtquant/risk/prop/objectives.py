"""What a phase asks for before it is passed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mtquant.risk.prop.money import demand_minor, exact

if TYPE_CHECKING:
    from mtquant.risk.prop.days import DayBook
    from mtquant.risk.prop.spec import PropRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Hold one objective, what was reached of it and what is wanted.

    The unit is that of the name: `profit_target` in minor units, days in days, `best_day` in parts
    of a whole (None without a profit). `wanted` is None where the source leaves it open.
    """

    name: str
    reached: int | Fraction | None
    wanted: int | Fraction | None
    is_met: bool

    def text(self, currency_digits: int = 2) -> str:
        """Return it in words, money in whole units of a currency with these digits."""
        if self.wanted is None:
            return f"{self.name}: the source leaves it open"
        if self.name == "best_day":
            if self.reached is None:
                return f"best_day: no profit yet, at most {float(self.wanted):.0%} of it wanted"
            reached, wanted = float(self.reached), float(self.wanted)
            return f"best_day: {reached:.1%} of the profit, at most {wanted:.0%} wanted"
        reached, wanted = float(self.reached or 0), float(self.wanted)
        if self.name == "profit_target":
            whole, shown = 10**currency_digits, f".{currency_digits}f"
            return f"profit_target: {reached / whole:{shown}} of {wanted / whole:{shown}}"
        return f"{self.name}: {reached:.0f} of {wanted:.0f} days"


def objectives(
    rules: PropRules, initial_minor: int, profit_minor: int, days: DayBook
) -> tuple[Objective, ...]:
    """Return the objectives of a rule set's first phase (`PropRules.for_phase`).

    Args:
        rules: the rules of one phase.
        initial_minor: the initial balance, minor units.
        profit_minor: the profit so far, minor units, money paid in or out left aside.
        days: the days so far.
    """
    found = [*_target(rules, initial_minor, profit_minor), *_days(rules, initial_minor, days)]
    if rules.consistency is not None:
        share, most = days.best_share(), exact(rules.consistency.best_day_fraction)
        is_met = share is not None and share <= most
        found.append(Objective(name="best_day", reached=share, wanted=most, is_met=is_met))
    return tuple(found)


def target_minor(rules: PropRules, initial_minor: int) -> int | None:
    """Return the profit that the first phase asks for, minor units, None where it states none."""
    fraction = rules.phases[0].profit_target_fraction
    return None if fraction is None else demand_minor(initial_minor, exact(fraction))


def _target(rules: PropRules, initial_minor: int, profit_minor: int) -> list[Objective]:
    phase = rules.phases[0]
    wanted_minor = target_minor(rules, initial_minor)
    if wanted_minor is not None:
        return [
            Objective(
                name="profit_target",
                reached=profit_minor,
                wanted=wanted_minor,
                is_met=profit_minor >= wanted_minor,
            )
        ]
    if "profit_target_fraction" in rules.left_open and not phase.is_funded:
        return [Objective(name="profit_target", reached=profit_minor, wanted=None, is_met=False)]
    return []


def _days(rules: PropRules, initial_minor: int, days: DayBook) -> list[Objective]:
    found = []
    least = rules.phases[0].min_trading_days
    if least:
        traded = days.days_traded
        found.append(
            Objective(name="trading_days", reached=traded, wanted=least, is_met=traded >= least)
        )
    wanted = rules.profitable_days
    if wanted is not None:
        threshold_minor = demand_minor(initial_minor, exact(wanted.threshold_fraction))
        count = days.days_with(threshold_minor)
        found.append(
            Objective(
                name="profitable_days",
                reached=count,
                wanted=wanted.days,
                is_met=count >= wanted.days,
            )
        )
    return found
