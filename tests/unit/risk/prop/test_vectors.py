"""The numbers that firms and their explainers print, played against the guard.

Each vector names where it is from; amounts are whole units of money there, minor units here.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mtquant.app.prop_rules import load_prop_rules
from mtquant.model import ServerClock
from mtquant.risk.prop import (
    Consistency,
    DayBook,
    Phase,
    PropClock,
    PropEventKind,
    PropGuard,
    PropRules,
    PropStatus,
)
from mtquant.risk.prop.objectives import objectives

DAY_MS = 86_400_000
NOON_MS = 1_767_614_400_000  # Monday, 2026-01-05, 12:00 UTC
SERVER = ServerClock("ny_plus_7")


def money(amount: float) -> int:
    return round(100 * amount)


def guard_of(name: str, initial: float) -> PropGuard:
    rules = load_prop_rules(name).for_phase()
    return PropGuard(rules, money(initial), PropClock(rules.day, SERVER))


def see(guard: PropGuard, day: int, balance: float, equity: float | None = None):
    equity = balance if equity is None else equity
    return guard.observe(NOON_MS + day * DAY_MS, money(balance), money(equity))


def test_ftmo_2_step_first_day():
    # academy.ftmo.com/lesson/maximum-daily-loss
    guard = guard_of("ftmo-2-step", 100_000)
    see(guard, 0, 100_000)

    assert guard.floor_minor == money(95_000)


def test_ftmo_2_step_profit_of_the_day_makes_room():
    # the same page: +4,000 closed on 200,000 leaves 14,000 for the day
    guard = guard_of("ftmo-2-step", 200_000)
    see(guard, 0, 200_000)
    see(guard, 0, 204_000)

    assert guard.floor_minor == money(190_000)
    assert guard.room_minor == money(14_000)


PRAGUE = ZoneInfo("Europe/Prague")


def prague_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=PRAGUE).timestamp()) * 1000


@pytest.mark.parametrize(
    ("day", "hours_ahead"),
    [
        ((2026, 1, 14), 1),  # winter
        ((2026, 7, 15), 1),  # summer
        ((2026, 3, 18), 2),  # American summer time, European winter time
        ((2026, 10, 28), 2),  # the same in autumn
    ],
)
def test_ftmo_warning_an_open_loss_is_legal_at_2359_and_a_breach_at_midnight(day, hours_ahead):
    # academy.ftmo.com/lesson/maximum-daily-loss: +4,000 closed, -13,000 floating over midnight
    guard = guard_of("ftmo-2-step", 200_000)
    clock = PropClock(load_prop_rules("ftmo-2-step").day)
    midnight_ms = prague_ms(*day) + DAY_MS
    server_midnight_ms = SERVER.next_midnight_ms(prague_ms(*day, 12))

    assert guard.observe(prague_ms(*day, 9), money(200_000), money(200_000)) is None
    assert guard.observe(prague_ms(*day, 15), money(204_000), money(204_000)) is None
    assert guard.room_minor == money(14_000)
    # the server's new day begins and changes nothing
    assert midnight_ms - server_midnight_ms == hours_ahead * 3_600_000
    assert guard.observe(server_midnight_ms, money(204_000), money(191_000)) is None
    assert guard.observe(prague_ms(*day, 23, 59), money(204_000), money(191_000)) is None
    assert guard.status is PropStatus.OK
    assert guard.room_minor == money(1_000)

    assert clock.next_reset_ms(prague_ms(*day, 23, 59)) == midnight_ms
    event = guard.observe(midnight_ms, money(204_000), money(191_000))
    assert event is not None
    assert (event.kind, event.rule) == (PropEventKind.BREACH, "daily_loss")
    assert (event.value_minor, event.limit_minor) == (money(191_000), money(194_000))
    assert guard.status is PropStatus.FAILED


def test_ftmo_2_step_maximum_loss():
    # ftmo.com/en/trading-objectives: 92,000 balance and -2,001 open on 100,000
    guard = guard_of("ftmo-2-step", 100_000)
    see(guard, 0, 96_000)
    see(guard, 1, 92_000)
    assert see(guard, 2, 92_000, 90_000) is None
    event = see(guard, 2, 92_000, 89_999)

    assert event is not None
    assert (event.kind, event.rule) == (PropEventKind.BREACH, "max_loss")
    assert event.limit_minor == money(90_000)


def max_floor(guard: PropGuard) -> int:
    return guard.state()["max_loss"][2]


def test_ftmo_1_step_trails_the_highest_balance_at_midnight():
    # ftmo.com/au/?p=1671
    guard = guard_of("ftmo-1-step", 100_000)
    floors = []
    for day, balance in enumerate((100_000, 104_000, 103_000)):
        see(guard, day, balance)
        see(guard, day + 1, balance)  # the next day's first look, with yesterday's balance
        floors.append(max_floor(guard))

    assert floors == [money(90_000), money(94_000), money(94_000)]


def best_day(days: list[float], fraction: float):
    book = DayBook()
    for day, net in enumerate(days):
        book.note_closed(day * DAY_MS, money(net))
    rules = PropRules(
        firm="X",
        programme="Y",
        level=load_prop_rules("ftmo-1-step").level,
        checked="2026-11",
        sources=("a",),
        phases=(Phase(name="one"),),
        consistency=Consistency(best_day_fraction=fraction),
    )
    return objectives(rules, money(100_000), book.total_minor, book)[0]


@pytest.mark.parametrize(
    ("days", "share", "is_met"), [([5000, 0], 1.0, False), ([5000, 5000], 0.5, True)]
)
def test_ftmo_1_step_best_day(days, share, is_met):
    # ftmo.com: what happens if the best day rule is not met in 1-Step
    found = best_day(days, 0.5)

    assert (found.reached, found.is_met) == (share, is_met)


@pytest.mark.parametrize(
    ("days", "total", "limit", "is_met"),
    [
        ([500, 550, -150, 600, 400], 1900, 665, True),
        ([1100, 900, -400, 1500], 3100, 1085, False),
    ],
)
def test_e8_best_day_of_35_percent(days, total, limit, is_met):
    # intercom.help/e8: 35% best day rule
    found = best_day(days, 0.35)

    assert found.is_met is is_met
    assert found.wanted * total == limit
    assert found.reached * total == max(days)


@pytest.mark.parametrize(
    ("name", "balance", "equity", "floor", "room"),
    [
        # help.alphacapitalgroup.uk, article 6934210
        ("alpha-capital", 100_000, 101_000, 95_000, 6_000),
        ("alpha-capital", 100_000, 99_000, 95_000, 4_000),
        # dev.fintokei.com/?p=34194
        ("fintokei-protrader", 100_000, 103_000, 97_850, 5_150),
        # help.leveledupsociety.com, article 6192173
        ("leveled-up-society", 100_000, 110_000, 105_000, 5_000),
        # thepropjournalist.com: the loss of the day is 5,250
        ("myforexfunds", 100_000, 105_000, 99_750, 5_250),
    ],
)
def test_the_base_of_the_day_is_what_the_firm_says(name, balance, equity, floor, room):
    guard = guard_of(name, 100_000)
    see(guard, 0, balance, equity)
    see(guard, 1, balance, equity)

    assert guard.floor_minor == money(floor)
    assert guard.room_minor == money(room)


def test_fundednext_profit_of_the_day_adds_to_what_may_be_lost():
    # help.fundednext.com, article 9941519
    guard = guard_of("fundednext-stellar-2-step", 100_000)
    see(guard, 0, 100_000)
    see(guard, 0, 102_000)

    assert guard.room_minor == money(7_000)


def test_topstep_trails_the_end_of_day_balance_and_locks_at_the_start():
    # help article "What is the Maximum Loss Limit?" (2024)
    guard = guard_of("topstep-50k", 50_000)
    floors, kinds = [], []
    see(guard, 0, 50_000)
    assert guard.floor_minor == money(48_000)
    for day, balance in enumerate((50_500, 50_000, 52_500)):
        see(guard, day, balance)
        event = see(guard, day + 1, balance)
        floors.append(guard.floor_minor)
        kinds.append(event and event.kind)

    assert floors == [money(48_500), money(48_500), money(50_000)]
    assert kinds == [None, None, PropEventKind.LOCK]
    assert guard.is_locked
    see(guard, 4, 60_000)
    see(guard, 5, 60_000)
    assert guard.floor_minor == money(50_000)
