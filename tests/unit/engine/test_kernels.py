"""What the kernels take, what they refuse, and what they say on the way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from drawn_worlds import drawn_world
from worlds import Scripted, bars_of, make_venue, stop_and_target, trailing

from mtquant.data import resample
from mtquant.engine import BacktestRunner, Engine, OrderMaker, StrategySlot
from mtquant.engine.kernels import (
    RunSpec,
    ask,
    compiler,
    ledger_of,
    make_job,
    objections,
    objections_to,
    play,
    varied,
)
from mtquant.engine.kernels.bars import play_bars
from mtquant.engine.longer import LongerViews
from mtquant.exchange import Market, Terms, VenueSpec
from mtquant.execution import Desk
from mtquant.indicators import Sma
from mtquant.model import (
    AccountKind,
    BotIdentity,
    CalculationMode,
    ConfigError,
    Direction,
    ExecutionMode,
    GtcMode,
    MarketDataError,
    OrderType,
    StrategyError,
    Timeframe,
    TradeMode,
    round_half_away,
)
from mtquant.portfolio import Portfolio
from mtquant.risk import RiskEngine, RiskLimits
from mtquant.strategy import (
    ArrayStrategy,
    BarsView,
    Columns,
    Series,
    Signals,
    SmaCrossover,
    SmaCrossoverParameters,
)

if TYPE_CHECKING:
    from pathlib import Path


def spec_of(venue: VenueSpec | None = None, *exits: Any, symbol: str = "EURUSD") -> RunSpec:
    """Return a run with a stop, or with the exits given."""
    return RunSpec(
        venue=venue or make_venue(),
        symbol=symbol,
        exits=exits or (stop_and_target(stop_points=200),),
        limits=RiskLimits(),
    )


def waves(count: int = 400) -> Any:
    """Return bars that go up and down."""
    return bars_of([110_000 + round(400 * np.sin(i / 9)) for i in range(count)])


class Own:
    """An exit of a user's own."""

    name, priority = "own", 1


def test_a_plain_run_meets_no_objection() -> None:
    assert objections(spec_of(None, stop_and_target(stop_atr=2.0), trailing())) == ()


@pytest.mark.parametrize(
    ("instrument", "said"),
    [
        ({"depth_points": (0,), "depth_lots": (1.0,)}, "EURUSD: orders meet a market depth"),
        ({"trade_mode": TradeMode.DISABLED}, "EURUSD: trading is restricted"),
        ({"real_accounts_only": True}, "EURUSD: trading is restricted"),
        ({"stop_loss_allowed": False}, "EURUSD: trading is restricted"),
        ({"order_types": (OrderType.LIMIT,)}, "EURUSD: trading is restricted"),
        (
            {
                "calculation_mode": CalculationMode.EXCH_BONDS,
                "face_value": 1000.0,
                "accrued_interest": 1.0,
            },
            "EURUSD: bonds with accrued interest",
        ),
    ],
)
def test_an_instrument_without_scalar_rules_is_objected_to(
    instrument: dict[str, Any], said: str
) -> None:
    assert objections(spec_of(make_venue(**instrument))) == (said,)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"trade_allowed": False}, "the account does not let bots trade"),
        ({"experts_allowed": False}, "the account does not let bots trade"),
        ({"limit_requests_per_minute": 9}, "the account limits requests"),
        ({"stops_out_hedged": True}, "the account stops out hedged positions"),
    ],
)
def test_an_account_without_scalar_rules_is_objected_to(account: dict[str, Any], said: str) -> None:
    venue = make_venue()
    changed = replace(venue, account=replace(venue.account, **account))

    assert objections(spec_of(changed)) == (said,)


def test_conversion_through_another_pair_is_objected_to() -> None:
    yen = make_venue(symbol="USDJPY").instruments["USDJPY"]
    listed = {
        "EURJPY": replace(yen, base_currency="EUR"),
        "USDJPY": yen,
        "EURUSD": make_venue().instruments["EURUSD"],
    }
    venue = VenueSpec(account=make_venue().account, instruments=listed)

    assert objections(spec_of(venue, symbol="USDJPY")) == ()
    assert objections(spec_of(venue, symbol="EURJPY")) == (
        "EURJPY: its money converts at the quotes of EURUSD, USDJPY",
    )


