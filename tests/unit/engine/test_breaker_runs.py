"""The breaker in whole runs: the same in both worlds, over a kill, and on a person's word."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from many_worlds import Lane, ManyWorld, many_venue
from worlds import (
    DirectClient,
    Faulty,
    LiveRun,
    Scripted,
    Successor,
    World,
    bars_of,
    require_same_books,
    stop_and_target,
)

from mtquant.model import Direction, HaltOrder, IntentAction, MarginMode, Publish, Timeframe
from mtquant.risk import BreakerSpec, LossBasis, RiskLimits
from mtquant.storage import MemoryJournal

LONG = Direction.LONG
MINUTE_MS = 60_000
COOL_DOWN_MINUTES = 120
EQUITY, BALANCE = LossBasis.EQUITY, LossBasis.BALANCE
NETTING, HEDGING = MarginMode.NETTING, MarginMode.HEDGING


class KilledError(Exception):
    """End a process."""


class DyingJournal(MemoryJournal):
    """Be a journal whose process ends once, after it has recorded a level and before it acts."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def record_risk(self, state: str) -> None:
        """Write it, and end the process if it is the level's."""
        super().record_risk(state)
        if json.loads(state)["breaker"]["level"] == self._level:
            self._level = -1
            raise KilledError


class DyingAfterHalt(MemoryJournal):
    """Be a journal whose process ends when it has recorded a halt of level 3."""

    is_alive = True

    def record_halt(self, halt: HaltOrder) -> None:
        """Record it, and end."""
        super().record_halt(halt)
        if self.is_alive and halt.level == 3:
            self.is_alive = False
            raise KilledError


class DyingAfterCut(MemoryJournal):
    """Be a journal whose process ends once, when a cut is made and before that is written."""

    is_alive = True

    def record_risk(self, state: str) -> None:
        """Write it, or end the process."""
        before = self.risk_state()
        is_made = before is not None and json.loads(before)["breaker"]["closes_worst"]
        if self.is_alive and is_made and not json.loads(state)["breaker"]["closes_worst"]:
            self.is_alive = False
            raise KilledError
        super().record_risk(state)


def falling(
    hours: int,
    *,
    basis: LossBasis = EQUITY,
    mode: MarginMode = HEDGING,
    third_fraction: float = 0.022,
    then: int = 4,
    script: list[Direction | None] | None = None,
    timeframe: Timeframe = Timeframe.H1,
) -> ManyWorld:
    """Return a world of two long positions in a market that falls for so many bars.

    By equity they fall together; by balance small ones are lost one after the other.
    """
    is_slow = basis is EQUITY
    drop = [0, 0, 0, *[100] * hours, *[0] * then]
    paths = {
        symbol: [level - sum(drop[: index + 1]) for index in range(len(drop))]
        for symbol, level in (("EURUSD", 110_000), ("GBPUSD", 125_000))
    }
    symbols = ["EURUSD", "EURUSD"] if mode is HEDGING else ["EURUSD", "GBPUSD"]
    speech = script or ([None, LONG] if is_slow else [None, *[LONG] * (hours + 2)])
    stop_points = 1_000 if is_slow else 60
    lanes = [
        Lane(
            name=f"lane{number}",
            symbol=symbol,
            timeframe=timeframe,
            strategy=lambda: Scripted(speech),
            exits=lambda: [stop_and_target(stop_points=stop_points)],
        )
        for number, symbol in enumerate(symbols)
    ]
    bars, other = (
        bars_of(paths[one], symbol=one, timeframe=timeframe) for one in ("EURUSD", "GBPUSD")
    )
    return ManyWorld(
        lanes=lanes,
        bars=bars,
        others=() if mode is HEDGING else (other,),
        venue=many_venue(mode=mode, always_open=True),
        limits=RiskLimits(
            risk_per_trade_fraction=0.02 if is_slow else 0.004,
            max_positions=2,
            max_daily_loss_fraction=0.9,
            breaker=BreakerSpec(
                level_1_fraction=0.01,
                level_2_fraction=0.02,
                level_3_fraction=third_fraction,
                basis=basis,
                cool_down_minutes=COOL_DOWN_MINUTES,
            ),
        ),
    )


def steps_of(notes: list[Publish]) -> list[tuple[int, int, str]]:
    return [
        (one.time_ms, int(one.fields["level"]), str(one.fields["window"]))
        for one in notes
        if one.name == "breaker_rose"
    ]


def level_of(journal: Any) -> int:
    return json.loads(journal.risk_state())["breaker"]["level"]


