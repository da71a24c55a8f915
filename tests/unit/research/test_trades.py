"""Trades are put together from deals."""

from dataclasses import replace
from hashlib import sha256

import pytest
from market_play import (
    HOUR_MS,
    MONDAY_MS,
    at_bars,
    buy,
    close,
    eurusd_venue,
    play,
    random_actor,
    random_bars,
    sell,
)

from mtquant.model import DataError, Deal, DealEntry, DealKind, MarginMode, Reason, Side
from mtquant.research import closed_trades, open_entries, trades_csv, trades_sha256


def deal(
    ticket: int, entry: DealEntry, *, position: int = 7, units: int = 30_000_000, **more: object
) -> Deal:
    fields: dict[str, object] = {
        "deal_ticket": ticket,
        "order_ticket": ticket,
        "position_ticket": position,
        "time_ms": MONDAY_MS + ticket * HOUR_MS,
        "symbol": "EURUSD",
        "kind": DealKind.TRADE,
        "side": Side.BUY if entry is DealEntry.IN else Side.SELL,
        "entry": entry,
        "volume_units": units,
        "price_points": 105_000 + ticket,
        "profit_minor": 0,
        "commission_minor": 0,
        "swap_minor": 0,
        "fee_minor": 0,
        "reason": Reason.EXPERT,
    }
    return Deal(**(fields | more))


def test_a_trade_joins_opening_and_closing_of_one_position():
    opened = deal(1, DealEntry.IN, commission_minor=-70)
    closed = deal(
        3,
        DealEntry.OUT,
        profit_minor=500,
        commission_minor=-70,
        swap_minor=-12,
        reason=Reason.CLIENT,
    )

    (trade,) = closed_trades([opened, closed])

    assert (trade.side, trade.open_ms, trade.close_ms) == (Side.BUY, opened.time_ms, closed.time_ms)
    assert (trade.open_points, trade.close_points) == (105_001, 105_003)
    assert (trade.profit_minor, trade.commission_minor, trade.swap_minor) == (500, -140, -12)
    assert trade.net_minor == 348
    assert trade.reason is Reason.CLIENT


def test_parts_share_the_opening_commission_and_the_last_takes_the_rest():
    parts = [deal(n, DealEntry.OUT, units=10_000_000, commission_minor=-2) for n in (2, 3, 4)]

    trades = closed_trades([deal(1, DealEntry.IN, commission_minor=-8), *parts])

    assert [trade.commission_minor for trade in trades] == [-5, -5, -4]
    assert [trade.volume_units for trade in trades] == [10_000_000] * 3


def test_what_is_still_open_is_left_out_with_its_share_of_commission():
    deals = [
        deal(1, DealEntry.IN, commission_minor=-9),
        deal(2, DealEntry.OUT, units=10_000_000, commission_minor=-3),
    ]

    (trade,) = closed_trades(deals)

    assert trade.commission_minor == -6
    assert open_entries(deals) == [deals[0]]


def test_a_fee_counts_as_commission():
    deals = [
        deal(1, DealEntry.IN, commission_minor=-5, fee_minor=-1),
        deal(2, DealEntry.OUT, commission_minor=-5, fee_minor=-2),
    ]

    assert closed_trades(deals)[0].commission_minor == -13


def test_a_close_by_an_opposite_position_ends_a_trade():
    deals = [deal(1, DealEntry.IN), deal(2, DealEntry.OUT_BY)]

    assert len(closed_trades(deals)) == 1


def test_trades_stand_in_the_order_of_opening_then_ticket_then_close():
    deals = [
        deal(1, DealEntry.IN, position=9),
        deal(2, DealEntry.IN, position=8, time_ms=MONDAY_MS + HOUR_MS),
        deal(3, DealEntry.IN, position=4),
        deal(4, DealEntry.OUT, position=9),
        deal(5, DealEntry.OUT, position=4),
        deal(6, DealEntry.OUT, position=8, units=10_000_000),
        deal(7, DealEntry.OUT, position=8, units=20_000_000),
    ]

    trades = closed_trades(list(reversed(deals)))

    assert [(t.position_ticket, t.close_points) for t in trades] == [
        (8, 105_006),
        (8, 105_007),
        (9, 105_004),
        (4, 105_005),
    ]


def test_balance_operations_are_no_trades():
    deposit = deal(
        1, DealEntry.IN, kind=DealKind.BALANCE, side=None, position=0, profit_minor=1_000_000
    )

    assert closed_trades([deposit]) == []
    assert open_entries([deposit]) == []


