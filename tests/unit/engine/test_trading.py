"""What the engine does with signals, exits and limits, on the simulated terminal."""

from __future__ import annotations

from worlds import Scripted, World, bars_of, make_venue, stop_and_target, trailing

from mtquant.model import Direction, IntentAction, Reason, Side
from mtquant.risk import RiskLimits

LONG, SHORT, FLAT = Direction.LONG, Direction.SHORT, Direction.FLAT
QUIET = [110_000] * 12


def a_world(script: list[Direction | None], closes: list[int] | None = None) -> World:
    return World(bars=bars_of(closes or QUIET), strategy=lambda: Scripted(script))


def test_a_decision_at_a_bars_close_fills_at_the_next_bars_open() -> None:
    run = a_world([None, LONG]).live()

    deal = run.journal.deals()[1]
    assert deal.time_ms == int(run.world.bars.time_ms[2])
    assert deal.price_points == 110_010


def test_a_reversal_closes_first_and_enters_at_the_same_time() -> None:
    run = a_world([None, LONG, None, SHORT]).live()

    opened, closed, reopened = run.journal.deals()[1:4]
    assert (opened.side, closed.side, reopened.side) == (Side.BUY, Side.SELL, Side.SELL)
    assert closed.position_ticket == opened.position_ticket
    assert reopened.position_ticket != opened.position_ticket
    assert closed.time_ms == reopened.time_ms == int(run.world.bars.time_ms[4])


def test_a_flat_signal_closes_and_opens_nothing() -> None:
    run = a_world([None, LONG, None, FLAT]).live()

    assert [deal.side for deal in run.journal.deals()[1:]] == [Side.BUY, Side.SELL]
    assert run.market.book.positions() == ()


def test_a_signal_in_the_direction_already_held_does_nothing() -> None:
    run = a_world([None, LONG, LONG, LONG]).live()

    assert len(run.journal.intents()) == 1


def test_the_stop_loss_stands_at_the_broker_from_the_first_moment() -> None:
    run = a_world([None, LONG]).live()

    position = run.market.book.positions()[0]
    assert position.stop_loss_points == 110_010 - 200


def test_the_volume_risks_the_fraction_of_equity_over_the_stop_distance() -> None:
    run = a_world([None, LONG]).live()

    # 1 % of 10,000 = 100 USD; 200 points cost 200 USD per lot: half a lot
    assert run.market.book.positions()[0].volume_units == 50_000_000


def test_a_trailing_stop_follows_and_never_loosens() -> None:
    closes = [110_000, 110_000, 110_100, 110_200, 110_300, 110_250, 110_200, 110_150]
    world = World(
        bars=bars_of(closes),
        strategy=lambda: Scripted([None, LONG]),
        exits=lambda: [
            stop_and_target(stop_points=400),
            trailing(atr_period=1, distance_atr=2.0, step_atr=0.0),
        ],
    )
    run = world.live()

    moved = [r.intent for r in run.journal.intents() if r.intent.action is IntentAction.MODIFY]
    levels = [intent.stop_loss_points or 0 for intent in moved]
    assert levels
    assert levels == sorted(levels)


def test_a_new_stop_that_the_open_has_passed_closes_at_the_market() -> None:
    closes = [110_000, 110_000, 110_010, 110_400, 110_390, 110_380]
    world = World(
        bars=bars_of(closes, gaps=[0, 0, 0, 0, -300]),
        strategy=lambda: Scripted([None, LONG]),
        exits=lambda: [
            stop_and_target(stop_points=1_000),
            trailing(atr_period=2, distance_atr=0.5, step_atr=0.0),
        ],
    )
    run = world.live()

    last = run.journal.deals()[-1]
    assert last.reason is Reason.EXPERT
    assert last.time_ms == int(world.bars.time_ms[4])
    assert any("passed at the open" in r.intent.reason for r in run.journal.intents())


def test_a_wide_spread_is_refused_with_rule_value_and_limit() -> None:
    world = World(
        bars=bars_of(QUIET, spread=80),
        strategy=lambda: Scripted([None, LONG]),
        limits=RiskLimits(max_spread_points=50),
    )
    run = world.live()

    refused = run.named("order_refused")[0]
    assert refused.fields["rules"] == "max_spread"
    assert refused.fields["reasons"] == (
        "max_spread: 80 points (limit 50 points); "
        "entries return when the spread of EURUSD is narrow enough"
    )
    assert run.journal.intents() == []


def test_the_daily_loss_limit_stops_entries_until_the_next_server_day() -> None:
    closes = [110_000, 110_000, 109_000, *[109_000] * 27, 109_000]
    script: list[Direction | None] = [None, LONG, None, None, LONG, *[None] * 20, LONG]
    world = World(
        bars=bars_of(closes),
        strategy=lambda: Scripted(script),
        limits=RiskLimits(risk_per_trade_fraction=0.05, max_daily_loss_fraction=0.02),
    )
    run = world.live()

    assert [note.fields["rules"] for note in run.named("order_refused")] == ["max_daily_loss"]
    assert len(run.named("position_opened")) == 2


def test_an_order_the_account_cannot_carry_is_refused_and_trading_goes_on() -> None:
    world = World(
        bars=bars_of(QUIET),
        strategy=lambda: Scripted([None, LONG, None, SHORT]),
        exits=lambda: [stop_and_target(stop_points=20)],
        venue=make_venue(leverage=1),
    )
    run = world.live()

    assert run.journal.intents() == []
    refused = run.named("order_refused")
    assert [one.fields["rules"] for one in refused] == ["free_margin", "free_margin"]


def test_nothing_is_decided_on_the_last_bar_because_it_never_closes() -> None:
    run = a_world([None] * 11 + [LONG]).live()

    assert run.journal.intents() == []


def test_entries_wait_until_the_exits_know_their_distance() -> None:
    world = World(
        bars=bars_of(QUIET),
        strategy=lambda: Scripted([None, LONG]),
        exits=lambda: [stop_and_target(atr_period=5, stop_atr=2.0)],
    )
    run = world.live()

    assert [note.fields["rules"] for note in run.named("order_refused")] == ["stop_loss"]
