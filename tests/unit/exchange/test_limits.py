"""What symbols and accounts forbid, and in which order a server finds out."""

from dataclasses import replace

import pytest

from mtquant.exchange import (
    AccountSpec,
    Book,
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    FillPrice,
    OrderRequest,
    Refusal,
    StopsRequest,
)
from mtquant.model import (
    AccountKind,
    CommissionEntry,
    ConfigError,
    DealEntry,
    DealKind,
    Filling,
    MarginMode,
    OrderState,
    OrderType,
    Reason,
    Side,
    StopOutMode,
    SwapMode,
    TradeMode,
)

NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02, 12:00 UTC
DAY_MS = 86_400_000
LOT = 100_000_000
BUY, SELL = Side.BUY, Side.SELL
RICH = {"deposit": 10_000_000.0}
NETTING = RICH | {"margin_mode": MarginMode.NETTING}


def order(side: Side = BUY, lots: float = 1.0, **more) -> OrderRequest:
    return OrderRequest(symbol="EURUSD", side=side, units=round(lots * LOT), **more)


def limit(side: Side = BUY, lots: float = 1.0) -> OrderRequest:
    price = 90_000 if side is BUY else 110_000
    return order(side, lots, order_type=OrderType.LIMIT, price=price)


# the symbol


@pytest.mark.parametrize(
    ("mode", "buys", "sells"),
    [
        (TradeMode.FULL, None, None),
        (TradeMode.DISABLED, Refusal.TRADE_DISABLED, Refusal.TRADE_DISABLED),
        (TradeMode.LONG_ONLY, None, Refusal.LONG_ONLY),
        (TradeMode.SHORT_ONLY, Refusal.SHORT_ONLY, None),
        (TradeMode.CLOSE_ONLY, Refusal.CLOSE_ONLY, Refusal.CLOSE_ONLY),
    ],
)
def test_a_trade_mode_says_which_direction_may_open(book, mode, buys, sells):
    made = book(trade_mode=mode)

    assert made.send(order(BUY, 0.1)).refusal is buys
    assert made.send(order(SELL, 0.1)).refusal is sells


def test_a_netting_position_may_be_reduced_where_its_side_is_all_that_is_allowed(book):
    made = book(NETTING, trade_mode=TradeMode.LONG_ONLY)
    made.send(order(BUY))

    assert made.send(order(SELL, 1.5)).refusal is Refusal.LONG_ONLY
    assert made.send(order(SELL, 0.5)).refusal is None


@pytest.mark.parametrize(
    ("forbidden", "request_"),
    [
        ({"order_types": (OrderType.LIMIT,)}, order(BUY, 0.1)),
        ({"order_types": (OrderType.MARKET,)}, limit()),
        ({"stop_loss_allowed": False}, order(BUY, 0.1, stop=99_000)),
        ({"take_profit_allowed": False}, order(BUY, 0.1, target=101_000)),
    ],
)
def test_an_order_of_a_kind_that_the_symbol_prohibits_is_refused(book, forbidden, request_):
    assert book(**forbidden).check(request_) is Refusal.INVALID_ORDER


def test_prices_stand_on_the_symbols_grid(book):
    made = book(tick_size_points=5)
    off, on = 99_002, 99_005

    def stop_order(price: int, **more) -> OrderRequest:
        return order(BUY, order_type=OrderType.LIMIT, price=price, **more)

    assert made.check(stop_order(off)) is Refusal.INVALID_PRICE
    assert made.check(stop_order(on)) is None
    assert made.check(stop_order(on, stop=98_001)) is Refusal.INVALID_STOPS
    assert made.check(order(BUY, target=101_001)) is Refusal.INVALID_STOPS


def test_holidays_close_the_market(book):
    made = book(holidays=("2017-01-02",))

    assert made.check(order(BUY, 0.1)) is None
    assert made.send(order(BUY, 0.1)).refusal is Refusal.MARKET_CLOSED


@pytest.mark.parametrize(("kind", "refusal"), [("DEMO", Refusal.ONLY_REAL), ("REAL", None)])
def test_some_symbols_are_for_real_accounts_only(book, kind, refusal):
    made = book({"kind": AccountKind[kind]}, real_accounts_only=True)

    assert made.send(order(BUY, 0.1)).refusal is refusal


