"""A hypothetical order, and the account and market that it would meet."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

from mtquant.app.config import LoadedConfig
from mtquant.app.risk.held import Held
from mtquant.app.risk.known_prices import KnownPrices
from mtquant.app.risk_wiring import load_calendar, make_loss_watch
from mtquant.engine import LossWatch
from mtquant.engine.facts import class_of
from mtquant.engine.windows import TradingWindows
from mtquant.exchange import Terms
from mtquant.model import (
    UNITS_PER_LOT,
    AccountSnapshot,
    ConfigError,
    Instrument,
    IntentAction,
    MarginMode,
    OrderIntent,
    Position,
    Quote,
    Side,
    round_half_away,
    units_from_lots,
)
from mtquant.portfolio.exposure import Exposure, ExposureBook, Valuer
from mtquant.risk import (
    OnCorrelation,
    PositionSizer,
    Refusal,
    RiskLimits,
    RiskView,
    Sizing,
    SizingRequest,
)

_MOST_POINTS: Final = 2**31 - 1  # what prices hold
_MOST_MONEY: Final = 1e12
_MOST_POSITIONS: Final = 1000
_RANGES: Final[dict[str, tuple[str, float, float]]] = {
    "lots": ("lots", 1e-8, 1e6),
    "price": ("price", 1e-9, 1e9),
    "stop_distance_points": ("stop", 1, _MOST_POINTS),
    "target_distance_points": ("target", 1, _MOST_POINTS),
    "equity": ("equity", -_MOST_MONEY, _MOST_MONEY),
    "loss": ("loss", 0, _MOST_MONEY),
    "positions": ("positions", 0, _MOST_POSITIONS),
    "spread_points": ("spread", 0, _MOST_POINTS),
    "atr_points": ("atr", 0, _MOST_POINTS),
    "annual_volatility_fraction": ("volatility", 0, 100),
}
"""The option of each number, its least and its most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """Hold what a person asks about; None is what the configuration or the market says.

    `lots`, `price`, `equity` and `loss` (of today, realized) are as people write them: equity is
    what is left after the loss, the deposit less the loss where it is not given. `positions` is
    how many like the order are held, `held` what else is; `at_ms` is UTC. `atr_points` and
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
    held: tuple[Held, ...] = ()
    spread_points: int | None = None
    atr_points: float | None = None
    annual_volatility_fraction: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no order or account can have.

        Raises:
            ConfigError: the message names the option and the value.
        """
        for name, (option, least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not math.isfinite(value):
                raise ConfigError(f"--{option}: {value} is no finite number")
            if not least <= value <= most:
                raise ConfigError(f"--{option}: {value:g} cannot be; use {least:g} to {most:g}")


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
    prices: KnownPrices
    others: tuple[tuple[Held, Valuer], ...] = ()
    positions: tuple[Position, ...] = ()

    @classmethod
    def of(cls, loaded: LoadedConfig, asked: Hypothesis) -> Stand:
        """Return the stand of an account that holds nothing yet.

        Raises:
            ConfigError: a symbol is not traded, its money converts at another pair's quotes, no
                price is known, or a netting account would hold positions in it.
        """
        config, limits = loaded.config, loaded.config.risk
        terms = _terms(loaded, asked.symbol)
        account = _account(loaded, asked)
        is_held = asked.positions or any(one.symbol == asked.symbol for one in asked.held)
        if is_held and account.margin_mode is not MarginMode.HEDGING:
            raise ConfigError(
                "--positions, --hold: on a netting account a bot opens nothing in a symbol that "
                "has a position; leave it out"
            )
        watch = make_loss_watch(config, loaded.folder)
        prices = KnownPrices(loaded, asked.at_ms)
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
            quote=_quote(loaded, asked, terms.instrument, prices),
            prices=prices,
            others=tuple((one, _valuer(_terms(loaded, one.symbol), limits)) for one in asked.held),
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
            scale=self.watch.scale * self._correlation_scale(),
            atr_points=asked.atr_points,
            annual_volatility_fraction=asked.annual_volatility_fraction,
        )
        sizer = PositionSizer(limits.sizing, limits.risk_per_trade_fraction)
        return sizer.size(self.terms, self.account, request)

    def holding(self, units: int) -> Stand:
        """Return the stand with what it is asked to hold, positions like the order first."""
        like = Held(
            symbol=self.asked.symbol,
            side=self.asked.side,
            lots=units / UNITS_PER_LOT,
            stop_distance_points=self.asked.stop_distance_points,
        )
        rows = [*[(like, self.valuer)] * self.asked.positions, *self.others]
        held = tuple(
            self._position(ticket, one, valuer.terms)
            for ticket, (one, valuer) in enumerate(rows, start=1)
        )
        is_netting = self.account.margin_mode is not MarginMode.HEDGING
        margin_minor = sum(
            valuer.terms.margin_to_open(
                one.side.value, position.volume_units, position.open_points, is_netting=is_netting
            )
            for position, (one, valuer) in zip(held, rows, strict=True)
        )
        account = replace(self.account, margin_minor=margin_minor)
        return replace(self, positions=held, account=account)

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
            entries_today=self.asked.positions,
            entries_in_a_row=self.asked.positions,
            cash_lack_minor=0,
            halt_level=0,
            is_ready=True,
            valuer=self.valuer,
            exposure=self._exposure(),
            reference_points=self.prices.last_points_if_any(self.asked.symbol),
            server_wall_ms=clock.to_server_ms(at_ms),
            week_start_balance_minor=start_minor,
            week_loss_minor=self.loss_minor,
            drawdown_fraction=self.watch.drawdown_fraction,
            correlation=self._correlation(),
            news=self.windows.news(at_ms, self.instrument),
            breaker_level=self.watch.level,
            prop_words=self._prop_words(intent),
            trade_mode=self.instrument.trade_mode,
        )

    def _exposure(self) -> Exposure:
        valuers = {one.symbol: valuer for one, valuer in self.others}
        return ExposureBook({**valuers, self.asked.symbol: self.valuer}).sum(self.positions, ())

    def _correlation(self) -> tuple[float, str] | None:
        """Return the highest correlation of the order with what is held, and with which symbol."""
        limits, asked = self.loaded.config.risk, self.asked
        if limits.max_correlation is None:
            return None
        found = []
        for one in asked.held:
            if one.symbol != asked.symbol:
                bars = limits.correlation_bars
                likeness = self.prices.likeness(asked.symbol, one.symbol, bars)
                if likeness is not None:
                    found.append((likeness * asked.side.value * one.side.value, one.symbol))
        return max(found, default=None)

    def _correlation_scale(self) -> float:
        """Return what `on_correlation: reduce` leaves of a size, as the engine has it."""
        limits, found = self.loaded.config.risk, self._correlation()
        most = limits.max_correlation
        if most is None or found is None or limits.on_correlation is not OnCorrelation.REDUCE:
            return 1.0
        return 1.0 if found[0] <= most else max(0.0, (1.0 - found[0]) / (1.0 - most))

    def _prop_words(self, intent: OrderIntent) -> str:
        if self.watch.prop is None:
            return ""
        if self.stop_points is None:
            return "an order without a stop loss may lose what nobody can tell"
        words = self.windows.prop_words(self.asked.at_ms, self.instrument, 0)
        order_minor = worst_minor = -self.terms.profit(
            intent.side.value, intent.volume_units, self.entry_points, self.stop_points
        )
        terms = {one.symbol: valuer.terms for one, valuer in self.others}
        terms[self.asked.symbol] = self.terms
        for one in self.positions:
            if one.stop_loss_points is None:
                return words or f"the held {one.symbol} has no stop loss; give it one: stop 300"
            worst_minor -= terms[one.symbol].profit(
                one.side.value, one.volume_units, one.open_points, one.stop_loss_points
            )
        return words or self.watch.prop_words(self.asked.at_ms, max(0, worst_minor), order_minor)

    def _position(self, ticket: int, one: Held, terms: Terms) -> Position:
        at_ms, instrument = self.asked.at_ms, terms.instrument
        is_like = ticket <= self.asked.positions
        entry = self.entry_points if is_like else _held_points(one, instrument, self.prices)
        distance = one.stop_distance_points
        return Position(
            position_ticket=ticket,
            symbol=one.symbol,
            side=one.side,
            volume_units=units_from_lots(one.lots),
            open_points=entry,
            open_ms=at_ms,
            current_points=entry,
            current_ms=at_ms,
            stop_loss_points=None if distance is None else entry - one.side.value * distance,
            take_profit_points=self.target_points if is_like else None,
            profit_minor=0,
            swap_minor=0,
            digits=instrument.digits,
            contract_size=instrument.contract_size,
            money_digits=self.account.currency_digits,
        )


