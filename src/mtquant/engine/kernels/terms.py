"""What a venue states about money and orders, written out in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.engine.kernels.layout import (
    INTEREST_NOW,
    INTEREST_OPEN,
    NO_SWAP,
    SWAP_MONEY,
    SWAP_POINTS,
    Money,
    Trading,
)
from mtquant.exchange import rules
from mtquant.exchange.currency import FOREX_MODES
from mtquant.exchange.dealing import FillPrice
from mtquant.model import (
    CommissionEntry,
    ExecutionMode,
    StopOutMode,
    SwapMode,
    TradeMode,
)

if TYPE_CHECKING:
    from mtquant.exchange import AccountSpec, Terms
    from mtquant.exchange.commission import Commission

_PRICED: Final = frozenset({ExecutionMode.REQUEST, ExecutionMode.INSTANT})
_SWAP_MODES: Final = {
    SwapMode.DISABLED: NO_SWAP,
    SwapMode.POINTS: SWAP_POINTS,
    SwapMode.BASE_CURRENCY: SWAP_MONEY,
    SwapMode.MARGIN_CURRENCY: SWAP_MONEY,
    SwapMode.DEPOSIT_CURRENCY: SWAP_MONEY,
    SwapMode.INTEREST_CURRENT: INTEREST_NOW,
    SwapMode.INTEREST_OPEN: INTEREST_OPEN,
}


def make_money(terms: Terms, *, is_netting: bool) -> Money:
    """Return how prices become money."""
    instrument, profits = terms.instrument, terms.conversions.profit
    return Money(
        price_value=terms.price_value,
        divisor=terms.divisor,
        rounds_legs=instrument.calculation_mode in FOREX_MODES,
        minor_scale=terms.minor_scale,
        money_scale=terms.money_scale,
        is_converted=bool(profits.pair),
        is_inverse=profits.is_inverse,
        pair_scale=10.0**instrument.digits,
        mode=terms.mode,
        is_netting=is_netting,
        **_margins(terms),
        **_costs(terms.costs),
        **_swaps(terms),
    )


def _margins(terms: Terms) -> dict[str, Any]:
    instrument, margins = terms.instrument, terms.conversions.margin
    rates = instrument.margin_rates
    held = [rules.fixed_margin_per_lot(rates[i], rates[i + 2], True) for i in (0, 1)]
    return {
        "margin_value_open": terms.margin_value(is_held=False),
        "margin_value_held": terms.margin_value(is_held=True),
        "margin_initial": float(instrument.margin_initial),
        "point_scale": 10.0**instrument.digits,
        "leverage": float(terms.leverage),
        "rate_per_price": float(terms.rate_per_price),
        "fixed_rate": float(terms.fixed_rate),
        "margin_is_converted": bool(margins.pair),
        "margin_is_inverse": margins.is_inverse,
        "open_long": float(rates[0]),
        "open_short": float(rates[1]),
        "held_long": float(held[0]),
        "held_short": float(held[1]),
    }


def _costs(costs: Commission) -> dict[str, Any]:
    parts = (costs.per_lot_minor, costs.percent, costs.per_deal_minor, costs.minimum_minor)
    return {
        "commission_per_lot": float(costs.per_lot_minor),
        "commission_percent": float(costs.percent),
        "commission_per_deal": float(costs.per_deal_minor),
        "commission_minimum": float(costs.minimum_minor),
        "is_free": not any(parts),
        "pays_in": costs.entry in {CommissionEntry.BOTH, CommissionEntry.IN},
        "pays_out": costs.entry in {CommissionEntry.BOTH, CommissionEntry.OUT},
        "fee_per_lot": float(costs.fee_per_lot_minor),
    }


def _swaps(terms: Terms) -> dict[str, Any]:
    instrument, swaps = terms.instrument, terms.conversions.swap
    is_forex = instrument.calculation_mode in FOREX_MODES
    return {
        "swap_mode": _SWAP_MODES[instrument.swap_mode],
        "swap_long": float(instrument.swap_long),
        "swap_short": float(instrument.swap_short),
        "swap_year_days": float(instrument.swap_year_days),
        "swap_lot_value": float(instrument.contract_size) if is_forex else 0.0,
        "swap_is_converted": bool(swaps.pair),
        "swap_is_inverse": swaps.is_inverse,
    }


def make_trading(account: AccountSpec, terms: Terms, deviation_points: int) -> Trading:
    """Return what orders are held to."""
    instrument = terms.instrument
    at_exchange = instrument.execution_mode is ExecutionMode.EXCHANGE
    mode = instrument.trade_mode
    return Trading(
        takes_long=mode in {TradeMode.FULL, TradeMode.LONG_ONLY},
        takes_short=mode in {TradeMode.FULL, TradeMode.SHORT_ONLY},
        is_priced=instrument.execution_mode in _PRICED,
        deviation=deviation_points,
        room=0 if at_exchange else instrument.stops_level_points,
        stops_level=instrument.stops_level_points,
        freeze_level=instrument.freeze_level_points,
        tick_size=instrument.tick_size_points,
        volume_min=instrument.volume_min_units,
        volume_max=instrument.volume_max_units,
        volume_step=instrument.volume_step_units,
        volume_limit=instrument.volume_limit_units,
        target_at_level=terms.dealing.target_fill is FillPrice.LEVEL,
        drops_levels_daily=instrument.drops_levels_daily,
        stops_out_by_money=account.stop_out_mode is StopOutMode.MONEY,
        stop_out_minor=account.stop_out_minor,
        stop_out_percent=float(account.stop_out_percent),
        credit_minor=account.credit_minor,
    )
