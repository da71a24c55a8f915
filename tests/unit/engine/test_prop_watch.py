"""A prop firm's floors are the firm's own over outages, on accounts that were traded before."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from journal_rows import a_deal
from worlds import LiveRun, Scripted, World, bars_of

from mtquant.app.prop_rules import load_prop_rules
from mtquant.engine import LossWatch
from mtquant.model import ConfigError, DealEntry, DealKind, Direction, ServerClock
from mtquant.risk import RiskLimits
from mtquant.risk.prop import PropClock, PropGuard, PropStatus

CLOCK = ServerClock("eet_eu")
DEPOSIT = 10_000_000  # 100,000.00
TRAILING = (
    "ftmo-1-step",  # the highest balance at a reset
    "e8-one",  # the highest balance
    "fundednext-stellar-instant",  # the highest equity
)


def at(day: int, hour: int, minute: int = 0) -> int:
    """Return a time of November 2026, UTC ms; FTMO's and E8's days begin at 23:00 and 22:00."""
    return int(dt.datetime(2026, 11, day, hour, minute, tzinfo=dt.UTC).timestamp() * 1000)


def a_watch(name: str = "ftmo-2-step", highest_minor: int | None = None) -> LossWatch:
    rules = load_prop_rules(name).for_phase()
    guard = PropGuard(
        rules,
        DEPOSIT,
        PropClock(rules.day, CLOCK),
        0.1,
        highest_minor=highest_minor,
        currency=("USD", 2),
    )
    return LossWatch(RiskLimits(), CLOCK, guard)


def stopped(watch: LossWatch, name: str = "ftmo-2-step") -> LossWatch:
    """Return what the next process makes of a watch's state."""
    after = a_watch(name)
    after.restore(watch.state(), [])
    return after


def closed(ticket: int, time_ms: int, minor: int):
    return a_deal(ticket, time_ms=time_ms, entry=DealEntry.OUT, profit_minor=minor)


def paid(ticket: int, time_ms: int, minor: int):
    return a_deal(ticket, time_ms=time_ms, kind=DealKind.BALANCE, side=None, profit_minor=minor)


def max_loss(watch: LossWatch) -> int:
    """Return the floor of the whole loss."""
    return json.loads(watch.state())["prop"]["max_loss"][2]


# ---------------------------------------------------------------------- resets that nobody saw


@pytest.mark.parametrize(
    ("deals", "balance", "floor"),
    [
        ([closed(1, at(18, 15), 300_000)], 10_300_000, 9_800_000),  # before the reset
        ([closed(1, at(19, 6), 300_000)], 10_300_000, 9_500_000),  # after it
        ([closed(1, at(18, 15), -300_000)], 9_700_000, 9_200_000),
        ([closed(1, at(19, 6), -300_000)], 9_700_000, 9_500_000),
        (
            [closed(1, at(18, 15), 300_000), closed(2, at(19, 6), -100_000)],
            10_200_000,
            9_800_000,
        ),
        (  # money paid in is no profit: it takes the floor along
            [closed(1, at(18, 15), 300_000), paid(2, at(19, 5), 500_000)],
            10_800_000,
            10_300_000,
        ),
        ([closed(1, at(18, 22, 59), 100_000)], 10_100_000, 9_600_000),
        ([closed(1, at(18, 23), 100_000)], 10_100_000, 9_500_000),  # the reset's own moment
    ],
)
def test_what_filled_while_the_bot_was_down_counts_on_its_side_of_the_reset(
    deals, balance: int, floor: int
):
    before = a_watch()
    before.observe(at(18, 9), DEPOSIT, DEPOSIT)
    after = stopped(before)
    after.note_deals(deals)
    after.observe(at(19, 8), balance, balance)

    assert after.prop.floor_minor == floor


def test_deals_that_were_noted_and_not_observed_survive_the_process():
    before = a_watch()
    before.observe(at(18, 9), DEPOSIT, DEPOSIT)
    before.note_deals([closed(1, at(18, 15), 300_000), closed(2, at(19, 6), -100_000)])
    after = stopped(before)
    after.observe(at(19, 8), 10_200_000, 10_200_000)

    assert after.prop.floor_minor == 9_800_000


@pytest.mark.parametrize("balance", [10_300_000, 9_700_000])
def test_where_deals_do_not_explain_the_balance_the_larger_one_begins_the_day(balance: int):
    watch = a_watch()
    watch.observe(at(18, 9), DEPOSIT, DEPOSIT)
    watch.observe(at(19, 8), balance, balance)

    assert watch.prop.floor_minor == max(balance, DEPOSIT) - 500_000


@pytest.mark.parametrize(("equity", "floor"), [(10_200_000, 9_690_000), (9_900_000, 9_595_000)])
def test_a_day_of_the_higher_begins_with_the_larger_equity_around_the_reset(
    equity: int, floor: int
):
    watch = a_watch("the5ers-high-stakes")  # 5 % of the higher of balance and equity
    watch.observe(at(18, 9), DEPOSIT, DEPOSIT)
    watch.observe(at(18, 21), 10_100_000, DEPOSIT)
    watch.observe(at(19, 8), equity, DEPOSIT)

    assert watch.prop.floor_minor == floor