def test_a_limit_without_a_scalar_rule_is_objected_to_before_and_for_a_varied_run() -> None:
    bars, spec = waves(), spec_of()
    series = Series.over(bars)
    limited = replace(spec, limits=RiskLimits(max_entries_per_day=3))
    said = ("the limits state max_entries_per_day",)

    assert objections(limited) == said
    assert objections_to(varied(make_job(spec, bars, series), limited, series)) == said
    assert objections(replace(spec, limits=RiskLimits(max_entries_per_minute=2))) == ()
    for more in ({"max_entries_per_minute": 1}, {"max_entries_in_a_row": 5}):
        assert len(objections(replace(spec, limits=RiskLimits(**more)))) == 1


def test_exits_without_scalar_rules_are_objected_to_by_name() -> None:
    found = objections(spec_of(None, stop_and_target(stop_points=9), Own(), trailing(), trailing()))

    assert found == ("exit own has no scalar rule", "two exits are atr_trailing_stop")


def test_a_trailing_stop_where_levels_end_with_the_day_is_objected_to() -> None:
    venue = make_venue(gtc_mode=GtcMode.DAILY)

    assert objections(spec_of(venue, stop_and_target(stop_points=9))) == ()
    assert "where levels end with the day" in objections(spec_of(venue, trailing()))[0]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (np.zeros(399, dtype=np.int8), r"signals must be int8\[400\], .* were int8\(399,\)"),
        (np.zeros(400), r"signals must be int8\[400\], .* were float64"),
        ([0] * 400, r"signals must be int8\[400\], .* were <class 'list'>"),
        (np.full(400, 3, dtype=np.int8), r"signals\[0\] is 3; say 1 \(long\)"),
        (np.full(400, -2, dtype=np.int8), r"signals\[0\] is -2; say"),
    ],
)
def test_signals_that_are_none_are_refused(said: Any, message: str) -> None:
    class Wrong(ArrayStrategy):
        def signals(self, bars: Columns) -> Signals:
            return said  # type: ignore[no-any-return]

    with pytest.raises(StrategyError, match=f"Wrong: {message}"):
        ask(Wrong("wrong"), Series.over(waves()))


@pytest.mark.parametrize("column", ["points", "line"])
def test_a_strategy_cannot_write_into_what_others_read(column: str) -> None:
    class Scribbler(ArrayStrategy):
        def signals(self, bars: Columns) -> Signals:
            shared = bars.points.close if column == "points" else bars.use(Sma(5))
            shared[:] = 1
            return np.zeros(len(bars), dtype=np.int8)

    with pytest.raises(ValueError, match="read-only"):
        ask(Scribbler("scribbler"), Series.over(waves()))


@pytest.mark.parametrize("said", ["LONG", 1, Direction.LONG])
def test_an_answer_that_is_no_signal_is_refused_with_its_bar(said: Any) -> None:
    class Wordy(Scripted):
        def on_bar(self, bars: BarsView) -> Any:
            return said if bars.index == 7 else None

    with pytest.raises(StrategyError, match=r"at bar 7 it said .*; return None or a Sig"):
        ask(Wordy([]), Series.over(waves(20)))


def test_what_a_strategy_says_at_once_is_what_it_says_bar_by_bar() -> None:
    class BarByBar(SmaCrossover):
        def signals(self, bars: Columns) -> None:  # type: ignore[override]
            return None

    series = Series.over(waves())
    parameters = SmaCrossoverParameters(fast=3, slow=11)
    at_once = ask(SmaCrossover("a", parameters), series)
    in_turn = ask(BarByBar("b", parameters), series)

    assert np.count_nonzero(at_once.directions) > 10
    assert (at_once.directions[:-1] == in_turn.directions[:-1]).all()
    assert in_turn.strengths is None


def test_strengths_are_kept_where_they_differ() -> None:
    class Faint(Scripted):
        def on_bar(self, bars: BarsView) -> Any:
            return self.signal(bars, Direction.SHORT, strength=0.25)

    said = ask(Faint([]), Series.over(waves(9)))

    assert said.directions.tolist() == [-1] * 8 + [0]
    assert said.strengths is not None
    assert said.strengths.tolist() == [0.25] * 8 + [1.0]


