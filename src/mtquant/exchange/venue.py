"""The typed description of a market: instruments, costs, server clock and account."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Final

from mtquant.exchange.calendar import day_of, week_of
from mtquant.exchange.commission import Commission
from mtquant.exchange.currency import FOREX_MODES, Conversions, conversions
from mtquant.exchange.dealing import Dealing, FillPrice
from mtquant.model import (
    FX_WEEK,
    AccountKind,
    CalculationMode,
    CommissionEntry,
    ConfigError,
    ExecutionMode,
    Expiration,
    Filling,
    GtcMode,
    Instrument,
    MarginMode,
    OrderType,
    ServerClock,
    StopOutMode,
    SwapMode,
    SymbolNotFoundError,
    TradeMode,
    minor_from_money,
    round_half_away,
    units_from_lots,
)
from mtquant.model.reading import nearest

_COSTS: Final = (
    "commission_per_lot",
    "commission_percent",
    "commission_per_deal",
    "commission_minimum",
    "fee_per_lot",
)
FUTURES_MODES: Final = frozenset(
    {
        CalculationMode.FUTURES,
        CalculationMode.EXCH_FUTURES,
        CalculationMode.EXCH_FUTURES_FORTS,
    }
)
BOND_MODES: Final = frozenset({CalculationMode.EXCH_BONDS, CalculationMode.EXCH_BONDS_MOEX})
_EXACT_MONEY = 2**53  # minor units that a float still counts one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentSpec:
    """Describe one instrument in people's units: lots, points, currency names.

    Without a `margin_currency` it is the base currency for forex, else the profit currency.
    `sessions` are the trading hours of Sunday to Saturday in server time, such as "01:05-24:00" or
    "09:00-12:00, 13:00-17:30" or "" (None: the usual week of currencies); `holidays` are dates such
    as "2017-12-25". `depth_points` and `depth_lots` are the levels of the market's depth: how far
    from the best price, and how much is there (none: any volume at the best price).
    """

    digits: int
    contract_size: float
    base_currency: str
    profit_currency: str
    margin_currency: str = ""
    calculation_mode: CalculationMode = CalculationMode.FOREX
    volume_min_lots: float = 0.01
    volume_max_lots: float = 500.0
    volume_step_lots: float = 0.01
    stops_level_points: int = 0
    freeze_level_points: int = 0
    margin_hedged_contract: float = 0.0
    margin_uses_leg: bool = False
    margin_initial: float = 0.0
    margin_initial_short: float = 0.0
    margin_maintenance: float = 0.0
    margin_rates: tuple[float, float, float, float] = (1.0, 1.0, 0.0, 0.0)
    profit_digits: int = 2
    tick_size_points: int = 1
    tick_value: float = 0.0
    settlement_price: float = 0.0
    face_value: float = 0.0
    accrued_interest: float = 0.0
    swap_mode: SwapMode = SwapMode.DISABLED
    swap_long_points: float = 0.0
    swap_short_points: float = 0.0
    swap_long: float = 0.0
    swap_short: float = 0.0
    triple_swap_weekday: int | None = 3
    swap_multipliers: tuple[float, float, float, float, float, float, float] | None = None
    swap_year_days: int = 360
    commission_per_lot: float = 0.0
    commission_percent: float = 0.0
    commission_per_deal: float = 0.0
    commission_minimum: float = 0.0
    commission_entry: CommissionEntry = CommissionEntry.BOTH
    fee_per_lot: float = 0.0
    spread_points: int = 10
    sessions: tuple[str, ...] | None = None
    holidays: tuple[str, ...] = ()
    swap_skips_holidays: bool = False
    execution_mode: ExecutionMode = ExecutionMode.MARKET
    trade_mode: TradeMode = TradeMode.FULL
    real_accounts_only: bool = False
    fillings: tuple[Filling, ...] = (Filling.FOK, Filling.IOC)
    expirations: tuple[Expiration, ...] = tuple(Expiration)
    gtc_mode: GtcMode = GtcMode.GTC
    order_types: tuple[OrderType, ...] = tuple(OrderType)
    stop_loss_allowed: bool = True
    take_profit_allowed: bool = True
    volume_limit_lots: float = 0.0
    margin_pending_rates: tuple[float, float, float, float, float, float] = (0.0,) * 6
    requotes: bool = True
    limit_fill: FillPrice = FillPrice.LEVEL
    target_fill: FillPrice = FillPrice.MARKET
    depth_points: tuple[int, ...] = ()
    depth_lots: tuple[float, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        """Refuse negative costs, and formulas that lack a number.

        Raises:
            ConfigError: commission or spread is negative, a fixed margin or face value is missing,
                or the mode is not traded.
        """
        for name in _COSTS:
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must not be negative: {getattr(self, name)}")
        self._require_swap()
        self._require_depth()
        if self.spread_points < 0:
            raise ConfigError(f"spread_points must not be negative, was {self.spread_points}")
        mode = self.calculation_mode
        if mode is CalculationMode.SERV_COLLATERAL:
            raise ConfigError("calculation_mode: serv_collateral is not tradable")
        if mode in FUTURES_MODES and not self.margin_initial > 0:
            raise ConfigError(f"margin_initial: {mode.value} needs a fixed margin per lot")
        if mode in BOND_MODES and not self.face_value > 0:
            raise ConfigError(f"face_value: {mode.value} needs the face value of a bond")
        if not 0 <= self.profit_digits <= 8:
            raise ConfigError(f"profit_digits must be 0 to 8, was {self.profit_digits}")
        if not 0 <= self.settlement_price < math.inf:
            raise ConfigError(f"settlement_price must not be negative: {self.settlement_price}")

    def _require_swap(self) -> None:
        mode = self.swap_mode
        if mode in {SwapMode.REOPEN_CURRENT, SwapMode.REOPEN_BID}:
            raise ConfigError(f"swap_mode: {mode.value} is not simulated; use points or money")
        in_points = (self.swap_long_points, self.swap_short_points)
        others = (self.swap_long, self.swap_short)
        if mode is not SwapMode.DISABLED and any(others if mode is SwapMode.POINTS else in_points):
            suffix = "_points" if mode is SwapMode.POINTS else ""
            raise ConfigError(
                f"swap_mode: {mode.value} takes swap_long{suffix} and swap_short{suffix} only"
            )
        if not all(math.isfinite(one) for one in in_points + others):
            raise ConfigError(f"swaps must be finite numbers, were {in_points + others}")
        if self.swap_multipliers and not all(0 <= one < math.inf for one in self.swap_multipliers):
            raise ConfigError(f"swap_multipliers must not be negative: {self.swap_multipliers}")
        if self.swap_year_days not in {360, 365, 366}:
            raise ConfigError(f"swap_year_days must be 360, 365 or 366, was {self.swap_year_days}")

    def _require_depth(self) -> None:
        if len(self.depth_points) != len(self.depth_lots):
            raise ConfigError(
                f"depth_points and depth_lots must be of one length, were "
                f"{len(self.depth_points)} and {len(self.depth_lots)}"
            )
        if list(self.depth_points) != sorted(set(self.depth_points)) or min(
            self.depth_points, default=0
        ):
            raise ConfigError(f"depth_points must rise from 0, were {list(self.depth_points)}")
        if not all(0 < lots < math.inf for lots in self.depth_lots):
            raise ConfigError(f"depth_lots must be positive, were {list(self.depth_lots)}")

    def dealing(self) -> Dealing:
        """Return how the venue deals in it."""
        lots = (units_from_lots(one) for one in self.depth_lots)
        return Dealing(
            limit_fill=self.limit_fill,
            target_fill=self.target_fill,
            requotes=self.requotes,
            real_accounts_only=self.real_accounts_only,
            swap_skips_holidays=self.swap_skips_holidays,
            depth=tuple(zip(self.depth_points, lots, strict=True)),
        )

    @property
    def _usual_margin_currency(self) -> str:
        is_forex = self.calculation_mode in FOREX_MODES
        return self.base_currency if is_forex else self.profit_currency

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument in whole numbers.

        Raises:
            ConfigError: the rules contradict themselves.
        """
        same = {name: getattr(self, name) for name in _SAME}
        try:
            return Instrument(
                symbol=symbol,
                margin_currency=self.margin_currency or self._usual_margin_currency,
                volume_min_units=units_from_lots(self.volume_min_lots),
                volume_max_units=units_from_lots(self.volume_max_lots),
                volume_step_units=units_from_lots(self.volume_step_lots),
                volume_limit_units=units_from_lots(self.volume_limit_lots),
                fixed_tick_value=self.tick_value,
                settlement_points=round_half_away(self.settlement_price * 10**self.digits),
                swap_long=self.swap_long_points or self.swap_long,
                swap_short=self.swap_short_points or self.swap_short,
                sessions=FX_WEEK if self.sessions is None else week_of(self.sessions),
                holidays=tuple(day_of(one) for one in self.holidays),
                **same,
            )
        except ValueError as error:
            raise ConfigError(f"{symbol}: {error}") from error


