"""Putting the parts together from a configuration."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.config import BotConfig, LaneSpec, LoadedConfig
from mtquant.app.guard import MuteStrategy
from mtquant.app.risk_wiring import load_calendar, make_loss_watch, require_risk_parts
from mtquant.app.sources import load_source, require_open_hours
from mtquant.data import (
    minute_bars,
    resample,
)
from mtquant.engine import (
    BacktestRunner,
    Engine,
    OrderMaker,
    StrategySlot,
    require_one_slot_a_symbol,
)
from mtquant.exchange import BarFeed, Feed, Market, Terms, TickFeed
from mtquant.execution import Desk
from mtquant.model import (
    Bars,
    BotIdentity,
    ConfigError,
    MarginMode,
    Publish,
    Ticks,
    Timeframe,
)
from mtquant.model.reading import nearest, read
from mtquant.portfolio import Portfolio
from mtquant.risk import RiskEngine
from mtquant.strategy import (
    AtrTrailingStop,
    AtrTrailingStopParameters,
    ExitStrategy,
    Series,
    SmaCrossover,
    StopLossTakeProfit,
    StopLossTakeProfitParameters,
    Strategy,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STRATEGIES: Final[dict[str, type[Strategy]]] = {"sma_crossover": SmaCrossover}
EXITS: Final[dict[str, tuple[type[Any], type[Any]]]] = {
    "stop_loss_take_profit": (StopLossTakeProfit, StopLossTakeProfitParameters),
    "atr_trailing_stop": (AtrTrailingStop, AtrTrailingStopParameters),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Hold one strategy of a configuration with all that is left open filled in."""

    spec: LaneSpec
    where: str
    strategy_id: str
    symbol: str
    timeframe: Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold what a run is about: configuration, bars, and the fingerprint of both.

    `told_fingerprint` is of the configuration without its secrets, as a run's folder tells it.
    `bars` are the first source; `others` bring the prices of more symbols. Of a symbol with `ticks`
    they are the minutes made of them. With `is_mute` the strategies say nothing: their code
    is neither imported nor run.
    """

    loaded: LoadedConfig
    bars: Bars
    fingerprint: str
    others: tuple[Bars, ...] = ()
    ticks: Mapping[str, Ticks] = field(default_factory=dict)
    is_mute: bool = False
    told_fingerprint: str = ""

    @property
    def config(self) -> BotConfig:
        """Return the configuration."""
        return self.loaded.config

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Return the strategies, in order."""
        return make_lanes(self.config, (self.bars, *self.others))

    @property
    def title(self) -> str:
        """Return what runs, for people."""
        lanes = self.lanes
        if len(lanes) > 1:
            return f"{len(lanes)} strategies on {', '.join(self.symbols)}"
        return f"{lanes[0].spec.name} on {lanes[0].symbol} {lanes[0].timeframe.name}"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the traded symbols, in the order of the strategies."""
        return tuple(dict.fromkeys(lane.symbol for lane in self.lanes))

    def source(self, symbol: str) -> Bars:
        """Return the bars that bring a symbol's prices."""
        return next(one for one in (self.bars, *self.others) if one.symbol == symbol)

    def cut(self, symbol: str, timeframe: Timeframe) -> Series:
        """Return all bars of a symbol in a timeframe."""
        return Series.over(resample(self.source(symbol), timeframe, self.config.venue.clock))

    def strategy(self, lane: int = 0) -> Strategy:
        """Return a new strategy: the first one, or that of another lane."""
        if self.is_mute:
            return MuteStrategy(self.lanes[lane].strategy_id)
        return make_strategy(self.config, self.loaded.folder, lane)

    def market(self) -> Market:
        """Return a new market that has played nothing."""
        first, *rest = (self._feed(number) for number in range(1 + len(self.others)))
        return Market(self.config.venue, first, rest)

    def _feed(self, number: int) -> Feed:
        """Return the prices of a source, with slippage of its own."""
        venue, slips, seed = self.config.venue, self.config.slippage, self.config.seed
        bars = (self.bars, *self.others)[number]
        ticks = self.ticks.get(bars.symbol)
        if ticks is not None:
            return TickFeed(venue, ticks, slips.draw_rows(len(ticks), seed, number))
        if number == 0:
            return BarFeed(venue, bars, slips.draw(len(bars), seed))
        return BarFeed(venue, bars, slips.draw_rows(len(bars), seed, number))