class Slowly(Scripted):
    """Follow the newest closed bar of four hours."""

    def on_start(self, bars: BarsView) -> None:
        self._slow = bars.longer(Timeframe.H4)

    def on_bar(self, bars: BarsView) -> Any:
        if len(self._slow) < 2 or bars.index % 5:
            return None
        rising = self._slow.close[-1] > self._slow.close[-2]
        return self.signal(bars, Direction.LONG if rising else Direction.SHORT)


def test_a_strategy_that_looks_at_longer_bars_trades_as_in_the_engine() -> None:
    bars, venue, spec = waves(), make_venue(), spec_of()
    cut = partial(resample, bars, clock=venue.clock)

    def source(timeframe: Timeframe) -> Series:
        return Series.over(cut(timeframe))

    series = Series.over(bars)
    said = ask(Slowly([]), series, LongerViews("slowly", series, venue.clock, source))
    played = play(make_job(spec, bars, series), said.directions)
    orders = OrderMaker("x", Terms.of(venue, "EURUSD"), deviation_points=20, deadline_ms=60_000)
    own = Series.over(bars)
    slot = StrategySlot(
        Slowly([]), spec.exits, own, orders, clock=venue.clock, longer_source=source
    )
    market, identity = Market.of_bars(venue, bars), BotIdentity()
    portfolio = Portfolio(identity, venue.clock)
    engine = Engine([slot], RiskEngine(spec.limits), Desk(identity), portfolio)
    BacktestRunner(engine, market).run()

    assert len(played.deals) > 10
    assert ledger_of(played).deals == market.book.ledger.deals


@pytest.mark.parametrize(("side", "stop_points", "target_points"), [(1, 200, None), (-1, 20, 200)])
def test_a_level_below_the_smallest_price_is_refused_before_it_is_sent(
    side: int, stop_points: int, target_points: int | None
) -> None:
    closes = [150] * 4 + [100_000] * 4  # the second entry has room for its levels
    wishes = [Direction(side), Direction.FLAT] * 4
    exits = (stop_and_target(stop_points=stop_points, target_points=target_points),)
    spec = replace(
        spec_of(make_venue(spread_points=0), *exits), limits=RiskLimits(price_band_fraction=None)
    )
    bars = bars_of(closes)
    orders = OrderMaker("x", Terms.of(spec.venue, "EURUSD"), deviation_points=20, deadline_ms=9)
    slot = StrategySlot(Scripted(wishes), exits, Series.over(bars), orders)
    market, identity = Market.of_bars(spec.venue, bars), BotIdentity()
    desk = Desk(identity)
    portfolio = Portfolio(identity, spec.venue.clock)
    BacktestRunner(Engine([slot], RiskEngine(spec.limits), desk, portfolio), market).run()
    series = Series.over(bars)
    said = ask(Scripted(wishes), series)
    played = play(make_job(spec, bars, series), said.directions, interpreted=True)

    found = market.book.ledger
    assert found.orders
    assert ledger_of(played).deals == found.deals  # with the same numbers of intents


def test_longer_bars_are_refused_where_there_are_none() -> None:
    with pytest.raises(ConfigError, match="scripted: there are no H4 bars here"):
        ask(Slowly([]), Series.over(waves()))


def test_a_varied_run_is_the_run_made_anew() -> None:
    bars = waves()
    series = Series.over(bars)
    first, second = spec_of(), spec_of(None, stop_and_target(stop_atr=1.0, target_atr=2.0))
    said = ask(SmaCrossover("x", SmaCrossoverParameters(fast=3, slow=11)), series)
    again = play(varied(make_job(first, bars, series), second, series), said.directions)
    made = play(make_job(second, bars, Series.over(bars)), said.directions)

    assert len(made.deals) > 10
    assert ledger_of(again).deals == ledger_of(made).deals


def test_every_other_opening_and_nothing_else_is_left_where_money_is_short() -> None:
    venue = make_venue(deposit=5.0)
    bars = waves()
    series = Series.over(bars)
    said = ask(SmaCrossover("x", SmaCrossoverParameters(fast=3, slow=11)), series)
    played = play(make_job(spec_of(venue), bars, series), said.directions)

    assert len(played.deals) == 0
    assert played.cells[0] == 500