def test_a_volume_limit_counts_each_direction_with_its_orders(book):
    """Administrator help, Trade settings: limit 5, a position of 5 lots bought."""
    made = book(RICH, volume_limit_lots=5.0)
    made.send(order(BUY, 5.0))

    assert made.check(limit(BUY, 0.01)) is Refusal.VOLUME_LIMIT
    assert made.check(limit(SELL, 5.01)) is Refusal.VOLUME_LIMIT
    assert made.send(limit(SELL, 5.0)).refusal is None
    assert made.check(order(SELL, 0.01)) is Refusal.VOLUME_LIMIT


# the account


def test_an_account_may_not_be_allowed_to_trade(book):
    assert book({"trade_allowed": False}).check(order(BUY, 0.1)) is Refusal.TRADE_DISABLED
    no_robots = book({"experts_allowed": False})
    assert no_robots.check(order(BUY, 0.1)) is Refusal.EXPERTS_DISABLED
    assert no_robots.check(order(BUY, 0.1, reason=Reason.CLIENT)) is None


def test_waiting_orders_are_counted(book):
    made = book({"limit_orders": 1})

    assert made.send(limit(BUY)).refusal is None
    assert made.send(limit(SELL)).refusal is Refusal.ORDER_LIMIT
    assert made.send(order(BUY, 0.1)).refusal is None


def test_a_hedging_account_counts_positions_and_waiting_orders(book):
    made = book(RICH | {"limit_positions": 2})
    made.send(order(BUY))
    made.send(limit(BUY))

    assert made.send(order(BUY)).refusal is Refusal.POSITION_LIMIT
    assert made.send(limit(BUY)).refusal is Refusal.POSITION_LIMIT


def test_a_netting_account_counts_positions_alone(book):
    made = book(NETTING | {"limit_positions": 1})

    assert made.send(limit(BUY)).refusal is None
    assert made.send(order(BUY)).refusal is None
    assert made.send(order(BUY)).refusal is None
    assert made.send(limit(SELL)).refusal is None


def test_requests_are_counted_by_the_minute(book):
    made = book(RICH | {"limit_requests_per_minute": 2})

    refusals = [made.send(order(BUY)).refusal for _ in range(3)]
    made.jump("EURUSD", 100_000, 100_010, NOON_MS + 60_000)
    refusals.append(made.send(order(BUY)).refusal)

    assert refusals == [None, None, Refusal.TOO_MANY_REQUESTS, None]


def test_where_hedging_is_prohibited_nothing_opens_against_a_position(book):
    made = book(RICH | {"hedging_prohibited": True})
    ticket = made.send(order(BUY)).order_ticket

    assert made.send(order(SELL)).refusal is Refusal.HEDGE_PROHIBITED
    assert made.send(limit(SELL)).refusal is Refusal.HEDGE_PROHIBITED
    assert made.send(order(BUY)).refusal is None
    assert made.close_market(ticket, LOT).refusal is None


def test_first_in_is_first_out(book):
    made = book(RICH | {"fifo_close": True})
    first, second = (made.send(order(BUY)).order_ticket for _ in range(2))

    assert made.close_market(second, LOT).refusal is Refusal.FIFO_CLOSE
    assert made.close_market(first, LOT).refusal is None
    assert made.close_market(second, LOT).refusal is None