def make_plan(loaded: LoadedConfig, *more: object, is_mute: bool = False) -> Plan:
    """Load the data of a configuration and check that everything can be built.

    Args:
        loaded: the configuration.
        more: what else makes the run what it is, for its fingerprint.
        is_mute: leave the strategies out, whatever is wrong with them.

    Raises:
        InputError: data, strategy or exits are wrong; the message says what would be right.
    """
    config = loaded.config
    loads = [load_source(loaded, spec) for spec in config.sources]
    ticks = {one.symbol: one for one in loads if isinstance(one, Ticks)}
    bars, *others = (minute_bars(one) if isinstance(one, Ticks) else one for one in loads)
    for one in (bars, *others):
        config.venue.instrument(one.symbol)
    for number in range(len(config.lanes)):
        if not is_mute:
            make_strategy(config, loaded.folder, number)
        make_exits(config, number)
    hashes = [one.content_hash() for one in loads]
    plan = Plan(
        loaded=loaded,
        bars=bars,
        others=tuple(others),
        ticks=ticks,
        fingerprint=loaded.fingerprint(*hashes, *more),
        is_mute=is_mute,
        told_fingerprint=loaded.told_fingerprint(*hashes, *more),
    )
    require_risk_parts(config, loaded.folder)
    _require_tradable(plan)
    for one in (bars, *others):
        require_open_hours(config.venue, one)
    try:
        plan.market()  # venue and bars must fit together before anything is written
    except OverflowError as error:
        raise ConfigError(
            f"{loaded.where}: a number of venue or slippage is too large to trade with ({error})"
        ) from error
    return plan


def make_lanes(config: BotConfig, sources: Sequence[Bars]) -> tuple[Lane, ...]:
    """Return the strategies of a configuration over its sources of bars.

    Raises:
        ConfigError: a symbol has no source, a timeframe is too short, or two have one id.
    """
    lanes = tuple(
        _lane(config.place(number), spec, sources) for number, spec in enumerate(config.lanes)
    )
    names = [lane.strategy_id for lane in lanes]
    for lane in lanes:
        if names.count(lane.strategy_id) > 1:
            raise ConfigError(
                f"{lane.where}id: {lane.strategy_id!r} stands twice; give each of them an id"
            )
    return lanes


def _lane(where: str, spec: LaneSpec, sources: Sequence[Bars]) -> Lane:
    by_symbol = {one.symbol: one for one in sources}
    if spec.symbol is None and len(sources) > 1:
        raise ConfigError(f"{where}symbol: there are several, say which: {', '.join(by_symbol)}")
    symbol = spec.symbol or sources[0].symbol
    if symbol not in by_symbol:
        raise ConfigError(
            f"{where}symbol: there are no data of {symbol!r}; {nearest(symbol, list(by_symbol))}"
        )
    base = by_symbol[symbol].timeframe
    timeframe = spec.timeframe or base
    if timeframe.value < base.value:
        raise ConfigError(
            f"{where}timeframe: {timeframe.name} bars cannot be made of {base.name} bars; use "
            f"{base.name} or longer"
        )
    name = spec.name.rsplit(":", 1)[-1]
    strategy_id = spec.id or f"{name}:{symbol}:{timeframe.name}"
    return Lane(spec=spec, where=where, strategy_id=strategy_id, symbol=symbol, timeframe=timeframe)


def make_strategy(config: BotConfig, near: Path = Path(), lane: int = 0) -> Strategy:
    """Return a strategy of a configuration; `near` is where its own modules may lie.

    Raises:
        ConfigError: there is no such strategy, or its parameters are wrong.
    """
    spec = config.lanes[lane]
    where = config.place(lane) or "strategy."
    strategy_class = find_strategy(spec.name, near, where)
    parameters = read(strategy_class.Parameters, spec.parameters, f"{where}parameters")
    return strategy_class(spec.id or spec.name.rsplit(":", 1)[-1], parameters)


def find_strategy(name: str, near: Path = Path(), where: str = "strategy.") -> type[Strategy]:
    """Return the class of a strategy, a shipped one or `module:Class`, here or in `near`.

    Raises:
        ConfigError: there is no such strategy; `where` is the place it is named at.
    """
    return STRATEGIES.get(name) or _imported(name, near.resolve(), where)


def make_exits(config: BotConfig, lane: int = 0) -> list[ExitStrategy]:
    """Return the exits of one of the strategies, in the order of the configuration.

    Raises:
        ConfigError: there is no such exit, its parameters are wrong, or none sets a stop loss.
    """
    exits: list[ExitStrategy] = []
    wanted, where = config.lanes[lane].exits, f"{config.place(lane)}exits"
    for name, raw in wanted.items():
        if name not in EXITS:
            raise ConfigError(f"{where}.{name}: no such exit; {nearest(name, list(EXITS))}")
        exit_class, parameters_class = EXITS[name]
        exits.append(exit_class(read(parameters_class, raw, f"{where}.{name}")))
    if "stop_loss_take_profit" not in wanted:
        raise ConfigError(
            f"{where}: stop_loss_take_profit is needed; without a stop loss a position has no "
            "bounded risk and cannot be sized"
        )
    return exits


def make_engine(
    config: BotConfig, series: Series, strategy: Strategy, folder: Path = Path()
) -> Engine:
    """Return the engine of a configuration's first strategy over a series."""
    slot = _slot(config, 0, strategy, series, strategy_id=strategy.strategy_id)
    return _engine(config, folder, [slot])


