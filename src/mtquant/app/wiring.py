"""Putting the parts together from a configuration."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.config import BotConfig, LoadedConfig
from mtquant.app.market_data import load_data
from mtquant.engine import BacktestRunner, Engine, OrderMaker, StrategySlot
from mtquant.exchange import Market, Terms, VenueSpec
from mtquant.execution import Desk
from mtquant.model import (
    Bars,
    BotIdentity,
    ConfigError,
    Publish,
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
    from collections.abc import Callable, Mapping, Sequence

STRATEGIES: Final[dict[str, type[Strategy]]] = {"sma_crossover": SmaCrossover}
EXITS: Final[dict[str, tuple[type[Any], type[Any]]]] = {
    "stop_loss_take_profit": (StopLossTakeProfit, StopLossTakeProfitParameters),
    "atr_trailing_stop": (AtrTrailingStop, AtrTrailingStopParameters),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold what a run is about: configuration, bars, and the fingerprint of both."""

    loaded: LoadedConfig
    bars: Bars
    fingerprint: str

    @property
    def config(self) -> BotConfig:
        """Return the configuration."""
        return self.loaded.config

    def strategy(self) -> Strategy:
        """Return a new strategy."""
        return make_strategy(self.config, self.loaded.folder)

    def market(self) -> Market:
        """Return a new market that has played nothing."""
        config = self.config
        slippage = config.slippage.draw(len(self.bars), config.seed)
        return Market.of_bars(config.venue, self.bars, slippage)


def make_plan(loaded: LoadedConfig, *more: object) -> Plan:
    """Load the data of a configuration and check that everything can be built.

    Raises:
        InputError: data, strategy or exits are wrong; the message says what would be right.
    """
    bars = load_data(loaded)
    loaded.config.venue.instrument(bars.symbol)
    make_strategy(loaded.config, loaded.folder)
    make_exits(loaded.config)
    fingerprint = loaded.fingerprint(bars.content_hash(), *more)
    plan = Plan(loaded=loaded, bars=bars, fingerprint=fingerprint)
    _require_open_hours(loaded.config.venue, bars)
    try:
        plan.market()  # venue and bars must fit together before anything is written
    except OverflowError as error:
        raise ConfigError(
            f"{loaded.where}: a number of venue or slippage is too large to trade with ({error})"
        ) from error
    return plan


def make_strategy(config: BotConfig, near: Path = Path()) -> Strategy:
    """Return the strategy of a configuration; `near` is where its own modules may lie.

    Raises:
        ConfigError: there is no such strategy, or its parameters are wrong.
    """
    spec = config.strategy
    strategy_class = find_strategy(spec.name, near)
    parameters = read(strategy_class.Parameters, spec.parameters, "strategy.parameters")
    return strategy_class(spec.name.rsplit(":", 1)[-1], parameters)


def find_strategy(name: str, near: Path = Path()) -> type[Strategy]:
    """Return the class of a strategy, a shipped one or `module:Class`, here or in `near`.

    Raises:
        ConfigError: there is no such strategy.
    """
    return STRATEGIES.get(name) or _imported(name, near.resolve())


def make_exits(config: BotConfig) -> list[ExitStrategy]:
    """Return the exits of a configuration, in its order.

    Raises:
        ConfigError: there is no such exit, its parameters are wrong, or none sets a stop loss.
    """
    exits: list[ExitStrategy] = []
    for name, raw in config.exits.items():
        if name not in EXITS:
            raise ConfigError(f"exits.{name}: no such exit; {nearest(name, list(EXITS))}")
        exit_class, parameters_class = EXITS[name]
        exits.append(exit_class(read(parameters_class, raw, f"exits.{name}")))
    if "stop_loss_take_profit" not in config.exits:
        raise ConfigError(
            "exits: stop_loss_take_profit is needed; without a stop loss a position has no bounded "
            "risk and cannot be sized"
        )
    return exits


def make_engine(config: BotConfig, series: Series, strategy: Strategy) -> Engine:
    """Return the engine of a configuration over a series."""
    identity = BotIdentity(bot=config.execution.bot)
    terms = Terms.of(config.venue, series.symbol)
    orders = OrderMaker(
        strategy.strategy_id,
        terms,
        deviation_points=config.execution.deviation_points,
        deadline_ms=config.execution.decision_deadline_s * 1000,
    )
    slot = StrategySlot(strategy, make_exits(config), series, orders)
    portfolio = Portfolio(identity, config.venue.clock)
    return Engine([slot], RiskEngine(config.risk), Desk(identity), portfolio)


def run_backtest(plan: Plan, subscriber: Callable[[Publish], None] | None = None) -> Market:
    """Run a plan in the backtest runner; return the market with its book at the end."""
    market = plan.market()
    series = Series.over(plan.bars)
    engine = make_engine(plan.config, series, plan.strategy())
    BacktestRunner(engine, market, subscriber).run()
    return market


def strategy_facts(config: BotConfig) -> Mapping[str, str]:
    """Return what a report says about how a run was set up."""
    parameters = ", ".join(f"{key}={value}" for key, value in config.strategy.parameters.items())
    account = config.venue.account
    return {
        "Strategy": f"{config.strategy.name} ({parameters or 'defaults'})",
        "Exits": ", ".join(config.exits),
        "Risk per trade": f"{config.risk.risk_per_trade_fraction:.2%} of equity",
        "Daily loss limit": f"{config.risk.max_daily_loss_fraction:.2%}",
        "Account": f"{account.deposit:g} {account.currency}, 1:{account.leverage}, "
        f"{account.margin_mode.value}",
        "Server clock": config.venue.server_clock,
        "Seed": str(config.seed),
    }


def _imported(name: str, near: Path) -> type[Strategy]:
    """Return a strategy class named `module:Class`, from here or near the configuration."""
    known: Sequence[str] = list(STRATEGIES)
    module_name, separator, class_name = name.partition(":")
    if not separator:
        raise ConfigError(
            f"strategy.name: {name!r} is not known; {nearest(name, list(known))} "
            "(or module:Class for your own)"
        )
    for folder in (str(Path.cwd()), str(near)):  # as `python -m` would find it
        if folder not in sys.path:
            sys.path.append(folder)
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"strategy.name: {name!r} cannot be imported ({error})") from error
    if not (isinstance(found, type) and issubclass(found, Strategy)):
        raise ConfigError(f"strategy.name: {name!r} is not a Strategy class")
    return found


def _require_open_hours(venue: VenueSpec, bars: Bars) -> None:
    """Refuse bars of which most open while trading is closed: no decision could be carried out.

    Some bars in the closed hours are usual; most of them mean another clock than stated, or weeks
    that begin on Sunday midnight.
    """
    instrument, clock = venue.instrument(bars.symbol), venue.clock
    looked_at = bars.time_ms[:: max(1, len(bars) // 500)].tolist()
    closed = sum(
        not instrument.is_open(clock.weekday(ms), clock.to_server_ms(ms) // 60_000 % 1440)
        for ms in looked_at
    )
    if 2 * closed > len(looked_at):
        raise ConfigError(
            f"{bars.symbol}: {100 * closed // len(looked_at)} % of the bars open while trading is "
            f"closed at {venue.server} (server clock {venue.server_clock}); check the clock of the "
            "data, or use bars of a day or shorter"
        )
