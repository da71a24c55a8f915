"""A halt of level 4 closes what others hold, however large it is and whatever it is called."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from many_worlds import Lane, ManyWorld, many_venue
from worlds import Scripted, bars_of

from mtquant.model import IntentState, MarginMode, Timeframe

if TYPE_CHECKING:
    from worlds import LiveRun, World

    from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal

LONG_NAME = "CABLE.OF.A.BROKER.WITH.LONG.NAMES"
MINUTES = 40


def a_world(largest_lots: float) -> ManyWorld:
    """Return a world of EURUSD, which is traded, and GBPUSD, which is not."""
    venue = many_venue(mode=MarginMode.NETTING, always_open=True)
    specs = dict(venue.instruments)
    specs["GBPUSD"] = replace(specs["GBPUSD"], volume_max_lots=largest_lots)
    bars, other = (
        bars_of([level] * MINUTES, symbol=symbol, timeframe=Timeframe.M1)
        for symbol, level in (("EURUSD", 110_000), ("GBPUSD", 125_000))
    )
    lane = Lane(name="test", symbol="EURUSD", timeframe=Timeframe.M1, strategy=lambda: Scripted([]))
    return ManyWorld(
        lanes=[lane], bars=bars, others=(other,), venue=replace(venue, instruments=specs)
    )


class Renaming:
    """Be a terminal whose broker has a long name for GBPUSD.

    One that is strict takes names of 29 characters at most, as the module's arguments are.
    """

    def __init__(self, terminal: SimulatedTerminal, *, is_strict: bool) -> None:
        self._terminal, self._is_strict = terminal, is_strict
        self._has_refused = False
        self.closed: list[str] = []  # the symbols that were named in closes

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._terminal, name)
        if name not in _LISTS:
            return real
        return lambda *args, **kwargs: tuple(map(_renamed, real(*args, **kwargs)))

    def symbol_info(self, symbol: str) -> Any:
        """Return a SymbolInfo, by the long name for GBPUSD."""
        self._has_refused = self._is_strict and len(symbol) > 29
        if self._has_refused:
            return None
        return self._terminal.symbol_info("GBPUSD" if symbol == LONG_NAME else symbol)

    def order_send(self, request: dict[str, Any]) -> Any:
        """Send a request, by the long name for GBPUSD."""
        if "position" not in request:
            return self._terminal.order_send(request)
        self.closed.append(request["symbol"])
        assert request["symbol"] == LONG_NAME
        return self._terminal.order_send(request | {"symbol": "GBPUSD"})

    def last_error(self) -> tuple[int, str]:
        """Return why the last call failed."""
        if self._has_refused:
            return -2, 'Invalid "symbol" argument'
        return self._terminal.last_error()


_LISTS = ("positions_get", "orders_get", "history_orders_get", "history_deals_get")


def _renamed(one: Any) -> Any:
    is_named = one.symbol == "GBPUSD"
    return SimpleNamespace(**(one._asdict() | {"symbol": LONG_NAME})) if is_named else one


def renaming(*, is_strict: bool) -> Any:
    def wrap(terminal: SimulatedTerminal, _server: SimulatedServer) -> Any:
        return Renaming(terminal, is_strict=is_strict)

    return wrap


def flattened(world: World, lots: list[float], symbol: str = "GBPUSD", **more: Any) -> LiveRun:
    """Run without a signal; a stranger buys, order by order, and a person halts everything."""

    def on_step(run: LiveRun) -> None:
        now = run.market.bar, run.market.step
        if now == (2, 1):
            for volume in lots:
                order = {"action": 1, "symbol": symbol, "volume": volume, "type": 0, "magic": 77}
                assert run.terminal.order_send(order).retcode == 10009
        if now == (6, 1):
            run.journal.request_halt(4, "ann", "out", run.now_ms())

    return world.live(on_step=on_step, **more)


@pytest.mark.parametrize("lots", [[1.0, 1.0, 0.5], [1.0, 1.0], [1.0, 1.0, 1.0]])
def test_a_foreign_position_larger_than_any_order_is_closed_order_by_order(
    lots: list[float],
) -> None:
    run = flattened(a_world(1.0), lots)

    assert run.market.book.positions() == ()
    rows = run.journal.intents()
    assert {row.state for row in rows} == {IntentState.DONE}
    assert sorted(row.intent.volume_units for row in rows) == sorted(int(1e8 * n) for n in lots)
    assert not run.engine.is_clearing


def test_a_foreign_symbol_is_named_whole_however_long_its_name() -> None:
    run = flattened(a_world(1.0), [1.0], wrap=renaming(is_strict=False))

    assert run.market.book.positions() == ()
    assert run.terminal.closed == [LONG_NAME]
    assert [deal.symbol for deal in run.journal.deals()[1:]] == [LONG_NAME] * 2
    assert [row.intent.symbol for row in run.journal.intents()] == [LONG_NAME]


def test_a_name_that_the_module_does_not_take_stands_whole_in_what_is_refused() -> None:
    run = flattened(a_world(1.0), [1.0], wrap=renaming(is_strict=True))

    rows = run.journal.intents()
    assert len(rows) > 1
    assert {row.state for row in rows} == {IntentState.REJECTED}
    assert all(LONG_NAME in row.detail for row in rows)
    assert run.terminal.closed == []
    assert [one.symbol for one in run.engine.portfolio.positions] == [LONG_NAME]
    assert run.named("link_lost") == []
