"""Orders, deals, positions, accounts, signals and intents say what they are."""

import math
from dataclasses import replace

import pytest

from mtquant.model import (
    NAMESPACE,
    AccountSnapshot,
    BotIdentity,
    BrokerView,
    Deal,
    DealEntry,
    DealKind,
    Direction,
    IntentAction,
    ManualClock,
    MarginMode,
    MtquantError,
    OrderIntent,
    Position,
    Quote,
    Reason,
    Side,
    Signal,
    SystemClock,
    Timeframe,
    direction_from_value,
)

HOUR_MS = 3_600_000
POSITION = Position(
    position_ticket=1,
    symbol="EURUSD",
    side=Side.BUY,
    volume_units=50_000_000,
    open_points=105_000,
    open_ms=0,
    current_points=105_105,
    current_ms=3 * HOUR_MS // 2,
    stop_loss_points=None,
    take_profit_points=None,
    profit_minor=5250,
    swap_minor=-10,
    digits=5,
    contract_size=100_000.0,
)
ACCOUNT = AccountSnapshot(
    login=1,
    server="demo",
    currency="USD",
    currency_digits=2,
    leverage=100,
    margin_mode=MarginMode.HEDGING,
    is_demo=True,
    trade_allowed=True,
    balance_minor=100_000,
    equity_minor=105_000,
    margin_minor=21_000,
    time_ms=0,
)
INTENT = OrderIntent(
    strategy_id="sma",
    symbol="EURUSD",
    action=IntentAction.OPEN,
    side=Side.BUY,
    volume_units=1_000_000,
    trigger="bar:1",
    decided_ms=0,
    deadline_ms=1,
)


def test_a_position_shows_its_prices_value_and_profit_to_people():
    assert (POSITION.open_price, POSITION.current_price, POSITION.volume) == (1.05, 1.05105, 0.5)
    assert POSITION.position_value == pytest.approx(52_552.5)
    assert POSITION.unrealized_pnl == 52.5
    assert POSITION.unrealized_pnl_pct == pytest.approx(0.1)
    assert POSITION.duration_hours == 1.5
    assert POSITION.is_winning


def test_a_short_position_gains_when_the_price_falls():
    short = replace(POSITION, side=Side.SELL, current_points=104_895)

    assert short.unrealized_pnl_pct == pytest.approx(0.1)


def test_a_position_at_its_opening_price_is_not_winning():
    assert not replace(POSITION, profit_minor=0).is_winning


def test_a_deal_adds_profit_and_costs_to_the_balance():
    deal = Deal(
        deal_ticket=1,
        order_ticket=1,
        position_ticket=1,
        time_ms=0,
        symbol="EURUSD",
        kind=DealKind.TRADE,
        side=Side.SELL,
        entry=DealEntry.OUT,
        volume_units=1,
        price_points=1,
        profit_minor=100,
        commission_minor=-7,
        swap_minor=-2,
        fee_minor=-1,
        reason=Reason.EXPERT,
    )

    assert deal.net_minor == 90


def test_an_account_without_margin_has_no_margin_level():
    assert ACCOUNT.free_margin_minor == 84_000
    assert ACCOUNT.margin_level == 5.0
    assert replace(ACCOUNT, margin_minor=0).margin_level is None


def test_a_view_gives_the_quote_of_a_symbol_or_none():
    quote = Quote(symbol="EURUSD", time_ms=0, bid_points=1, ask_points=2)
    view = BrokerView(
        time_ms=0,
        account=ACCOUNT,
        positions=(),
        orders=(),
        deals=(),
        closed_orders=(),
        quotes=(quote,),
    )

    assert view.quote("EURUSD") is quote
    assert view.quote("GBPUSD") is None


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan, math.inf])
def test_a_signal_is_between_nothing_and_all(strength: float):
    with pytest.raises(ValueError, match="signal strength must be 0 to 1"):
        Signal(
            signal_id="s",
            strategy_id="s",
            time_ms=0,
            symbol="EURUSD",
            timeframe=Timeframe.H1,
            direction=Direction.LONG,
            strength=strength,
        )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, (Direction.LONG, 1)),
        (0.25, (Direction.LONG, 0.25)),
        (0, (Direction.FLAT, 1.0)),
        (-1, (Direction.SHORT, 1)),
    ],
)
def test_a_number_from_minus_one_to_one_is_direction_and_strength(value: float, expected: tuple):
    assert direction_from_value(value) == expected