_CONVERTED: Final = {"margin_currency", "swap_long", "swap_short", "sessions", "holidays"}
_SAME: Final = tuple(  # what people write as the book holds it
    one.name
    for one in fields(Instrument)
    if one.name not in _CONVERTED and one.name in InstrumentSpec.__slots__
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSpec:
    """Describe a simulated account: who it is, its money, its rules and limits.

    Profits convert by the market: a gain at the bid, a loss at the ask. With `converts_by_deal` a
    closed buy converts at the ask and a closed sell at the bid. Limits of 0 do not bind. The
    `investor_password` lets look and not trade. Levels of margin call and stop-out are percent of
    the margin, or money where `stop_out_mode` says so.
    """

    login: int = 1000001
    password: str = "demo"  # noqa: S105 - the key of an embedded demo account, not a secret
    investor_password: str = "look"  # noqa: S105 - as above
    name: str = "Demo Trader"
    kind: AccountKind = AccountKind.DEMO
    currency: str = "USD"
    currency_digits: int = 2
    deposit: float = 10_000.0
    credit: float = 0.0
    leverage: int = 100
    margin_mode: MarginMode = MarginMode.HEDGING
    stop_out_mode: StopOutMode = StopOutMode.PERCENT
    margin_call_percent: float = 100.0
    stop_out_percent: float = 50.0
    margin_call_money: float = 0.0
    stop_out_money: float = 0.0
    stops_out_hedged: bool = False
    converts_by_deal: bool = False
    trade_allowed: bool = True
    experts_allowed: bool = True
    fifo_close: bool = False
    hedging_prohibited: bool = False
    limit_orders: int = 0
    limit_positions: int = 0
    limit_requests_per_minute: int = 0

    def __post_init__(self) -> None:
        """Refuse an account that cannot trade.

        Raises:
            ConfigError: a number is out of range, or two rules contradict each other.
        """
        if self.login <= 0:
            raise ConfigError(f"login must be a positive number, was {self.login}")
        if not 0 <= self.currency_digits <= 8:
            raise ConfigError(f"currency_digits must be 0 to 8, was {self.currency_digits}")
        for name in ("deposit", "credit"):
            money = getattr(self, name)
            if not 0 <= money * 10**self.currency_digits < _EXACT_MONEY:
                raise ConfigError(
                    f"{name} must not be negative nor reach 2^53 minor units, was {money:g}"
                )
        if self.leverage < 1:
            raise ConfigError(f"leverage must be at least 1, was {self.leverage}")
        if self.password == self.investor_password:
            raise ConfigError("password and investor_password must differ")
        for name in ("limit_orders", "limit_positions", "limit_requests_per_minute"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} must not be negative, was {getattr(self, name)}")
        self._require_levels()
        if self.fifo_close and self.is_netting:
            raise ConfigError("fifo_close: a netting account has one position a symbol")

    def _require_levels(self) -> None:
        for unit in ("percent", "money"):
            stop_out = getattr(self, f"stop_out_{unit}")
            call = getattr(self, f"margin_call_{unit}")
            if not 0 <= stop_out <= call < math.inf:
                raise ConfigError(
                    f"stop_out_{unit} must lie between 0 and margin_call_{unit}, was "
                    f"{stop_out:g} (margin call {call:g})"
                )

    @property
    def is_netting(self) -> bool:
        """Tell whether there is one position a symbol."""
        return self.margin_mode is not MarginMode.HEDGING

    @property
    def deposit_minor(self) -> int:
        """Return the first deposit in minor units."""
        return minor_from_money(self.deposit, self.currency_digits)

    @property
    def credit_minor(self) -> int:
        """Return the first credit in minor units."""
        return minor_from_money(self.credit, self.currency_digits)

    @property
    def stop_out_minor(self) -> int:
        """Return the stop-out level in minor units, for accounts that state it as money."""
        return minor_from_money(self.stop_out_money, self.currency_digits)


@dataclass(frozen=True, kw_only=True)
class VenueSpec:
    """Describe a whole market; a backtest's costs and a simulated server are the same type."""

    server: str = "mtquant-Demo"
    company: str = "mtquant embedded terminal"
    server_clock: str = "eet_eu"
    account: AccountSpec = field(default_factory=AccountSpec)
    more_accounts: tuple[AccountSpec, ...] = ()
    instruments: Mapping[str, InstrumentSpec]

    def __post_init__(self) -> None:
        """Refuse a venue that no rule can run.

        Raises:
            ConfigError: no instruments, an unknown clock, or a currency that no pair converts.
        """
        if not self.instruments:
            raise ConfigError("instruments: at least one symbol is needed")
        try:
            ServerClock(self.server_clock)
        except ValueError as error:
            raise ConfigError(f"server_clock: {error}") from error
        logins = [account.login for account in self.accounts]
        if len(set(logins)) < len(logins):
            raise ConfigError(f"more_accounts: logins must differ, were {logins}")
        for account in self.accounts:
            for symbol in self.instruments:
                try:
                    self.conversions(symbol, account)
                except ConfigError as error:
                    raise ConfigError(f"instruments.{error}") from error

    @property
    def accounts(self) -> tuple[AccountSpec, ...]:
        """Return all accounts, the usual one first."""
        return (self.account, *self.more_accounts)

    @cached_property
    def clock(self) -> ServerClock:
        """Return the server's clock."""
        return ServerClock(self.server_clock)

    @cached_property
    def book_instruments(self) -> Mapping[str, Instrument]:
        """Return symbol → instrument."""
        return {symbol: spec.instrument(symbol) for symbol, spec in self.instruments.items()}

    def instrument(self, symbol: str) -> Instrument:
        """Return one instrument.

        Raises:
            SymbolNotFoundError: the venue does not trade the symbol.
        """
        found = self.book_instruments.get(symbol)
        if found is None:
            raise SymbolNotFoundError(
                f"symbol {symbol!r} is not traded at {self.server}; "
                f"{nearest(symbol, list(self.instruments))}"
            )
        return found

    def commission(self, symbol: str, account: AccountSpec | None = None) -> Commission:
        """Return what deals of a symbol cost an account (None: the usual one)."""
        spec, scale = self.instruments[symbol], 10.0 ** (account or self.account).currency_digits
        return Commission(
            per_lot_minor=spec.commission_per_lot * scale,
            percent=spec.commission_percent,
            per_deal_minor=spec.commission_per_deal * scale,
            minimum_minor=spec.commission_minimum * scale,
            entry=spec.commission_entry,
            fee_per_lot_minor=spec.fee_per_lot * scale,
        )

    def conversions(self, symbol: str, account: AccountSpec | None = None) -> Conversions:
        """Return how profit, margin and swap of a symbol become money of an account.

        Raises:
            ConfigError: no listed pair converts one of them.
        """
        currency = (account or self.account).currency
        return conversions(self.instrument(symbol), currency, self.book_instruments)