def plan_engine(
    plan: Plan,
    series_of: Callable[[str, Timeframe], Series],
    guard: Callable[[Strategy], Strategy] | None = None,
) -> Engine:
    """Return the engine of a plan.

    Args:
        plan: what is to be run.
        series_of: makes a series of a symbol and timeframe: whole, or still empty.
        guard: wraps each strategy.
    """
    slots = []
    for number, lane in enumerate(plan.lanes):
        strategy = plan.strategy(number)
        strategy.strategy_id = lane.strategy_id
        slots.append(
            _slot(
                plan.config,
                number,
                strategy if guard is None else guard(strategy),
                series_of(lane.symbol, lane.timeframe),
                strategy_id=lane.strategy_id,
                longer=partial(series_of, lane.symbol),
            )
        )
    return _engine(plan.config, plan.loaded.folder, slots)


def _slot(
    config: BotConfig,
    lane: int,
    strategy: Strategy,
    series: Series,
    *,
    strategy_id: str,
    longer: Callable[[Timeframe], Series] | None = None,
) -> StrategySlot:
    orders = OrderMaker(
        strategy_id,
        Terms.of(config.venue, series.symbol),
        deviation_points=config.execution.deviation_points,
        deadline_ms=config.execution.decision_deadline_s * 1000,
    )
    return StrategySlot(
        strategy,
        make_exits(config, lane),
        series,
        orders,
        clock=config.venue.clock,
        longer_source=longer,
    )


def _engine(config: BotConfig, folder: Path, slots: Sequence[StrategySlot]) -> Engine:
    identity = BotIdentity(bot=config.execution.bot)
    portfolio = Portfolio(identity, config.venue.clock)
    return Engine(
        slots,
        RiskEngine(config.risk),
        Desk(identity),
        portfolio,
        losses=make_loss_watch(config, folder),
        calendar=load_calendar(config, folder),
    )


def run_backtest(plan: Plan, subscriber: Callable[[Publish], None] | None = None) -> Market:
    """Run a plan in the backtest runner; return the market with its book at the end."""
    market = plan.market()
    BacktestRunner(plan_engine(plan, plan.cut), market, subscriber).run()
    return market


def strategy_facts(config: BotConfig) -> Mapping[str, str]:
    """Return what a report says about how a run was set up."""
    lanes, account = config.lanes, config.venue.account
    return {
        "Strategy": "; ".join(map(_lane_words, lanes)),
        "Exits": "; ".join(dict.fromkeys(", ".join(lane.exits) for lane in lanes)),
        "Risk per trade": f"{config.risk.risk_per_trade_fraction:.2%} of equity",
        "Daily loss limit": f"{config.risk.max_daily_loss_fraction:.2%}",
        "Account": f"{account.deposit:g} {account.currency}, 1:{account.leverage}, "
        f"{account.margin_mode.value}",
        "Server clock": config.venue.server_clock,
        "Seed": str(config.seed),
    }


def _lane_words(spec: LaneSpec) -> str:
    parameters = ", ".join(f"{key}={value}" for key, value in spec.parameters.items())
    timeframe = None if spec.timeframe is None else spec.timeframe.name
    place = "".join(f" {word}" for word in (spec.symbol, timeframe) if word)
    return f"{spec.name}{place} ({parameters or 'defaults'})"


def _imported(name: str, near: Path, where: str) -> type[Strategy]:
    """Return a strategy class named `module:Class`, from here or near the configuration."""
    known: Sequence[str] = list(STRATEGIES)
    module_name, separator, class_name = name.partition(":")
    if not separator:
        raise ConfigError(
            f"{where}name: {name!r} is not known; {nearest(name, list(known))} "
            "(or module:Class for your own)"
        )
    for folder in (str(Path.cwd()), str(near)):  # as `python -m` would find it
        if folder not in sys.path:
            sys.path.append(folder)
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{where}name: {name!r} cannot be imported ({error})") from error
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise ConfigError(f"{where}name: {name!r} is not a Strategy class")
    return found


def _require_tradable(plan: Plan) -> None:
    """Refuse what the strategies of a plan cannot trade together.

    Raises:
        ConfigError: a netting account would mix positions, or another pair converts money.
    """
    venue, lanes = plan.config.venue, plan.lanes
    if venue.account.margin_mode is not MarginMode.HEDGING:
        require_one_slot_a_symbol([lane.symbol for lane in lanes])
    for symbol in plan.symbols:
        pairs = Terms.of(venue, symbol).conversions.foreign_pairs
        if pairs:
            raise ConfigError(
                f"{symbol}: its money converts at the quotes of {', '.join(pairs)}, and bots size "
                "orders at the traded pair's own price only; use an account in "
                f"{venue.instrument(symbol).profit_currency}"
            )