def _terms(loaded: LoadedConfig, symbol: str) -> Terms:
    terms = Terms.of(loaded.config.venue, symbol)
    if terms.conversions.foreign_pairs:
        pairs = ", ".join(terms.conversions.foreign_pairs)
        raise ConfigError(f"{symbol}: its money converts at the quotes of {pairs}")
    return terms


def _held_points(one: Held, instrument: Instrument, prices: KnownPrices) -> int:
    if one.price is not None:
        return _points(one.price, instrument, "--hold")
    points = prices.last_points(one.symbol)
    if not points:
        raise ConfigError(
            f"--hold: the configuration has no data of {one.symbol} at that moment; give the "
            f"price, such as '{one.symbol} {one.side.name.lower()} {one.lots:g} at 1.25'"
        )
    return points


def _points(price: float, instrument: Instrument, option: str) -> int:
    points = round_half_away(price * 10**instrument.digits)
    if not 1 <= points <= _MOST_POINTS:
        raise ConfigError(
            f"{option}: {price:g} is no price of {instrument.symbol}, which has "
            f"{instrument.digits} digits"
        )
    return points


def _account(loaded: LoadedConfig, asked: Hypothesis) -> AccountSnapshot:
    spec, server = loaded.config.venue.account, loaded.config.venue.server
    equity = spec.deposit - asked.loss if asked.equity is None else asked.equity
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