def test_the_order_of_the_checks_is_the_servers(book):
    """Request, symbol, hours, filling, account, volume, levels, limits, money."""
    account = {"deposit": 1.0, "trade_allowed": False, "limit_positions": 1, "fifo_close": True}
    wrong = {"units": 1, "filling": Filling.RETURN, "stop": 200_000}
    closed = book(account, holidays=("2017-01-02",))
    made = book(account)
    poor = book(account | {"trade_allowed": True})

    def refusal(of: Book, **change) -> Refusal | None:
        values = {"symbol": "EURUSD", "side": BUY} | wrong | change
        return of.send(OrderRequest(**values)).refusal

    assert refusal(made, symbol="GBPUSD") is Refusal.INVALID_REQUEST
    assert refusal(closed) is Refusal.MARKET_CLOSED
    assert refusal(made) is Refusal.INVALID_FILL
    assert refusal(made, filling=Filling.FOK) is Refusal.TRADE_DISABLED
    assert refusal(poor, filling=Filling.FOK) is Refusal.INVALID_VOLUME
    fair = {"filling": Filling.FOK, "units": LOT}
    assert refusal(poor, **fair) is Refusal.INVALID_STOPS
    assert refusal(poor, **fair, stop=0) is Refusal.NO_MONEY


def test_credit_counts_as_equity_and_not_as_balance(book):
    made = book({"deposit": 100.0, "credit": 1000.0})

    assert (made.balance_minor, made.credit_minor, made.equity_minor) == (10_000, 100_000, 110_000)
    assert made.send(order(BUY)).refusal is None
    made.grant_credit(-100_000, NOON_MS, "taken back")
    assert [d.kind for d in made.ledger.deals if not d.symbol] == [
        DealKind.BALANCE,
        DealKind.CREDIT,
        DealKind.CREDIT,
    ]
    assert made.credit_minor == 0


# one position by another


def opposite(made: Book, lots: tuple[float, float] = (1.0, 1.0)) -> tuple[int, int]:
    first = made.send(order(BUY, lots[0])).order_ticket
    made.move("EURUSD", 100_100, made.now_ms + 1)
    return first, made.send(order(SELL, lots[1])).order_ticket


def test_opposite_positions_close_each_other_without_a_spread(book):
    """MQL5 book: the whole profit is on the first deal; #a by #b."""
    made = book(RICH)
    first, second = opposite(made)
    done = made.send(CloseByRequest(position_ticket=first, by_ticket=second, magic=5))
    closings = made.ledger.deals[-2:]

    assert [(d.entry, d.side, d.price_points, d.profit_minor) for d in closings] == [
        (DealEntry.OUT_BY, SELL, 100_100, 9000),
        (DealEntry.OUT_BY, BUY, 100_010, 0),
    ]
    assert [d.position_ticket for d in closings] == [first, second]
    finished = made.ledger.orders[-1]
    assert (finished.order_type, finished.state) == (OrderType.CLOSE_BY, OrderState.FILLED)
    assert (finished.position_ticket, finished.position_by_ticket) == (first, second)
    assert finished.comment == f"#{first} by #{second}"
    assert (finished.price_points, finished.current_points) == (100_100, 100_100)
    assert done.order_ticket == finished.order_ticket
    assert (made.positions(), made.margin_minor) == ((), 0)


def test_the_larger_of_two_positions_survives_with_the_difference(book):
    made = book(RICH)
    first, second = opposite(made, (1.0, 3.0))
    made.send(CloseByRequest(position_ticket=first, by_ticket=second))
    left = made.positions()[0]

    assert (left.position_ticket, left.volume_units) == (second, 2 * LOT)
    assert left.open_points == 100_100


@pytest.mark.parametrize(
    ("entry", "opening", "closing"),
    [
        (CommissionEntry.BOTH, -200, [0, 0]),
        (CommissionEntry.IN, -200, [0, 0]),
        (CommissionEntry.OUT, 0, [-200, 0]),
    ],
)
def test_closing_by_another_pays_only_where_closing_alone_pays(book, entry, opening, closing):
    """Administrator help, Commission settings: one dollar a deal."""
    made = book(RICH, commission_per_deal=1.0, commission_entry=entry)
    first, second = opposite(made)
    assert sum(d.commission_minor for d in made.ledger.deals) == opening

    made.send(CloseByRequest(position_ticket=first, by_ticket=second))
    assert [d.commission_minor for d in made.ledger.deals[-2:]] == closing


