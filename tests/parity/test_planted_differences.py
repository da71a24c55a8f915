"""The drawn worlds find a rule that differs by one line, whichever it is.

Each difference is planted in a copy that the interpreted kernel alone works with; the event-driven
backtest goes on by the true rule. With `-s` a table says how many worlds were needed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from drawn_worlds import drawn_world
from planted import Planted

from mtquant.engine.kernels import bars, ledger_of, make_job, money, orders, play, quotes
from mtquant.exchange import rules
from mtquant.exchange.rules import trigger
from mtquant.model import round_half_away
from mtquant.risk import rules as limits
from mtquant.strategy import Series
from mtquant.strategy.exits.rules import trailing_stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.exchange.ledger import Ledger

PLANTED = [
    Planted(
        name="a stop is met beyond its level only",
        function=trigger.stop_is_met,
        old="bid <= stop",
        new="bid < stop",
        within=200,
    ),
    Planted(
        name="a move that ends on a level does not reach it",
        function=trigger.is_crossed,
        old="bid_to <= level",
        new="bid_to < level",
        within=200,
    ),
    Planted(
        name="stops do not slip",
        function=rules.stop_fill,
        old=" - side * (max(0, slippage))",
        new="",
        within=50,
    ),
    Planted(
        name="the trailing step is one point longer",
        function=trailing_stop,
        old="(level - stop) < step",
        new="(level - stop) <= step",
        within=200,
    ),
    Planted(
        name="halves are rounded to even",
        function=round_half_away,
        old="whole >= 0.5",
        new="whole > 0.5 or (abs(value) - whole == 0.5 and whole % 2 == 1)",
        within=25,
    ),
    Planted(
        name="swap is counted for the night before",
        function=quotes.roll_until,
        old="calendar.nights[cells[MIDNIGHT]]",
        new="calendar.nights[cells[MIDNIGHT] - 1]",
        within=25,
    ),
    Planted(
        name="a passed target fills at its level",
        function=quotes._meet,
        old="cells[TARGET] if trading.target_at_level else reached",
        new="cells[TARGET]",
        within=100,
    ),
    Planted(
        name="commission is charged on entries only",
        function=money.commission,
        old="(money.pays_in if opens else money.pays_out)",
        new="(money.pays_in and opens)",
        within=25,
    ),
    Planted(
        name="levels of a short position ignore the spread",
        function=trigger.bid_level,
        old="level if side > 0 else level - spread",
        new="level",
        within=50,
    ),
    Planted(
        name="a doji always rises first",
        function=rules.path_direction,
        old="-1 if previous_close > previous_open else 1",
        new="1",
        within=200,
    ),
    Planted(
        name="a spread at its limit is refused",
        function=limits.is_within_spread,
        old="spread <= max_spread",
        new="spread < max_spread",
        within=25,
    ),
    Planted(
        name="a level may not stand at the least distance",
        function=trigger.stops_are_valid,
        old="(at - stop) < room",
        new="(at - stop) <= room",
        within=200,
    ),
    Planted(
        name="a level at the freeze distance is frozen",
        function=trigger.levels_are_frozen,
        old="abs(at - stop) < freeze_level",
        new="abs(at - stop) <= freeze_level",
        within=400,
    ),
    Planted(
        name="a price at the deviation is a requote",
        function=rules.is_within_deviation,
        old="<= deviation",
        new="< deviation",
        within=25,
    ),
    Planted(
        name="the loss of yesterday counts today",
        function=quotes.roll_until,
        old="cells[DAY_NET] = 0",
        new="pass",
        within=100,
    ),
    Planted(
        name="a level met while trading is closed is forgotten",
        function=quotes._meet,
        old="cells[IS_HELD_BACK] = 1",
        new="cells[IS_HELD_BACK] = 0",
        within=100,
    ),
    Planted(
        name="credit is not risked",
        function=orders.enter,
        old="cells[BALANCE] + trading.credit_minor",
        new="cells[BALANCE]",
        within=25,
    ),
    Planted(
        name="bars that touch the target are passed over",
        function=bars._scan,
        old="bars.high[bar] + shift >= upper",
        new="bars.high[bar] + shift > upper",
        within=200,
    ),
    Planted(
        name="a stop-out waits until equity is below its percentage",
        function=rules.is_stop_out,
        old="* 100.0 <=",
        new="* 100.0 <",
        within=900,
    ),
    Planted(
        name="a stop-out waits until equity is below its money",
        function=rules.is_stop_out_by_money,
        old="equity_minor <= level",
        new="equity_minor < level",
        within=400,
    ),
]
WORLDS = max(one.within for one in PLANTED)


@cache
def by_the_engine(seed: int) -> Ledger:
    """Return what the event-driven backtest does in the world of a seed."""
    return drawn_world(seed).backtest()[0].book.ledger


def by_the_kernel(seed: int) -> Ledger:
    """Return what the interpreted kernel does in it."""
    world = drawn_world(seed)
    job = make_job(world.spec(), world.bars, Series.over(world.bars))
    return ledger_of(play(job, world.directions, world.strengths, interpreted=True))


def agree(seed: int) -> bool:
    """Tell whether both make the same deals by the same orders."""
    mine, theirs = by_the_kernel(seed), by_the_engine(seed)
    return (mine.deals, mine.orders) == (theirs.deals, theirs.orders)


def worlds_needed(planted: Planted) -> int | None:
    """Return how many worlds, from seed 0 on, it takes to find a difference; None: too many."""
    with pytest.MonkeyPatch.context() as patch:
        planted.plant(patch)
        found = (seed + 1 for seed in range(planted.within) if not agree(seed))
        return next(found, None)


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, int]]:
    """Collect how many worlds were needed, and print it."""
    needed: dict[str, int] = {}
    yield needed
    rows = [f"{count:5}  {name}" for name, count in sorted(needed.items())]
    print("", "worlds needed to find that", *rows, sep="\n")  # noqa: T201 - read with -s


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: one.name)
def test_drawn_worlds_find_that(planted: Planted, table: dict[str, int]) -> None:
    needed = worlds_needed(planted)

    assert needed is not None, f"{planted.name}: not found in {planted.within} worlds"
    table[planted.name] = needed


def test_without_a_planted_difference_the_same_worlds_agree() -> None:
    assert [seed for seed in range(WORLDS) if not agree(seed)] == []


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (round_half_away, "whole += 1"),
        (trigger.stop_is_met, "bid <= stop"),
        (quotes.roll_until, "cells[DAY_NET] = 0"),
    ],
)
def test_planting_the_true_text_changes_nothing(function: Any, text: str) -> None:
    planted = Planted(name="the truth", function=function, old=text, new=text, within=100)

    assert worlds_needed(planted) is None


def test_a_planted_difference_stays_with_the_kernel_and_ends() -> None:
    true = trigger.stop_is_met
    with pytest.MonkeyPatch.context() as patch:
        PLANTED[0].plant(patch)
        planted = quotes.stop_is_met

        assert planted is orders.stop_is_met is not true
        assert not planted(1, 100, 100, 110)
        assert trigger.stop_is_met is rules.stop_is_met is true
        assert true(1, 100, 100, 110)

    assert quotes.stop_is_met is orders.stop_is_met is true
