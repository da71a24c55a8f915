"""A run as the kernels take it: a venue, bars, exits and limits written out in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mtquant.engine.kernels.calendar import make_calendar
from mtquant.engine.kernels.columns import frozen
from mtquant.engine.kernels.layout import (
    FAR,
    BarColumns,
    Bot,
    Calendar,
    Money,
    TickColumns,
    Trading,
)
from mtquant.engine.kernels.terms import make_money, make_trading
from mtquant.exchange import Terms, VenueSpec
from mtquant.exchange.rules import modes
from mtquant.indicators import Atr
from mtquant.model import (
    Bars,
    MarketDataError,
    OrderType,
    TradeMode,
)
from mtquant.risk import RiskLimits
from mtquant.strategy import AtrTrailingStop, ExitStrategy, StopLossTakeProfit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mtquant.model import Ticks
    from mtquant.strategy import Series

_NO_ATR: Final = np.zeros(1)
_USUAL: Final = RiskLimits()
_KNOWN_LIMITS: Final = frozenset(
    {
        "risk_per_trade_fraction",
        "max_positions",
        "max_daily_loss_fraction",
        "max_spread_points",
        "max_quote_age_s",  # a price of a backtest is never old
        "max_entries_per_minute",
        "price_band_fraction",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """State what a run is about, apart from what the strategy says.

    `slippage` is int32[n, 2], points a buy and a sell slip in each bar; None: none.
    `bot` is the bot's number, for the numbers of its intents.
    """

    venue: VenueSpec
    symbol: str
    exits: tuple[ExitStrategy, ...]
    limits: RiskLimits
    deviation_points: int = 20
    bot: int = 1
    slippage: NDArray[np.int32] | None = field(default=None, compare=False)


def objections(spec: RunSpec) -> tuple[str, ...]:
    """Return why a run needs the event-driven engine; none: a kernel gives the same deals."""
    found = (*_venue_objections(spec.venue, spec.symbol), *_exit_objections(spec))
    return (*found, *limit_objections(spec.limits))


def limit_objections(limits: RiskLimits) -> tuple[str, ...]:
    """Return which limits have no scalar rule.

    That of entries a minute needs none: whoever decides on bars enters once a minute at most. That
    of positions needs none either: a kernel holds one.
    """
    found = [
        f"the limits state {one.name}"
        for one in fields(limits)
        if one.name not in _KNOWN_LIMITS and getattr(limits, one.name) != getattr(_USUAL, one.name)
    ]
    if limits.max_entries_per_minute == 1:
        # the second attempt after a requote would be the second entry of its minute
        found.append("the limits allow one entry a minute")
    return tuple(found)


def _venue_objections(venue: VenueSpec, symbol: str) -> Iterator[str]:
    terms = Terms.of(venue, symbol)
    instrument, account, dealing = terms.instrument, venue.account, terms.dealing
    pairs = terms.conversions.foreign_pairs
    if pairs:
        yield f"{symbol}: its money converts at the quotes of {', '.join(pairs)}"
    if dealing.depth:
        yield f"{symbol}: orders meet a market depth"
    if terms.mode in {modes.EXCH_FUTURES_FORTS, modes.SERV_COLLATERAL}:
        yield f"{symbol}: {instrument.calculation_mode.value} margins"
    if instrument.accrued_interest:
        yield f"{symbol}: bonds with accrued interest"
    is_tradable = instrument.trade_mode is not TradeMode.DISABLED
    takes_levels = instrument.stop_loss_allowed and instrument.take_profit_allowed
    takes_orders = OrderType.MARKET in instrument.order_types
    if dealing.real_accounts_only or not (is_tradable and takes_levels and takes_orders):
        yield f"{symbol}: trading is restricted"
    if not (account.trade_allowed and account.experts_allowed):
        yield "the account does not let bots trade"
    if account.limit_requests_per_minute:
        yield "the account limits requests"
    if account.stops_out_hedged:
        yield "the account stops out hedged positions"


def _exit_objections(spec: RunSpec) -> Iterator[str]:
    known = [one for one in spec.exits if isinstance(one, StopLossTakeProfit | AtrTrailingStop)]
    for one in spec.exits:
        if type(one) not in {StopLossTakeProfit, AtrTrailingStop}:
            yield f"exit {one.name} has no scalar rule"
    trails = any(isinstance(one, AtrTrailingStop) for one in known)
    if trails and spec.venue.instrument(spec.symbol).drops_levels_daily:
        yield f"{spec.symbol}: a trailing stop where levels end with the day"
    for kind in (StopLossTakeProfit, AtrTrailingStop):
        if sum(isinstance(one, kind) for one in known) > 1:
            yield f"two exits are {kind.name}"


@dataclass(frozen=True, slots=True)
class Job:
    """Hold a run written out in numbers; `columns` are what the kernel walks.

    No fill of the run lies above `highest` (points).
    """

    spec: RunSpec
    bars: Bars
    columns: BarColumns
    calendar: Calendar
    money: Money
    trading: Trading
    bot: Bot
    deposit_minor: int
    highest: int
    ticks: TickColumns | None = None

    @property
    def opened_ms(self) -> int:
        """Return when the first price comes (UTC ms)."""
        times = self.columns.time_ms if self.ticks is None else self.ticks.time_ms
        return int(times[0])


def make_tick_job(spec: RunSpec, ticks: Ticks, bars: Bars, series: Series) -> Job:
    """Return a run over real ticks.

    Args:
        spec: the run; its `slippage` is int32[t, 2], a row for each tick.
        ticks: of the symbol.
        bars: made of the ticks, on which the strategy decides.
        series: over the bars; keeps indicators that several runs share.
    """
    job = make_job(replace(spec, slippage=None), bars, series)
    slippage = np.zeros((1, 2), dtype=np.int32) if spec.slippage is None else spec.slippage
    midnights = job.calendar.midnights[:-1]
    first = np.searchsorted(ticks.time_ms, bars.time_ms)
    columns = TickColumns(
        time_ms=frozen(ticks.time_ms),
        bid=frozen(ticks.bid),
        ask=frozen(ticks.ask),
        slippage=frozen(slippage),
        first=frozen(np.append(first, len(ticks)).astype(np.int64)),
        midnights=frozen(np.append(np.searchsorted(ticks.time_ms, midnights), FAR)),
    )
    highest = max(job.highest, int(ticks.ask.max()) + _farthest(slippage))
    return replace(job, spec=spec, ticks=columns, highest=highest)


def make_job(spec: RunSpec, bars: Bars, series: Series) -> Job:
    """Return a run over bars; `series` keeps indicators that several runs share.

    Raises:
        MarketDataError: there are no bars.
    """
    if not len(bars):
        raise MarketDataError(f"{bars.symbol}: there are no bars to play")
    terms = Terms.of(spec.venue, spec.symbol)
    bot = make_bot(spec)
    columns = _columns(spec, bars, series, bot)
    return Job(
        spec=spec,
        bars=bars,
        columns=columns,
        highest=int(bars.high.max()) + int(bars.spread.max()) + _farthest(columns.slippage),
        calendar=make_calendar(bars, terms, spec.venue.clock),
        money=make_money(terms, is_netting=spec.venue.account.is_netting),
        trading=make_trading(spec.venue.account, terms, spec.deviation_points),
        bot=bot,
        deposit_minor=spec.venue.account.deposit_minor,
    )


def _farthest(slippage: NDArray[np.int32]) -> int:
    return max(int(slippage.max()), -int(slippage.min()))


def varied(job: Job, spec: RunSpec, series: Series) -> Job:
    """Return the same run with other exits or limits; what follows from bars and venue is kept.

    `spec` has the venue, the symbol and the slippage of the job.
    """
    bot = make_bot(spec)
    protect, trail = _atr_columns(spec, series, bot)
    columns = job.columns._replace(protect_atr=protect, trail_atr=trail)
    return replace(job, spec=spec, bot=bot, columns=columns)


def make_bot(spec: RunSpec) -> Bot:
    """Return the bot's limits and exits."""
    protects = [one.parameters for one in spec.exits if isinstance(one, StopLossTakeProfit)]
    trails = [one.parameters for one in spec.exits if isinstance(one, AtrTrailingStop)]
    return Bot(
        risk_fraction=float(spec.limits.risk_per_trade_fraction),
        max_spread=spec.limits.max_spread_points,
        max_daily_loss_fraction=float(spec.limits.max_daily_loss_fraction),
        price_band_fraction=float(spec.limits.price_band_fraction or 0.0),
        stop_points=(protects[0].stop_points or 0) if protects else 0,
        stop_atr=float(protects[0].stop_atr or 0.0) if protects else 0.0,
        target_points=(protects[0].target_points or 0) if protects else 0,
        target_atr=float(protects[0].target_atr or 0.0) if protects else 0.0,
        trails=bool(trails),
        trail_distance=float(trails[0].distance_atr) if trails else 0.0,
        trail_activation=float(trails[0].activation_atr) if trails else 0.0,
        trail_step=float(trails[0].step_atr) if trails else 0.0,
    )