def _quote(
    loaded: LoadedConfig, asked: Hypothesis, instrument: Instrument, prices: KnownPrices
) -> Quote:
    """Return the quote that the order meets at its price."""
    spread = asked.spread_points
    if spread is None:
        spread = loaded.config.venue.instruments[asked.symbol].spread_points
    if asked.price is None:
        bid = prices.last_points(asked.symbol)
        if not bid:
            raise ConfigError(
                f"--price: the configuration has no data of {asked.symbol} at that moment; give "
                "the price"
            )
    else:
        price = _points(asked.price, instrument, "--price")
        bid = price - spread if asked.side is Side.BUY else price
    if bid < 1:
        raise ConfigError(
            f"--price: it leaves a bid of {bid} points; give a price above the spread"
        )
    _require_levels(asked, bid + spread if asked.side is Side.BUY else bid)
    return Quote(symbol=asked.symbol, time_ms=asked.at_ms, bid_points=bid, ask_points=bid + spread)


def _require_levels(asked: Hypothesis, entry_points: int) -> None:
    """Refuse a stop or target that would lie at no price."""
    below = ("stop", asked.stop_distance_points)
    if asked.side is Side.SELL:
        below = ("target", asked.target_distance_points)
    option, distance = below
    if distance is not None and distance >= entry_points:
        raise ConfigError(
            f"--{option}: {distance} points are more than the price, {entry_points} points"
        )
