"""What was lost is recorded first, then told, then acted on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from journal_rows import a_deal
from risk_rooms import make_account, make_view

from mtquant.engine import LossWatch
from mtquant.engine.loss_desk import LossDesk
from mtquant.engine.loss_watch import Cut
from mtquant.model import (
    AccountReport,
    BotIdentity,
    DealKind,
    HaltOrder,
    OrderIntent,
    Publish,
    RecordHalt,
    RecordRisk,
    ServerClock,
)
from mtquant.portfolio import Portfolio
from mtquant.risk import BreakerSpec, RiskLimits

if TYPE_CHECKING:
    from mtquant.model import BrokerView

NOON_MS = 1_483_358_400_000
MINUTE_MS = 60_000
LEAD_MS = 700
CLOCK = ServerClock("utc")
LIMITS = RiskLimits(breaker=BreakerSpec(cool_down_minutes=10))


@dataclass
class Cutters:
    """Stand in for the safeguards: say what they are told to, and keep what they are asked."""

    is_due: bool = True
    answers: list[tuple[list[OrderIntent], bool]] = field(default_factory=list)
    asked: list[Cut] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)

    halt_level = 0

    def reducing_is_due(self, now_ms: int) -> bool:
        return self.is_due

    def begin_cut(self, cut: Cut) -> tuple[dict[int, int], int]:
        self.begun.append(cut.tag)
        return {7: 50}, 3

    def reduce(self, view: BrokerView, cut: Cut) -> tuple[list[OrderIntent], bool]:
        self.asked.append(cut)
        return self.answers.pop(0)


def reading(equity: int, *, balance: int = 1_000_000, ms: int = 0, **changes) -> BrokerView:
    account = make_account(equity_minor=equity, balance_minor=balance)
    time_ms = NOON_MS + ms + LEAD_MS
    return make_view(time_ms, **({"account": account, "lead_ms": LEAD_MS} | changes))


@pytest.fixture
def portfolio() -> Portfolio:
    made = Portfolio(BotIdentity(), CLOCK)
    made.apply(reading(1_000_000))
    return made


@pytest.fixture
def guards() -> Cutters:
    return Cutters()


@pytest.fixture
def desk(portfolio, guards) -> LossDesk:
    made = LossDesk(LossWatch(LIMITS, CLOCK), portfolio, guards)
    made.weigh(reading(1_000_000))
    return made


def kinds(commands) -> list[type]:
    return [type(one) for one in commands]


def test_the_first_reading_is_recorded_and_the_next_alike_is_not(portfolio, guards):
    made = LossDesk(LossWatch(LIMITS, CLOCK), portfolio, guards)

    assert kinds(made.weigh(reading(1_000_000))[0]) == [RecordRisk]
    assert made.weigh(reading(1_000_000, ms=1)) == ([], None)


def test_without_limits_of_loss_nothing_is_weighed(portfolio, guards):
    made = LossDesk(LossWatch(RiskLimits(), CLOCK), portfolio, guards)

    assert made.weigh(reading(1)) == ([], None)


def test_a_rise_is_recorded_before_it_is_told_and_halts_nothing_below_level_three(desk):
    commands, halt = desk.weigh(reading(900_000, ms=1))

    assert kinds(commands) == [RecordRisk, Publish]
    assert '"level": 2' in commands[0].state
    assert halt is None


def test_level_three_is_a_halt_that_closes_the_bots_own_by_the_readers_clock(desk):
    commands, halt = desk.weigh(reading(850_000, ms=1))

    assert kinds(commands) == [RecordRisk, Publish]
    assert halt == HaltOrder(
        time_ms=NOON_MS + 1 + LEAD_MS,
        level=3,
        who="the bot's loss limits",
        reason="equity is 15.00% below the day's start; level 3 begins at 15.00%",
    )


def test_credit_is_no_equity(desk):
    account = make_account(equity_minor=950_000, credit_minor=50_000)

    assert kinds(desk.weigh(reading(0, ms=1, account=account))[0]) == [RecordRisk, Publish]
    assert desk.watch.level == 2


# ---------------------------------------------------------------------- between readings


def report(equity: int, balance: int = 1_000_000) -> AccountReport:
    return AccountReport(server_ms=NOON_MS + 5, equity_minor=equity, balance_minor=balance)


def test_a_report_between_readings_counts_like_a_reading(desk):
    commands, halt = desk.weigh_report(report(850_000))

    assert kinds(commands) == [RecordRisk, Publish]
    assert halt.time_ms == NOON_MS + 5 + LEAD_MS


def test_a_report_of_another_balance_waits_for_the_reading_that_explains_it(desk):
    assert desk.weigh_report(report(100_000, balance=100_000)) == ([], None)
    assert desk.watch.level == 0


def test_a_report_before_any_reading_is_not_weighed(guards):
    fresh = LossDesk(LossWatch(LIMITS, CLOCK), Portfolio(BotIdentity(), CLOCK), guards)

    assert fresh.weigh_report(report(1_000_000)) == ([], None)


# ---------------------------------------------------------------------- deposits and their deals


@pytest.fixture
def settled(portfolio, desk) -> LossDesk:
    """Return the desk of an account whose baseline is settled."""
    for ms in range(0, 90_000, 15_000):
        portfolio.apply(reading(1_000_000, ms=ms))
    assert portfolio.cash.baseline_minor is not None
    return desk


@pytest.mark.parametrize("amount", [-300_000, 300_000])
def test_money_that_shows_before_its_deal_is_not_weighed_until_the_deal_is_there(
    settled, portfolio, amount: int
):
    after = 1_000_000 + amount
    early = reading(after, balance=after, ms=90_000)
    portfolio.apply(early)
    assert settled.weigh(early) == ([], None)

    deal = a_deal(5, time_ms=NOON_MS + 1, kind=DealKind.BALANCE, side=None, profit_minor=amount)
    late = reading(after, balance=after, ms=91_000, deals=(deal,))
    portfolio.apply(late)
    settled.watch.note_deals([deal])
    settled.weigh(late)
    assert settled.watch.level == 0
    assert settled.watch.breaker.report(NOON_MS).windows[0].start_minor == after


def test_a_deal_that_shows_before_its_money_is_not_weighed_either(settled, portfolio):
    deal = a_deal(5, time_ms=NOON_MS + 1, kind=DealKind.BALANCE, side=None, profit_minor=300_000)
    early = reading(1_000_000, ms=90_000, deals=(deal,))
    portfolio.apply(early)
    settled.watch.note_deals([deal])

    assert settled.weigh(early) == ([], None)
    assert settled.watch.level == 0


def test_a_difference_that_stays_is_weighed(settled, portfolio):
    for ms in range(90_000, 240_000, 15_000):
        portfolio.apply(reading(850_000, balance=850_000, ms=ms))
    assert portfolio.cash.lacks_minor != 0

    _, halt = settled.weigh(reading(850_000, balance=850_000, ms=240_000))
    assert halt is not None


# ---------------------------------------------------------------------- a person's word


def lift(ms: int) -> HaltOrder:
    return HaltOrder(time_ms=NOON_MS + ms + LEAD_MS, level=0, who="Ada", reason="looked")


def test_a_release_before_the_cool_down_leaves_the_halt_and_says_so(desk):
    desk.weigh(reading(850_000))
    commands, stays = desk.release(lift(10 * MINUTE_MS - 1), 3)

    assert stays
    assert kinds(commands) == [RecordRisk, Publish, RecordHalt, Publish]
    assert commands[1].name == "breaker_stays"
    halt = commands[2].halt
    assert (halt.level, halt.who, halt.time_ms) == (3, "Ada", lift(10 * MINUTE_MS - 1).time_ms)
    assert halt.reason.startswith("not lifted: the circuit breaker rose to level 3 at ")


def test_a_release_after_the_cool_down_is_recorded_and_lifts_the_halt(desk):
    desk.weigh(reading(850_000))
    commands, stays = desk.release(lift(10 * MINUTE_MS), 3)

    assert not stays
    assert kinds(commands) == [RecordRisk, Publish]
    assert '"level": 0' in commands[0].state
    assert commands[1].name == "breaker_reset"


def test_a_drawdown_that_begins_anew_is_recorded_before_it_is_told(portfolio, guards):
    limits = RiskLimits(max_drawdown_fraction=0.1)
    desk, after = (LossDesk(LossWatch(limits, CLOCK), portfolio, guards) for _ in range(2))
    desk.weigh(reading(1_000_000))
    desk.weigh(reading(850_000, ms=1))
    commands, stays = desk.release(lift(2), 0)

    assert not stays
    assert kinds(commands) == [RecordRisk, Publish]
    assert commands[1].name == "drawdown_reset"
    after.watch.restore(commands[0].state, ())
    assert after.watch.drawdown_fraction == 0.0


def test_a_release_where_nothing_has_tripped_does_nothing(desk):
    assert desk.release(lift(0), 2) == ([], False)


# ---------------------------------------------------------------------- cuts


def test_a_cut_is_due_where_there_is_one_and_it_is_time(desk, guards):
    assert not desk.cut_is_due(NOON_MS)
    assert desk.cut(reading(1_000_000)) == ([], [])
    desk.weigh(reading(900_000))

    assert desk.cut_is_due(NOON_MS)
    guards.is_due = False
    assert not desk.cut_is_due(NOON_MS)


def test_a_cut_is_recorded_as_it_begins_goes_on_until_nothing_is_left_and_its_end_is_too(
    desk, guards
):
    desk.weigh(reading(900_000))
    intents = [object()]
    guards.answers = [(intents, False), (intents, False), ([], True)]

    commands, now = desk.cut(reading(900_000))
    assert (kinds(commands), now) == ([RecordRisk], intents)
    assert '"closes_worst": true' in commands[0].state
    assert desk.cut(reading(900_000)) == ([], intents)
    assert desk.cut_is_due(NOON_MS)
    commands, none = desk.cut(reading(900_000))
    assert (kinds(commands), none) == ([RecordRisk], [])
    assert '"closes_worst": false' in commands[0].state
    assert not desk.cut_is_due(NOON_MS)
    assert [(one.keep_fraction, one.kept) for one in guards.asked] == [(0.5, {7: 50})] * 3
    assert len(guards.begun) == 1


def test_a_cut_with_nothing_to_close_is_recorded_once(desk, guards):
    desk.weigh(reading(900_000))
    guards.answers = [([], True)]

    commands, _ = desk.cut(reading(900_000))
    assert kinds(commands) == [RecordRisk]
    assert desk.watch.cut is None


def test_a_new_process_goes_on_with_the_cut_of_the_one_before(desk, guards, portfolio):
    desk.weigh(reading(900_000))
    guards.answers = [([], False), ([], False)]
    commands, _ = desk.cut(reading(900_000))
    after = LossDesk(LossWatch(LIMITS, CLOCK), portfolio, guards)
    after.watch.restore(commands[0].state, ())

    assert after.cut(reading(900_000)) == ([], [])
    assert [(one.kept, one.newest_id) for one in guards.asked] == [({7: 50}, 3)] * 2
    assert len(guards.begun) == 1


@pytest.mark.parametrize("is_deal_first", [False, True])
@pytest.mark.parametrize("amount", [-300_000, 300_000])
def test_a_payment_in_the_first_minute_of_a_journal_is_neither_loss_nor_gain(
    desk, portfolio, amount: int, *, is_deal_first: bool
):
    paid = a_deal(
        5, time_ms=NOON_MS + 20_000, kind=DealKind.BALANCE, side=None, profit_minor=amount
    )
    halts = []
    for ms, is_there, is_told in (
        (20_001, not is_deal_first, is_deal_first),
        (21_000, True, True),
    ):
        worth = 1_000_000 + amount * is_there
        view = reading(worth, balance=worth, ms=ms, deals=(paid,) if is_told else ())
        desk.watch.note_deals(portfolio.apply(view).deals)
        halts.append(desk.weigh(view)[1])

    assert halts == [None, None]
    assert desk.watch.level == 0