def test_a_floor_of_closing_balances_follows_every_day_that_was_missed():
    before = a_watch("ftmo-1-step")
    before.observe(at(16, 9), DEPOSIT, DEPOSIT)
    after = stopped(before, "ftmo-1-step")
    after.note_deals([closed(1, at(17, 9), 400_000), closed(2, at(18, 9), -300_000)])
    after.observe(at(19, 8), 10_100_000, 10_100_000)

    assert max_loss(after) == 9_400_000


def test_a_floor_of_the_highest_balance_follows_what_rose_and_fell_between_two_looks():
    watch = a_watch("e8-one")
    watch.observe(at(18, 9), DEPOSIT, DEPOSIT)
    watch.note_deals([closed(1, at(18, 10), 100_000), closed(2, at(18, 10, 1), -100_000)])
    watch.observe(at(18, 11), DEPOSIT, DEPOSIT)

    assert max_loss(watch) == 9_700_000


# ---------------------------------------------------------------------- accounts traded before


@pytest.mark.parametrize(("balance", "floor"), [(9_300_000, 9_000_000), (10_800_000, 10_300_000)])
def test_an_account_that_was_traded_before_is_measured_from_its_own_day(balance: int, floor: int):
    watch = a_watch()

    assert watch.observe(at(18, 12), balance, balance) == ()
    assert watch.prop.status is PropStatus.OK
    assert watch.prop.floor_minor == floor


@pytest.mark.parametrize("is_known_late", [False, True])
def test_the_deals_of_the_first_day_are_taken_out_of_its_begin(*, is_known_late: bool):
    watch = a_watch()
    deals = [closed(1, at(16, 9), 900_000), closed(2, at(18, 9), -100_000)]
    if not is_known_late:
        watch.note_deals(deals)
    watch.observe(at(18, 12), 10_800_000, 10_800_000)
    watch.note_deals(deals if is_known_late else [])  # a terminal takes its time with a history
    watch.observe(at(18, 12, 1), 10_800_000, 10_800_000)

    assert watch.prop.floor_minor == 10_400_000


@pytest.mark.parametrize(("net", "base"), [(-200_000, 10_300_000), (200_000, 10_100_000)])
def test_a_day_of_the_higher_learns_of_a_loss_that_is_told_late(net: int, base: int):
    watch = a_watch("the5ers-high-stakes")
    watch.observe(at(18, 12), 10_100_000, 10_100_000)
    watch.note_deals([closed(1, at(18, 9), net)])
    watch.observe(at(18, 12) + 1, 10_100_000, 10_100_000)

    assert watch.prop.state()["daily_loss"][0] == base


def test_deals_of_the_day_before_the_first_look_change_nothing_after_the_next_reset():
    watch = a_watch()
    watch.observe(at(18, 12), 10_800_000, 10_800_000)
    watch.observe(at(19, 8), 10_800_000, 10_800_000)
    watch.note_deals([closed(1, at(18, 9), -100_000)])
    watch.observe(at(19, 9), 10_800_000, 10_800_000)

    assert watch.prop.floor_minor == 10_300_000


def test_a_high_means_nothing_to_a_floor_that_stands():
    watch = a_watch(highest_minor=12_000_000)
    watch.observe(at(18, 12), DEPOSIT, DEPOSIT)

    assert max_loss(watch) == 9_000_000


def test_rules_that_are_switched_on_later_know_the_days_deals_from_the_journal():
    deals = [closed(1, at(18, 9), -100_000), paid(2, at(18, 9), 50_000)]
    before = LossWatch(RiskLimits(max_drawdown_fraction=0.5), CLOCK)
    before.note_deals(deals)
    before.observe(at(18, 10), 9_900_000, 9_900_000)
    after = a_watch()
    after.restore(before.state(), deals)
    after.observe(at(18, 12), 9_900_000, 9_900_000)

    assert after.prop.floor_minor == 9_500_000


@pytest.mark.parametrize("name", TRAILING)
def test_a_floor_that_follows_a_high_asks_for_the_high_of_an_account_traded_before(name: str):
    with pytest.raises(ConfigError) as caught:
        a_watch(name).observe(at(18, 12), 10_100_000, 10_100_000)

    assert str(caught.value).startswith("prop.highest_balance: ")
    assert "101000.00 USD" in str(caught.value)
    assert "100000.00 USD" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("ftmo-1-step", 9_200_000),  # of 102,000 at the end of the 16th
        ("e8-one", 9_900_000),  # of 103,000 during it
    ],
)
def test_deals_that_lead_from_the_deposit_to_the_balance_tell_the_highest_balance(
    name: str, floor: int
):
    watch = a_watch(name)
    booked = [(16, 8, 300_000), (16, 9, -100_000), (17, 9, -150_000), (18, 9, 100_000)]
    watch.note_deals(
        [closed(row, at(day, hour), net) for row, (day, hour, net) in enumerate(booked, 1)]
    )
    watch.observe(at(18, 12), 10_150_000, 10_150_000)

    assert max_loss(watch) == floor