def test_positions_that_are_not_opposite_do_not_close_each_other(book):
    made = book(RICH)
    first, _ = opposite(made)
    same = made.send(order(BUY)).order_ticket

    def refusal(one: int, other: int, of: Book = made) -> Refusal | None:
        return of.send(CloseByRequest(position_ticket=one, by_ticket=other)).refusal

    assert refusal(first, same) is Refusal.INVALID_REQUEST
    assert refusal(first, first) is Refusal.INVALID_REQUEST
    assert refusal(first, 7) is Refusal.POSITION_GONE
    prohibited = book(RICH, order_types=(OrderType.MARKET,))
    assert refusal(*opposite(prohibited), of=prohibited) is Refusal.INVALID_ORDER
    netting = book(NETTING)
    netting.send(order(BUY))
    assert refusal(1, 2, of=netting) is Refusal.INVALID_REQUEST


def test_first_in_is_first_out_on_either_side_of_a_close_by(book):
    made = book(RICH | {"fifo_close": True})
    first, second = opposite(made)
    third = made.send(order(SELL)).order_ticket

    younger = CloseByRequest(position_ticket=first, by_ticket=third)
    assert made.send(younger).refusal is Refusal.FIFO_CLOSE
    oldest = CloseByRequest(position_ticket=first, by_ticket=second)
    assert made.send(oldest).refusal is None


# what is not there


def test_requests_about_what_is_not_there_are_refused(book):
    made = book()

    assert made.send(CancelRequest(order_ticket=1)).refusal is Refusal.INVALID_ORDER
    change = ChangeRequest(order_ticket=1, price=1)
    assert made.send(change).refusal is Refusal.INVALID_ORDER
    stops = StopsRequest(symbol="EURUSD", position_ticket=1, stop=1)
    assert made.send(stops).refusal is Refusal.POSITION_GONE
    ticket = made.send(order(BUY, 0.1)).order_ticket
    other = StopsRequest(symbol="GBPUSD", position_ticket=ticket, stop=1)
    assert made.send(other).refusal is Refusal.INVALID_REQUEST


def test_a_netting_account_names_its_position_by_the_symbol(book):
    made = book(NETTING)
    made.send(order(BUY))

    assert made.send(StopsRequest(symbol="EURUSD", stop=99_000)).refusal is None
    assert made.positions()[0].stop_loss_points == 99_000


# stop-out


def test_a_stop_out_cancels_the_order_with_the_largest_margin_first(book):
    made = book({"deposit": 4000.0}, margin_pending_rates=(1.0,) * 6)
    made.send(order(BUY))
    small = made.send(limit(BUY, 1.0)).order_ticket
    large = made.send(limit(SELL, 1.5)).order_ticket
    made.move("EURUSD", 97_700, NOON_MS + 1)  # equity 1690, margin 3550

    assert [o.order_ticket for o in made.orders()] == [small]
    assert made.ledger.orders[-1].order_ticket == large
    assert len(made.positions()) == 1


def test_a_target_may_fill_at_its_level_although_the_market_is_better(book):
    made = book(target_fill=FillPrice.LEVEL)
    made.send(order(BUY, 0.1, target=100_100))
    made.jump("EURUSD", 100_300, 100_310, NOON_MS + 1)

    assert made.ledger.deals[-1].price_points == 100_100


def test_what_cannot_be_traded_now_is_not_stopped_out(book):
    made = book(holidays=("2017-01-03",))
    made.send(order(BUY))
    made.jump("EURUSD", 90_000, 90_010, NOON_MS + DAY_MS)
    assert len(made.positions()) == 1
    made.jump("EURUSD", 90_001, 90_011, NOON_MS + 2 * DAY_MS)
    assert made.positions() == ()


def test_a_stop_out_goes_by_money_where_the_account_says_so(book):
    money = {"stop_out_mode": StopOutMode.MONEY, "stop_out_money": 5000.0}
    made = book(money | {"margin_call_money": 6000.0})
    made.send(order(BUY))
    made.move("EURUSD", 95_011, NOON_MS + 1)
    assert len(made.positions()) == 1
    made.move("EURUSD", 95_010, NOON_MS + 2)
    assert made.positions() == ()


