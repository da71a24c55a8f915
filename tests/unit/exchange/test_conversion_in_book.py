"""A book whose account currency is not that of its profits takes its rates from its own quotes."""

import numpy as np
import pytest

from mtquant.exchange import (
    AccountSpec,
    Book,
    InstrumentSpec,
    Market,
    OrderRequest,
    Refusal,
    VenueSpec,
)
from mtquant.model import Bars, CalculationMode, ConfigError, Side, SwapMode, Timeframe

LOT = 100_000_000
NOON_MS = 1_483_358_400_000


def order(symbol: str, side: Side, units: int) -> OrderRequest:
    return OrderRequest(symbol=symbol, side=side, units=units)


def forex(base: str, profit: str, digits: int, **more) -> InstrumentSpec:
    return InstrumentSpec(
        digits=digits, contract_size=100_000.0, base_currency=base, profit_currency=profit, **more
    )


def made(more: dict | None = None, **account) -> Book:
    instruments = {
        "EURJPY": forex("EUR", "JPY", 3, **(more or {})),
        "EURUSD": forex("EUR", "USD", 5),
        "USDJPY": forex("USD", "JPY", 3),
    }
    venue = VenueSpec(server_clock="utc", account=AccountSpec(**account), instruments=instruments)
    return Book(venue, NOON_MS)


def quoted(more: dict | None = None, **account) -> Book:
    book = made(more, **account)
    book.jump("EURJPY", 120_000, 120_010, NOON_MS)
    book.jump("EURUSD", 109_900, 109_910, NOON_MS)
    book.jump("USDJPY", 111_380, 111_387, NOON_MS)
    return book


def test_a_cross_cannot_be_traded_before_its_conversion_is_quoted():
    book = made()
    book.jump("EURJPY", 120_000, 120_010, NOON_MS)

    assert book.open_market("EURJPY", Side.BUY, LOT).refusal is Refusal.NO_PRICES
    assert book.tick_values("EURJPY") == (0.0, 0.0)
    assert book.tick_values("EURUSD") == pytest.approx((1.0, 1.0))


def test_a_quoted_cross_shows_what_a_tick_is_worth_to_a_gain_and_to_a_loss():
    assert quoted().tick_values("EURJPY") == pytest.approx((100 / 111.387, 100 / 111.380))


def test_floating_profit_follows_the_conversion_pair():
    book = quoted()
    book.open_market("EURJPY", Side.BUY, LOT)
    before = book.equity_minor
    book.jump("USDJPY", 222_760, 222_774, NOON_MS)

    assert book.balance_minor - before == round(1000 / 111.380 * 100)
    assert book.balance_minor - book.equity_minor == round(1000 / 222.760 * 100)


def test_margin_keeps_the_rate_of_the_opening():
    book = quoted()
    book.open_market("EURJPY", Side.BUY, LOT // 10)
    assert book.margin_for("EURJPY", Side.BUY, LOT // 10, 120_010) == 10_991
    assert book.margin_minor == 10_991

    book.jump("EURUSD", 119_900, 119_910, NOON_MS)
    assert book.margin_minor == 10_991
    assert book.margin_for("EURJPY", Side.SELL, LOT // 10, 120_000) == 11_990
    assert book.margin_after(order("EURJPY", Side.BUY, LOT // 10)) == 10_991 + 11_991


def test_a_closed_profit_is_booked_in_account_money():
    book = quoted()
    ticket = book.open_market("EURJPY", Side.BUY, LOT).order_ticket
    book.jump("EURJPY", 120_310, 120_320, NOON_MS)
    book.close_market(ticket, LOT)

    assert book.balance_minor == 1_000_000 + round(30_000 / 111.387 * 100)
    assert book.ledger.deals[-1].profit_minor == book.profit_for(
        "EURJPY", Side.BUY, LOT, 120_010, 120_310
    )


def test_a_paid_swap_converts_at_the_worse_side_and_an_earned_one_too():
    book = quoted(
        {"swap_mode": SwapMode.POINTS, "swap_long_points": -10.0, "swap_short_points": 10.0}
    )
    book.open_market("EURJPY", Side.BUY, LOT)
    book.open_market("EURJPY", Side.SELL, LOT)
    book.roll_over(NOON_MS + 12 * 3_600_000)

    assert [p.swap_minor for p in book.open_positions] == [-900, 900]  # a point: 0.90 dollars


def test_fixed_margins_are_checked_at_the_initial_and_held_at_the_maintenance_margin():
    future = InstrumentSpec(
        digits=2,
        contract_size=1.0,
        base_currency="USD",
        profit_currency="USD",
        calculation_mode=CalculationMode.FUTURES,
        margin_initial=1000.0,
        margin_maintenance=500.0,
        margin_hedged_contract=500.0,
        tick_value=0.01,
    )
    venue = VenueSpec(
        server_clock="utc", account=AccountSpec(deposit=2100.0), instruments={"F": future}
    )
    book = Book(venue, NOON_MS)
    book.jump("F", 5000, 5000, NOON_MS)

    assert book.open_market("F", Side.BUY, 3 * LOT).refusal is Refusal.NO_MONEY
    assert book.open_market("F", Side.BUY, LOT).refusal is None
    assert book.margin_minor == 50_000
    assert book.margin_after(order("F", Side.SELL, 2 * LOT)) == 200_000
    assert book.open_market("F", Side.SELL, 2 * LOT).refusal is None
    assert book.margin_minor == 100_000


def bars(symbol: str, digits: int, closes: list[int]) -> Bars:
    column = np.array(closes, dtype=np.int32)
    count = len(closes)
    return Bars(
        symbol=symbol,
        timeframe=Timeframe.H1,
        digits=digits,
        time_ms=np.arange(count, dtype=np.int64) * 3_600_000 + NOON_MS,
        open=column,
        high=column + 5,
        low=column - 5,
        close=column,
        tick_volume=np.ones(count, dtype=np.int64),
        spread=np.full(count, 10, dtype=np.int32),
    )


def test_bars_of_a_cross_alone_cannot_be_played():
    venue = made().venue

    with pytest.raises(
        ConfigError, match="EURJPY: its money converts at the quotes of EURUSD, USD"
    ):
        Market.of_bars(venue, bars("EURJPY", 3, [120_000]), np.zeros((1, 2), dtype=np.int32))


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_a_pair_that_converts_itself_is_played_alone_and_its_stop_out_is_foreseen(currency: str):
    closes = [100_000, 99_900, 99_000, 95_000, 90_000, 90_000]
    venue = VenueSpec(
        server_clock="utc",
        account=AccountSpec(currency=currency, deposit=5700.0 if currency == "USD" else 540_000.0),
        instruments={"USDJPY": forex("USD", "JPY", 3)},
    )
    market = Market.of_bars(venue, bars("USDJPY", 3, closes), np.zeros((6, 2), dtype=np.int32))
    market.advance()
    market.book.open_market("USDJPY", Side.BUY, LOT)

    foreseen = market.next_event_bar()
    while market.book.open_positions:
        assert market.advance()

    assert market.bar == foreseen == 3
