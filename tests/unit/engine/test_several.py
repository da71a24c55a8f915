"""Several strategies on one account: whose a position is, in which order, what longer bars show."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from many_worlds import (
    Lane,
    LooksHigher,
    ManyWorld,
    many_venue,
    random_exits,
    random_script,
    walk_of,
)
from worlds import LiveRun, Scripted, Successor, bars_of, stop_and_target

from mtquant.data import resample
from mtquant.engine import BacktestRunner
from mtquant.engine.longer import LongerBars
from mtquant.model import (
    BarRow,
    Bars,
    ConfigError,
    DealEntry,
    Direction,
    MarginMode,
    Reason,
    ServerClock,
    Side,
    Timeframe,
)
from mtquant.risk import OnCorrelation, RiskLimits
from mtquant.strategy import BarsView, Series

LONG, SHORT, FLAT = Direction.LONG, Direction.SHORT, Direction.FLAT
M5, M15, H1, H4 = Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.H4
D1, W1 = Timeframe.D1, Timeframe.W1


def a_lane(name: str, script: list[Direction | None], **more: object) -> Lane:
    fields: dict[str, object] = {"symbol": "EURUSD", "timeframe": H1}
    return Lane(name=name, strategy=lambda: Scripted(script), **(fields | more))  # type: ignore[arg-type]


def a_world(*lanes: Lane, bars: Bars | None = None, **more: object) -> ManyWorld:
    return ManyWorld(
        bars=bars or bars_of([110_000] * 12),
        lanes=lanes,
        limits=RiskLimits(max_positions=9),
        **({"venue": many_venue()} | more),  # type: ignore[arg-type]
    )


def test_two_strategies_on_one_symbol_hold_opposite_positions_and_leave_each_other_alone() -> None:
    world = a_world(
        a_lane("bull", [None, LONG, None, None, None, FLAT]),
        a_lane("bear", [None, None, SHORT]),
    )

    played, _ = world.backtest()
    run = world.live()

    opened, against, closed = played.book.ledger.deals[1:]
    assert (opened.side, against.side, closed.entry) == (Side.BUY, Side.SELL, DealEntry.OUT)
    assert closed.position_ticket == opened.position_ticket
    assert [p.side for p in played.book.positions()] == [Side.SELL]
    assert run.market.book.ledger.deals == played.book.ledger.deals


def test_what_closes_at_one_moment_is_decided_in_the_order_of_the_strategies() -> None:
    lanes = [a_lane("first", [None, LONG]), a_lane("second", [None, SHORT])]

    for order in (lanes, lanes[::-1]):
        played, _ = a_world(*order).backtest()
        sides = [deal.side for deal in played.book.ledger.deals[1:]]
        assert sides == [Side.BUY if one.name == "first" else Side.SELL for one in order]


def test_a_decision_waits_for_the_first_price_of_its_own_symbol() -> None:
    euro = bars_of([110_000] * 12)
    pound = bars_of([125_000] * 12, symbol="GBPUSD", first_ms=int(euro.time_ms[0]) + 7 * 60_000)
    world = a_world(
        a_lane("euro", [None, LONG]),
        a_lane("pound", [None, LONG], symbol="GBPUSD"),
        bars=euro,
        others=[pound],
    )

    played, _ = world.backtest()

    fills = {deal.symbol: deal.time_ms for deal in played.book.ledger.deals[1:]}
    assert fills == {"EURUSD": int(euro.time_ms[2]), "GBPUSD": int(pound.time_ms[2])}


def test_a_longer_strategy_decides_when_a_later_bar_of_its_timeframe_begins() -> None:
    bars = bars_of([110_000] * 12)  # begins at a server midnight

    played, _ = a_world(a_lane("slow", [LONG], timeframe=H4), bars=bars).backtest()

    assert played.book.ledger.deals[1].time_ms == int(bars.time_ms[4])


def test_losses_of_two_symbols_that_sum_up_to_a_stop_out_are_foreseen() -> None:
    falling = [0, 0, *range(0, -3_000, -300)]
    euro = bars_of([110_000 + x for x in falling])
    pound = bars_of([125_000 + x for x in falling], symbol="GBPUSD")
    lanes = [
        a_lane(name, [LONG], symbol=symbol, exits=lambda: [stop_and_target(stop_points=2_500)])
        for name, symbol in (("euro", "EURUSD"), ("pound", "GBPUSD"))
    ]
    limits = RiskLimits(max_positions=9, risk_per_trade_fraction=0.1)
    venue = many_venue(deposit=1_000.0, leverage=9, stop_out_percent=95.0)
    world = ManyWorld(bars=euro, others=[pound], lanes=lanes, limits=limits, venue=venue)

    played, _ = world.backtest()

    assert Reason.STOP_OUT in {deal.reason for deal in played.book.ledger.deals}
    assert played.book.ledger.deals == world.walked().book.ledger.deals


@pytest.mark.parametrize("way", OnCorrelation)
def test_of_an_entry_that_moves_with_what_is_held_a_person_hears(way: OnCorrelation) -> None:
    walk = np.random.default_rng(3).integers(-60, 61, 80).cumsum()
    lanes = [
        a_lane("euro", [*[None] * 60, LONG]),
        a_lane("pound", [*[None] * 62, LONG], symbol="GBPUSD"),
    ]
    world = a_world(
        *lanes,
        bars=bars_of((110_000 + walk).tolist()),
        others=[bars_of((125_000 + walk).tolist(), symbol="GBPUSD")],
    )
    world.limits = RiskLimits(max_positions=9, max_correlation=0.7, on_correlation=way)

    run = world.live()

    warned = run.named("entry_warned")
    if way is OnCorrelation.WARN:
        (one,) = warned
        assert one.fields["rules"] == "max_correlation"
        assert one.fields["reasons"] == "max_correlation: 1.00 with EURUSD (limit 0.70)"
        approved = run.named("order_approved")[-1]
        assert one.fields["intent_id"] == approved.fields["intent_id"]
        assert one.correlation_id == approved.correlation_id
    else:  # refused, or nothing is left of its size
        assert not warned


def test_two_strategies_on_one_symbol_of_a_netting_account_are_refused() -> None:
    world = a_world(a_lane("one", []), a_lane("two", []), venue=many_venue(mode=MarginMode.NETTING))

    for play in (world.backtest, world.live):
        with pytest.raises(ConfigError, match="several trade EURUSD, and a netting account"):
            play()


@pytest.mark.parametrize("names", [[], ["same", "same"]])
def test_strategies_need_ids_of_their_own(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="each with an id of its own"):
        a_world(*(a_lane(name, []) for name in names)).backtest_engine()


def test_a_series_that_is_not_cut_from_its_prices_is_refused() -> None:
    world = a_world(a_lane("one", []))
    engine = world.backtest_engine()
    world.bars = bars_of([110_000] * 9)

    with pytest.raises(ConfigError, match="12 H1 bars are not cut from its prices"):
        BacktestRunner(engine, world.market())


# ---------------------------------------------------------------------- longer bars


@given(
    seed=st.integers(0, 2**32 - 1),
    clock=st.sampled_from(["utc", "eet_eu", "ny_plus_7"]),
    lengths=st.sampled_from(
        [(Timeframe.M15, H1), (Timeframe.M5, H4), (H1, D1), (H4, Timeframe.W1)]
    ),
)
def test_the_longer_bars_are_those_that_a_resampling_of_the_past_alone_closes(
    seed: int, clock: str, lengths: tuple[Timeframe, Timeframe]
) -> None:
    base, longer = lengths
    chance = np.random.default_rng(seed)
    last_sunday_of_march_ms = 1_490_486_400_000
    first_ms = last_sunday_of_march_ms - int(chance.integers(0, 40)) * base.duration_ms
    bars = walk_of("EURUSD", base, 80, chance, first_ms=first_ms)
    server = ServerClock(clock)
    whole, growing = Series.over(resample(bars, longer, server)), Series("EURUSD", longer, 5)
    known, lived = Series.over(bars), Series("EURUSD", base, 5)
    backtest, live = LongerBars(known, whole, server), LongerBars(lived, growing, server)

    for index in range(len(bars) - 1):
        seen = resample(bars[: index + 2], longer, server)  # the price that closed it included
        append(lived, bars, index + 1)
        append(growing, seen, len(seen) - 1)
        live.view.refresh()
        backtest.follow(index, None)
        live.follow(index, int(bars.time_ms[index + 1]))
        for view in (backtest.view, live.view):
            assert len(view) == len(seen) - 1
            if len(view):
                assert view.time_ms[-1] == int(seen.time_ms[-2])
                assert view.points.high[-1] == int(seen.high[-2])


def append(series: Series, bars: Bars, count: int) -> None:
    for row in range(len(series), count):
        series.append(
            BarRow(**{name: int(getattr(bars, name)[row]) for name in BarRow.__dataclass_fields__})
        )


def test_a_strategy_may_ask_for_longer_bars_only() -> None:
    lane = Lane(name="x", symbol="EURUSD", timeframe=H4, strategy=lambda: LooksHigher([], H1))

    with pytest.raises(ConfigError, match="H1 bars are not longer than its own H4 bars"):
        a_world(lane).backtest_engine()


def test_bars_that_stand_alone_have_no_longer_ones() -> None:
    with pytest.raises(ConfigError, match="there are no H4 bars beside these"):
        BarsView(Series("EURUSD", H1, 5)).longer(H4)


# ---------------------------------------------------------------------- restarts


def end_at(steps: int | None, run: LiveRun) -> None:
    if steps is not None and 4 * run.market.bar + run.market.step >= steps:
        run.runner.stop()


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_processes_that_follow_each_other_know_whose_each_position_is(data: st.DataObject) -> None:
    chance = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    world = a_world(
        *(
            a_lane(
                name,
                random_script(chance, 60),
                timeframe=timeframe,
                symbol=symbol,
                exits=random_exits(chance),
            )
            for name, symbol, timeframe in (
                ("one", "EURUSD", H1),
                ("two", "EURUSD", H1),
                ("slow", "EURUSD", H4),
                ("pound", "GBPUSD", H1),
            )
        ),
        bars=walk_of("EURUSD", H1, 40, chance),
        others=[walk_of("GBPUSD", H1, 40, chance)],
    )
    whole = world.live()
    ends = sorted(data.draw(st.sets(st.integers(1, 150), max_size=4)))

    run = LiveRun(world)
    for end in [*ends, None]:
        run = Successor(run, on_step=partial(end_at, end))
        run.run()

    assert run.market.book.ledger.deals == whole.market.book.ledger.deals
    assert run.journal.deals() == run.market.book.ledger.deals
