"""What is journalled and reported survives JSON, and a changed field is noticed."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import (
    AccountSnapshot,
    BrokerView,
    DataError,
    Deal,
    DealEntry,
    DealKind,
    Direction,
    ExecutionResult,
    HaltOrder,
    IntentAction,
    IntentRow,
    IntentState,
    Jsonable,
    MarginMode,
    Order,
    OrderIntent,
    OrderState,
    OrderType,
    Outcome,
    Position,
    Publish,
    Quote,
    Reason,
    Side,
    Signal,
    Timeframe,
    TradeMode,
    schema,
)

SCHEMA = Path(__file__).parents[2] / "data" / "model" / "schema.json"
TRAVELLERS = (
    AccountSnapshot,
    BrokerView,
    Deal,
    ExecutionResult,
    HaltOrder,
    IntentRow,
    Order,
    OrderIntent,
    Position,
    Publish,
    Quote,
    Signal,
)

whole = st.integers(-(2**53), 2**53)
counts = st.integers(0, 2**53)
levels = st.none() | counts
texts = st.text(max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | whole | numbers | texts
tables = st.dictionaries(texts, scalars, max_size=3)

signals = st.builds(
    Signal,
    signal_id=texts,
    strategy_id=texts,
    time_ms=whole,
    symbol=texts,
    timeframe=st.sampled_from(Timeframe),
    direction=st.sampled_from(Direction),
    strength=st.floats(0, 1),
    price_points=levels,
    stop_loss_points=levels,
    take_profit_points=levels,
    reason=texts,
    metadata=tables,
)
intents = st.builds(
    OrderIntent,
    strategy_id=texts,
    symbol=texts,
    action=st.just(IntentAction.OPEN),
    side=st.sampled_from(Side),
    volume_units=st.integers(1, 2**53),
    trigger=texts,
    decided_ms=whole,
    deadline_ms=whole,
    price_points=levels,
    stop_loss_points=levels,
    take_profit_points=levels,
    deviation_points=counts,
    reason=texts,
    signal_id=texts,
)
rows = st.builds(
    IntentRow,
    intent_id=counts,
    intent=intents,
    state=st.sampled_from(IntentState),
    attempt=st.integers(1, 2),
    comment=texts,
    created_ms=whole,
    updated_ms=whole,
    order_ticket=counts,
    filled_units=counts,
    detail=texts,
)
orders = st.builds(
    Order,
    order_ticket=counts,
    symbol=texts,
    side=st.sampled_from(Side),
    order_type=st.sampled_from(OrderType),
    state=st.sampled_from(OrderState),
    volume_units=counts,
    stop_loss_points=levels,
    take_profit_points=levels,
    reason=st.sampled_from(Reason),
)
deals = st.builds(
    Deal,
    deal_ticket=counts,
    order_ticket=counts,
    position_ticket=counts,
    time_ms=whole,
    symbol=texts,
    kind=st.sampled_from(DealKind),
    side=st.none() | st.sampled_from(Side),
    entry=st.sampled_from(DealEntry),
    volume_units=counts,
    price_points=counts,
    profit_minor=whole,
    commission_minor=whole,
    swap_minor=whole,
    fee_minor=whole,
    reason=st.sampled_from(Reason),
)
positions = st.builds(
    Position,
    position_ticket=counts,
    symbol=texts,
    side=st.sampled_from(Side),
    volume_units=counts,
    open_points=counts,
    open_ms=whole,
    current_points=counts,
    current_ms=whole,
    stop_loss_points=levels,
    take_profit_points=levels,
    profit_minor=whole,
    swap_minor=whole,
    digits=st.integers(0, 8),
    contract_size=numbers,
)
accounts = st.builds(
    AccountSnapshot,
    login=counts,
    server=texts,
    currency=texts,
    currency_digits=st.integers(0, 8),
    leverage=counts,
    margin_mode=st.sampled_from(MarginMode),
    is_demo=st.booleans(),
    trade_allowed=st.booleans(),
    balance_minor=whole,
    equity_minor=whole,
    margin_minor=whole,
    time_ms=whole,
)
results = st.builds(
    ExecutionResult,
    intent_id=counts,
    outcome=st.sampled_from(Outcome),
    detail=texts,
    time_ms=whole,
)
quotes = st.builds(Quote, symbol=texts, time_ms=whole, bid_points=whole, ask_points=whole)
views = st.builds(
    BrokerView,
    time_ms=whole,
    account=accounts,
    positions=st.tuples(positions),
    orders=st.tuples() | st.tuples(orders),
    deals=st.tuples(deals, deals),
    closed_orders=st.tuples(orders),
    quotes=st.tuples(quotes),
    trade_modes=st.dictionaries(texts, st.sampled_from(TradeMode), max_size=2),
)
events = st.builds(Publish, name=texts, time_ms=whole, correlation_id=texts, fields=tables)


@given(
    st.one_of(signals, intents, rows, orders, deals, positions, accounts, results, views, events)
)
def test_an_object_survives_the_trip_through_json(original: Jsonable):
    text = json.dumps(original.to_dict())

    assert type(original).from_dict(json.loads(text)) == original


def test_the_shape_of_what_is_stored_changes_only_on_purpose():
    stored = json.loads(SCHEMA.read_text(encoding="utf-8"))

    assert {cls.__name__: schema(cls) for cls in TRAVELLERS} == stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Jsonable):
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError(f"size must not be negative, was {self.size}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer(Jsonable):
    name: str
    weight: float = 0.0
    is_on: bool = False
    side: Side = Side.BUY
    inner: Inner | None = None
    several: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], r"Outer must be an object, was \[\]"),
        ({}, "Outer needs the field 'name'"),
        ({"name": "x", "nmae": 1}, "Outer has no field 'nmae'"),
        ({"name": 1}, "Outer.name must be str, was 1"),
        ({"name": "x", "weight": "1"}, "Outer.weight must be float"),
        ({"name": "x", "weight": True}, "Outer.weight must be float"),
        ({"name": "x", "weight": 10**400}, "Outer.weight must be float"),
        ({"name": "x", "is_on": 1}, "Outer.is_on must be bool"),
        ({"name": "x", "side": "UP"}, "Outer.side must be one of BUY, SELL, was 'UP'"),
        ({"name": "x", "side": []}, "Outer.side must be one of BUY, SELL"),
        ({"name": "x", "inner": 3}, "Inner must be an object, was 3"),
        ({"name": "x", "inner": {"size": 1.0}}, "Inner.size must be int, was 1.0"),
        ({"name": "x", "inner": {"size": -1}}, "Inner: size must not be negative, was -1"),
        ({"name": "x", "several": 3}, "Outer.several must be a list"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(data: object, message: str):
    with pytest.raises(DataError, match=message):
        Outer.from_dict(data)


@pytest.mark.parametrize("fields", [[1], {"a": [1]}])
def test_a_table_of_scalars_holds_nothing_else(fields: object):
    data = {"name": "x", "time_ms": 1, "correlation_id": "", "fields": fields}

    with pytest.raises(DataError, match=r"Publish\.fields"):
        Publish.from_dict(data)


def test_what_is_left_out_takes_its_default_and_a_whole_weight_becomes_a_float():
    made = Outer.from_dict({"name": "x", "weight": 2, "inner": None})

    assert made == Outer(name="x", weight=2.0)
    assert type(made.weight) is float
