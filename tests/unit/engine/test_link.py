"""A terminal that has lost its server, or breaks a call, or comes up on another account."""

from __future__ import annotations

from typing import Any

import pytest
from worlds import DirectClient, LiveRun, Scripted, World, bars_of

from mtquant.model import (
    BrokerConnectionError,
    Direction,
    IntentState,
    Timeframe,
    WrongAccountError,
)
from mtquant.terminal.simulated.faults.faces import changed

LONG = Direction.LONG
MINUTE_MS = 60_000
SHOWN = ("positions_get", "orders_get", "account_info", "history_orders_get", "history_deals_get")
BARS = bars_of([110_000] * 40, timeframe=Timeframe.M1)


class LosesItsServer:
    """Carry the first order out without an answer, and show what was before it for a while."""

    def __init__(self, terminal: Any, server: Any, lost_ms: int) -> None:
        self._terminal, self._server, self._lost_ms = terminal, server, lost_ms
        self._until_ms: int | None = None
        self._shown: dict[str, Any] = {}
        self.sent_while_lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    @property
    def is_lost(self) -> bool:
        """Tell whether the server is away."""
        return self._until_ms is not None and self._server.now_ms < self._until_ms

    def order_send(self, request: dict[str, Any]) -> Any:
        """Send; the first one loses the server."""
        if self._until_ms is not None:
            self.sent_while_lost += self.is_lost
            return self._terminal.order_send(request)
        everything = {"history_orders_get": (0, 2**31), "history_deals_get": (0, 2**31)}
        self._shown = {
            name: getattr(self._terminal, name)(*everything.get(name, ())) for name in SHOWN
        }
        self._terminal.order_send(request)
        self._until_ms = self._server.now_ms + self._lost_ms
        return None

    def last_error(self) -> tuple[int, str]:
        """Return an error in the place of the answer that is missing."""
        return (-10005, "IPC timeout") if self.is_lost else self._terminal.last_error()

    def terminal_info(self) -> Any:
        """Return a TerminalInfo."""
        info = self._terminal.terminal_info()
        return changed(info, connected=False) if self.is_lost else info

    def positions_get(self, *args: Any, **named: Any) -> Any:
        """Return what the terminal remembers."""
        return self._remembered("positions_get", *args, **named)

    def orders_get(self, *args: Any, **named: Any) -> Any:
        """Return what the terminal remembers."""
        return self._remembered("orders_get", *args, **named)

    def account_info(self) -> Any:
        """Return what the terminal remembers."""
        return self._remembered("account_info")

    def history_orders_get(self, *args: Any, **named: Any) -> Any:
        """Return what the terminal remembers."""
        return self._remembered("history_orders_get", *args, **named)

    def history_deals_get(self, *args: Any, **named: Any) -> Any:
        """Return what the terminal remembers."""
        return self._remembered("history_deals_get", *args, **named)

    def _remembered(self, name: str, *args: Any, **named: Any) -> Any:
        if self.is_lost:
            return self._shown[name]
        return getattr(self._terminal, name)(*args, **named)


def a_run(script: list[Direction | None], wrap: Any = None, **more: Any) -> LiveRun:
    world = World(bars=BARS, strategy=lambda: Scripted(script), **more)
    return LiveRun(world, wrap=wrap, client=DirectClient)


@pytest.mark.parametrize("minutes", [1, 3, 20])
def test_what_a_terminal_shows_without_its_server_is_no_evidence_that_an_order_was_not_sent(
    minutes: int,
) -> None:
    run = a_run([None, LONG], lambda t, s: LosesItsServer(t, s, minutes * MINUTE_MS))
    run.run()

    (row,) = run.journal.intents()
    (position,) = run.market.book.positions()
    assert (row.state, row.filled_units) == (IntentState.DONE, position.volume_units)
    resolved = [one.fields["state"] for one in run.named("intent_resolved")]
    assert set(resolved) <= {"UNKNOWN", "DONE"}
    assert run.terminal.sent_while_lost == 0
    (lost,) = run.named("link_lost")
    assert "the terminal has lost its server" in lost.fields["detail"]
    again = run.named("reconciled")[-1]
    assert again.fields["cause"] == "reconnect"
    assert again.time_ms - lost.time_ms >= minutes * MINUTE_MS


