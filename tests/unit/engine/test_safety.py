"""Lost requests, lost replies, outages, halts and restarts: nothing is lost or sent twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import (
    MONDAY_MS,
    Faulty,
    LiveRun,
    Scripted,
    Successor,
    World,
    bars_of,
    blinks_after,
    stop_and_target,
    trailing,
)

from mtquant.engine.stop_guard import StopGuard
from mtquant.execution import Desk
from mtquant.model import (
    DAY_MS,
    BotIdentity,
    DealEntry,
    Direction,
    HaltError,
    IntentAction,
    IntentState,
    Reason,
    Side,
    Timeframe,
    WrongAccountError,
)
from mtquant.risk import BreakerSpec, RiskLimits
from mtquant.storage import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal

LONG, SHORT = Direction.LONG, Direction.SHORT
QUIET = [110_000] * 12


def losing(
    *, request: bool, times: int = 1, after: int = 0
) -> Callable[[SimulatedTerminal, SimulatedServer], Any]:
    """Return a wrapper with sends that get no answer: the request is lost, or the reply."""

    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        sent = [0]
        failed = [False]

        def order_send(order: dict[str, Any]) -> Any:
            number, sent[0] = sent[0], sent[0] + 1
            failed[0] = after <= number < after + times
            if not failed[0]:
                return terminal.order_send(order)
            if not request:
                terminal.order_send(order)
            return None

        def last_error() -> tuple[int, str]:
            return (-10005, "IPC timeout") if failed[0] else terminal.last_error()

        return Faulty(terminal, order_send=order_send, last_error=last_error)

    return wrap


def a_world(script: list[Direction | None], **more: Any) -> World:
    return World(bars=bars_of(QUIET), strategy=lambda: Scripted(script), **more)


def test_a_lost_reply_is_adopted_once_and_never_sent_again() -> None:
    run = a_world([None, LONG]).live(wrap=losing(request=False))

    assert [row.state for row in run.journal.intents()] == [IntentState.DONE]
    assert len(run.market.book.positions()) == 1


def test_a_lost_request_ends_as_not_sent_after_the_quiet_time() -> None:
    run = a_world([None, LONG]).live(wrap=losing(request=True))

    assert [row.state for row in run.journal.intents()] == [IntentState.NOTSENT]
    assert run.market.book.positions() == ()


class Leaping(LiveRun):
    """Be a run on a machine whose clock is set forward, once, while an outcome is unknown."""

    leapt_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.leapt_ms


@pytest.mark.parametrize("leap_ms", [0, 600_000])
def test_a_clock_set_forward_does_not_end_the_quiet_time(leap_ms: int) -> None:
    def on_step(run: LiveRun) -> None:
        unknown = [row for row in run.journal.intents() if row.state is IntentState.UNKNOWN]
        if unknown:
            seen_ms.append(run.server.now_ms)
        if len(seen_ms) == 2:
            run.leapt_ms = leap_ms

    seen_ms: list[int] = []
    minutes = bars_of([110_000] * 40, timeframe=Timeframe.M1)
    world = World(bars=minutes, strategy=lambda: Scripted([None, LONG]))
    run = Leaping(world, wrap=losing(request=True), on_step=on_step)
    run.run()

    assert [row.state for row in run.journal.intents()] == [IntentState.NOTSENT]
    assert seen_ms[-1] - seen_ms[0] >= 60_000  # of the server's time, which leaps for nobody


def executed_late(
    bar: int,
    *,
    lost: tuple[int, ...] = (0,),
    also: Callable[[LiveRun], None] | None = None,
    **more: Any,
) -> LiveRun:
    """Run long twice; the first order reaches the server late, while a bar forms.

    Of the sends those of these numbers get no answer; none but the first ever arrives.
    """
    held: list[Callable[[], Any]] = []

    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        failed, numbers = [False], count()

        def order_send(order: dict[str, Any]) -> Any:
            failed[0] = next(numbers) in lost
            if not failed[0]:
                return terminal.order_send(order)
            held.append(lambda: terminal.order_send(order))
            return None

        def last_error() -> tuple[int, str]:
            return (-10005, "IPC timeout") if failed[0] else terminal.last_error()

        return Faulty(terminal, order_send=order_send, last_error=last_error)

    def arrive(_run: LiveRun) -> None:
        assert held[0]().retcode == 10009

    def on_step(run: LiveRun) -> None:
        if also is not None:
            also(run)
        at_bar(bar, arrive)(run)

    wishes = [None, LONG, *[None] * 14, LONG]  # the second one after the reserve of the first
    usual = {"bars": bars_of([110_000] * 24), "strategy": lambda: Scripted(wishes)}
    return World(**(usual | more)).live(wrap=wrap, on_step=on_step)


def test_what_was_given_up_and_comes_late_is_adopted_and_cut_back_over_the_limit() -> None:
    run = executed_late(18)

    assert [row.state for row in run.journal.intents()] == [
        IntentState.LATE,
        IntentState.DONE,
        IntentState.DONE,
    ]
    late, held, cut = run.journal.intents()
    assert cut.intent.reason == "came too late"
    assert cut.intent.position_ticket == late.order_ticket
    assert [p.position_ticket for p in run.market.book.positions()] == [held.order_ticket]
    assert [note.fields["state"] for note in run.named("intent_resolved")].count("LATE") == 1


def test_what_came_late_is_cut_back_at_once_when_a_close_of_unknown_outcome_is_given_up() -> None:
    bars = bars_of([110_000] * 30, timeframe=Timeframe.M1)
    cut_ms = executed_late(18, bars=bars).journal.intents()[-1].created_ms
    run = executed_late(18, bars=bars, lost=(0, 2), outages=blinks_after(cut_ms))

    late, held, lost, cut = run.journal.intents()
    assert (lost.state, cut.state) == (IntentState.NOTSENT, IntentState.DONE)
    assert cut.created_ms == lost.updated_ms
    assert cut.intent.position_ticket == late.order_ticket
    assert [p.position_ticket for p in run.market.book.positions()] == [held.order_ticket]


def test_what_comes_late_within_the_limits_is_kept() -> None:
    run = executed_late(18, limits=RiskLimits(max_positions=2))

    assert [row.state for row in run.journal.intents()] == [IntentState.LATE, IntentState.DONE]
    assert len(run.market.book.positions()) == 2


def test_what_came_late_within_the_limits_stays_when_a_person_opens_a_position_later() -> None:
    one = RiskLimits(max_positions=1)
    run = executed_late(6, limits=one, also=at_bar(12, stranger_buys))

    (row,) = run.journal.intents()
    assert (row.state, row.detail) == (IntentState.LATE, "seen after all, within the limit")
    assert len(run.market.book.positions()) == 2


def test_what_came_late_is_cut_back_although_it_shows_before_the_one_that_took_its_place() -> None:
    def hide(run: LiveRun) -> None:
        held = run.journal.intents()[1].order_ticket
        until_ms, shown = run.now_ms() + 3_600_000, run.terminal.positions_get

        def positions_get() -> Any:
            is_hidden = run.now_ms() < until_ms
            return tuple(p for p in shown() if p.ticket != held or not is_hidden)

        run.terminal._replaced["positions_get"] = positions_get

    run = executed_late(18, also=at_bar(18, hide))

    assert run.journal.intents()[2].intent.reason == "came too late"
    assert len(run.market.book.positions()) == 1


@pytest.mark.parametrize("steps", [28, 40])  # soon after it was seen, and hours later
def test_what_came_late_within_the_limits_stays_over_a_restart(steps: int) -> None:
    def on_step(run: LiveRun) -> None:
        if 4 * run.market.bar + run.market.step == steps:
            run.runner.stop()

    first = executed_late(6, limits=RiskLimits(max_positions=1), also=on_step)
    stranger_buys(first)  # while no bot runs
    second = successor(first, None)
    second.run()

    assert [row.state for row in first.journal.intents()] == [IntentState.LATE]
    assert len(second.market.book.positions()) == 2


def test_while_an_outcome_is_unknown_nothing_is_opened_on_the_symbol() -> None:
    world = World(
        bars=bars_of([110_000] * 40, timeframe=Timeframe.M1),
        strategy=lambda: Scripted([None, LONG, LONG]),
        quiet_ms=300_000,
    )
    run = world.live(wrap=losing(request=True))

    rules = str(run.named("order_refused")[0].fields["rules"])
    assert "unresolved_order" in rules.split(",")
    assert len(run.journal.intents()) == 1


def test_an_exception_while_sending_means_unknown_not_refused() -> None:
    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        def order_send(order: dict[str, Any]) -> Any:
            terminal.order_send(order)
            raise OSError("pipe broke")

        return Faulty(terminal, order_send=order_send)

    run = a_world([None, LONG]).live(wrap=wrap)

    row = run.journal.intents()[0]
    assert row.state is IntentState.DONE
    assert len(run.market.book.positions()) == 1


def test_a_disabled_terminal_halts_entries_and_says_so() -> None:
    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        return Faulty(
            terminal,
            order_send=lambda _order: None,
            last_error=lambda: (-8, "Auto-Trading using Python API disabled in Terminal"),
        )

    run = a_world([None, LONG, None, LONG]).live(wrap=wrap)

    assert [row.state for row in run.journal.intents()] == [IntentState.REJECTED]
    assert run.journal.halt_level() == 1
    assert [note.fields["rules"] for note in run.named("order_refused")] == ["halt"]


def requoting(times: int, *, after: int = 0, retcode: int = 10004) -> Any:
    """Return a wrapper that refuses so many sends after the first ones."""

    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        sent = [0]

        def order_send(order: dict[str, Any]) -> Any:
            number, sent[0] = sent[0], sent[0] + 1
            if after <= number < after + times:
                return SimpleNamespace(
                    retcode=retcode, comment="no", order=0, deal=0, volume=0.0, price=0.0
                )
            return terminal.order_send(order)

        return Faulty(terminal, order_send=order_send)

    return wrap


def test_an_entry_whose_price_was_refused_is_tried_once_more_at_the_price_of_now() -> None:
    run = a_world([None, LONG]).live(wrap=requoting(1))

    first, second = run.journal.intents()
    assert (first.state, second.state) == (IntentState.REJECTED, IntentState.DONE)
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.intent.decision_key == second.intent.decision_key
    assert second.intent.deadline_ms == first.intent.deadline_ms
    assert len(run.market.book.positions()) == 1


def test_an_entry_whose_price_was_refused_twice_is_given_up() -> None:
    run = a_world([None, LONG]).live(wrap=requoting(2))

    assert [row.state for row in run.journal.intents()] == [IntentState.REJECTED] * 2
    assert run.market.book.positions() == ()


def test_a_second_attempt_passes_the_gate_like_the_first() -> None:
    world = a_world([None, LONG], limits=RiskLimits(max_entries_per_minute=1))
    run = world.live(wrap=requoting(1))

    assert len(run.journal.intents()) == 1
    rules = [note.fields["rules"] for note in run.named("order_refused")]
    assert rules == ["max_entries_per_minute"]


def test_a_reversal_goes_on_after_the_second_attempt_of_its_close() -> None:
    run = a_world([None, LONG, None, SHORT]).live(wrap=requoting(1, after=1))

    assert [(row.intent.action.name, row.state.name) for row in run.journal.intents()] == [
        ("OPEN", "DONE"),
        ("CLOSE", "REJECTED"),
        ("CLOSE", "DONE"),
        ("OPEN", "DONE"),
    ]
    (position,) = run.market.book.positions()
    assert position.side is Side.SELL


def test_a_reversal_whose_close_is_refused_twice_opens_nothing() -> None:
    run = a_world([None, LONG, None, SHORT]).live(wrap=requoting(2, after=1))

    assert [row.state.name for row in run.journal.intents()] == ["DONE", "REJECTED", "REJECTED"]
    (position,) = run.market.book.positions()
    assert position.side is Side.BUY


def test_a_stop_that_cannot_be_put_back_at_once_is_put_back_later() -> None:
    run = stripped((4,), refused=2)

    assert [(r.intent.reason, r.state.name) for r in run.journal.intents()][1:] == [
        ("stop loss was gone", "REJECTED"),
        ("no stop loss", "REJECTED"),
        ("no stop loss", "DONE"),
    ]
    assert run.market.book.positions() == ()


def hiding(times: int) -> Any:
    """Return a wrapper that shows no stops so many times after one has been set."""

    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        left = [0]

        def order_send(order: dict[str, Any]) -> Any:
            left[0] = times if order["action"] == 6 else left[0]
            return terminal.order_send(order)

        def positions_get() -> Any:
            found = terminal.positions_get()
            if left[0] <= 0:
                return found
            left[0] -= 1
            return tuple(SimpleNamespace(**(one._asdict() | {"sl": 0.0})) for one in found)

        return Faulty(terminal, order_send=order_send, positions_get=positions_get)

    return wrap


def stripped(bars: tuple[int, ...], *, refused: int = 0, hidden: int = 0, **more: Any) -> LiveRun:
    """Run long; somebody takes the stop loss of the position away while these bars form.

    So many sends after the entry are refused, and the stop that is put back is hidden so often.
    """
    hands: list[SimulatedTerminal] = []

    def wrap(terminal: SimulatedTerminal, server: SimulatedServer) -> Any:
        hands.append(terminal)
        if hidden:
            return hiding(hidden)(terminal, server)
        return requoting(refused, after=1, retcode=10016)(terminal, server) if refused else terminal

    def strip(run: LiveRun) -> None:
        if run.market.step == 1 and run.market.bar in bars:
            (position,) = run.market.book.positions()
            ticket = position.position_ticket
            done = hands[0].order_send({"action": 6, "symbol": "EURUSD", "position": ticket})
            assert done.retcode == 10009

    return a_world([None, LONG], **more).live(wrap=wrap, on_step=strip)


def test_a_stop_loss_that_somebody_took_away_is_put_back() -> None:
    run = stripped((4,))

    (position,) = run.market.book.positions()
    opened, restored = run.journal.intents()
    assert position.stop_loss_points == opened.intent.stop_loss_points
    assert (restored.intent.reason, restored.state) == ("stop loss was gone", IntentState.DONE)
    assert [note.fields["action"] for note in run.named("stop_lost")] == ["modify"]


def test_a_stop_whose_request_never_left_is_put_back_at_the_next_try() -> None:
    journal, sent = MemoryJournal(), []

    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        def terminal_info() -> Any:
            rows = journal.intents()
            info = terminal.terminal_info()._asdict()
            if not sent and rows and rows[-1].intent.action is IntentAction.MODIFY:
                sent.append(rows[-1])  # journalled, and the link is away as it is to leave
                info["connected"] = False
            return SimpleNamespace(**info)

        return Faulty(terminal, terminal_info=terminal_info)

    def strip(run: LiveRun) -> None:
        (position,) = run.market.book.positions()
        request = {"action": 6, "symbol": "EURUSD", "position": position.position_ticket}
        assert run.terminal.order_send(request).retcode == 10009

    run = a_world([None, LONG]).live(wrap=wrap, journal=journal, on_step=at_bar(4, strip))

    opened, kept_back, restored = run.journal.intents()
    assert (kept_back.state, kept_back.never_left) == (IntentState.REJECTED, True)
    assert (restored.intent.reason, restored.state) == ("stop loss was gone", IntentState.DONE)
    (position,) = run.market.book.positions()
    assert position.stop_loss_points == opened.intent.stop_loss_points


def bare_without_an_answer(times: int) -> LiveRun:
    """Run long; the stop is taken away in bar 4, and so many requests after that are lost."""

    def wrap(terminal: SimulatedTerminal, server: SimulatedServer) -> Any:
        hands.append(terminal)
        return losing(request=True, times=times, after=1)(terminal, server)

    def strip(run: LiveRun) -> None:
        (position,) = run.market.book.positions()
        request = {"action": 6, "symbol": "EURUSD", "position": position.position_ticket}
        assert hands[0].order_send(request).retcode == 10009

    hands: list[SimulatedTerminal] = []
    bars = bars_of(QUIET, timeframe=Timeframe.M1)
    world = World(bars=bars, strategy=lambda: Scripted([None, LONG]))
    return world.live(wrap=wrap, on_step=at_bar(4, strip))


def test_a_stop_whose_request_was_lost_is_put_back_without_the_quiet_time() -> None:
    run = bare_without_an_answer(1)

    opened, lost, restored = run.journal.intents()
    assert {lost.intent.action, restored.intent.action} == {IntentAction.MODIFY}
    assert 5_000 <= restored.created_ms - lost.created_ms < 30_000
    assert not any(row.is_open for row in (lost, restored))
    (position,) = run.market.book.positions()
    assert position.stop_loss_points == opened.intent.stop_loss_points


def test_a_position_is_closed_when_two_requests_for_its_stop_were_lost() -> None:
    run = bare_without_an_answer(2)

    actions = [row.intent.action.name for row in run.journal.intents()]
    assert actions == ["OPEN", "MODIFY", "MODIFY", "CLOSE"]
    _, first, _, closed = run.journal.intents()
    assert closed.created_ms - first.created_ms < 60_000
    assert run.market.book.positions() == ()


def test_a_position_whose_stop_loss_is_taken_away_twice_is_closed() -> None:
    run = stripped((4, 6))

    assert run.market.book.positions() == ()
    assert [row.intent.reason for row in run.journal.intents()][1:] == [
        "stop loss was gone",
        "no stop loss",
    ]


def away(from_bar: int, to_bar: int) -> list[tuple[int, int]]:
    times = bars_of(QUIET).time_ms
    return [(int(times[from_bar]) + 1, int(times[to_bar]))]


def test_a_stop_hit_while_away_is_found_and_reported_after_the_reconnect() -> None:
    closes = [110_000, 110_000, 110_000, 110_000, 109_500, *[109_500] * 6]
    world = World(bars=bars_of(closes), strategy=lambda: Scripted([None, LONG]), outages=away(4, 7))
    run = world.live()

    assert [note.name for note in run.named("link_lost")] == ["link_lost"]
    closed = run.named("position_closed")[0]
    assert closed.fields["while_away"] is True
    assert closed.fields["reason"] == "sl"
    assert run.named("reconciled")[-1].fields["closed"] == 1
    assert run.journal.deals() == run.market.book.ledger.deals


def test_signals_of_bars_missed_while_away_open_nothing() -> None:
    run = a_world([None] * 4 + [LONG] + [None] * 8, outages=away(4, 7)).live()

    assert run.journal.intents() == []
    assert len(run.named("signal_missed")) == 1


@pytest.mark.parametrize(("minutes", "is_decided"), [(0, True), (1, True), (2, False), (45, False)])
def test_a_bar_that_closed_while_the_process_slept_is_decided_on_within_a_minute_only(
    minutes: int, *, is_decided: bool
) -> None:
    def sleep(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (4, 1):
            woken_ms = int(bars.time_ms[5]) + minutes * 60_000
            run.server.wait_until(woken_ms)

    bars = bars_of(QUIET)
    world = World(bars=bars, strategy=lambda: Scripted([None] * 4 + [LONG]))
    run = world.live(on_step=sleep, gap_ms=1_000)

    assert len(run.journal.intents()) == int(is_decided)
    assert len(run.named("signal_missed")) == int(not is_decided)


def test_the_first_bar_that_closes_after_the_link_returned_is_decided_on() -> None:
    run = a_world([None] * 6 + [LONG] + [None] * 6, outages=away(4, 6)).live()

    assert [row.state for row in run.journal.intents()] == [IntentState.DONE]


def test_another_account_after_the_reconnect_stops_the_bot() -> None:
    def wrap(terminal: SimulatedTerminal, server: SimulatedServer) -> Any:
        first = int(bars_of(QUIET).time_ms[0])

        def account_info() -> Any:
            found = terminal.account_info()
            if found is None or server.now_ms < first + 6 * 3_600_000:
                return found
            return type(found)((found.login + 1, *found[1:]))

        return Faulty(terminal, account_info=account_info)

    with pytest.raises(WrongAccountError, match="expected 1000001"):
        a_world([None, LONG]).live(wrap=wrap)


def test_another_bot_with_the_same_number_halts_this_one() -> None:
    def stranger(run: LiveRun) -> None:
        magic = BotIdentity().intent_id(500)
        order = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "sl": 1.05}
        assert run.terminal.order_send({**order, "magic": magic}).retcode == 10009

    world = a_world([None, None, None, None, None, LONG], limits=RiskLimits(max_positions=3))
    run = world.live(on_step=at_bar(3, stranger))

    (told,) = run.named("order_not_ours")
    assert told.fields["intent_id"] == BotIdentity().intent_id(500)
    assert run.journal.halt_level() == 1
    assert run.journal.intents() == []


def test_a_journal_of_another_account_is_not_gone_on_with() -> None:
    journal = MemoryJournal()
    a_world([None, LONG]).live(journal=journal)
    sends = len(journal.intents())
    journal.record_account("5@Elsewhere")

    with pytest.raises(WrongAccountError, match="this journal is that of 5@Elsewhere"):
        a_world([None, None, LONG]).live(journal=journal)
    assert len(journal.intents()) == sends


def test_real_money_is_not_traded_unless_the_configuration_says_so() -> None:
    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        return Faulty(
            terminal,
            account_info=lambda: SimpleNamespace(**(terminal.account_info()._asdict() | real)),
        )

    real = {"trade_mode": 2}
    with pytest.raises(HaltError, match=r"no demo account; .* execution.real_money: true"):
        a_world([None, LONG]).live(wrap=wrap)


def test_money_that_no_deal_explains_stops_entries_until_a_person_resumes() -> None:
    def take(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        def account_info() -> Any:
            info = terminal.account_info()
            gone = 25.0 if _server.now_ms > MONDAY_MS + 2 * 3_600_000 else 0.0
            told = info._asdict()
            told |= {"balance": info.balance - gone, "equity": info.equity - gone}
            return SimpleNamespace(**told)

        return Faulty(terminal, account_info=account_info)

    def resume(run: LiveRun) -> None:
        run.journal.request_halt(0, "ann", "the broker took a fee", run.now_ms())

    script = [None, None, None, None, LONG, None, None, LONG, None, None, None, None]
    run = a_world(script).live(wrap=take, on_step=at_bar(6, resume))

    (differs,) = run.named("cash_differs")
    assert differs.fields["difference_minor"] == -2_500
    assert [note.fields["rules"] for note in run.named("order_refused")] == ["cash"]
    assert len(run.journal.intents()) == 1
    assert run.journal.baseline_minor() == -2_500
    assert len(run.named("cash_agrees")) == 1


def test_a_strategy_has_so_many_entries_a_day_and_new_ones_on_the_next() -> None:
    turning = [None, *[LONG, SHORT] * 14]
    world = World(
        bars=bars_of([110_000] * 30),
        strategy=lambda: Scripted(turning),
        limits=RiskLimits(max_entries_per_day=4),
    )
    run = world.live()
    market, _ = world.backtest()
    entries = [deal for deal in run.journal.deals() if deal.entry is DealEntry.IN and deal.side]
    days = Counter(world.venue.clock.to_server_ms(deal.time_ms) // DAY_MS for deal in entries)

    assert run.journal.deals() == market.book.ledger.deals
    assert sorted(days.values()) == [4, 4]
    assert {note.fields["rules"] for note in run.named("order_refused")} == {"max_entries_per_day"}


# ---------------------------------------------------------------------- halts


def at_bar(bar: int, act: Callable[[LiveRun], None]) -> Callable[[LiveRun], None]:
    """Return a step hook that acts once, at a bar's second point."""

    def on_step(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (bar, 1):
            act(run)

    return on_step


def test_a_halt_from_outside_stops_entries_before_the_next_order() -> None:
    def ask(run: LiveRun) -> None:
        run.journal.request_halt(1, "ann", "news", run.now_ms())

    run = a_world([None] * 6 + [LONG]).live(on_step=at_bar(3, ask))

    assert run.journal.intents() == []
    assert run.journal.halt_level() == 1
    assert run.journal.pending_halts() == []
    assert run.named("halt_raised")[0].fields["who"] == "ann"


def test_a_halt_of_level_three_closes_own_positions_by_their_ticket() -> None:
    def ask(run: LiveRun) -> None:
        run.journal.request_halt(3, "ann", "out", run.now_ms())

    run = a_world([None, LONG]).live(on_step=at_bar(5, ask))

    assert run.market.book.positions() == ()
    assert run.journal.deals()[-1].reason is Reason.EXPERT


def test_a_halt_of_level_three_leaves_foreign_positions_alone_and_level_four_does_not() -> None:
    for level, left in ((3, 1), (4, 0)):

        def ask(run: LiveRun, level: int = level) -> None:
            run.journal.request_halt(level, "ann", "out", run.now_ms())

        def on_step(run: LiveRun, ask: Callable[[LiveRun], None] = ask) -> None:
            at_bar(2, stranger_buys)(run)
            at_bar(6, ask)(run)

        run = a_world([None] * 12).live(on_step=on_step)
        assert len(run.market.book.positions()) == left


@pytest.mark.parametrize(("level", "left"), [(1, 2), (2, 1), (3, 1), (4, 0)])
def test_a_halt_cancels_pending_orders_own_ones_from_level_two_and_all_at_level_four(
    level: int, left: int
) -> None:
    def place(run: LiveRun) -> None:
        for magic in (BotIdentity().intent_id(500), 77):
            limit = {"action": 5, "type": 2, "symbol": "EURUSD", "volume": 0.1, "price": 1.05}
            assert run.terminal.order_send({**limit, "magic": magic}).retcode == 10009

    def on_step(run: LiveRun) -> None:
        at_bar(2, place)(run)
        at_bar(6, lambda run: run.journal.request_halt(level, "ann", "x", run.now_ms()))(run)

    run = a_world([None] * 12).live(on_step=on_step)

    assert len(run.market.book.orders()) == left
    rows = run.journal.intents()
    assert [(row.intent.action.name, row.state.name) for row in rows] == (
        [("CANCEL", "DONE")] * (2 - left)
    )
    assert not run.engine.is_clearing


@pytest.mark.parametrize("retcode", [10004, 10018, 10021, 10027, 10036])
def test_a_halt_closes_again_after_pauses_that_grow_not_at_once(retcode: int) -> None:
    def ask(run: LiveRun) -> None:
        run.journal.request_halt(3, "ann", "out", run.now_ms())

    world = World(
        bars=bars_of([110_000] * 40, timeframe=Timeframe.M1),
        strategy=lambda: Scripted([None, LONG]),
    )
    run = world.live(wrap=requoting(10_000, after=1, retcode=retcode), on_step=at_bar(5, ask))

    closes = [row for row in run.journal.intents() if row.intent.action is IntentAction.CLOSE]
    assert 5 <= len(closes) <= 45  # of half an hour
    assert len(run.market.book.positions()) == 1
    assert run.journal.halt_level() == 3


def test_a_halt_closes_at_once_when_a_close_of_unknown_outcome_is_given_up() -> None:
    bars = bars_of([110_000] * 20, timeframe=Timeframe.M1)
    script = [None, LONG, None, Direction.FLAT]
    outages = blinks_after(int(bars.time_ms[4]))
    world = World(bars=bars, strategy=lambda: Scripted(script), outages=outages)

    def ask(run: LiveRun) -> None:
        run.journal.request_halt(3, "ann", "out", run.now_ms())

    run = world.live(wrap=losing(request=True, after=1), on_step=at_bar(5, ask))

    _, lost, closed = run.journal.intents()
    assert (lost.state, closed.state) == (IntentState.NOTSENT, IntentState.DONE)
    assert lost.updated_ms - lost.created_ms > 120_000
    assert closed.created_ms == lost.updated_ms


def test_an_entry_that_is_executed_under_a_halt_is_closed_when_it_shows() -> None:
    def halt(run: LiveRun) -> None:
        run.journal.request_halt(3, "ann", "out", run.now_ms())

    run = executed_late(7, also=at_bar(4, halt))

    assert run.market.book.positions() == ()
    late, *_, closed = run.journal.intents()
    assert late.state is IntentState.LATE
    assert closed.intent.position_ticket == late.order_ticket
    assert closed.intent.reason == "halt"


def test_after_a_cleared_account_what_a_person_opens_is_left_to_him() -> None:
    def on_step(run: LiveRun) -> None:
        at_bar(2, stranger_buys)(run)
        at_bar(4, lambda run: run.journal.request_halt(4, "ann", "x", run.now_ms()))(run)
        at_bar(8, stranger_buys)(run)

    run = a_world([None] * 12).live(on_step=on_step)

    assert len(run.market.book.positions()) == 1


@pytest.mark.parametrize(("level", "left"), [(2, 1), (3, 1), (4, 0)])
def test_a_halt_that_follows_a_cleared_account_leaves_to_a_person_what_is_his_below_level_four(
    level: int, left: int
) -> None:
    def on_step(run: LiveRun) -> None:
        at_bar(4, lambda run: run.journal.request_halt(4, "ann", "x", run.now_ms()))(run)
        at_bar(8, stranger_buys)(run)
        at_bar(9, lambda run: run.journal.request_halt(level, "ann", "y", run.now_ms()))(run)

    run = a_world([None] * 12).live(on_step=on_step)

    assert len(run.market.book.positions()) == left


@pytest.mark.parametrize("level", [2, 3])
def test_a_halt_that_follows_a_cleared_account_still_removes_what_is_the_bots(level: int) -> None:
    def place(run: LiveRun) -> None:
        limit = {"action": 5, "type": 2, "symbol": "EURUSD", "volume": 0.1, "price": 1.05}
        for magic in (BotIdentity().intent_id(500), 77):
            assert run.terminal.order_send({**limit, "magic": magic}).retcode == 10009

    def on_step(run: LiveRun) -> None:
        at_bar(4, lambda run: run.journal.request_halt(4, "ann", "x", run.now_ms()))(run)
        at_bar(8, place)(run)
        at_bar(9, lambda run: run.journal.request_halt(level, "ann", "y", run.now_ms()))(run)

    run = a_world([None] * 12).live(on_step=on_step)

    assert [order.intent_id for order in run.market.book.orders()] == [77]


def test_a_breaker_that_rises_after_a_cleared_account_leaves_to_a_person_what_is_his() -> None:
    def buy(run: LiveRun) -> None:
        order = {"action": 1, "symbol": "EURUSD", "volume": 1.0, "type": 0, "magic": 77}
        assert run.terminal.order_send(order).retcode == 10009

    def on_step(run: LiveRun) -> None:
        at_bar(4, lambda run: run.journal.request_halt(4, "ann", "x", run.now_ms()))(run)
        at_bar(8, buy)(run)

    falling = bars_of([110_000] * 10 + [109_700, 109_500, 109_400, 109_400])
    spec = BreakerSpec(level_1_fraction=0.02, level_2_fraction=0.03, level_3_fraction=0.04)
    limits = RiskLimits(breaker=spec, max_daily_loss_fraction=0.9)
    run = World(bars=falling, strategy=lambda: Scripted([]), limits=limits).live(on_step=on_step)

    assert run.named("halt_raised")[-1].fields["who"] == "the bot's loss limits"
    assert len(run.market.book.positions()) == 1


def test_a_stop_that_was_put_back_and_is_not_shown_yet_is_waited_for() -> None:
    run = stripped((4,), hidden=2)

    assert [row.intent.action.name for row in run.journal.intents()] == ["OPEN", "MODIFY"]
    assert len(run.market.book.positions()) == 1


def test_a_login_that_is_refused_at_a_reconnect_is_tried_again() -> None:
    refused = [True]

    def wrap(terminal: SimulatedTerminal, server: SimulatedServer) -> Any:
        def initialize(*args: Any, **kwargs: Any) -> bool:
            is_maintained = MONDAY_MS + 5 * 3_600_000 < server.now_ms < MONDAY_MS + 8 * 3_600_000
            refused[0] = is_maintained
            return not is_maintained and bool(terminal.initialize(*args, **kwargs))

        def last_error() -> tuple[int, str]:
            return (-6, "Terminal: Authorization failed") if refused[0] else terminal.last_error()

        return Faulty(terminal, initialize=initialize, last_error=last_error)

    refused[0] = False
    run = a_world([None, LONG], outages=away(4, 6)).live(wrap=wrap)

    assert run.journal.halt_level() == 1
    assert "refused login" in str(run.named("halt_raised")[0].fields["reason"])
    assert run.named("reconciled")[-1].fields["cause"] == "reconnect"


def test_more_than_was_approved_does_not_leave_and_halts_the_bot() -> None:
    def forget(run: LiveRun) -> None:
        run.engine.sent.approve = lambda *_: None  # type: ignore[method-assign]

    run = a_world([None, None, None, LONG, None, LONG]).live(on_step=at_bar(2, forget))

    (row,) = run.journal.intents()
    assert row.state is IntentState.REJECTED
    assert "more than approved" in row.detail
    assert run.market.book.positions() == ()
    assert run.journal.halt_level() == 1
    assert run.named("halt_raised")[0].fields["who"] == "the bot"


def stranger_buys(run: LiveRun) -> None:
    """Open a position that is not ours."""
    order = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "magic": 77}
    assert run.terminal.order_send(order).retcode == 10009