@pytest.mark.parametrize("value", [1.01, -2, math.nan])
def test_a_number_outside_is_no_signal(value: float):
    with pytest.raises(ValueError, match="-1 to 1"):
        direction_from_value(value)


def test_directions_and_sides_know_each_other():
    assert [d.side for d in (Direction.LONG, Direction.FLAT, Direction.SHORT)] == [
        Side.BUY,
        None,
        Side.SELL,
    ]
    assert (Side.BUY.opposite, Side.SELL.opposite) == (Side.SELL, Side.BUY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"volume_units": 0}, "volume_units must be positive"),
        ({"action": IntentAction.CLOSE}, "a close needs the ticket of its position"),
        ({"action": IntentAction.MODIFY}, "a modify needs the ticket of its position"),
        ({"position_ticket": 5}, "an open must not name a position"),
    ],
)
def test_an_intent_that_could_do_something_else_is_refused(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        replace(INTENT, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"strategy_id": "other"},
        {"symbol": "GBPUSD"},
        {"trigger": "bar:2"},
        {"side": Side.SELL},
        {"action": IntentAction.CLOSE, "position_ticket": 5},
    ],
)
def test_another_cause_has_another_decision_key(change: dict):
    assert replace(INTENT, **change).decision_key != INTENT.decision_key


@pytest.mark.parametrize(
    "change", [{"volume_units": 5}, {"decided_ms": 7}, {"stop_loss_points": 1}, {"reason": "x"}]
)
def test_one_cause_keeps_its_decision_key_whatever_else_differs(change: dict):
    assert replace(INTENT, **change).decision_key == INTENT.decision_key


def test_an_intent_number_tells_its_bot_and_stays_exact_in_a_float():
    first, second = BotIdentity(bot=1), BotIdentity(bot=2)
    number = first.intent_id(2**32 - 1)

    assert number < 2**53
    assert number >> 44 == NAMESPACE
    assert first.owns(number)
    assert not second.owns(number)
    assert not first.owns(0)
    assert BotIdentity.sequence_of(number) == 2**32 - 1


@pytest.mark.parametrize("sequence", [0, -1, 2**32])
def test_a_used_up_sequence_is_refused(sequence: int):
    with pytest.raises(ValueError, match="intent sequence"):
        BotIdentity().intent_id(sequence)


@pytest.mark.parametrize(
    "wrong", [{"bot": -1}, {"bot": 4096}, {"namespace": 0}, {"namespace": 256}]
)
def test_numbers_that_do_not_fit_their_bits_are_refused(wrong: dict):
    with pytest.raises(ValueError, match="must be"):
        BotIdentity(**wrong)


def test_a_month_has_no_fixed_length():
    assert Timeframe.W1.duration_ms == 7 * 24 * HOUR_MS
    with pytest.raises(ValueError, match="MN1"):
        _ = Timeframe.MN1.duration_ms


def test_a_manual_clock_never_runs_backwards():
    clock = ManualClock(5)
    clock.set_ms(5)

    with pytest.raises(ValueError, match="5 -> 4"):
        clock.set_ms(4)
    assert clock.now_ms() == 5


def test_the_system_clock_tells_milliseconds_since_1970():
    assert SystemClock().now_ms() > 1_700_000_000_000


def test_an_error_keeps_its_details():
    error = MtquantError("too wide", spread=12)

    assert str(error) == "too wide"
    assert error.details == {"spread": 12}