class WithoutServer:
    """Be a terminal that has never met its server."""

    def __init__(self, terminal: Any, _server: Any) -> None:
        self._terminal = terminal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def terminal_info(self) -> Any:
        """Return a TerminalInfo."""
        return changed(self._terminal.terminal_info(), connected=False)


def test_a_bot_does_not_start_on_what_a_terminal_remembers() -> None:
    run = a_run([None, LONG], WithoutServer)

    with pytest.raises(BrokerConnectionError, match="the terminal has lost its server"):
        run.run()
    assert run.named("reconciled") == []
    assert list(run.journal.intents()) == []


# ---------------------------------------------------------------------- calls that break


class Breaks:
    """Let one function break some calls after a while."""

    def __init__(self, terminal: Any, server: Any, name: str, error: Exception) -> None:
        self._terminal, self._server = terminal, server
        self._name, self._error = name, error
        self._begin_ms = server.now_ms + 5 * MINUTE_MS
        self.broken = 0

    def __getattr__(self, name: str) -> Any:
        if name == self._name and self._server.now_ms >= self._begin_ms and self.broken < 3:
            self.broken += 1
            raise self._error
        return getattr(self._terminal, name)


IN_AND_OUT = [None, LONG, *[None] * 6, Direction.FLAT, *[None] * 12, LONG]
READS = [*SHOWN, "symbol_info_tick", "copy_rates_from_pos", "terminal_info"]


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize(
    "error", [ConnectionResetError("gone"), SystemError("NULL result"), AttributeError("bid")]
)
def test_a_read_that_breaks_costs_the_link_and_not_the_bot(name: str, error: Exception) -> None:
    run = a_run(IN_AND_OUT, lambda t, s: Breaks(t, s, name, error))
    run.run()

    assert run.terminal.broken
    lost = run.named("link_lost")[0].fields["detail"]
    assert lost == f"{name}: {type(error).__name__}: {error}"
    assert run.named("reconciled")[-1].fields["cause"] == "reconnect"
    assert {row.state for row in run.journal.intents()} == {IntentState.DONE}
    assert len(run.market.book.positions()) == 1


@pytest.mark.parametrize("name", ["initialize", "symbol_select", "symbol_info", "last_error"])
def test_a_call_that_breaks_while_the_bot_connects_again_is_made_again(name: str) -> None:
    class Both(Breaks):
        def __getattr__(self, called: str) -> Any:
            if called == "positions_get" and self._begin_ms <= self._server.now_ms < self._end_ms:
                return lambda *_args, **_named: None
            return super().__getattr__(called)

        @property
        def _end_ms(self) -> int:
            return self._begin_ms + MINUTE_MS

    run = a_run(IN_AND_OUT, lambda t, s: Both(t, s, name, SystemError("NULL result")))
    run.run()

    assert run.terminal.broken
    assert run.named("reconciled")[-1].fields["cause"] == "reconnect"
    assert {row.state for row in run.journal.intents()} == {IntentState.DONE}
    assert len(run.market.book.positions()) == 1


# ---------------------------------------------------------------------- another account


class Switches:
    """Come up on another account after some minutes."""

    def __init__(self, terminal: Any, server: Any) -> None:
        self._terminal, self._server = terminal, server
        self._begin_ms = server.now_ms + 5 * MINUTE_MS

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def account_info(self) -> Any:
        """Return an AccountInfo."""
        info = self._terminal.account_info()
        return changed(info, login=7) if self._server.now_ms >= self._begin_ms else info


def test_another_account_ends_the_bot_and_leaves_a_halt_that_says_so() -> None:
    run = a_run([None, LONG], Switches)

    with pytest.raises(WrongAccountError, match="the terminal is on account 7"):
        run.run()

    (raised,) = run.named("halt_raised")
    assert (raised.fields["halt_level"], raised.fields["who"]) == (1, "the bot")
    assert "the terminal is on account 7" in raised.fields["reason"]
    assert run.journal.halt_level() == 1