def test_deals_do_not_tell_the_highest_equity():
    watch = a_watch("fundednext-stellar-instant")
    watch.note_deals([closed(1, at(16, 9), 500_000), closed(2, at(17, 9), -500_000)])

    with pytest.raises(ConfigError, match=r"^prop\.highest_balance: "):
        watch.observe(at(18, 12), DEPOSIT, DEPOSIT)


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("ftmo-1-step", 9_500_000),
        ("e8-one", 10_000_000),  # it locks at the deposit
        ("fundednext-stellar-instant", 9_900_000),
    ],
)
def test_the_highest_balance_that_is_given_begins_the_trail(name: str, floor: int):
    watch = a_watch(name, highest_minor=10_500_000)
    watch.observe(at(18, 12), 10_400_000, 10_400_000)

    assert max_loss(watch) == floor


def test_a_highest_balance_below_the_deposit_is_refused():
    with pytest.raises(ConfigError, match=r"highest_balance.*99999\.99 USD.*100000\.00 USD"):
        a_watch("e8-one", highest_minor=DEPOSIT - 1)


@pytest.mark.parametrize("equity", [8_999_999, 1_000_000])
def test_a_guard_that_has_just_been_born_refuses_and_closes_nothing(equity: int):
    watch = a_watch()

    with pytest.raises(ConfigError) as caught:
        watch.observe(at(18, 12), equity, equity)
    said = str(caught.value)
    assert said.startswith("prop.initial_deposit: ")
    assert f"{equity / 100:.2f} USD" in said
    assert "90000.00 USD" in said
    assert (watch.halt_due, watch.cut) == ("", None)


def test_an_account_on_the_floor_at_first_sight_is_not_over():
    watch = a_watch()
    watch.observe(at(18, 12), 9_000_000, 9_000_000)

    assert watch.prop.status is PropStatus.STOPPED_BY_BUFFER


def test_a_guard_with_a_memory_meets_a_breach_with_a_halt():
    before = a_watch()
    before.observe(at(18, 9), DEPOSIT, DEPOSIT)
    after = stopped(before)
    after.observe(at(18, 12), 8_000_000, 8_000_000)

    assert after.halt_due.startswith("prop rule")


class GuardedWorld(World):
    """Be a run on 10,000 whose firm's lines are those of 100,000."""

    def engine(self, series):
        """Return an engine over a series, with the guard."""
        made = super().engine(series)
        made.losses.prop = a_watch().prop
        return made


def test_a_live_run_on_an_account_of_another_size_is_refused_with_nothing_done():
    bars = bars_of([110_000] * 5)
    run = LiveRun(GuardedWorld(bars=bars, strategy=lambda: Scripted([Direction.LONG] * 5)))

    with pytest.raises(ConfigError, match=r"^prop\.initial_deposit: .* 10000\.00 USD"):
        run.run()
    assert not run.journal.intents()
    assert run.journal.halt_level() == 0
    assert run.journal.risk_state() is None


@pytest.mark.parametrize("is_live", [False, True])
def test_a_start_tells_which_rules_of_the_firm_are_not_kept(*, is_live: bool):
    class Free(World):
        def engine(self, series):
            made = super().engine(series)
            rules = load_prop_rules("alpha-capital")
            made.losses.prop = PropGuard(rules, 1_000_000, PropClock(rules.day, CLOCK))
            return made

    world = Free(bars=bars_of([110_000] * 5), strategy=lambda: Scripted([]))
    notes = world.live().notes if is_live else world.backtest()[1]

    (told,) = (one for one in notes if one.name == "prop_rules_not_kept")
    assert told.fields["firm"] == "Alpha Capital Evaluation"
    assert told.fields["reasons"].startswith("max_loss: the source leaves it open")
    assert " | weekend: " in told.fields["reasons"]


# ---------------------------------------------------------------------- what a crash may cost


@pytest.mark.parametrize(
    "name", [*TRAILING, "arctic-funding-express", "the5ers-hyper-growth", "ftmo-2-step"]
)
def test_a_crash_lowers_no_floor_by_more_than_a_small_part_of_its_allowance(name: str):
    watch, text = a_watch(name), ""
    for second in range(590):
        equity = DEPOSIT + 250 * second
        watch.observe(at(18, 12) + 1_000 * second, equity, equity)
        if watch.is_to_be_recorded(at(18, 12) + 1_000 * second):
            text = watch.state()
        kept, now = json.loads(text)["prop"], watch.prop.state()
        for line in ("daily_loss", "max_loss"):
            if line in now:
                _, allowance, floor = now[line][:3]
                assert floor - kept[line][2] <= allowance // 400
