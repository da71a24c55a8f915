"""Rule sets made of the one rule that a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from risk_rooms import prop_rules

from mtquant.risk.prop import PropClock, PropGuard

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.risk.prop import PropRules


@pytest.fixture
def rules() -> Callable[..., PropRules]:
    return prop_rules


@pytest.fixture
def guard(rules) -> Callable[..., PropGuard]:
    """Return a maker of guards of an account of 100,000 minor units, with days of UTC."""

    def make(
        buffer_fraction: float = 0.0,
        *,
        highest_minor: int | None = None,
        currency: tuple[str, int] | None = None,
        **changes,
    ) -> PropGuard:
        made = rules(**changes)
        return PropGuard(
            made,
            100_000,
            PropClock(made.day),
            buffer_fraction,
            highest_minor=highest_minor,
            currency=currency,
        )

    return make
