"""What goes wrong at the terminal, the broker or the disk, and what the whole bot makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from many_worlds import Lane, ManyWorld, many_venue
from worlds import (
    MONDAY_MS,
    LiveRun,
    Scripted,
    World,
    bars_of,
    make_venue,
    stop_and_target,
    trailing,
)

from mtquant.data import minute_bars
from mtquant.model import (
    DealEntry,
    Direction,
    IntentAction,
    IntentRow,
    IntentState,
    JournalError,
    Reason,
    Signal,
    Ticks,
    Timeframe,
    TradeMode,
)
from mtquant.risk import RiskLimits
from mtquant.storage import MemoryJournal
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated.faults import FaultKind, FaultSpec
from mtquant.terminal.simulated.faults.spec import Only

if TYPE_CHECKING:
    from mtquant.strategy import TickView

LONG, SHORT, FLAT = Direction.LONG, Direction.SHORT, Direction.FLAT
HOUR_MS = 3_600_000
QUIET = [110_000] * 12


@dataclass(kw_only=True)
class Troubled(World):
    """Describe a run in which faults strike."""

    faults: tuple[FaultSpec, ...] = ()

    def link_losses(self) -> tuple[FaultSpec, ...]:
        """Return the faults."""
        return self.faults


def play(script: list[Direction | None], *faults: FaultSpec, **more: Any) -> LiveRun:
    """Run a script on a quiet market, unless told otherwise."""
    options = {name: more.pop(name) for name in ("journal", "on_step", "wrap") if name in more}
    bars = more.pop("bars", bars_of(QUIET))
    world = Troubled(bars=bars, strategy=lambda: Scripted(script), faults=faults, **more)
    return world.live(**options)


def states(run: LiveRun) -> list[IntentState]:
    return [row.state for row in run.journal.intents()]


# ---------------------------------------------------------------------- unclear answers


@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT, FaultKind.NO_CONNECTION])
@pytest.mark.parametrize("executed", [True, False])
def test_an_unclear_return_code_ends_as_what_the_broker_shows(
    kind: FaultKind, *, executed: bool
) -> None:
    run = play([None, LONG], FaultSpec(kind=kind, nth=1, executed=executed))

    assert states(run) == [IntentState.DONE if executed else IntentState.NOTSENT]
    assert len(run.market.book.positions()) == int(executed)


def test_an_order_that_is_executed_after_a_lost_reply_is_adopted_when_it_shows() -> None:
    run = play([None, LONG], FaultSpec(kind=FaultKind.LATE, nth=1, delay_ms=10_000))

    assert states(run) == [IntentState.DONE]
    assert len(run.market.book.positions()) == 1


def test_an_order_that_is_only_placed_is_one_position_once_it_fills() -> None:
    run = play([None, LONG], FaultSpec(kind=FaultKind.PLACED, nth=1))

    assert states(run) == [IntentState.DONE]
    assert len(run.market.book.positions()) == 1


def test_a_partly_filled_order_counts_with_what_was_filled_and_has_its_stop() -> None:
    run = play([None, LONG], FaultSpec(kind=FaultKind.PARTIAL, nth=1, filled_fraction=0.5))

    (row,) = run.journal.intents()
    (position,) = run.market.book.positions()
    assert row.state is IntentState.PARTIAL
    assert 0 < row.filled_units == position.volume_units < row.intent.volume_units
    assert position.stop_loss_points == row.intent.stop_loss_points


# ---------------------------------------------------------------------- other hands


def by_hand(kind: FaultKind, hours: float, **more: Any) -> FaultSpec:
    return FaultSpec(kind=kind, after_ms=int(hours * HOUR_MS), **more)


def test_a_foreign_position_counts_against_the_limit_and_is_left_alone() -> None:
    run = play([*[None] * 5, LONG], by_hand(FaultKind.MANUAL_TRADE, 2.5))

    assert [note.fields["rules"] for note in run.named("order_refused")] == ["max_positions"]
    (position,) = run.market.book.positions()
    assert position.intent_id == 0


def test_a_position_that_is_closed_by_hand_is_gone_for_the_bot_too() -> None:
    run = play([None, LONG, *[None] * 5, LONG], by_hand(FaultKind.MANUAL_CLOSE, 4.5))

    assert [note.fields["reason"] for note in run.named("position_closed")] == ["client"]
    assert run.journal.deals() == run.market.book.ledger.deals
    assert states(run) == [IntentState.DONE] * 2
    assert len(run.market.book.positions()) == 1


def test_of_a_position_that_is_partly_closed_by_hand_the_rest_is_closed() -> None:
    half = by_hand(FaultKind.MANUAL_CLOSE, 4.5, closed_fraction=0.5)
    run = play([None, LONG, *[None] * 5, FLAT], half)

    opened, closed = run.journal.intents()
    assert 0 < closed.intent.volume_units < opened.intent.volume_units
    assert (closed.state, closed.filled_units) == (IntentState.DONE, closed.intent.volume_units)
    assert run.market.book.positions() == ()


# ---------------------------------------------------------------------- refusals


def test_an_entry_whose_stop_the_broker_refuses_is_not_opened() -> None:
    run = play([None, LONG], FaultSpec(kind=FaultKind.ANSWER, code=10016, nth=1))

    assert states(run) == [IntentState.REJECTED]
    assert run.market.book.positions() == ()


def test_where_a_stop_cannot_be_moved_the_old_one_stands() -> None:
    rising = [110_000, 110_000, *range(110_100, 111_100, 100)]
    exits = lambda: [stop_and_target(stop_points=300), trailing(atr_period=1, distance_atr=1.0)]  # noqa: E731
    refusal = FaultSpec(kind=FaultKind.ANSWER, code=10016, only=Only.SLTP, for_ms=999 * HOUR_MS)
    run = play([None, LONG], refusal, bars=bars_of(rising), exits=exits)

    opened, *moves = run.journal.intents()
    (position,) = run.market.book.positions()
    assert {row.state for row in moves} == {IntentState.REJECTED}
    assert position.stop_loss_points == opened.intent.stop_loss_points


def test_a_lost_stop_that_the_price_has_passed_closes_the_position() -> None:
    closes = [110_000] * 4 + [109_700] * 8
    run = play(
        [None, LONG],
        by_hand(FaultKind.STRIPPED_STOP, 3.5),
        FaultSpec(kind=FaultKind.LINK_LOSS, after_ms=int(3.4 * HOUR_MS), for_ms=2 * HOUR_MS),
        bars=bars_of(closes),
    )

    assert [note.fields["action"] for note in run.named("stop_lost")] == ["close"]
    assert run.market.book.positions() == ()


def test_a_symbol_that_may_only_be_bought_refuses_the_sale_and_trading_goes_on() -> None:
    venue = make_venue(trade_mode=TradeMode.LONG_ONLY)
    world = Troubled(
        bars=bars_of(QUIET),
        strategy=lambda: Scripted([None, SHORT, None, LONG, None, SHORT, None, LONG]),
        venue=venue,
    )
    run, (_, backtested) = world.live(), world.backtest()

    assert states(run) == [IntentState.DONE] * 3  # bought, sold when the mind changed, bought again
    refused = run.named("order_refused")
    why = (
        "trade_mode: EURUSD is long only (limit open for SELL); "
        "entries return when the broker lets EURUSD take them"
    )
    assert [note.fields["reasons"] for note in refused] == [why] * 2
    assert refused == [note for note in backtested if note.name == "order_refused"]


class Moody:
    """Be a terminal at which a broker changes what may be done with symbols."""

    def __init__(self, terminal: Any, server: Any, modes: dict[str, list[tuple[int, int]]]) -> None:
        """Take over modes by symbol, each from hours after the start on."""
        self._terminal, self._server, self._modes = terminal, server, modes
        self._first_ms = server.now_ms
        self.sent: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def mode(self, symbol: str) -> int:
        """Return the mode of now."""
        hours = (self._server.now_ms - self._first_ms) / HOUR_MS
        past = [mode for from_hour, mode in self._modes.get(symbol, ()) if from_hour <= hours]
        return past[-1] if past else mt5.SYMBOL_TRADE_MODE_FULL

    def symbol_info(self, symbol: str) -> Any:
        """Return a SymbolInfo with the mode of now."""
        info = self._terminal.symbol_info(symbol)
        return type(info)((info._asdict() | {"trade_mode": self.mode(symbol)}).values())

    def order_send(self, request: dict[str, Any]) -> Any:
        """Remember a request, and send it."""
        self.sent.append(request)
        return self._terminal.order_send(request)


def test_a_symbol_that_becomes_close_only_takes_no_entry_and_its_exit_works() -> None:
    close_only, full = mt5.SYMBOL_TRADE_MODE_CLOSEONLY, mt5.SYMBOL_TRADE_MODE_FULL
    modes = {"EURUSD": [(3.5, close_only), (9.5, full)]}
    made: list[Moody] = []

    def wrap(terminal: Any, server: Any) -> Moody:
        made.append(Moody(terminal, server, modes))
        return made[0]

    script = [None, LONG, None, None, SHORT, None, LONG, None, None, LONG]
    world = Troubled(bars=bars_of(QUIET), strategy=lambda: Scripted(script))
    run = world.live(wrap=wrap)

    assert [row.intent.action.name for row in run.journal.intents()] == ["OPEN", "CLOSE", "OPEN"]
    assert states(run) == [IntentState.DONE] * 3
    assert len(made[0].sent) == 3
    assert [note.fields["rules"] for note in run.named("order_refused")] == ["trade_mode"] * 2
    assert run.journal.halt_level() == 0


class Suspending(Moody):
    """Be a terminal whose broker suspends EURUSD while the first order for it is on the way."""

    def order_send(self, request: dict[str, Any]) -> Any:
        """Refuse what is for EURUSD, which is suspended by now."""
        if request["symbol"] != "EURUSD":
            return super().order_send(request)
        self._modes["EURUSD"] = [(0, mt5.SYMBOL_TRADE_MODE_DISABLED)]
        refused = super().order_send(request | {"volume": 0.0})
        told = {"retcode": mt5.TRADE_RETCODE_TRADE_DISABLED, "comment": "Trade disabled"}
        return type(refused)((refused._asdict() | told).values())


def test_a_symbol_suspended_while_its_order_is_on_the_way_keeps_no_other_from_trading() -> None:
    wishes = [None, LONG, None, LONG, FLAT]
    world = ManyWorld(
        bars=bars_of(QUIET),
        others=[bars_of([125_000] * 12, symbol="GBPUSD")],
        lanes=[
            Lane(
                name=f"on {symbol}",
                symbol=symbol,
                timeframe=Timeframe.H1,
                strategy=lambda: Scripted(wishes),
            )
            for symbol in ("EURUSD", "GBPUSD")
        ],
        venue=many_venue(),
        limits=RiskLimits(max_positions=2),
    )
    run = world.live(wrap=lambda terminal, server: Suspending(terminal, server, {}))

    (refused, *others) = run.journal.intents()
    assert (refused.intent.symbol, refused.state) == ("EURUSD", IntentState.REJECTED)
    assert refused.detail == "10017 Trade disabled: EURUSD is suspended"
    assert {row.intent.symbol for row in others} == {"GBPUSD"}
    assert {row.state for row in others} == {IntentState.DONE}
    assert [note.fields["rules"] for note in run.named("order_refused")] == ["trade_mode"]
    assert run.journal.halt_level() == 0


def test_a_stop_out_is_told_and_the_daily_loss_keeps_the_bot_out() -> None:
    closes = [110_000, 110_000, *range(109_700, 107_300, -300), *[107_400] * 3]
    venue = make_venue(leverage=5)
    venue = replace(venue, account=replace(venue.account, stop_out_percent=95.0))
    run = play(
        [None, LONG, *[None] * 7, LONG],
        bars=bars_of(closes),
        venue=venue,
        exits=lambda: [stop_and_target(stop_points=2_250)],
        limits=RiskLimits(risk_per_trade_fraction=0.1, max_daily_loss_fraction=0.03),
    )

    assert [note.fields["reason"] for note in run.named("position_closed")] == [
        Reason.STOP_OUT.value
    ]
    assert [note.fields["rules"] for note in run.named("order_refused")] == ["max_daily_loss"]


# ---------------------------------------------------------------------- prices and time


def test_bars_that_close_while_the_prices_stand_still_are_not_decided_on_later() -> None:
    frozen = FaultSpec(kind=FaultKind.STALE_FEED, after_ms=int(2.5 * HOUR_MS), for_ms=5 * HOUR_MS)
    run = play([*[None] * 3, LONG, LONG, LONG, *[None] * 6], frozen)

    assert run.journal.intents() == []
    assert len(run.named("signal_missed")) == 3


class Sleeper(MemoryJournal):
    """Be a journal during whose writing the machine falls asleep."""

    def __init__(self, asleep_ms: int) -> None:
        super().__init__()
        self._asleep_ms = asleep_ms
        self.run: LiveRun | None = None

    def record_sending(self, row: IntentRow) -> None:
        """Keep the row, and wake up much later."""
        super().record_sending(row)
        if self.run is not None:
            self.run.server.wait_until(self.run.now_ms() + self._asleep_ms)


@pytest.mark.parametrize(("asleep_ms", "held"), [(59_000, 1), (61_000, 0)])
def test_a_decision_that_is_too_old_when_its_order_would_leave_is_not_sent(
    asleep_ms: int, held: int
) -> None:
    journal = Sleeper(asleep_ms)
    world = World(bars=bars_of(QUIET), strategy=lambda: Scripted([None, LONG]))
    run = LiveRun(world, journal=journal)
    journal.run = run
    run.run()

    (row,) = run.journal.intents()
    assert len(run.market.book.positions()) == held
    assert ("past its deadline" in row.detail) is not bool(held)


class Talkative(Scripted):
    """Buy and leave at every tick."""

    def __init__(self) -> None:
        super().__init__([])
        self._turn = 0

    def on_tick(self, ticks: TickView) -> Signal | None:
        """Return the other direction."""
        self._turn += 1
        return self.tick_signal(ticks, LONG if self._turn % 2 else FLAT)


def test_a_strategy_that_speaks_at_every_tick_enters_as_often_as_it_may() -> None:
    time_ms = MONDAY_MS + np.arange(1_200, dtype=np.int64) * 500
    bid = np.full(len(time_ms), 110_000, dtype=np.int32)
    ticks = Ticks(symbol="EURUSD", digits=5, time_ms=time_ms, bid=bid, ask=bid + np.int32(10))
    lane = Lane(name="one", symbol="EURUSD", timeframe=Timeframe.M1, strategy=Talkative)
    world = ManyWorld(
        bars=minute_bars(ticks),
        ticks=[ticks],
        lanes=[lane],
        venue=many_venue(),
        limits=RiskLimits(max_entries_per_minute=3),
    )

    run = world.live()

    entries = [deal.time_ms for deal in run.journal.deals() if deal.entry is DealEntry.IN]
    entered = entries[1:]  # the first deal is the deposit
    assert len(entered) > 20
    assert all(
        later - earlier >= 60_000 for earlier, later in zip(entered, entered[3:], strict=False)
    )
    rules = {note.fields["rules"] for note in run.named("order_refused")}
    assert rules == {"max_entries_per_minute"}


# ---------------------------------------------------------------------- the journal


class FullDisk(MemoryJournal):
    """Be a journal that takes no more orders."""

    def record_sending(self, row: IntentRow) -> None:
        """Refuse the row."""
        raise JournalError("the journal cannot be written (database or disk is full)")


def test_an_order_that_cannot_be_journalled_is_not_sent_and_ends_the_bot() -> None:
    world = World(bars=bars_of(QUIET), strategy=lambda: Scripted([None, LONG]))
    run = LiveRun(world, journal=FullDisk())

    with pytest.raises(JournalError, match="disk is full"):
        run.run()

    assert run.market.book.positions() == ()
    assert len(run.market.book.ledger.orders) == 0


def test_the_journal_of_an_order_is_older_than_the_order() -> None:
    journalled: list[int] = []

    def wrap(terminal: Any, _server: Any) -> Any:
        class Watching:
            def __getattr__(self, name: str) -> Any:
                return getattr(terminal, name)

            def order_send(self, request: dict[str, Any]) -> Any:
                journalled.append(request["magic"] in known())
                return terminal.order_send(request)

        return Watching()

    journal = MemoryJournal()
    known = lambda: {row.intent_id for row in journal.intents()}  # noqa: E731
    run = play([None, LONG, None, FLAT], journal=journal, wrap=wrap)

    assert journalled == [True, True]
    assert [row.intent.action for row in run.journal.intents()] == [
        IntentAction.OPEN,
        IntentAction.CLOSE,
    ]


class Cramped(MemoryJournal):
    """Be a journal whose disk is full for some hours; what was kept for exits takes every row."""

    def __init__(self, full_h: range) -> None:
        super().__init__()
        self._full_h = full_h
        self.run: LiveRun | None = None

    def keep_room(self) -> bool:
        """Tell whether the disk has room."""
        return self.has_room()

    def has_room(self) -> bool:
        """Tell whether the disk has room."""
        passed_ms = 0 if self.run is None else self.run.now_ms() - MONDAY_MS
        return passed_ms // HOUR_MS not in self._full_h


def on_full_disk(
    script: list[Direction | None], full_h: range, resumes_h: tuple[int, ...] = ()
) -> LiveRun:
    """Run a script while the disk is full; a person resumes in some hours."""
    journal, left = Cramped(full_h), list(resumes_h)

    def resume(run: LiveRun) -> None:
        if left and run.now_ms() - MONDAY_MS >= left[0] * HOUR_MS:
            run.journal.request_halt(0, "a person", f"in hour {left.pop(0)}", run.now_ms())

    world = World(bars=bars_of(QUIET), strategy=lambda: Scripted(script))
    run = LiveRun(world, journal=journal, on_step=resume)
    journal.run = run
    run.run()
    return run


def test_on_a_full_disk_nothing_is_opened_and_what_is_open_can_be_closed() -> None:
    run = on_full_disk([None, LONG, None, None, FLAT, None, LONG], range(3, 12))

    actions = [row.intent.action for row in run.journal.intents()]
    assert actions == [IntentAction.OPEN, IntentAction.CLOSE]
    assert states(run) == [IntentState.DONE, IntentState.DONE]
    assert run.market.book.positions() == ()
    (halt,) = run.named("halt_raised")
    assert halt.fields["halt_level"] == 1
    assert str(halt.fields["reason"]).startswith("the disk is full")
    assert [note.fields["rules"] for note in run.named("order_refused")] == ["halt"]


def test_an_entry_whose_row_took_the_last_room_does_not_leave() -> None:
    class Filling(Cramped):
        def record_sending(self, row: IntentRow) -> None:
            super().record_sending(row)
            self._full_h = range(12)

    journal = Filling(range(0))
    run = LiveRun(World(bars=bars_of(QUIET), strategy=lambda: Scripted([LONG])), journal=journal)
    journal.run = run
    run.run()

    (row,) = run.journal.intents()
    assert row.state is IntentState.REJECTED
    assert row.detail.startswith("not sent: the disk is full")
    assert len(run.market.book.ledger.orders) == 0


def test_while_the_disk_is_full_a_person_who_resumes_is_told_again() -> None:
    run = on_full_disk([None] * 8 + [LONG], range(2, 6), resumes_h=(4, 7))

    assert [note.name for note in run.notes if note.name.startswith("halt_")] == [
        "halt_raised",
        "halt_cleared",
        "halt_raised",
        "halt_cleared",
    ]
    assert len(run.market.book.positions()) == 1


def test_a_bot_that_starts_on_a_full_disk_opens_nothing() -> None:
    run = on_full_disk([LONG, LONG], range(12))

    assert run.journal.intents() == []
    assert run.journal.halt_level() == 1
