"""Halts that come between two deeds: an approval and its order, a request and its release."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from worlds import DirectClient, LiveRun, Scripted, World, bars_of

from mtquant.model import Direction, IntentAction, IntentState
from mtquant.risk import BreakerSpec, RiskLimits

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