def test_a_stop_out_closes_the_oldest_where_first_in_is_first_out(book):
    made = book({"deposit": 2200.0, "fifo_close": True})
    oldest = made.send(order(BUY, 0.5)).order_ticket
    made.send(order(BUY, 1.5))
    made.move("EURUSD", 99_350, NOON_MS + 1)

    stopped = [d.position_ticket for d in made.ledger.deals if d.reason is Reason.STOP_OUT]
    assert stopped[0] == oldest


@pytest.mark.parametrize(("stops", "left"), [(True, 0), (False, 2)])
def test_a_fully_hedged_account_without_margin_is_stopped_if_its_group_says_so(book, stops, left):
    made = book(
        {"deposit": 1000.0, "stops_out_hedged": stops},
        swap_mode=SwapMode.DEPOSIT_CURRENCY,
        swap_long=-600.0,
        swap_short=-600.0,
    )
    made.send(order(BUY, 0.9))
    made.send(order(SELL, 0.9))
    made.roll_over(NOON_MS + DAY_MS // 2)
    made.jump("EURUSD", 100_000, 100_010, NOON_MS + DAY_MS)

    assert len(made.positions()) == left


@pytest.mark.parametrize(
    ("kind", "volumes"),
    [(AccountKind.REAL, [20, 20, 10]), (AccountKind.DEMO, [50])],
)
def test_a_real_netting_position_is_stopped_in_parts_of_the_largest_volume(book, kind, volumes):
    """Administrator help, Group settings: 50 lots, at most 20 at once."""
    account = {"deposit": 60_000.0, "kind": kind, "margin_mode": MarginMode.NETTING}
    made = book(account, volume_max_lots=20.0)
    for lots in (20.0, 20.0, 10.0):
        made.send(order(BUY, lots))
    made.move("EURUSD", 98_800, NOON_MS + 1)

    stopped = [d.volume_units / LOT for d in made.ledger.deals if d.reason is Reason.STOP_OUT]
    assert stopped == volumes


# nights


def test_the_night_before_a_holiday_pays_for_it_too(book):
    """Administrator help, Swaps: Tuesday 1, Wednesday 3 and a holiday: 4 and 0."""
    usual = {"swap_mode": SwapMode.POINTS, "swap_long_points": -1.0}
    made = book(RICH, **usual, holidays=("2017-01-04",), swap_skips_holidays=True)
    made.send(order(BUY))
    swaps = []
    for night in range(4):  # the nights that end Monday to Thursday
        before = made.open_positions[0].swap_minor
        made.roll_over(NOON_MS + DAY_MS // 2 + night * DAY_MS)
        swaps.append(made.open_positions[0].swap_minor - before)

    assert swaps == [-100, -400, 0, -100]


# several accounts of one server


def test_accounts_of_one_server_share_its_market_and_its_ticket_numbers(bars_market):
    market = bars_market(AccountSpec(login=2, deposit=500.0, currency="EUR"))
    market.advance()
    usual, other = market.books.values()
    tickets = [one.send(order(BUY, 0.1)).order_ticket for one in (usual, other, usual)]
    while market.advance():
        assert usual.quote("EURUSD") == other.quote("EURUSD")

    assert tickets == [50_000_001, 50_000_002, 50_000_003]
    assert (len(usual.positions()), len(other.positions())) == (2, 1)
    assert other.account().currency == "EUR"
    assert market.book is usual


def test_nothing_is_skipped_while_another_account_or_an_order_may_be_met(bars_market):
    market = bars_market(AccountSpec(login=2))
    market.advance()
    assert market.next_event_bar() == len(market)
    ticket = market.book.send(limit(BUY)).order_ticket
    assert market.next_event_bar() == 0
    market.book.send(CancelRequest(order_ticket=ticket))
    assert market.next_event_bar() == len(market)
    market.books[2].send(order(BUY, 0.1))
    assert market.next_event_bar() == 0


def test_logins_of_one_server_differ(venue):
    made = venue()

    with pytest.raises(ConfigError, match="more_accounts: logins must differ"):
        replace(made, more_accounts=(AccountSpec(),))
    with pytest.raises(ConfigError, match="profits in USD on a JPY account"):
        replace(made, more_accounts=(AccountSpec(login=2, currency="JPY"),))
