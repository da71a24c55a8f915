"""A netting account has one position a symbol: averaged, reduced, turned round."""

from dataclasses import replace

import pytest

from mtquant.exchange import AccountSpec, Book, InstrumentSpec, OrderRequest, Refusal, VenueSpec
from mtquant.model import CommissionEntry, Deal, DealEntry, DealKind, MarginMode, Side, SwapMode

NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02, 12:00 UTC
HUNDREDTH = 1_000_000
NETTING = {"margin_mode": MarginMode.NETTING}


def trade(book: Book, side: Side, lots: int, price: int, **more):
    """Trade hundredths of a lot at one price: bid and ask are equal."""
    book.jump("EURUSD", price, price, book.now_ms + 1000)
    request = OrderRequest(symbol="EURUSD", side=side, units=lots * HUNDREDTH, **more)
    return book.send(request)


def trades(book: Book) -> list[Deal]:
    return [deal for deal in book.ledger.deals if deal.kind is DealKind.TRADE]


def test_the_opening_price_is_averaged_and_rounded_to_three_more_digits(book):
    """MetaTrader platform help, Positions: the documented sequence."""
    made = book(NETTING)
    deals = [
        (Side.BUY, 1, 110_050),
        (Side.BUY, 2, 110_052),
        (Side.SELL, 2, 110_067),
        (Side.BUY, 1, 110_056),
    ]
    opened = []
    for side, lots, price in deals:
        trade(made, side, lots, price)
        opened.append(made.positions()[0].open_price)

    assert opened == [1.1005, 1.10051333, 1.10051333, 1.10053666]
    assert len(made.positions()) == 1


def test_a_reversal_is_one_deal_with_the_profit_of_the_closed_part(book):
    """MQL5 book, HistoryDealGet functions: 0.16 on the reversal, 0.01 at the end."""
    made = book(NETTING)
    first = trade(made, Side.BUY, 1, 110_011)
    trade(made, Side.BUY, 1, 110_009)
    turned = trade(made, Side.SELL, 3, 110_018)
    position = made.positions()[0]
    trade(made, Side.BUY, 1, 110_017)

    assert [(d.entry, d.volume_units, d.profit_minor) for d in trades(made)] == [
        (DealEntry.IN, HUNDREDTH, 0),
        (DealEntry.IN, HUNDREDTH, 0),
        (DealEntry.INOUT, 3 * HUNDREDTH, 16),
        (DealEntry.OUT, HUNDREDTH, 1),
    ]
    assert {d.position_ticket for d in trades(made)} == {first.order_ticket}
    assert {o.position_ticket for o in made.ledger.orders} == {first.order_ticket}
    assert (position.position_ticket, position.identifier) == (
        turned.order_ticket,
        first.order_ticket,
    )
    assert (position.side, position.volume_units) == (Side.SELL, HUNDREDTH)
    assert (position.open_points, position.open_thousandths) == (110_018, 0)
    assert made.positions() == ()


def test_levels_are_those_of_the_newest_order_of_the_same_direction(book):
    made = book(NETTING)
    trade(made, Side.BUY, 2, 100_000, stop=99_000, target=101_000)
    trade(made, Side.SELL, 1, 100_000, stop=100_500)
    kept = made.positions()[0]
    trade(made, Side.BUY, 1, 100_000)
    removed = made.positions()[0]

    assert (kept.stop_loss_points, kept.take_profit_points) == (99_000, 101_000)
    assert (removed.stop_loss_points, removed.take_profit_points) == (None, None)


def test_levels_of_a_reversal_are_those_of_its_order(book):
    made = book(NETTING)
    trade(made, Side.BUY, 1, 100_000, stop=99_000)
    trade(made, Side.SELL, 2, 100_000, stop=100_700)

    assert made.positions()[0].stop_loss_points == 100_700


