"""A bot on a netting account: one position a symbol, closed by its ticket, never turned."""

from __future__ import annotations

from dataclasses import replace

import pytest
from worlds import LiveRun, Scripted, World, bars_of, make_venue

from mtquant.model import Deal, DealEntry, Direction, IntentState, MarginMode, Side
from mtquant.risk import BreakerSpec, RiskLimits

LONG, SHORT, FLAT = Direction.LONG, Direction.SHORT, Direction.FLAT
NETTING = [MarginMode.NETTING, MarginMode.EXCHANGE]


def a_world(script: list[Direction | None], mode: MarginMode = MarginMode.NETTING) -> World:
    return World(
        bars=bars_of([110_000] * 12),
        strategy=lambda: Scripted(script),
        venue=make_venue(margin_mode=mode),
        limits=RiskLimits(max_positions=5),
    )


def stranger(side: int, lots: float, at_bar: int) -> object:
    """Return a step hook that trades for somebody else at a bar's second point."""

    def on_step(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (at_bar, 1):
            order = {"action": 1, "symbol": "EURUSD", "volume": lots, "type": side, "magic": 77}
            assert run.terminal.order_send(order).retcode == 10009

    return on_step


def trades(run: LiveRun) -> list[Deal]:
    return run.journal.deals()[1:]


@pytest.mark.parametrize("mode", NETTING)
def test_a_reversal_closes_first_and_then_opens_a_position_of_its_own(mode: MarginMode) -> None:
    run = a_world([None, LONG, None, SHORT], mode).live()

    opened, closed, reopened = trades(run)
    assert [d.entry for d in trades(run)] == [DealEntry.IN, DealEntry.OUT, DealEntry.IN]
    assert closed.position_ticket == opened.position_ticket != reopened.position_ticket
    assert closed.volume_units == opened.volume_units
    assert closed.time_ms == reopened.time_ms


def test_nothing_is_opened_while_a_stranger_holds_the_symbol() -> None:
    run = a_world([None] * 5 + [LONG]).live(on_step=stranger(1, 0.1, at_bar=3))

    assert [n.fields["rules"] for n in run.named("order_refused")] == ["netted_position"]
    assert run.journal.intents() == []


def test_what_a_stranger_adds_to_the_bots_position_is_closed_with_it() -> None:
    run = a_world([None, LONG, None, None, None, None, FLAT]).live(
        on_step=stranger(0, 0.1, at_bar=4)
    )

    assert run.market.book.positions() == ()
    assert trades(run)[-1].volume_units == trades(run)[0].volume_units + 10_000_000
    opened, restored, closed = run.journal.intents()
    # the stranger's order named no stop loss, and a netting account takes the levels of the last
    assert restored.intent.reason == "stop loss was gone"
    assert {row.state for row in (opened, restored, closed)} == {IntentState.DONE}


@pytest.mark.parametrize("bars_before", [0, 3])
def test_closing_all_closes_what_is_left_after_a_stranger_added_and_took_off_as_much(
    bars_before: int,
) -> None:
    def on_step(run: LiveRun) -> None:
        stranger(0, 0.5, at_bar=4)(run)
        stranger(1, 0.5, at_bar=5)(run)
        if (run.market.bar, run.market.step) == (5 + bars_before, 2):
            run.engine.losses._stop_tag = "prop:1"  # as a prop firm's rule asks for it

    world = replace(a_world([None, LONG]), limits=RiskLimits(breaker=BreakerSpec()))
    run = world.live(on_step=on_step)

    assert run.journal.intents()[-1].intent.reason == "loss limit"
    assert run.market.book.positions() == ()
    assert run.engine.losses.cut is None


def test_a_position_that_a_stranger_turned_is_not_the_bots_any_more() -> None:
    run = a_world([None, LONG, None, None, None, None, FLAT]).live(
        on_step=stranger(1, 2.0, at_bar=4)
    )

    assert [p.side for p in run.market.book.positions()] == [Side.SELL]
    assert len(run.journal.intents()) == 1
    assert len(run.named("position_turned")) == 1


def test_a_halt_of_level_four_closes_a_turned_position_and_knows_it() -> None:
    def on_step(run: LiveRun) -> None:
        stranger(0, 0.1, at_bar=2)(run)
        stranger(1, 0.3, at_bar=4)(run)
        if (run.market.bar, run.market.step) == (6, 1):
            run.journal.request_halt(4, "ann", "out", run.now_ms())

    run = a_world([None] * 12).live(on_step=on_step)

    assert run.market.book.positions() == ()
    assert [row.state for row in run.journal.intents()] == [IntentState.DONE]