def _columns(spec: RunSpec, bars: Bars, series: Series, bot: Bot) -> BarColumns:
    slippage = spec.slippage
    if slippage is None:
        slippage = np.zeros((1, 2), dtype=np.int32)
    protect, trail = _atr_columns(spec, series, bot)
    return BarColumns(
        time_ms=frozen(bars.time_ms),
        open=frozen(bars.open),
        high=frozen(bars.high),
        low=frozen(bars.low),
        close=frozen(bars.close),
        spread=frozen(bars.spread),
        slippage=frozen(slippage),
        duration_ms=bars.timeframe.duration_ms,
        protect_atr=protect,
        trail_atr=trail,
    )


def _atr_columns(
    spec: RunSpec, series: Series, bot: Bot
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the average true ranges of the protective levels and of the trailing stop."""
    needed = bot.stop_atr or bot.target_atr
    return (
        _atr(spec.exits, StopLossTakeProfit, series, needed),
        _atr(spec.exits, AtrTrailingStop, series, float(bot.trails)),
    )


def _atr(
    exits: Sequence[ExitStrategy], kind: type[Any], series: Series, is_needed: float
) -> NDArray[np.float64]:
    found = [one.parameters.atr_period for one in exits if isinstance(one, kind)]
    if not (found and is_needed):
        return frozen(_NO_ATR)
    return frozen(series.use(Atr(found[0])).values[: len(series)])