def test_without_numba_the_rules_run_interpreted_and_a_person_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiler, "find_spec", lambda _name: None)
    compiler.compiled.cache_clear()
    try:
        assert "numba is not installed" in compiler.news()
        assert compiler.compiled(play_bars) is play_bars
        world = drawn_world(5)
        job = make_job(world.spec(), world.bars, Series.over(world.bars))
        market, _ = world.backtest()
        found = ledger_of(play(job, world.directions, world.strengths))
    finally:
        compiler.compiled.cache_clear()

    assert found.deals == market.book.ledger.deals


def test_a_person_is_told_before_the_first_compilation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(compiler.CACHE_VARIABLE, str(tmp_path))
    pytest.importorskip("numba", reason="the extra `fast` (numba) is not installed")

    assert compiler.cache_folder() == tmp_path
    assert "compiling the kernels for this machine, once" in compiler.news()
    (tmp_path / compiler._version()).mkdir()
    assert compiler.news() == ""


@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/mtquant/kernels"),
        ("linux", {}, "/home/me/.cache/mtquant/kernels"),
        ("darwin", {}, "/home/me/Library/Caches/mtquant/kernels"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/mtquant/kernels"),
    ],
)
def test_compiled_code_is_kept_in_a_folder_of_the_user(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], place: str
) -> None:
    for name in (compiler.CACHE_VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(compiler.Path, "home", classmethod(lambda cls: cls("/home/me")))

    assert compiler.cache_folder().as_posix() == place


@pytest.mark.parametrize("damage", ["empty", "noise", "touched"])
def test_kept_code_that_does_not_fit_is_compiled_after_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, damage: str
) -> None:
    pytest.importorskip("numba", reason="the extra `fast` (numba) is not installed")
    monkeypatch.setenv(compiler.CACHE_VARIABLE, str(tmp_path))
    folder = tmp_path / compiler._version()
    folder.mkdir()
    index = folder / "x._twice-1.py311.nbi"
    index.write_bytes({"empty": b"", "noise": b"\x80\x04noise", "touched": b"old"}[damage])

    assert compiler._jit(_twice)(21.5) == 44


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_damaged_code_is_compiled_anew_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ending: str
) -> None:
    pytest.importorskip("numba", reason="the extra `fast` (numba) is not installed")
    monkeypatch.setenv(compiler.CACHE_VARIABLE, str(tmp_path))
    assert compiler._jit(_twice)(21.5) == 44
    (kept,) = tmp_path.rglob(f"*.{ending}")
    damaged = kept.read_bytes()[:60]
    kept.write_bytes(damaged)

    assert compiler._jit(_twice)(21.5) == 44
    anew = kept.read_bytes()
    assert len(anew) > len(damaged)

    assert (
        compiler._jit(_twice)(21.5) == 44
    )  # loaded: code made again is pickled a little differently
    assert kept.read_bytes() == anew


KERNEL = """
import sys
from mtquant.engine.kernels import compiler
from mtquant.model import round_half_away

def twice(value):
    return 2 * round_half_away(value)

kernel = compiler._jit(twice)
print([kernel(float(word) if "." in word else int(word)) for word in sys.argv[1:]])
"""


