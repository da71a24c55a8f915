"""Halts that come between two deeds: an approval and its order, a request and its release."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from cut_worlds import MINUTES, answer
from worlds import DirectClient, Faulty, LiveRun, Scripted, Successor, World, bars_of

from mtquant.model import Direction, HaltOrder, IntentAction, IntentState
from mtquant.risk import BreakerSpec, RiskLimits
from mtquant.storage import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Callable

LONG, SHORT = Direction.LONG, Direction.SHORT


class LateAndPoor:
    """Carry the first order out when told to; show a loss some readings after the second close."""

    def __init__(self, terminal: Any, *, after: int) -> None:
        self._terminal, self._after = terminal, after
        self._closes, self._readings, self._has_failed = 0, 0, False
        self.arrive: Callable[[], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def order_send(self, order: dict[str, Any]) -> Any:
        """Send; the first one gets no answer."""
        self._has_failed = self.arrive is None
        if self.arrive is None:
            self.arrive = lambda: self._terminal.order_send(order)
            return None
        self._closes += "position" in order
        return self._terminal.order_send(order)

    def last_error(self) -> tuple[int, str]:
        """Return an error in the place of the answer that is missing."""
        return (-10005, "IPC timeout") if self._has_failed else self._terminal.last_error()

    def account_info(self) -> Any:
        """Return an AccountInfo, later one that has lost a fifth."""
        info = self._terminal.account_info()
        self._readings += self._closes >= 2
        if self._readings <= self._after:
            return info
        return SimpleNamespace(**(info._asdict() | {"equity": info.equity * 0.8}))


class Recording(MemoryJournal):
    """Be a journal that shows the halts in it."""

    @property
    def halts(self) -> list[HaltOrder]:
        """Return what was recorded, oldest first."""
        return self._halts


def in_and_on() -> World:
    """Return a world in which a long position is opened and kept."""
    return World(bars=bars_of([110_000] * 8), strategy=lambda: Scripted([None, LONG]))


def reversing_two(*, after: int) -> LiveRun:
    """Turn two long positions into a short one; a loss shows so many calls after their closes."""

    def on_step(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (18, 1):
            assert run.terminal.arrive().retcode == 10009

    wishes = [None, LONG, *[None] * 14, LONG, *[None] * 3, SHORT]
    world = World(
        bars=bars_of([110_000] * 24),
        strategy=lambda: Scripted(wishes),
        limits=RiskLimits(max_positions=2, max_daily_loss_fraction=0.9, breaker=BreakerSpec()),
    )
    return world.live(
        wrap=lambda terminal, _server: LateAndPoor(terminal, after=after),
        on_step=on_step,
        client=DirectClient,
    )


def test_an_entry_that_was_approved_before_a_reading_raised_a_halt_does_not_leave() -> None:
    usual = reversing_two(after=10_000)
    assert [one.side.name for one in usual.market.book.positions()] == ["SELL"]

    run = reversing_two(after=2)

    *_, entry = run.journal.intents()
    assert entry.intent.action is IntentAction.OPEN
    assert (entry.state, entry.detail) == (IntentState.REJECTED, "not sent: a halt stands")
    assert run.journal.halt_level() == 3
    assert run.market.book.positions() == ()


# ---------------------------------------------------------------------- taken back


def test_a_halt_that_was_taken_back_before_it_was_taken_up_removes_nothing() -> None:
    def ask(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (5, 1):
            run.journal.request_halt(3, "ann", "news", run.now_ms())
            run.journal.request_halt(0, "bob", "a false alarm", run.now_ms())

    run = in_and_on().live(on_step=ask, client=DirectClient)

    assert [row.intent.action.name for row in run.journal.intents()] == ["OPEN"]
    assert len(run.market.book.positions()) == 1
    assert run.journal.pending_halts() == []
    assert run.journal.halt_level() == run.engine.risk.halt_level == 0
    assert [(note.name, note.fields["who"]) for note in run.notes if "halt_" in note.name] == [
        ("halt_cleared", "bob")
    ]


def test_what_was_taken_back_is_recorded_with_its_level_before_its_release() -> None:
    journal = Recording()
    journal.request_halt(4, "ann", "news", 0)
    journal.request_halt(0, "bob", "a false alarm", 0)
    in_and_on().live(journal=journal, client=DirectClient)

    assert [(one.who, one.level, one.reason) for one in journal.halts] == [
        ("ann", 0, "taken back before it was taken up (level 4): news"),
        ("bob", 0, "a false alarm"),
    ]


def test_a_halt_that_follows_a_release_is_obeyed() -> None:
    def ask(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (5, 1):
            for level in (3, 0, 2):
                run.journal.request_halt(level, "ann", "news", run.now_ms())

    run = in_and_on().live(on_step=ask, client=DirectClient)

    assert run.journal.halt_level() == run.engine.risk.halt_level == 2
    assert len(run.market.book.positions()) == 1


def test_a_halt_in_force_that_was_released_meanwhile_closes_nothing_at_the_next_start() -> None:
    before = in_and_on().live(client=DirectClient)
    before.journal.record_halt(HaltOrder(time_ms=0, level=3, who="ann", reason="news"))
    before.journal.request_halt(0, "bob", "a false alarm", 0)

    after = Successor(before, client=DirectClient)
    after.run()

    assert len(after.market.book.positions()) == 1
    assert after.journal.halt_level() == after.engine.risk.halt_level == 0


def test_a_halt_that_is_asked_for_while_the_bot_ends_is_obeyed() -> None:
    def ask(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (5, 1):
            run.runner.stop()

    class Asking(MemoryJournal):
        has_asked = False

        def pending_halts(self) -> list[HaltOrder]:
            """Return what was asked for; somebody asks right after a stop was."""
            found = super().pending_halts()
            if runs and runs[0].runner._stopping and not self.has_asked:
                self.has_asked = True
                self.request_halt(3, "ann", "out", runs[0].now_ms())
            return found

    runs: list[LiveRun] = []
    run = LiveRun(in_and_on(), journal=Asking(), on_step=ask, client=DirectClient)
    runs.append(run)
    run.run()

    assert run.journal.halt_level() == 3
    assert run.journal.pending_halts() == []
    assert run.market.book.positions() == ()


def test_a_stop_that_was_lost_under_a_halt_is_put_back_when_the_halt_is_lifted() -> None:
    put_back: list[int | None] = []

    def wrap(terminal: Any, _server: Any) -> Any:
        def order_send(order: dict[str, Any]) -> Any:
            is_close = order["action"] == 1 and "position" in order
            return answer(10027) if is_close else terminal.order_send(order)

        return Faulty(terminal, order_send=order_send)

    def on_step(run: LiveRun) -> None:
        now = run.market.bar, run.market.step
        if now == (10, 1):
            run.journal.request_halt(3, "ann", "out", run.now_ms())
        elif now == (11, 1):
            [held] = run.market.book.positions()
            order = {"action": 6, "symbol": "EURUSD", "position": held.position_ticket}
            assert run.terminal.order_send(order).retcode == 10009
        elif now == (12, 1):
            run.journal.request_halt(0, "ann", "on", run.now_ms())
        elif now == (12, 3):
            put_back.extend(one.stop_loss_points for one in run.market.book.positions())

    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG]))
    run = world.live(wrap=wrap, on_step=on_step, client=DirectClient)

    entry = run.journal.intents()[0].intent
    assert put_back == [entry.stop_loss_points]
