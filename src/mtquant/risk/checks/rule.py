"""A rule of the gate: how it looks at an entry, and how its result reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mtquant.model import AccountSnapshot, OrderIntent, money_from_minor
from mtquant.risk.limits import RiskLimits
from mtquant.risk.refusal import Refusal
from mtquant.risk.view import RiskView

Result = tuple[bool, Any, Any]
"""Whether an entry passes, the value that was looked at, and its limit: bare, as the gate is quick;
who wants to read it asks the rule for words."""
Look = Callable[[OrderIntent, RiskView, RiskLimits], Result]
Words = Callable[[Any, Any, OrderIntent, RiskView], tuple[str, str]]
MIDNIGHT = "entries return at the next server midnight"
A_PERSON = "mtquant resume --who NAME --reason TEXT"


def _always(_limits: RiskLimits) -> bool:
    return True


def _never(_value: Any, _limit: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """Hold a rule that refused, what it saw, and all that it looked at."""

    look: Look
    value: Any
    limit: Any
    intent: OrderIntent
    view: RiskView
    limits: RiskLimits


Remedy = Callable[[Met], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Name a check of entries; `is_on` tells for which limits it is looked at.

    `remedy` says what would pass, as it is or by what was met; `warns` tells of which value and
    limit a person should hear although the entry passes.
    """

    name: str
    look: Look
    words: Words
    remedy: str | Remedy = ""
    is_on: Callable[[RiskLimits], bool] = _always
    warns: Callable[[Any, Any], bool] = _never

    def refusal(
        self, result: Result, intent: OrderIntent, view: RiskView, limits: RiskLimits
    ) -> Refusal:
        """Return a result in words; one that passes needs no remedy."""
        passes, value, limit = result
        told_value, told_limit = self.words(value, limit, intent, view)
        met = Met(look=self.look, value=value, limit=limit, intent=intent, view=view, limits=limits)
        remedy = "" if passes else self._told_remedy(met)
        return Refusal(rule=self.name, value=told_value, limit=told_limit, remedy=remedy)

    def _told_remedy(self, met: Met) -> str:
        if isinstance(self.remedy, str):
            return self.remedy.format(symbol=met.intent.symbol)
        return self.remedy(met)


def is_set(name: str) -> Callable[[RiskLimits], bool]:
    """Return what tells whether a limit is switched on."""

    def is_on(limits: RiskLimits) -> bool:
        value = getattr(limits, name)
        return value is not None and value not in ((), {})

    return is_on


def money(minor: float, account: AccountSnapshot) -> str:
    """Return an amount with its currency."""
    digits = account.currency_digits
    return f"{money_from_minor(round(minor), digits):.{digits}f} {account.currency}"


def as_told(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    """Return texts and counts as they are."""
    return str(value), str(limit)


def in_points(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    """Return points."""
    return f"{value:g} points", f"{limit:g} points"


def in_money(value: Any, limit: Any, _intent: OrderIntent, view: RiskView) -> tuple[str, str]:
    """Return minor units as money."""
    return money(value, view.account), money(limit, view.account)


def of_equity(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    """Return ratios of a value to equity."""
    return f"{value:.2f} x equity", f"{limit:.2f} x equity"


def in_percent(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    """Return fractions as percent."""
    return f"{value:.2%}", f"{limit:.2%}"