@pytest.mark.parametrize(
    ("deals", "complaint"),
    [
        ([deal(1, DealEntry.OUT)], "opening deal is missing"),
        ([deal(1, DealEntry.IN), deal(2, DealEntry.IN, side=Side.SELL)], "opened twice"),
        ([deal(1, DealEntry.IN), deal(2, DealEntry.OUT), deal(3, DealEntry.IN)], "opened twice"),
        ([deal(1, DealEntry.IN), deal(2, DealEntry.INOUT)], "does not turn it round"),
        ([deal(1, DealEntry.IN), deal(2, DealEntry.OUT, units=40_000_000)], "more is closed"),
    ],
)
def test_deals_that_contradict_themselves_are_refused(deals, complaint):
    with pytest.raises(DataError, match=complaint):
        closed_trades(deals)


def test_a_netting_position_that_grew_closes_at_its_averaged_price():
    deals = [
        deal(1, DealEntry.IN, units=10_000_000, commission_minor=-35),
        deal(2, DealEntry.IN, units=30_000_000, commission_minor=-105),
        deal(3, DealEntry.OUT, units=40_000_000, commission_minor=-140),
    ]

    (trade,) = closed_trades(deals)

    assert (trade.open_ms, trade.open_points) == (deals[0].time_ms, 105_002)  # 105,001.75
    assert (trade.volume_units, trade.commission_minor) == (40_000_000, -280)


def test_a_netting_position_that_turns_gives_the_trade_it_closed_and_begins_another():
    turned = deal(2, DealEntry.INOUT, units=40_000_000, commission_minor=-140, profit_minor=90)
    deals = [
        deal(1, DealEntry.IN, commission_minor=-105),
        turned,
        deal(3, DealEntry.OUT, side=Side.BUY, units=10_000_000, commission_minor=-35),
    ]

    first, second = closed_trades(deals)

    assert (first.side, first.volume_units, first.profit_minor) == (Side.BUY, 30_000_000, 90)
    assert (second.side, second.open_ms) == (Side.SELL, turned.time_ms)
    assert first.commission_minor + second.commission_minor == -280
    assert open_entries(deals) == []
    assert open_entries(deals[:2]) == [turned]


@pytest.mark.parametrize("mode", MarginMode)
@pytest.mark.parametrize("seed", range(8))
def test_commissions_swaps_and_profits_of_trades_add_up_to_those_of_deals(seed, mode):
    bars, venue = random_bars(seed=seed, count=400), eurusd_venue(margin_mode=mode)

    def act(market):
        if market.bar == len(bars) - 1:
            for position in market.book.open_positions:
                market.book.close_market(position.ticket, position.units)
        else:
            random_actor_of_seed(market)

    random_actor_of_seed = random_actor(seed)
    played = play(bars, venue, act)
    trades = closed_trades(played.deals)

    booked = [d for d in played.deals if d.kind is DealKind.TRADE]
    assert len(trades) > 10
    assert len(open_entries(played.deals)) == played.open_positions == 0
    for name in ("profit_minor", "commission_minor", "swap_minor"):
        assert sum(getattr(t, name) for t in trades) == sum(getattr(d, name) for d in booked)


def test_csv_has_whole_numbers_a_header_and_lf_line_ends():
    bars = random_bars(seed=1, count=80)
    actions = {
        2: buy(0.3, stop=300, target=300),
        10: close(0.1),
        40: close(),
        50: sell(0.2, target=60),
    }

    text = trades_csv(closed_trades(play(bars, eurusd_venue(), at_bars(actions)).deals))

    assert text == GOLDEN_CSV


def test_hash_is_that_of_the_csv():
    bars = random_bars(seed=1, count=80)
    trades = closed_trades(play(bars, eurusd_venue(), at_bars({2: buy(0.3), 9: close()})).deals)

    assert trades_sha256(trades) == sha256(trades_csv(trades).encode("utf-8")).hexdigest()
    assert trades_sha256(trades) != trades_sha256(trades[:0])
    assert trades_sha256([replace(trades[0], swap_minor=1)]) != trades_sha256(trades)


GOLDEN_CSV = """\
symbol,side,volume_units,open_ms,open_points,close_ms,close_points,profit_minor,commission_minor,swap_minor,reason
EURUSD,BUY,10000000,1483920000000,105030,1483948800000,105028,-20,-70,0,expert
EURUSD,BUY,20000000,1483920000000,105030,1484056800000,104972,-1160,-140,-126,expert
EURUSD,SELL,20000000,1484092800000,104969,1484095200000,104930,780,-140,0,tp
"""