def closes_of(journal: MemoryJournal) -> list[tuple[int, int]]:
    """Return what was closed on purpose: position and volume."""
    rows = (row.intent for row in journal.intents())
    return [
        (one.position_ticket, one.volume_units) for one in rows if one.action is IntentAction.CLOSE
    ]


def resumed(after_minutes: int) -> LiveRun:
    """Run until the breaker halts; a person resumes so long after the first rise to level 3."""
    asked: list[int] = []

    def on_step(run: LiveRun) -> None:
        halts = [time_ms for time_ms, level, _ in steps_of(run.notes) if level == 3]
        if halts and not asked and run.now_ms() >= halts[0] + after_minutes * MINUTE_MS:
            asked.append(run.journal.request_halt(0, "ann", "looked at it", run.now_ms()))

    script = [None, LONG, *[None] * 13, LONG]
    run = falling(9, then=9, script=script).live(on_step=on_step)
    assert asked
    return run


# ---------------------------------------------------------------------- both runners


@pytest.mark.parametrize("mode", [HEDGING, NETTING])
@pytest.mark.parametrize(
    ("basis", "hours", "third_fraction", "level"),
    [
        (EQUITY, 3, 0.022, 1),
        (EQUITY, 6, 0.022, 2),
        (EQUITY, 9, 0.022, 3),
        (BALANCE, 2, 0.022, 1),
        (BALANCE, 5, 0.04, 2),
        (BALANCE, 5, 0.022, 3),
    ],
)
def test_both_runners_rise_at_the_same_moments_and_trade_alike(
    mode: MarginMode, basis: LossBasis, hours: int, third_fraction: float, level: int
) -> None:
    world = falling(hours, basis=basis, mode=mode, third_fraction=third_fraction)

    played, told = world.backtest()
    run = world.live()

    assert steps_of(run.notes) == steps_of(told)
    assert steps_of(told)[-1][1] == level == run.engine.losses.level == level_of(run.journal)
    assert run.engine.risk.halt_level == (3 if level == 3 else 0)
    assert run.journal.halt_level() == run.engine.risk.halt_level
    require_same_books(run.market, played)


@pytest.mark.parametrize("mode", [HEDGING, NETTING])
def test_level_2_closes_the_worst_position_and_keeps_half_of_the_other(mode: MarginMode) -> None:
    market, _ = falling(6, mode=mode).backtest()

    first, second = market.book.ledger.deals[1:3]
    (left,) = market.book.positions()
    units = {first.position_ticket: first.volume_units, second.position_ticket: second.volume_units}
    assert left.volume_units == units[left.position_ticket] // 2 // 1_000_000 * 1_000_000


# ---------------------------------------------------------------------- a kill in between


@pytest.mark.parametrize("mode", [HEDGING, NETTING])
@pytest.mark.parametrize(("hours", "level"), [(6, 2), (9, 3)])
def test_what_a_loss_demands_is_done_by_the_next_process_when_the_first_has_only_recorded_it(
    mode: MarginMode, hours: int, level: int
) -> None:
    world = falling(hours, mode=mode)
    whole = world.live()
    journal = DyingJournal(level)
    run = LiveRun(world, journal=journal, client=DirectClient)
    before = closes_of(whole.journal)

    with pytest.raises(KilledError):
        run.run()
    done = closes_of(journal)
    after = Successor(run)
    after.run()

    assert level_of(journal) == level
    assert len(done) < len(before)
    assert closes_of(journal) == before
    assert journal.halt_level() == whole.journal.halt_level() == (3 if level == 3 else 0)
    assert after.market.book.positions() == whole.market.book.positions()
    assert [one.fields["reason"] for one in after.named("halt_raised")] == [
        one.fields["reason"] for one in whole.named("halt_raised")
    ]


@pytest.mark.parametrize("mode", [HEDGING, NETTING])
def test_a_cut_that_was_made_and_not_yet_noted_is_not_made_again(mode: MarginMode) -> None:
    world = falling(6, mode=mode)
    whole = world.live()
    journal = DyingAfterCut()
    run = LiveRun(world, journal=journal, client=DirectClient)

    with pytest.raises(KilledError):
        run.run()
    assert closes_of(journal) == closes_of(whole.journal)
    after = Successor(run)
    after.run()

    assert closes_of(journal) == closes_of(whole.journal)
    assert after.market.book.positions() == whole.market.book.positions()


# ---------------------------------------------------------------------- a person's word


