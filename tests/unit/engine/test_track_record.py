"""Of past trades the last loss, the fills beside what was asked, and day trades are kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from journal_rows import a_deal, sending_row

from mtquant.engine.track_record import TrackRecord
from mtquant.execution import Desk
from mtquant.model import BotIdentity, DealEntry, DealKind, Reason, ServerClock, Side
from mtquant.portfolio import Portfolio

US = BotIdentity()
DAY_MS = 86_400_000
FRIDAY_MS = 1_483_660_800_000  # 2017-01-06 00:00 UTC
MONDAY_MS = FRIDAY_MS + 3 * DAY_MS
MINE, OTHERS = US.intent_id(1), US.intent_id(2)


@pytest.fixture
def record() -> TrackRecord:
    desk = Desk(US)
    rows = (
        sending_row(1, price_points=100_000),
        sending_row(2, price_points=100_000, strategy_id="b", side=Side.SELL),
        sending_row(3),
    )
    desk.restore(replace(row, intent_id=US.intent_id(row.intent_id)) for row in rows)
    return TrackRecord(desk, Portfolio(US, ServerClock("utc")))


def opened(ticket: int = 1, time_ms: int = FRIDAY_MS, **changes):
    usual = {"time_ms": time_ms, "position_ticket": ticket, "intent_id": MINE}
    return a_deal(10 * ticket, **(usual | changes))


def closed(ticket: int = 1, time_ms: int = FRIDAY_MS, **changes):
    usual = {"entry": DealEntry.OUT, "reason": Reason.STOP_LOSS}
    return opened(ticket, time_ms, **(usual | changes))


def slipped(record: TrackRecord, server_ms: int = FRIDAY_MS) -> float | None:
    return record.slippage_points("EURUSD", server_ms)


# ---------------------------------------------------------------------- losses


def test_the_last_loss_of_each_strategy_is_kept_by_the_readers_clock(record):
    record.note([closed(1, 1_000, profit_minor=-1)], lead_ms=50)
    record.note([closed(2, 2_000, profit_minor=-5), closed(3, 3_000, intent_id=OTHERS)])
    record.note([closed(4, 4_000, profit_minor=-1, intent_id=OTHERS)], lead_ms=7)

    assert record.last_loss_ms("a") == 2_007  # the lead is learnt anew with each reading
    assert record.last_loss_ms("b") == 4_007
    assert record.last_loss_ms("c") is None


def test_costs_make_a_loss_and_neither_gain_nor_nothing_is_one(record):
    record.note([closed(1, 1_000, profit_minor=5, commission_minor=-5), closed(2, 2_000)])
    assert record.last_loss_ms("a") is None
    record.note([closed(3, 3_000, profit_minor=5, commission_minor=-6)])
    assert record.last_loss_ms("a") == 3_000


def test_what_opens_is_no_loss_whatever_it_costs(record):
    record.note([opened(commission_minor=-500)])

    assert record.last_loss_ms("a") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"intent_id": 0},
        {"intent_id": US.intent_id(99)},  # of an older journal
        {"kind": DealKind.BALANCE},
    ],
)
def test_deals_of_others_are_nobodys_loss(record, changes: dict):
    record.note([closed(1, 1_000, **({"profit_minor": -1} | changes))])

    assert record.last_loss_ms("a") is None


# ---------------------------------------------------------------------- slippage


def test_slippage_is_how_much_worse_than_asked_fills_were_on_average(record):
    record.note(opened(n, price_points=100_006) for n in range(1, 6))
    assert slipped(record) == 6
    record.note([opened(6, price_points=99_999, intent_id=OTHERS, side=Side.SELL)])
    assert slipped(record) == 31 / 6
    record.note([opened(7, price_points=99_990)])
    assert slipped(record) == 3
    assert record.slippage_points("GBPUSD", FRIDAY_MS) is None


def test_only_the_last_twenty_fills_count(record):
    record.note([opened(1, price_points=100_400)])
    record.note(opened(n, price_points=100_000) for n in range(2, 21))
    assert slipped(record) == 20
    record.note([opened(21, price_points=100_000)])
    assert slipped(record) == 0


def test_of_fewer_than_five_fills_no_habit_is_known(record):
    record.note(opened(n, price_points=100_400) for n in range(1, 5))
    assert slipped(record) is None
    record.note([opened(5, price_points=100_400)])
    assert slipped(record) == 400


def test_fills_count_for_thirty_server_days(record):
    record.note(opened(n, FRIDAY_MS, price_points=100_400) for n in range(1, 6))

    assert slipped(record, FRIDAY_MS + 30 * DAY_MS - 1) == 400
    assert slipped(record, FRIDAY_MS + 30 * DAY_MS) is None


def test_fills_that_a_person_has_looked_at_are_forgotten(record):
    record.note((opened(n, 1_000 + n, price_points=100_400) for n in range(1, 6)), lead_ms=50)
    record.forgive(1_050)
    assert slipped(record, 2_000) == 400
    record.forgive(1_051)  # by the reader's clock, which is ahead
    assert slipped(record, 2_000) is None
    record.note([opened(6, 1_500, price_points=100_000)], lead_ms=50)
    assert slipped(record, 2_000) == 320


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": Reason.CLIENT},
        {"side": None},
        {"intent_id": US.intent_id(3)},  # asked for no price
        {"intent_id": US.intent_id(99)},
    ],
)
def test_a_fill_that_cannot_be_compared_does_not_count(record, changes: dict):
    record.note(opened(n, price_points=100_400, **changes) for n in range(1, 9))

    assert slipped(record) is None


# ---------------------------------------------------------------------- day trades


def test_a_position_opened_and_closed_on_one_day_is_a_day_trade(record):
    record.note([opened(1), closed(1, FRIDAY_MS + DAY_MS - 1)])
    record.note([opened(2), closed(2, FRIDAY_MS + DAY_MS)])
    record.note([closed(3)])

    assert record.day_trades(FRIDAY_MS) == 1
    assert record.day_trades(FRIDAY_MS - 1) == 0


def test_a_position_closed_in_parts_is_one_day_trade_and_days_add_up(record):
    record.note([opened(1), opened(1), closed(1), closed(1), opened(2), closed(2)])
    record.note([opened(3, MONDAY_MS), closed(3, MONDAY_MS)])

    assert record.day_trades(FRIDAY_MS) == 2
    assert record.day_trades(MONDAY_MS) == 3


def test_day_trades_count_for_five_business_days_and_weekends_are_none(record):
    record.note([opened(1), closed(1)])
    thursday_ms = FRIDAY_MS + 6 * DAY_MS

    assert record.day_trades(FRIDAY_MS + DAY_MS) == 1  # Saturday
    assert record.day_trades(FRIDAY_MS + 2 * DAY_MS) == 1
    assert record.day_trades(thursday_ms + DAY_MS - 1) == 1  # the fifth day with Friday's
    assert record.day_trades(thursday_ms + DAY_MS) == 0


def test_what_is_traded_at_a_weekend_counts_with_the_days_around(record):
    saturday_ms = FRIDAY_MS + DAY_MS
    record.note([opened(1, saturday_ms), closed(1, saturday_ms)])

    assert record.day_trades(saturday_ms) == 1
    assert record.day_trades(FRIDAY_MS + 6 * DAY_MS) == 1
    assert record.day_trades(FRIDAY_MS + 7 * DAY_MS) == 0  # Monday to Friday are the five


def test_days_are_the_servers():
    portfolio = Portfolio(US, ServerClock("fixed:+2"))
    desk = Desk(US)
    record = TrackRecord(desk, portfolio)
    late_ms = FRIDAY_MS - 2 * 3_600_000
    record.note([opened(1, late_ms - 1), closed(1, late_ms), opened(2, late_ms), closed(2)])

    assert record.day_trades(late_ms) == 1


def test_positions_of_today_of_which_nothing_is_closed_may_become_day_trades(record):
    record.note([opened(1), opened(2, intent_id=OTHERS), opened(3, FRIDAY_MS - 1)])

    assert record.opened_today(FRIDAY_MS) == {MINE, OTHERS}
    record.note([closed(2, intent_id=OTHERS)])  # counted already
    assert record.opened_today(FRIDAY_MS + DAY_MS - 1) == {MINE}
    assert record.opened_today(FRIDAY_MS + DAY_MS) == frozenset()
