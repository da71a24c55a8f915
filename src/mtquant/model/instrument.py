"""The trading rules of a symbol."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mtquant.model.kinds import (
    CalculationMode,
    ExecutionMode,
    Expiration,
    Filling,
    GtcMode,
    OrderType,
    SwapMode,
    TradeMode,
)
from mtquant.model.numbers import (
    UNITS_PER_LOT,
    floor_to_step,
    round_half_away,
)

_MONEY = (
    "margin_hedged_contract",
    "margin_initial",
    "margin_initial_short",
    "margin_maintenance",
    "fixed_tick_value",
    "face_value",
    "accrued_interest",
)
_DAY_MS = 86_400_000
Session = tuple[int, int]  # server minutes of a day: from (included), to (excluded)

FX_WEEK: tuple[tuple[Session, ...], ...] = (
    ((1380, 1440),),  # Sunday 23:00: American and European summer time differ for some weeks
    *(((0, 1440),),) * 5,
    (),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """State how a symbol is traded: precision, volume, formulas, costs and hours.

    Prices are whole points (10^-digits), volumes units of 1e-8 lots. `swap_long` and
    `swap_short` are per lot and night, in what `swap_mode` says; `triple_swap_weekday` counts from
    0 = Sunday, None for no triple day; `swap_multipliers`, Sunday to Saturday, stand before it.
    `sessions` holds, for Sunday to Saturday, (from, to) in server minutes; `holidays` are days
    since 1970-01-01 by the server's calendar on which nothing is traded. `fillings` are those that
    market orders may ask for where the execution mode does not take them all.
    `volume_limit_units` bounds a symbol's position and orders of one direction (0: no bound).
    `margin_pending_rates` multiply the margin of waiting orders: limit long and short, stop long
    and short, stop-limit long and short.
    A `margin_initial` above 0 is a fixed margin, money per lot; `margin_rates` multiply the margin:
    initial long and short, then maintenance long and short (0: the initial one). `margin_rates`,
    `face_value` and `fixed_tick_value` (0: contract x tick size) are as the server states them.
    """

    symbol: str
    digits: int
    contract_size: float
    base_currency: str
    profit_currency: str
    margin_currency: str
    calculation_mode: CalculationMode = CalculationMode.FOREX
    tick_size_points: int = 1
    volume_min_units: int = UNITS_PER_LOT // 100
    volume_max_units: int = 500 * UNITS_PER_LOT
    volume_step_units: int = UNITS_PER_LOT // 100
    stops_level_points: int = 0
    freeze_level_points: int = 0
    profit_digits: int = 2
    margin_hedged_contract: float = 0.0
    margin_uses_leg: bool = False
    margin_initial: float = 0.0
    margin_initial_short: float = 0.0
    margin_maintenance: float = 0.0
    margin_rates: tuple[float, float, float, float] = (1.0, 1.0, 0.0, 0.0)
    fixed_tick_value: float = 0.0
    settlement_points: int = 0
    face_value: float = 0.0
    accrued_interest: float = 0.0
    swap_mode: SwapMode = SwapMode.DISABLED
    swap_long: float = 0.0
    swap_short: float = 0.0
    triple_swap_weekday: int | None = 3
    swap_multipliers: tuple[float, float, float, float, float, float, float] | None = None
    swap_year_days: int = 360
    sessions: tuple[tuple[Session, ...], ...] = FX_WEEK
    holidays: tuple[int, ...] = ()
    execution_mode: ExecutionMode = ExecutionMode.MARKET
    trade_mode: TradeMode = TradeMode.FULL
    fillings: tuple[Filling, ...] = (Filling.FOK, Filling.IOC)
    expirations: tuple[Expiration, ...] = tuple(Expiration)
    gtc_mode: GtcMode = GtcMode.GTC
    order_types: tuple[OrderType, ...] = tuple(OrderType)
    stop_loss_allowed: bool = True
    take_profit_allowed: bool = True
    volume_limit_units: int = 0
    margin_pending_rates: tuple[float, float, float, float, float, float] = (0.0,) * 6
    description: str = ""

    def __post_init__(self) -> None:
        """Refuse contradictory rules.

        Raises:
            ValueError: a rule is out of its range; the message names it.
        """
        if not self.symbol or len(self.symbol) > 29:
            raise ValueError(f"symbol must have 1 to 29 characters, was {self.symbol!r}")
        if not 0 <= self.digits <= 8:
            raise ValueError(f"digits must be 0 to 8, was {self.digits}")
        if not (math.isfinite(self.contract_size) and self.contract_size > 0):
            raise ValueError(f"contract_size must be positive, was {self.contract_size}")
        if not 0 < self.volume_step_units <= self.volume_min_units <= self.volume_max_units:
            raise ValueError(
                "volumes must satisfy 0 < step <= min <= max, were "
                f"{self.volume_step_units}, {self.volume_min_units}, {self.volume_max_units} units"
            )
        self._require_money_in_range()
        for name in ("tick_size_points", "stops_level_points", "freeze_level_points"):
            if getattr(self, name) < (name == "tick_size_points"):
                raise ValueError(f"{name} is too small, was {getattr(self, name)}")
        if len(self.sessions) != 7:
            raise ValueError(f"sessions must list seven days, had {len(self.sessions)}")
        if self.volume_limit_units < 0:
            raise ValueError(
                f"volume_limit_units must not be negative, was {self.volume_limit_units}"
            )

    def _require_money_in_range(self) -> None:
        for name in _MONEY:
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ValueError(f"{name} must not be negative, was {getattr(self, name)}")
        for name, count in (("margin_rates", 4), ("margin_pending_rates", 6)):
            rates = getattr(self, name)
            if len(rates) != count or not all(0 <= one < math.inf for one in rates):
                raise ValueError(f"{name} must be {count}, none negative, were {rates}")

    @property
    def point(self) -> float:
        """Return the smallest price digit, 10^-digits."""
        return float(10**-self.digits)

    @property
    def tick_size(self) -> float:
        """Return the smallest price step as a price."""
        return self.tick_size_points / float(10**self.digits)

    @property
    def tick_value(self) -> float:
        """Return what one tick size is worth per lot, in the profit currency."""
        if self.fixed_tick_value > 0:
            return self.fixed_tick_value
        return self.contract_size * self.tick_size_points / float(10**self.digits)

    @property
    def drops_levels_daily(self) -> bool:
        """Tell whether protective levels end with the day; the mode counts where GTC is allowed."""
        return self.gtc_mode is GtcMode.DAILY and Expiration.GTC in self.expirations

    @property
    def market_filling(self) -> Filling:
        """Return the filling that market orders ask for: the strictest that the symbol allows."""
        wanted = (Filling.FOK, Filling.IOC)
        return next((one for one in wanted if one in self.fillings), Filling.RETURN)

    def points(self, price: float) -> int:
        """Return a price as whole points.

        >>> from mtquant.model import Instrument
        >>> eurusd = Instrument(symbol="EURUSD", digits=5, contract_size=100_000,
        ...     base_currency="EUR", profit_currency="USD", margin_currency="EUR")
        >>> eurusd.points(1.05236), eurusd.price(105_236)
        (105236, 1.05236)

        Raises:
            ValueError: the price is not a finite number.
        """
        if not math.isfinite(price):
            raise ValueError(f"price must be finite, was {price}")
        return round_half_away(price * 10**self.digits)

    def price(self, points: int) -> float:
        """Return whole points as a price, for people and for the terminal."""
        return points / float(10**self.digits)

    def floor_units(self, units: int) -> int:
        """Return the largest tradable volume not above `units` (1e-8 lots), 0 if none is."""
        return floor_to_step(
            units, self.volume_min_units, self.volume_max_units, self.volume_step_units
        )

    def is_open(self, weekday: int, server_minute: int) -> bool:
        """Tell whether trading is open at a server weekday (0 = Sunday) and minute of the day."""
        return any(start <= server_minute < end for start, end in self.sessions[weekday])

    def is_open_at(self, server_ms: int) -> bool:
        """Tell whether trading is open at a server wall time, holidays included."""
        day, in_day = divmod(server_ms, _DAY_MS)
        if day in self.holidays:
            return False
        return self.is_open((day + 4) % 7, in_day // 60_000)