def test_a_resume_before_the_cool_down_keeps_halt_and_breaker() -> None:
    run = resumed(COOL_DOWN_MINUTES - 30)

    assert [one.fields["level"] for one in run.named("breaker_stays")] == [3]
    assert run.journal.halt_level() == run.engine.risk.halt_level == 3
    assert level_of(run.journal) == 3
    assert run.named("halt_cleared") == []
    assert run.market.book.positions() == ()


def test_a_resume_after_the_cool_down_lifts_halt_and_breaker() -> None:
    run = resumed(COOL_DOWN_MINUTES + 30)

    assert [one.fields["who"] for one in run.named("breaker_reset")] == ["ann"]
    assert run.journal.halt_level() == run.engine.risk.halt_level == 0
    assert level_of(run.journal) == 0
    assert len(run.market.book.positions()) == 2


def test_a_resume_that_the_breaker_refuses_leaves_alone_what_a_person_has_opened_since() -> None:
    seen: list[str] = []

    def on_step(run: LiveRun) -> None:
        level = run.journal.halt_level()
        if level == 3 and not seen:
            seen.append("closed")
            run.journal.request_halt(4, "ann", "out", run.now_ms())
        elif level == 4 and seen == ["closed"] and not run.engine.is_clearing:
            seen.append("opened")
            order = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "magic": 0}
            assert run.terminal.order_send(order).retcode == 10009
            run.journal.request_halt(0, "ann", "on", run.now_ms())

    run = falling(9, then=9).live(on_step=on_step, client=DirectClient)

    assert seen == ["closed", "opened"]
    assert run.named("breaker_stays") != []
    assert [one.intent_id for one in run.market.book.positions()] == [0]


# ---------------------------------------------------------------------- money that a deal explains


@pytest.mark.parametrize("known_cents", [0, 1])
def test_a_payout_that_shows_before_its_deal_is_no_loss_whatever_differs_already(
    known_cents: int,
) -> None:
    def wrap(terminal: Any, server: Any) -> Any:
        def account_info() -> Any:
            info = terminal.account_info()
            off = known_cents / 100 if server.market.bar >= 3 else 0.0
            if (server.market.bar, server.market.step) == (16, 2):
                off -= 3_000.0
            moved = {name: round(getattr(info, name) + off, 2) for name in ("balance", "equity")}
            return SimpleNamespace(**(info._asdict() | moved))

        return Faulty(terminal, account_info=account_info)

    world = World(
        bars=bars_of([110_000] * 30, timeframe=Timeframe.M1),
        strategy=lambda: Scripted([None, LONG]),
        limits=RiskLimits(max_daily_loss_fraction=0.9, breaker=BreakerSpec()),
    )
    run = world.live(client=DirectClient, wrap=wrap)

    assert len(run.named("cash_differs")) == known_cents
    assert run.named("breaker_rose") == []
    assert len(run.market.book.positions()) == 1


def test_a_payout_on_an_account_on_which_others_trade_without_end_is_no_loss() -> None:
    def wrap(terminal: Any, server: Any) -> Any:
        def account_info() -> Any:
            info = terminal.account_info()
            off = -3_000.0 if (server.market.bar, server.market.step) == (40, 2) else 0.0
            moved = {name: round(getattr(info, name) + off, 2) for name in ("balance", "equity")}
            return SimpleNamespace(**(info._asdict() | moved))

        return Faulty(terminal, account_info=account_info)

    def on_step(run: LiveRun) -> None:
        if run.market.bar < 1 or run.market.step not in (1, 3):
            return
        order = {"action": 1, "symbol": "EURUSD", "volume": 0.01, "magic": 0}
        assert run.terminal.order_send(order | {"type": 0}).retcode == 10009
        opened = [one.ticket for one in run.terminal.positions_get() if one.magic == 0][-1]
        done = run.terminal.order_send(order | {"type": 1, "position": opened})
        assert done.retcode == 10009

    world = World(
        bars=bars_of([110_000] * 60, timeframe=Timeframe.M1),
        strategy=lambda: Scripted([None, LONG]),
        limits=RiskLimits(max_positions=5, max_daily_loss_fraction=0.9, breaker=BreakerSpec()),
    )
    run = world.live(client=DirectClient, wrap=wrap, on_step=on_step)

    assert run.journal.baseline_minor() == 0
    assert run.named("breaker_rose") == []
    assert len(run.market.book.positions()) == 1


# ---------------------------------------------------------------------- the next process


