"""The kernel, interpreted and compiled, makes the deals of the engine, backtest and live.

Each world is drawn from its seed alone: `drawn_world(seed)` brings a failing one back.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from drawn_worlds import DrawnWorld, drawn_world
from worlds import DirectClient

from mtquant.engine.kernels import (
    Played,
    is_available,
    layout,
    ledger_of,
    make_job,
    objections,
    play,
)
from mtquant.research import summarise, summarise_played
from mtquant.strategy import Series
from mtquant.terminal.simulated import SimulatedTerminal

if TYPE_CHECKING:
    from mtquant.exchange.ledger import Ledger

CHUNK = 250
CHUNKS = 20  # 5,000 worlds
LONG_CHUNKS = 400  # 100,000 others


def played(world: DrawnWorld, *, interpreted: bool = False) -> Played:
    """Return a run of the kernel."""
    assert objections(world.spec()) == ()
    job = make_job(world.spec(), world.bars, Series.over(world.bars))
    return play(job, world.directions, world.strengths, interpreted=interpreted)


def require_equal(found: Ledger, expected: Ledger, where: str) -> None:
    """Hold orders and deals against others; name the first that differs."""
    for name in ("deals", "orders"):
        mine, theirs = getattr(found, name), getattr(expected, name)
        for row, (one, other) in enumerate(zip(mine, theirs, strict=False)):
            assert one == other, f"{where}: {name}[{row}]"
        assert len(mine) == len(theirs), f"{where}: {name}"


def require_parity(seed: int, counts: Counter[str]) -> None:
    """Play the world of a seed in four ways."""
    world = drawn_world(seed)
    market, _ = world.backtest()
    compiled, interpreted = played(world), played(world, interpreted=True)
    live = world.live(client=DirectClient, wrap=lambda _, server: SimulatedTerminal(server))
    book = market.book.ledger

    require_equal(ledger_of(interpreted), book, f"seed {seed}, interpreted")
    require_equal(live.market.book.ledger, book, f"seed {seed}, live")
    for name in ("deals", "cells", "figures", "daily"):
        same = getattr(compiled, name) == getattr(interpreted, name)
        assert same.all(), f"seed {seed}, compiled: {name}"
    assert compiled.cells[layout.BALANCE] == market.book.balance_minor, f"seed {seed}"

    counts["worlds"] += 1
    counts["trades"] += int((compiled.deals[:, layout.ENTRY_KIND] == 0).sum())
    counts["netting"] += world.venue.account.is_netting
    counts["converted"] += compiled.job.money.is_converted
    counts["stopped out"] += bool(compiled.cells[layout.STOP_OUTS])


def require_variety(counts: Counter[str]) -> None:
    """Hold the drawn worlds to what they are to be."""
    worlds = counts["worlds"]
    assert counts["trades"] >= 3 * worlds, counts
    assert counts["netting"] >= worlds / 5, counts
    assert counts["converted"] >= worlds / 5, counts
    assert counts["stopped out"] >= worlds / 10, counts


@pytest.mark.skipif(not is_available(), reason="the extra `fast` (numba) is not installed")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_four_ways_make_the_same_deals(chunk: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        require_parity(seed, counts)
    require_variety(counts)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS, CHUNKS + LONG_CHUNKS))
def test_four_ways_make_the_same_deals_in_many_more_worlds(chunk: int) -> None:
    test_four_ways_make_the_same_deals(chunk)


@pytest.mark.parametrize("seed", range(0, 4000, 8))
def test_the_figures_of_a_run_are_those_of_its_report(seed: int) -> None:
    world = drawn_world(seed)
    run = played(world, interpreted=True)
    summary = summarise(world.bars, ledger_of(run).deals, world.venue)

    assert summarise_played(run, summary.trades_sha256) == summary
