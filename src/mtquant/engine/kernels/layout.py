"""What the kernels work on: tuples of numbers, columns, and numbered cells that change.

A kernel is one source that runs interpreted and compiled. So everything it touches is a scalar, a
tuple of scalars, or something indexed: an array when compiled, a memory view when interpreted.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

Cells = Any
"""A column or a row of cells: an array where the kernel is compiled, else a memory view."""

# Cells that a run changes, int64 each.
(
    BALANCE,  # deposits and closed results, minor units
    SIDE,  # of the position: +1, -1, 0 without one
    UNITS,
    ENTRY,  # opening price, points
    STOP,  # levels, points, 0 = none
    TARGET,
    SWAP,  # accumulated by the position, minor units
    MARGIN,  # held by the position, minor units
    IS_HELD_BACK,  # a level waits for trading hours
    NOW_MS,
    BID,
    ASK,
    BUY_SLIP,  # what trades slip now, points against the trader
    SELL_SLIP,
    SEQUENCE,  # number of the last intent
    INTENT,  # number of the intent that opened the position
    DAY_NET,  # what deals of the server's day have added to the balance, minor units
    MIDNIGHT,  # row of the next server midnight
    DAY,  # row of the current server day
    DECISION,  # row of the next opinion
    ROWS,  # deals written so far
    BAR,  # row of the current bar
    PEAK,  # highest equity at a bar's close, minor units
    PEAK_MS,
    LONGEST_MS,  # longest time below a peak
    IS_BELOW,
    STOP_OUTS,
    RISE,  # closes between these two, times the side, cannot matter to the figures
    FALL,
    CELLS,
) = range(30)

# Figures that a run changes, float64 each.
MAX_DRAWDOWN, FIGURES = range(2)

# Columns of the rows that deals are written to, int64 each.
(
    ENTRY_KIND,  # 0 in, 1 out
    REASON,  # one of the numbers below
    TIME_MS,
    DEAL_SIDE,
    DEAL_UNITS,
    PRICE,
    ASKED,  # price that the order named, 0 = none
    ORDER_STOP,
    ORDER_TARGET,
    ORDER_INTENT,  # number of the intent behind the order, 0 = the server's own
    DEAL_INTENT,
    PROFIT,
    COMMISSION,
    DEAL_SWAP,
    FEE,
    LEVEL,  # that was met, or equity when it stopped out
    SO_MARGIN,
    DEAL_BAR,
    COLUMNS,
) = range(19)
BY_BOT, BY_STOP, BY_TARGET, BY_STOP_OUT = range(4)

# How swap is stated; both kinds of interest come last.
NO_SWAP, SWAP_POINTS, SWAP_MONEY, INTEREST_NOW, INTEREST_OPEN = range(5)

FAR: Final = 2**62
"""A price, time or row that is never reached."""


class Money(NamedTuple):
    """State how prices become money of the account; see `exchange.terms.Terms`."""

    price_value: float
    divisor: float
    rounds_legs: bool
    minor_scale: float
    money_scale: float
    is_converted: bool  # profits convert at the traded pair's own price
    is_inverse: bool
    pair_scale: float
    mode: int
    margin_value_open: float
    margin_value_held: float
    margin_initial: float  # fixed, money per lot; 0 = none
    point_scale: float
    leverage: float
    rate_per_price: float
    fixed_rate: float
    margin_is_converted: bool
    margin_is_inverse: bool
    open_long: float  # margin rates
    open_short: float
    held_long: float
    held_short: float
    is_netting: bool
    commission_per_lot: float
    commission_percent: float
    commission_per_deal: float
    commission_minimum: float
    is_free: bool  # no commission of any kind
    pays_in: bool
    pays_out: bool
    fee_per_lot: float
    swap_mode: int
    swap_long: float
    swap_short: float
    swap_year_days: float
    swap_lot_value: float  # of forex interest; 0 = by the price
    swap_is_converted: bool
    swap_is_inverse: bool


class Trading(NamedTuple):
    """State what orders are held to, in points and 1e-8 lots; 0 = no bound."""

    takes_long: bool
    takes_short: bool
    is_priced: bool
    deviation: int
    room: int  # distance of levels that the server asks for
    stops_level: int  # the same, as the instrument states it
    freeze_level: int
    tick_size: int
    volume_min: int
    volume_max: int
    volume_step: int
    volume_limit: int
    target_at_level: bool
    drops_levels_daily: bool
    stops_out_by_money: bool
    stop_out_minor: int
    stop_out_percent: float
    credit_minor: int


class Bot(NamedTuple):
    """State the bot's limits and exits; distances are 0 where they are not used."""

    risk_fraction: float
    max_spread: int
    max_daily_loss_fraction: float
    price_band_fraction: float
    stop_points: int
    stop_atr: float
    target_points: int
    target_atr: float
    trails: bool
    trail_distance: float
    trail_activation: float
    trail_step: float


class Calendar(NamedTuple):
    """Hold times (UTC ms) and rows that follow from the server's clock."""

    edges: Cells  # int64[2k], rising: trading opens, closes, opens ...
    midnights: Cells  # int64[m + 1], the last one FAR
    midnight_bars: Cells  # int64[m + 1], first bar that is not over before it
    nights: Cells  # float64[m], how many nights the night that ends there counts for
    day_ends: Cells  # int64[d + 1], last bar of each server day that has bars, then FAR


class BarColumns(NamedTuple):
    """Hold the bars, what trades slip in them, and what exits look at."""

    time_ms: Cells  # int64[n]
    open: Cells  # int32[n], points
    high: Cells
    low: Cells
    close: Cells
    spread: Cells
    slippage: Cells  # int32[n, 2] or [1, 2] for all bars
    duration_ms: int
    protect_atr: Cells  # float64[n], or [1] where no distance needs it
    trail_atr: Cells


class TickColumns(NamedTuple):
    """Hold real ticks, what trades slip at them, and where the bars that are made of them begin."""

    time_ms: Cells  # int64[t], never falling
    bid: Cells  # int32[t], points
    ask: Cells
    slippage: Cells  # int32[t, 2], or [1, 2] for all ticks
    first: Cells  # int64[n + 1], first tick of each bar, then t
    midnights: Cells  # int64[m + 1], first tick not before each server midnight, then FAR


class Opinions(NamedTuple):
    """Hold what the strategy says: rows of bars that say something, and what."""

    rows: Cells  # int64[k + 1], rising, the last one FAR
    directions: Cells  # int8[n]
    strengths: Cells  # float64[n], or [1] for all


class Record(NamedTuple):
    """Hold what a run changes and leaves behind."""

    cells: Cells  # int64[CELLS]
    figures: Cells  # float64[FIGURES]
    deals: Cells  # int64[r, COLUMNS]
    daily: Cells  # int64[d], equity at the last close of each server day
