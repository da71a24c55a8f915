"""The market's rules, written once: plain scalar functions over whole points and minor units.

Interpreted by the simulated terminal and the event-driven backtest, compiled by whoever needs
speed: nothing in here imports an array library or holds state.
"""

from mtquant.exchange.rules.costs import commission_minor, swap_nights, swap_points_minor
from mtquant.exchange.rules.fill import market_fill, stop_fill
from mtquant.exchange.rules.margin import hedged_margin_minor, is_stop_out, margin_amount
from mtquant.exchange.rules.path import path_direction, path_point, path_time
from mtquant.exchange.rules.profit import profit_minor, value_minor
from mtquant.exchange.rules.trigger import (
    bid_level,
    exit_price,
    is_crossed,
    stop_is_met,
    stops_are_valid,
    target_is_met,
)

__all__ = [
    "bid_level",
    "commission_minor",
    "exit_price",
    "hedged_margin_minor",
    "is_crossed",
    "is_stop_out",
    "margin_amount",
    "market_fill",
    "path_direction",
    "path_point",
    "path_time",
    "profit_minor",
    "stop_fill",
    "stop_is_met",
    "stops_are_valid",
    "swap_nights",
    "swap_points_minor",
    "target_is_met",
    "value_minor",
]
