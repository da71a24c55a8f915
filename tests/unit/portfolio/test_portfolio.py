"""The portfolio says what the broker's views say: what is new, what is ours, what the day cost."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mtquant.model import (
    AccountSnapshot,
    BotIdentity,
    BrokerView,
    Deal,
    DealEntry,
    DealKind,
    MarginMode,
    Position,
    Reason,
    ServerClock,
    Side,
)
from mtquant.portfolio import Changes, Portfolio

US = BotIdentity(bot=1)
HOUR_MS = 3_600_000


def utc_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


NOON_MS = utc_ms(2017, 3, 13, 12)


def view(
    time_ms: int,
    balance: int = 100_000,
    equity: int | None = None,
    deals: tuple[Deal, ...] = (),
    positions: tuple[Position, ...] = (),
) -> BrokerView:
    account = AccountSnapshot(
        login=1,
        server="x",
        currency="USD",
        currency_digits=2,
        leverage=100,
        margin_mode=MarginMode.HEDGING,
        is_demo=True,
        trade_allowed=True,
        balance_minor=balance,
        equity_minor=balance if equity is None else equity,
        margin_minor=0,
        time_ms=time_ms,
    )
    return BrokerView(
        time_ms=time_ms,
        account=account,
        positions=positions,
        orders=(),
        deals=deals,
        closed_orders=(),
        quotes=(),
    )


def deal(
    ticket: int,
    time_ms: int,
    profit: int = 0,
    entry: DealEntry = DealEntry.OUT,
    kind: DealKind = DealKind.TRADE,
) -> Deal:
    return Deal(
        deal_ticket=ticket,
        order_ticket=ticket,
        position_ticket=1,
        time_ms=time_ms,
        symbol="EURUSD",
        kind=kind,
        side=Side.BUY,
        entry=entry,
        volume_units=1,
        price_points=1,
        profit_minor=profit,
        commission_minor=-10 if kind is DealKind.TRADE else 0,
        swap_minor=0,
        fee_minor=0,
        reason=Reason.EXPERT,
    )


def position(ticket: int, intent_id: int) -> Position:
    return Position(
        position_ticket=ticket,
        symbol="EURUSD",
        side=Side.BUY,
        volume_units=1,
        open_points=1,
        open_ms=0,
        current_points=1,
        current_ms=0,
        stop_loss_points=None,
        take_profit_points=None,
        profit_minor=0,
        swap_minor=0,
        digits=5,
        contract_size=1.0,
        intent_id=intent_id,
    )


@pytest.fixture
def portfolio() -> Portfolio:
    return Portfolio(US, ServerClock("eet_eu"))


def test_before_the_first_view_nothing_is_known(portfolio: Portfolio):
    assert portfolio.account is None
    assert portfolio.own_positions == ()
    assert portfolio.drawdown == 0.0
    assert portfolio.day_start_balance_minor(NOON_MS) == 0
    assert portfolio.day_loss_minor(NOON_MS) == 0


def test_new_deals_are_sorted_out_once_in_the_brokers_order(portfolio: Portfolio):
    opened = deal(2, NOON_MS, entry=DealEntry.IN)
    closed = deal(3, NOON_MS)
    paid = deal(1, NOON_MS, 500, kind=DealKind.BALANCE)

    first = portfolio.apply(view(NOON_MS, deals=(closed, opened, paid)))
    again = portfolio.apply(view(NOON_MS, deals=(closed, opened, paid)))

    assert first == Changes(opened=(opened,), closed=(closed,), other=(paid,))
    assert first.deals == (paid, opened, closed)
    assert again.deals == ()


def test_a_deal_that_shows_up_behind_a_later_one_is_still_new(portfolio: Portfolio):
    portfolio.apply(view(NOON_MS, deals=(deal(9, NOON_MS),)))
    late = deal(8, NOON_MS)

    assert portfolio.apply(view(NOON_MS, deals=(late,))).closed == (late,)


def test_a_reversal_counts_as_a_close(portfolio: Portfolio):
    reversal = deal(1, NOON_MS, entry=DealEntry.INOUT)

    assert portfolio.apply(view(NOON_MS, deals=(reversal,))).closed == (reversal,)


def test_only_positions_with_our_numbers_are_ours(portfolio: Portfolio):
    ours, manual = position(1, US.intent_id(5)), position(2, 0)
    other_bot = position(3, BotIdentity(bot=2).intent_id(5))
    portfolio.apply(view(NOON_MS, positions=(ours, manual, other_bot)))

    assert portfolio.own_positions == (ours,)
    assert len(portfolio.positions) == 3


def test_drawdown_is_the_fall_from_the_highest_equity(portfolio: Portfolio):
    for equity in (100_000, 120_000, 90_000):
        portfolio.apply(view(NOON_MS, equity=equity))

    assert portfolio.drawdown == 0.25
    portfolio.apply(view(NOON_MS, equity=130_000))
    assert portfolio.drawdown == 0.0


def test_a_withdrawal_is_no_drawdown_and_a_deposit_no_recovery(portfolio: Portfolio):
    portfolio.apply(view(NOON_MS, balance=100_000))
    out = deal(1, NOON_MS, -40_000, kind=DealKind.BALANCE)
    portfolio.apply(view(NOON_MS, balance=60_000, deals=(out,)))
    assert portfolio.drawdown == 0.0

    portfolio.apply(view(NOON_MS, balance=54_000))
    back = deal(2, NOON_MS, 40_000, kind=DealKind.BALANCE)
    portfolio.apply(view(NOON_MS, balance=94_000, deals=(back,)))
    assert portfolio.drawdown == pytest.approx(0.06)


def test_the_deposits_seen_at_the_start_do_not_raise_the_peak_twice(portfolio: Portfolio):
    paid = deal(1, NOON_MS, 100_000, kind=DealKind.BALANCE)
    portfolio.apply(view(NOON_MS, deals=(paid,)))

    assert portfolio.peak_equity_minor == 100_000


def test_an_account_without_equity_has_no_drawdown(portfolio: Portfolio):
    portfolio.apply(view(NOON_MS, balance=0))

    assert portfolio.drawdown == 0.0


def test_the_day_starts_with_the_balance_before_its_trades(portfolio: Portfolio):
    yesterday = deal(1, utc_ms(2017, 3, 12, 21, 59), -5_000)  # 23:59 server time
    today = deal(2, utc_ms(2017, 3, 12, 22), -3_000)  # 00:00 server time
    portfolio.apply(view(NOON_MS, balance=92_000, deals=(yesterday, today)))

    assert portfolio.day_start_balance_minor(NOON_MS) == 95_010
    assert portfolio.day_loss_minor(NOON_MS) == 3_010


def test_credit_hides_no_loss_and_is_no_drawdown_when_it_is_taken_back() -> None:
    portfolio = Portfolio(US, ServerClock("utc"))

    def see(time_ms: int, equity: int, credit: int) -> None:
        seen = view(time_ms, 100_000, equity)
        portfolio.apply(replace(seen, account=replace(seen.account, credit_minor=credit)))

    see(NOON_MS, 150_000, 50_000)
    see(NOON_MS + 1, 120_000, 50_000)
    assert portfolio.day_loss_minor(NOON_MS + 1) == 30_000
    assert portfolio.drawdown == pytest.approx(0.3)
    see(NOON_MS + 2, 100_000, 0)
    assert portfolio.day_loss_minor(NOON_MS + 2) == 0
    assert portfolio.drawdown == 0


def test_a_deposit_or_withdrawal_is_neither_loss_nor_gain(portfolio: Portfolio):
    paid = deal(1, NOON_MS, -50_000, kind=DealKind.BALANCE)
    lost = deal(2, NOON_MS, -990)
    portfolio.apply(view(NOON_MS, balance=49_000, deals=(paid, lost)))

    assert portfolio.day_start_balance_minor(NOON_MS) == 50_000
    assert portfolio.day_loss_minor(NOON_MS) == 1_000


def test_floating_loss_counts_and_gain_is_no_negative_loss(portfolio: Portfolio):
    portfolio.apply(view(NOON_MS, equity=97_500))
    assert portfolio.day_loss_minor(NOON_MS) == 2_500

    portfolio.apply(view(NOON_MS, equity=102_500))
    assert portfolio.day_loss_minor(NOON_MS) == 0


@pytest.mark.parametrize(
    ("midnight", "length"),
    [((2017, 3, 25, 22), 23), ((2017, 10, 28, 21), 25), ((2017, 6, 1, 21), 24)],
)
def test_the_day_of_a_clock_change_has_its_own_length(
    portfolio: Portfolio, midnight: tuple, length: int
):
    start_ms = utc_ms(*midnight)
    end_ms = start_ms + length * HOUR_MS
    portfolio.apply(view(start_ms, balance=99_000, deals=(deal(1, start_ms, -990),)))

    assert portfolio.day_loss_minor(end_ms - 1) == 1_000
    assert portfolio.day_loss_minor(end_ms) == 0


def test_a_new_day_forgets_the_deals_of_the_old_one(portfolio: Portfolio):
    portfolio.apply(view(NOON_MS, balance=99_000, deals=(deal(1, NOON_MS, -990),)))
    portfolio.apply(view(NOON_MS + 24 * HOUR_MS, balance=99_000))
    portfolio.apply(
        view(
            NOON_MS + 25 * HOUR_MS,
            balance=98_000,
            deals=(deal(2, NOON_MS + 25 * HOUR_MS, -990),),
        )
    )

    assert portfolio.day_loss_minor(NOON_MS + 25 * HOUR_MS) == 1_000


def test_journalled_deals_are_not_new_but_count_in_their_day(portfolio: Portfolio):
    yesterday, today = deal(1, NOON_MS - 24 * HOUR_MS, -500), deal(2, NOON_MS, -990)
    portfolio.restore([today, yesterday])
    changes = portfolio.apply(view(NOON_MS, balance=99_000, deals=(yesterday, today)))

    assert changes.deals == ()
    assert portfolio.day_loss_minor(NOON_MS) == 1_000


def test_the_newest_view_replaces_the_one_before(portfolio: Portfolio):
    held = replace(position(1, US.intent_id(1)), profit_minor=5)
    portfolio.apply(view(NOON_MS, positions=(held,)))
    portfolio.apply(view(NOON_MS, balance=100_005))

    assert portfolio.positions == ()
    assert portfolio.account.balance_minor == 100_005