def test_a_halt_of_the_breaker_that_was_released_while_nothing_ran_is_not_raised_anew() -> None:
    first = LiveRun(falling(9, then=20), journal=DyingAfterHalt(), client=DirectClient)
    with pytest.raises(KilledError):
        first.run()
    held = len(first.market.book.positions())
    for _ in range(4 * COOL_DOWN_MINUTES // 60 + 4):
        first.server.step()
    first.journal.request_halt(0, "ann", "looked at it", first.server.now_ms)
    after = Successor(first, client=DirectClient)
    after.run()

    assert after.journal.halt_level() == 0
    assert len(after.market.book.positions()) == held > 0


def with_old_volumes(terminal: Any, server: Any) -> Any:
    """Show the volumes of positions as they were for 45 seconds."""
    seen: list[tuple[int, dict[int, float]]] = []

    def positions_get(*args: Any, **kwargs: Any) -> Any:
        shown = terminal.positions_get(*args, **kwargs)
        seen.append((server.now_ms, {one.ticket: one.volume for one in shown}))
        recent = [lots for time_ms, lots in seen if time_ms >= server.now_ms - 45_000]
        found = []
        for one in shown:
            lots = next(lots[one.ticket] for lots in recent if one.ticket in lots)
            found.append(SimpleNamespace(**(one._asdict() | {"volume": lots})))
        return tuple(found)

    return Faulty(terminal, positions_get=positions_get)


def until_both_are_held(world: ManyWorld) -> LiveRun:
    """Run until two positions stand, and stop."""

    def on_step(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (3, 3):
            run.runner.stop()

    run = LiveRun(world, client=DirectClient, on_step=on_step)
    run.run()
    assert len(run.market.book.positions()) == 2
    return run


@pytest.mark.parametrize("is_journal_new", [False, True])
def test_a_cut_is_made_once_while_volumes_lag_also_with_a_new_journal(
    *, is_journal_new: bool
) -> None:
    first = until_both_are_held(falling(9, third_fraction=0.5, timeframe=Timeframe.M1))
    held = {one.position_ticket: one.volume_units for one in first.market.book.positions()}
    journal = MemoryJournal() if is_journal_new else None
    after = Successor(first, journal=journal, client=DirectClient, wrap=with_old_volumes)
    after.run()

    assert after.engine.losses.level == 2
    [left] = after.market.book.positions()
    step_units = first.world.venue.instrument("EURUSD").volume_step_units
    half = held[left.position_ticket] // 2
    assert left.volume_units == half - half % step_units


def test_a_cut_closes_what_nobody_trades_any_more() -> None:
    world = falling(6, mode=NETTING, third_fraction=0.5)
    first = until_both_are_held(world)
    after = Successor(first, world=replace(world, lanes=world.lanes[:1]), client=DirectClient)
    after.run()

    assert after.engine.losses.level == 2
    assert after.engine.losses.cut is None
    assert {one.symbol for one in after.market.book.positions()} <= {"EURUSD"}


@pytest.mark.parametrize("is_journal_new", [False, True])
def test_losses_are_seen_on_a_busy_account_whose_balance_is_always_late(
    *, is_journal_new: bool
) -> None:
    late = [0.0]

    def wrap(terminal: Any, _server: Any) -> Any:
        def account_info() -> Any:
            info = terminal.account_info()
            names = ("balance", "equity")
            moved = {name: round(getattr(info, name) + late[0], 2) for name in names}
            return SimpleNamespace(**(info._asdict() | moved))

        return Faulty(terminal, account_info=account_info)

    def on_step(run: LiveRun) -> None:
        before = run.market.book.account().balance_minor
        lots = 0.01 * (1 + (run.market.bar * 4 + run.market.step) * 3 % 7)
        order = {"action": 1, "symbol": "EURUSD", "volume": round(lots, 2), "magic": 0}
        assert run.terminal.order_send(order | {"type": 0}).retcode == 10009
        opened = [one.ticket for one in run.terminal.positions_get() if one.magic == 0][-1]
        done = run.terminal.order_send(order | {"type": 1, "position": opened})
        assert done.retcode == 10009
        late[0] = (before - run.market.book.account().balance_minor) / 100

    world = falling(9, third_fraction=0.5, timeframe=Timeframe.M1)
    path = [110_000] * 10 + [110_000 - 100 * number for number in range(1, 10)] + [109_100] * 10
    first = until_both_are_held(replace(world, bars=bars_of(path, timeframe=Timeframe.M1)))
    journal = MemoryJournal() if is_journal_new else None
    after = Successor(first, journal=journal, client=DirectClient, wrap=wrap, on_step=on_step)
    after.run()

    assert [one.fields["level"] for one in after.named("breaker_rose")] == [1, 2]