def test_an_order_against_a_position_needs_no_money_until_it_is_larger(book):
    made = book(NETTING | {"deposit": 1050.0})
    trade(made, Side.BUY, 100, 100_000)

    assert trade(made, Side.BUY, 10, 100_000).refusal is Refusal.NO_MONEY
    assert trade(made, Side.SELL, 300, 100_000).refusal is Refusal.NO_MONEY
    assert trade(made, Side.SELL, 200, 100_000).refusal is None
    assert made.positions()[0].side is Side.SELL


@pytest.mark.parametrize(
    ("side", "started", "after"), [(Side.BUY, 667, 333), (Side.SELL, 1667, 1667)]
)
def test_a_started_order_can_only_raise_the_margin(side: Side, started: int, after: int):
    """Administrator help, Checking Margin: short 0.02 USDJPY at 1:300."""
    spec = InstrumentSpec(
        digits=3, contract_size=100_000, base_currency="USD", profit_currency="JPY"
    )
    account = AccountSpec(margin_mode=MarginMode.NETTING, leverage=300)
    book = Book(VenueSpec(account=account, instruments={"USDJPY": spec}), NOON_MS)
    book.jump("USDJPY", 110_000, 110_000, NOON_MS)
    sell = OrderRequest(symbol="USDJPY", side=Side.SELL, units=2 * HUNDREDTH)
    order = OrderRequest(symbol="USDJPY", side=side, units=3 * HUNDREDTH)

    book.send(sell)
    assert book.margin_minor == 667
    assert book.margin_after(order) == started
    book.send(order)
    assert book.margin_minor == after


@pytest.mark.parametrize(
    ("entry", "charged"),
    [
        (CommissionEntry.BOTH, [-100, -300]),
        (CommissionEntry.IN, [-100, -200]),
        (CommissionEntry.OUT, [0, -100]),
    ],
)
def test_a_reversal_pays_for_the_part_that_a_filter_counts(book, entry, charged):
    made = book(NETTING, commission_per_lot=100.0, commission_entry=entry)
    trade(made, Side.BUY, 1, 100_000)
    trade(made, Side.SELL, 3, 100_000)

    assert [deal.commission_minor for deal in trades(made)] == charged


def test_swap_is_booked_in_the_share_that_is_closed(book):
    made = book(NETTING, swap_mode=SwapMode.POINTS, swap_long_points=-10.0)
    trade(made, Side.BUY, 100, 100_000)
    made.roll_over(NOON_MS + 12 * 3_600_000)
    trade(made, Side.SELL, 30, 100_000)
    trade(made, Side.SELL, 140, 100_000)

    assert [deal.swap_minor for deal in trades(made)] == [0, -300, -700]
    assert made.positions()[0].swap_minor == 0


def test_a_position_of_a_netting_account_is_closed_by_its_ticket_too(book):
    made = book(NETTING)
    ticket = trade(made, Side.BUY, 2, 100_000).order_ticket

    assert made.close_market(ticket, 3 * HUNDREDTH).refusal is Refusal.CLOSE_VOLUME
    assert made.close_market(ticket, HUNDREDTH, magic=9).refusal is None
    assert made.positions()[0].volume_units == HUNDREDTH


def test_the_time_of_the_last_change_is_that_of_the_volume(book):
    made = book(NETTING)
    trade(made, Side.BUY, 1, 100_000)
    opened_ms = made.now_ms
    trade(made, Side.BUY, 1, 100_000)
    position = made.open_positions[0]

    assert (position.open_ms, position.updated_ms) == (opened_ms, opened_ms + 1000)


def test_what_an_order_that_reduces_would_leave_is_told(book):
    made = book(NETTING)
    ticket = trade(made, Side.BUY, 100, 100_000).order_ticket
    part = OrderRequest(symbol="EURUSD", side=Side.SELL, units=30 * HUNDREDTH)
    whole = replace(part, units=100 * HUNDREDTH, position_ticket=ticket)

    assert made.margin_minor == 100_000
    assert (made.margin_after(part), made.margin_after(whole)) == (70_000, 0)
    assert made.margin_minor == 100_000
