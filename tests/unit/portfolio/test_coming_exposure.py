"""What is only coming adds to exposure, and never makes up for what is held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import make_venue

from mtquant.engine.facts import _coming
from mtquant.exchange import Terms
from mtquant.model import (
    BrokerView,
    IntentAction,
    IntentRow,
    IntentState,
    OrderIntent,
    Position,
    Side,
)
from mtquant.portfolio.exposure import Exposure, ExposureBook, Valuer

LOT = 100_000_000
PRICE = 100_000
LOT_VALUE = 10_000_000.0  # of 100,000 EUR at 1.00000, US cents
BOOK = ExposureBook(
    {"EURUSD": Valuer(terms=Terms.of(make_venue(), "EURUSD"), asset_class="forex_major")}
)


def row(side: Side, units: int, number: int = 7, **changes: Any) -> IntentRow:
    intent = OrderIntent(
        strategy_id="s",
        symbol=changes.pop("symbol", "EURUSD"),
        action=IntentAction.OPEN,
        side=side,
        volume_units=units,
        trigger="bar:1",
        decided_ms=0,
        deadline_ms=10,
        price_points=changes.pop("price_points", PRICE),
    )
    usual = {"intent_id": number, "intent": intent, "state": IntentState.SENDING}
    return IntentRow(**(usual | {"created_ms": 0, "updated_ms": 0} | changes))


def position(side: Side, units: int, number: int) -> Position:
    return Position(
        position_ticket=1,
        symbol="EURUSD",
        side=side,
        volume_units=units,
        open_points=PRICE,
        open_ms=0,
        stop_loss_points=None,
        take_profit_points=None,
        current_points=PRICE,
        current_ms=0,
        digits=5,
        contract_size=100_000.0,
        swap_minor=0,
        profit_minor=0,
        intent_id=number,
    )


def test_without_anything_coming_there_is_one_exposure() -> None:
    total = BOOK.sum([position(Side.BUY, LOT, 1)], [])

    assert total.extremes == (total,)


def test_a_sale_that_may_never_come_leaves_what_is_held_in_the_higher_extreme() -> None:
    total = BOOK.sum([position(Side.BUY, LOT, 1)], [row(Side.SELL, LOT)])

    least, most = total.extremes
    assert total.gross_minor == 2 * LOT_VALUE
    assert (least.net_minor, most.net_minor) == (0.0, LOT_VALUE)
    assert most.by_symbol == {"EURUSD": LOT_VALUE}
    assert most.by_currency == {"EUR": LOT_VALUE, "USD": 0.0}
    assert least.by_currency == {"EUR": 0.0, "USD": -LOT_VALUE}


@pytest.mark.parametrize("unknown", [{"symbol": "XAUUSD"}, {"price_points": None}])
def test_what_nobody_can_value_is_not_coming(unknown: dict[str, Any]) -> None:
    total = BOOK.sum([], [row(Side.BUY, LOT, **unknown)])

    assert total.gross_minor == 0
    assert total.extremes == (total,)


@given(
    held=st.integers(-5, 5),
    coming=st.lists(st.integers(-5, 5).filter(bool), max_size=5),
    drawn=st.data(),
)
def test_the_net_sum_of_any_part_of_what_is_coming_lies_between_the_extremes(
    held: int, coming: list[int], drawn: st.DataObject
) -> None:
    positions = [position(Side(1 if held > 0 else -1), abs(held) * LOT, 1)] if held else []
    rows = [row(Side(1 if lots > 0 else -1), abs(lots) * LOT) for lots in coming]
    come = drawn.draw(st.lists(st.booleans(), min_size=len(coming), max_size=len(coming)))
    lots = held + sum(one for one, comes in zip(coming, come, strict=True) if comes)

    nets = [one.net_minor for one in BOOK.sum(positions, rows).extremes]

    assert min(nets) <= lots * LOT_VALUE <= max(nets)


def shown(*positions: Position) -> BrokerView:
    view = object.__new__(BrokerView)
    object.__setattr__(view, "positions", positions)
    return view


def test_of_an_entry_that_is_filled_by_and_by_the_rest_is_coming() -> None:
    (rest,) = _coming(shown(position(Side.BUY, LOT // 4, 7)), [row(Side.BUY, LOT)])

    assert rest.intent.volume_units == LOT - LOT // 4


@pytest.mark.parametrize(
    "one",
    [
        row(Side.BUY, LOT),
        replace(row(Side.BUY, 2 * LOT), state=IntentState.PARTIAL),
    ],
    ids=["filled", "over"],
)
def test_of_an_entry_that_is_shown_nothing_more_is_coming(one: IntentRow) -> None:
    assert _coming(shown(position(Side.BUY, LOT, 7)), [one]) == []


def test_an_entry_that_no_reading_shows_is_coming_whole() -> None:
    one = row(Side.BUY, LOT)

    assert _coming(shown(), [one]) == [one]


def test_an_exposure_adds_only_what_has_the_sign() -> None:
    total = Exposure(net_minor=1.0)

    total.add_part(Exposure(net_minor=-2.0, by_symbol={"A": 3.0}, by_currency={"B": -4.0}), 1)

    assert (total.net_minor, total.by_symbol, total.by_currency) == (1.0, {"A": 3.0}, {"B": 0.0})
