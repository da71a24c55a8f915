"""The market's rules, written once: plain scalar functions over whole points and minor units.

Interpreted by the simulated terminal and the event-driven backtest, compiled by whoever needs
speed: nothing in here imports an array library or holds state.
"""

from mtquant.exchange.rules.calm import calm_points, loss_per_point, rounding_loss
from mtquant.exchange.rules.convert import (
    conversion_rate,
    gain_at_ask,
    loss_at_ask,
    tick_value,
)
from mtquant.exchange.rules.costs import (
    commission_minor,
    swap_interest_minor,
    swap_money_minor,
    swap_nights,
    swap_points_minor,
)
from mtquant.exchange.rules.fill import limit_fill, market_fill, stop_fill
from mtquant.exchange.rules.margin import (
    fixed_margin_per_lot,
    fixed_margin_to_open,
    forts_margin_amount,
    hedged_margin_minor,
    is_stop_out,
    is_stop_out_by_money,
    leg_margin,
    margin_amount,
    netting_margin_minor,
)
from mtquant.exchange.rules.modes import margin_value, price_value
from mtquant.exchange.rules.netting import average_thousandths
from mtquant.exchange.rules.path import (
    path_between,
    path_direction,
    path_parts,
    path_point,
    path_time,
)
from mtquant.exchange.rules.pending import (
    is_within_deviation,
    pending_is_met,
    pending_is_valid,
    room_to_level,
    waits_for_rise,
)
from mtquant.exchange.rules.profit import (
    accrued_minor,
    collateral_minor,
    profit_minor,
    value_minor,
)
from mtquant.exchange.rules.trigger import (
    bid_level,
    exit_price,
    is_crossed,
    is_on_grid,
    levels_are_frozen,
    stop_is_met,
    stops_are_valid,
    target_is_met,
)

__all__ = [
    "accrued_minor",
    "average_thousandths",
    "bid_level",
    "calm_points",
    "collateral_minor",
    "commission_minor",
    "conversion_rate",
    "exit_price",
    "fixed_margin_per_lot",
    "fixed_margin_to_open",
    "forts_margin_amount",
    "gain_at_ask",
    "hedged_margin_minor",
    "is_crossed",
    "is_on_grid",
    "is_stop_out",
    "is_stop_out_by_money",
    "is_within_deviation",
    "leg_margin",
    "levels_are_frozen",
    "limit_fill",
    "loss_at_ask",
    "loss_per_point",
    "margin_amount",
    "margin_value",
    "market_fill",
    "netting_margin_minor",
    "path_between",
    "path_direction",
    "path_parts",
    "path_point",
    "path_time",
    "pending_is_met",
    "pending_is_valid",
    "price_value",
    "profit_minor",
    "room_to_level",
    "rounding_loss",
    "stop_fill",
    "stop_is_met",
    "stops_are_valid",
    "swap_interest_minor",
    "swap_money_minor",
    "swap_nights",
    "swap_points_minor",
    "target_is_met",
    "tick_value",
    "value_minor",
    "waits_for_rise",
]
