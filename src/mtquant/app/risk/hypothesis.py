"""A hypothetical order, and the account and market that it would meet."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from mtquant.app.config import LoadedConfig
from mtquant.app.risk_wiring import load_calendar, make_loss_watch
from mtquant.app.sources import load_source
from mtquant.engine import LossWatch
from mtquant.engine.facts import class_of
from mtquant.engine.windows import TradingWindows
from mtquant.exchange import Terms
from mtquant.model import (
    AccountSnapshot,
    ConfigError,
    Instrument,
    IntentAction,
    MarginMode,
    OrderIntent,
    Position,
    Quote,
    Side,
    Ticks,
    round_half_away,
)
from mtquant.portfolio.exposure import Exposure, ExposureBook, Valuer
from mtquant.risk import (
    PositionSizer,
    Refusal,
    RiskLimits,
    RiskView,
    Sizing,
    SizingRequest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """Hold what a person asks about; None is what the configuration or the market says.

    `lots`, `price`, `equity` and `loss` (of today, realized) are as people write them; `positions`
    is how many like the order are held; `at_ms` is UTC. `atr_points` and
    `annual_volatility_fraction` are for the sizing methods that go by them.
    """

    symbol: str
    side: Side
    at_ms: int
    lots: float | None = None
    price: float | None = None
    stop_distance_points: int | None = None
    target_distance_points: int | None = None
    equity: float | None = None
    loss: float = 0.0
    positions: int = 0
    spread_points: int | None = None
    atr_points: float | None = None
    annual_volatility_fraction: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no number.

        Raises:
            ConfigError: the message names the value.
        """
        for name in ("lots", "price", "equity", "loss", "atr_points", "annual_volatility_fraction"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ConfigError(f"{name}: {value} is no finite number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Hold how account and market stand when the order is asked about, and what watches losses."""

    asked: Hypothesis
    loaded: LoadedConfig
    terms: Terms
    valuer: Valuer
    watch: LossWatch
    windows: TradingWindows
    account: AccountSnapshot
    quote: Quote
    positions: tuple[Position, ...] = ()

    @classmethod
    def of(cls, loaded: LoadedConfig, asked: Hypothesis) -> Stand:
        """Return the stand of an account that holds nothing yet.

        Raises:
            ConfigError: the symbol is not traded, its money converts at another pair's quotes, no
                price is known, or a netting account would hold positions in it.
        """
        config, limits = loaded.config, loaded.config.risk
        terms = Terms.of(config.venue, asked.symbol)
        if terms.conversions.foreign_pairs:
            pairs = ", ".join(terms.conversions.foreign_pairs)
            raise ConfigError(f"{asked.symbol}: its money converts at the quotes of {pairs}")
        account = _account(loaded, asked)
        if asked.positions and account.margin_mode is not MarginMode.HEDGING:
            raise ConfigError(
                "--positions: on a netting account a bot opens nothing in a symbol that has a "
                "position; leave it out"
            )
        watch = make_loss_watch(config, loaded.folder)
        lost_minor = _minor(asked.loss, account)
        for minor in (account.equity_minor + lost_minor, account.equity_minor):
            watch.observe(asked.at_ms, minor, minor)
        return cls(
            asked=asked,
            loaded=loaded,
            terms=terms,
            valuer=_valuer(terms, limits),
            watch=watch,
            windows=TradingWindows(
                limits,
                config.venue.clock,
                load_calendar(config, loaded.folder),
                None if watch.prop is None else watch.prop.rules,
            ),
            account=account,
            quote=_quote(loaded, asked, terms.instrument),
        )

    @property
    def instrument(self) -> Instrument:
        """Return the instrument."""
        return self.terms.instrument

    @property
    def method(self) -> str:
        """Return the name of the sizing method."""
        return self.loaded.config.risk.sizing.method.value

    @property
    def entry_points(self) -> int:
        """Return the price that the order would meet."""
        is_buy = self.asked.side is Side.BUY
        return self.quote.ask_points if is_buy else self.quote.bid_points

    @property
    def stop_points(self) -> int | None:
        """Return the stop loss, None without one."""
        distance = self.asked.stop_distance_points
        return None if distance is None else self.entry_points - self.asked.side.value * distance

    @property
    def target_points(self) -> int | None:
        """Return the take profit, None without one."""
        distance = self.asked.target_distance_points
        return None if distance is None else self.entry_points + self.asked.side.value * distance

    @property
    def loss_minor(self) -> int:
        """Return what was lost today, minor units."""
        return _minor(self.asked.loss, self.account)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; prices in points, money in minor units."""
        return {
            "symbol": self.asked.symbol,
            "side": self.asked.side.name,
            "time_ms": self.asked.at_ms,
            "entry_points": self.entry_points,
            "stop_loss_points": self.stop_points,
            "take_profit_points": self.target_points,
            "spread_points": self.quote.spread_points,
            "currency": self.account.currency,
            "equity_minor": self.account.equity_minor,
            "margin_minor": self.account.margin_minor,
            "positions": len(self.positions),
        }

    def size(self) -> Sizing | Refusal:
        """Return the volume that the sizer gives, with what the breaker leaves of it."""
        if self.stop_points is None:
            return Refusal(rule="stop_loss", value="none", limit="required", remedy="give --stop")
        asked, limits = self.asked, self.loaded.config.risk
        request = SizingRequest(
            side=asked.side,
            entry_points=self.entry_points,
            stop_points=self.stop_points,
            scale=self.watch.scale,
            atr_points=asked.atr_points,
            annual_volatility_fraction=asked.annual_volatility_fraction,
        )
        sizer = PositionSizer(limits.sizing, limits.risk_per_trade_fraction)
        return sizer.size(self.terms, self.account, request)

    def holding(self, count: int, units: int) -> Stand:
        """Return the stand with positions like the order, and their margin."""
        is_netting = self.account.margin_mode is not MarginMode.HEDGING
        each_minor = self.terms.margin_to_open(
            self.asked.side.value, units, self.entry_points, is_netting=is_netting
        )
        return replace(
            self,
            positions=tuple(self._position(ticket, units) for ticket in range(1, count + 1)),
            account=replace(self.account, margin_minor=count * each_minor),
        )

    def intent(self, units: int) -> OrderIntent:
        """Return the order with a volume (1e-8 lots)."""
        return OrderIntent(
            strategy_id="hypothetical",
            symbol=self.asked.symbol,
            action=IntentAction.OPEN,
            side=self.asked.side,
            volume_units=units,
            trigger="explain",
            decided_ms=self.asked.at_ms,
            deadline_ms=self.asked.at_ms,
            price_points=self.entry_points,
            stop_loss_points=self.stop_points,
            take_profit_points=self.target_points,
        )

    def view(self, intent: OrderIntent) -> RiskView:
        """Return what the gate would look at."""
        at_ms, clock = self.asked.at_ms, self.loaded.config.venue.clock
        start_minor = self.account.equity_minor + self.loss_minor
        return RiskView(
            now_ms=at_ms,
            account=self.account,
            instrument=self.instrument,
            quote=self.quote,
            positions=self.positions,
            in_flight=(),
            may_come=(),
            day_start_balance_minor=start_minor,
            day_loss_minor=self.loss_minor,
            entries_in_minute=0,
            entries_today=len(self.positions),
            entries_in_a_row=len(self.positions),
            cash_lack_minor=0,
            halt_level=0,
            is_ready=True,
            valuer=self.valuer,
            exposure=self._exposure(),
            reference_points=self.quote.bid_points,
            server_wall_ms=clock.to_server_ms(at_ms),
            week_start_balance_minor=start_minor,
            week_loss_minor=self.loss_minor,
            drawdown_fraction=self.watch.drawdown_fraction,
            news=self.windows.news(at_ms, self.instrument),
            breaker_level=self.watch.level,
            prop_words=self._prop_words(intent),
            trade_mode=self.instrument.trade_mode,
        )

    def _exposure(self) -> Exposure:
        return ExposureBook({self.asked.symbol: self.valuer}).sum(self.positions, ())

    def _prop_words(self, intent: OrderIntent) -> str:
        if self.watch.prop is None:
            return ""
        if self.stop_points is None:
            return "an order without a stop loss may lose what nobody can tell"
        words = self.windows.prop_words(self.asked.at_ms, self.instrument, 0)
        volumes = [intent.volume_units, *(one.volume_units for one in self.positions)]
        side, entry, stop = self.asked.side.value, self.entry_points, self.stop_points
        losses_minor = [-self.terms.profit(side, units, entry, stop) for units in volumes]
        worst_minor = max(0, sum(losses_minor))
        return words or self.watch.prop_words(self.asked.at_ms, worst_minor, losses_minor[0])

    def _position(self, ticket: int, units: int) -> Position:
        entry, at_ms = self.entry_points, self.asked.at_ms
        return Position(
            position_ticket=ticket,
            symbol=self.asked.symbol,
            side=self.asked.side,
            volume_units=units,
            open_points=entry,
            open_ms=at_ms,
            current_points=entry,
            current_ms=at_ms,
            stop_loss_points=self.stop_points,
            take_profit_points=self.target_points,
            profit_minor=0,
            swap_minor=0,
            digits=self.instrument.digits,
            contract_size=self.instrument.contract_size,
            money_digits=self.account.currency_digits,
        )


def _account(loaded: LoadedConfig, asked: Hypothesis) -> AccountSnapshot:
    spec, server = loaded.config.venue.account, loaded.config.venue.server
    equity = spec.deposit if asked.equity is None else asked.equity
    minor = round_half_away(equity * 10**spec.currency_digits)
    return AccountSnapshot(
        login=spec.login,
        server=server,
        currency=spec.currency,
        currency_digits=spec.currency_digits,
        leverage=spec.leverage,
        margin_mode=spec.margin_mode,
        is_demo=True,
        trade_allowed=spec.trade_allowed,
        balance_minor=minor,
        equity_minor=minor,
        margin_minor=0,
        time_ms=asked.at_ms,
    )


def _minor(money: float, account: AccountSnapshot) -> int:
    return round_half_away(money * 10**account.currency_digits)


def _valuer(terms: Terms, limits: RiskLimits) -> Valuer:
    kind = class_of(terms.instrument, limits)
    cap = limits.max_leverage.get(kind.value, 0.0)
    return Valuer(terms=terms, asset_class=kind.group, leverage_cap=cap, leverage_class=kind.value)


def _quote(loaded: LoadedConfig, asked: Hypothesis, instrument: Instrument) -> Quote:
    """Return the quote that the order meets at its price."""
    spread = asked.spread_points
    if spread is None:
        spread = loaded.config.venue.instruments[asked.symbol].spread_points
    if asked.price is None:
        bid = _last_bid(loaded, asked.symbol)
    else:
        price = round_half_away(asked.price * 10**instrument.digits)
        bid = price - spread if asked.side is Side.BUY else price
    if bid < 1:
        raise ConfigError(
            f"--price: it leaves a bid of {bid} points; give a price above the spread"
        )
    return Quote(symbol=asked.symbol, time_ms=asked.at_ms, bid_points=bid, ask_points=bid + spread)


def _last_bid(loaded: LoadedConfig, symbol: str) -> int:
    """Return the last bid of the configured data."""
    for spec in loaded.config.sources:
        source = load_source(loaded, spec)
        if source.symbol == symbol and len(source):
            column = source.bid if isinstance(source, Ticks) else source.close
            return int(column[-1])
    raise ConfigError(f"--price: the configuration has no data of {symbol}; give the price")
