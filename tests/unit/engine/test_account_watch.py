"""A bot without a journal, on an account that knows it, says what it does not know any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from many_worlds import Lane, ManyWorld, many_venue
from worlds import DirectClient, LiveRun, Scripted, World, bars_of

from mtquant.model import BotIdentity, Direction, MarginMode, Timeframe
from mtquant.storage import MemoryJournal, SqliteJournal
from mtquant.terminal.simulated import FileLog, SimulatedTerminal

if TYPE_CHECKING:
    from pathlib import Path

CLOSES = [110_000] * 12
FIELDS = ("positions", "orders", "closed_orders")


def life(
    folder: Path,
    journal: object,
    *,
    until: int | None = None,
    script: list[Direction | None] | None = None,
) -> LiveRun:
    """Live on the server whose memory lies in a folder, up to a bar or to the end."""

    def on_step(run: LiveRun) -> None:
        if until is not None and len(run.engine.slots[0].series) >= until:
            run.runner.stop()

    world = World(bars=bars_of(CLOSES), strategy=lambda: Scripted(script or [None]))
    log = FileLog(folder / "server.jsonl", "f1")
    try:
        return world.live(journal=journal, log=log, on_step=on_step)
    finally:
        log.close()


def counts(run: LiveRun) -> list[tuple[object, ...]]:
    return [tuple(one.fields[name] for name in FIELDS) for one in run.named("journal_rebuilt")]


def test_a_start_without_a_journal_says_so_where_the_broker_knows_the_bot(tmp_path: Path) -> None:
    first = life(tmp_path, MemoryJournal(), until=6, script=[None, Direction.LONG])
    assert len(first.market.book.positions()) == 1

    again = life(tmp_path, MemoryJournal())

    assert counts(first) == []
    assert counts(again) == [(1, 0, 1)]
    names = [one.name for one in again.notes]
    assert names.index("journal_rebuilt") > names.index("reconciled")
    assert again.named("order_not_ours") == []
    assert again.journal.halt_level() == 0


def test_a_start_with_its_journal_says_nothing(tmp_path: Path) -> None:
    journal = MemoryJournal()
    life(tmp_path, journal, until=6, script=[None, Direction.LONG])

    assert counts(life(tmp_path, journal)) == []


def test_it_is_said_once_in_the_life_of_a_journal_and_kept_in_it(tmp_path: Path) -> None:
    life(tmp_path, MemoryJournal(), until=6, script=[None, Direction.LONG])
    journal = SqliteJournal.open(tmp_path / "journal.sqlite")

    assert len(counts(life(tmp_path, journal, until=8))) == 1
    assert counts(life(tmp_path, journal)) == []
    bodies = [row.body for row in journal.log() if "journal_rebuilt" in row.body]
    journal.close()
    assert len(bodies) == 1


@pytest.mark.parametrize("magic", [0, 77, BotIdentity(bot=2).intent_id(1)])
def test_what_others_have_traded_is_not_this_bots(tmp_path: Path, magic: int) -> None:
    def others(run: LiveRun) -> None:
        if not run.market.book.positions():
            order = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "sl": 1.05}
            assert run.terminal.order_send({**order, "magic": magic}).retcode == 10009

    log = FileLog(tmp_path / "server.jsonl", "f1")
    World(bars=bars_of(CLOSES), strategy=lambda: Scripted([None])).live(log=log, on_step=others)
    log.close()

    again = life(tmp_path, MemoryJournal())

    assert len(again.market.book.positions()) == 1
    assert counts(again) == []


# ---------------------------------------------------------------------- symbols that are gone


def trading(symbol: str) -> ManyWorld:
    """Return a world of two symbols, one of which is traded."""
    euro, pound = (
        bars_of([level] * 14, symbol=name)
        for name, level in (("EURUSD", 110_000), ("GBPUSD", 125_000))
    )
    lane = Lane(
        name="lane",
        symbol=symbol,
        timeframe=Timeframe.H1,
        strategy=lambda: Scripted([None, Direction.LONG] if symbol == "EURUSD" else []),
    )
    venue = many_venue(mode=MarginMode.HEDGING, always_open=True)
    return ManyWorld(lanes=[lane], bars=euro, others=(pound,), venue=venue)


@pytest.mark.parametrize(("symbol", "told"), [("GBPUSD", 2), ("EURUSD", 0)])
def test_a_position_of_a_symbol_that_nobody_trades_any_more_is_named_and_so_is_the_loss_of_its_stop(
    symbol: str, told: int
) -> None:
    def stop_early(run: LiveRun) -> None:
        if run.market.bar == 5:
            run.runner.stop()

    def strip(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (7, 1):
            request = {"action": 6, "symbol": "EURUSD", "position": held.position_ticket}
            assert run.terminal.order_send(request).retcode == 10009

    first = LiveRun(trading("EURUSD"), on_step=stop_early, client=DirectClient)
    first.run()
    (held,) = first.market.book.positions()
    second = LiveRun(
        trading(symbol),
        journal=first.journal,
        wrap=lambda *_: SimulatedTerminal(first.server),
        on_step=strip,
        client=DirectClient,
    )
    second.server, second.market = first.server, first.market
    second.run()

    seen = [
        (one.fields["position_ticket"], one.fields["symbol"], one.fields["stop_loss_points"])
        for one in second.named("position_unmanaged")
    ]
    ticket = held.position_ticket
    both = [(ticket, "EURUSD", held.stop_loss_points), (ticket, "EURUSD", None)]
    assert first.named("position_unmanaged") == []
    assert seen == both[:told]