def test_a_halt_survives_a_restart_and_only_a_release_lifts_it() -> None:
    journal = MemoryJournal()
    journal.request_halt(1, "ann", "news", 0)
    a_world([None] * 12).live(journal=journal)
    run = a_world([None, LONG]).live(journal=journal)
    assert run.journal.intents() == []

    journal.request_halt(0, "ann", "over", 0)
    released = a_world([None] * 5 + [LONG]).live(journal=journal)

    assert len(released.journal.intents()) == 1


# ---------------------------------------------------------------------- restarts


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_process_that_is_replaced_at_any_step_trades_as_if_it_had_not_been(
    data: st.DataObject,
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    closes = (110_000 + np.cumsum(rng.integers(-80, 81, 40))).tolist()
    script = [None if x < 0.7 else (LONG if x < 0.85 else SHORT) for x in rng.random(40)]
    world = World(
        bars=bars_of(closes),
        strategy=lambda: Scripted(script),
        exits=lambda: [
            stop_and_target(atr_period=3, stop_atr=1.5),
            trailing(atr_period=3, distance_atr=1.0),
        ],
    )
    whole = world.live()
    ends = sorted(data.draw(st.sets(st.integers(1, 150), max_size=4)))

    run = LiveRun(world)
    for end in [*ends, None]:
        run = successor(run, end)
        run.run()

    assert run.market.book.ledger.deals == whole.market.book.ledger.deals
    assert run.journal.deals() == run.market.book.ledger.deals


def successor(before: LiveRun, steps: int | None) -> LiveRun:
    """Return a new process on the same server and journal, which stops after some steps."""

    def on_step(run: LiveRun) -> None:
        if steps is not None and 4 * run.market.bar + run.market.step >= steps:
            run.runner.stop()

    return Successor(before, on_step=on_step)


def test_a_position_that_stands_bare_waits_for_no_pause_of_another_one() -> None:
    world = World(bars=bars_of(QUIET), strategy=lambda: Scripted([None, LONG]))
    (one,) = world.live().market.book.positions()
    bare = replace(one, stop_loss_points=None)
    other = replace(bare, position_ticket=one.position_ticket + 1)
    guard = StopGuard(Desk(BotIdentity()))
    guard.look([bare], 0)
    for now_ms in (0, 1_000, 3_000, 7_000):  # each try is refused
        assert guard.is_due(now_ms)
        guard.note_tried(one.position_ticket, now_ms)

    found = guard.look([bare, other], 7_500)

    assert guard.is_due(7_500)
    assert [guard.is_due_for(seen.position.position_ticket, 7_500) for seen in found] == [
        False,
        True,
    ]