def test_kept_code_is_compiled_for_further_types_and_all_of_it_is_kept(tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="the extra `fast` (numba) is not installed")
    script = tmp_path / "kernel.py"
    script.write_text(KERNEL)

    def run(*words: str) -> tuple[str, int]:
        done = subprocess.run(
            [sys.executable, str(script), *words],
            env=os.environ | {compiler.CACHE_VARIABLE: str(tmp_path / "kept")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip() + done.stderr, len(list(tmp_path.rglob("*.nbc")))

    assert run("1.5") == ("[4]", 1)
    assert run("1.5", "3", "2.5") == ("[4, 6, 6]", 2)  # 3 is a whole number: of another type
    assert run("3", "1.5") == ("[6, 4]", 2)


def test_a_run_without_and_one_with_signals_are_of_one_type() -> None:
    bars = waves()
    job = make_job(spec_of(), bars, Series.over(bars))
    quiet = play(job, np.zeros(len(bars), dtype=np.int8), interpreted=True)
    loud = play(job, np.tile(np.array([1, 0, -1, 0], dtype=np.int8), 100), interpreted=True)

    assert len(loud.deals) > len(quiet.deals) == 0
    assert quiet.deals.base.flags.f_contiguous
    assert not quiet.deals.base.flags.c_contiguous


def test_where_no_code_can_be_kept_a_person_is_told_and_it_is_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("numba", reason="the extra `fast` (numba) is not installed")
    place = tmp_path / "a file"
    place.write_text("in the way")
    monkeypatch.setenv(compiler.CACHE_VARIABLE, str(place))

    assert f"cannot be kept in {place}" in compiler.news()
    kernel = compiler._jit(_twice)
    assert kernel(21.5) == 44
    assert not isinstance(kernel, compiler._Kept)


def test_without_a_home_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_gone() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(compiler.CACHE_VARIABLE, raising=False)
    monkeypatch.setattr(compiler.Path, "home", is_gone)

    assert compiler.cache_folder() is None


def test_code_is_compiled_where_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    caching = pytest.importorskip("numba.core.caching", reason="the extra `fast` is not installed")

    def is_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv(compiler.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(caching.IndexDataCacheFile, "save", is_full)

    assert compiler._jit(_twice)(21.5) == 44


@pytest.mark.parametrize(
    "strengths", [np.ones(3), np.full(40, np.nan), np.full(40, 5.0), np.ones(40, dtype=np.int64)]
)
def test_strengths_that_are_none_are_refused(strengths: Any) -> None:
    bars = bars_of([110_000] * 40)
    job = make_job(spec_of(make_venue()), bars, Series.over(bars))

    with pytest.raises(StrategyError, match=r"strengths must be float64\[40\]"):
        play(job, np.zeros(40, dtype=np.int8), strengths)


def test_slippage_of_another_length_is_refused() -> None:
    bars = bars_of([110_000] * 40)
    spec = replace(spec_of(make_venue()), slippage=np.zeros((3, 2), dtype=np.int32))

    with pytest.raises(ConfigError, match=r"slippage must be int32\[40, 2\], was \(3, 2\)"):
        play(make_job(spec, bars, Series.over(bars)), np.zeros(40, dtype=np.int8))


def test_no_bars_are_no_run() -> None:
    bars = bars_of([110_000])[:0]

    with pytest.raises(MarketDataError, match="there are no bars to play"):
        make_job(spec_of(make_venue()), bars, Series.over(bars))


@pytest.mark.parametrize(
    "stated",
    [
        {"volume_max_lots": 5e7, "contract_size": 1e9, "leverage": 1},  # a margin
        {"volume_max_lots": 4e7, "contract_size": 1e12, "commission_percent": 0.5},
    ],
)
def test_a_run_whose_numbers_could_wrap_is_objected_to_and_not_played(stated: Any) -> None:
    bars = bars_of([110_000 + row % 7 for row in range(40)])
    job = make_job(spec_of(make_venue(**stated)), bars, Series.over(bars))

    assert re.match(r"EURUSD: amounts may reach \d\.\de\+\d+, past the 64", objections_to(job)[0])
    for interpreted in (False, True):
        with pytest.raises(ConfigError, match="past the 64 bits of a kernel"):
            play(job, np.zeros(40, dtype=np.int8), interpreted=interpreted)


@pytest.mark.parametrize("stop_points", [200, 2**31 - 1])
def test_a_usual_venue_fits_whatever_the_distance(stop_points: int) -> None:
    spec = spec_of(None, stop_and_target(stop_points=stop_points))
    bars = waves()

    assert objections_to(make_job(spec, bars, Series.over(bars))) == ()


def _twice(value: float) -> int:
    return 2 * round_half_away(value)


def test_old_compiled_code_is_dropped_but_the_newest(tmp_path: Path) -> None:
    for age in range(7):
        (tmp_path / f"v{age}").mkdir()
        os.utime(tmp_path / f"v{age}", (1_000_000 - age, 1_000_000 - age))
    compiler._drop_old(tmp_path)

    assert sorted(one.name for one in tmp_path.iterdir()) == ["v0", "v1", "v2", "v3"]


def test_prices_at_an_exchange_need_no_distance() -> None:
    venue = make_venue(execution_mode=ExecutionMode.EXCHANGE, stops_level_points=500)
    job = make_job(spec_of(venue), waves(), Series.over(waves()))

    assert (job.trading.room, job.trading.stops_level) == (0, 500)
    assert venue.account.kind is AccountKind.DEMO
