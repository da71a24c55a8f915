"""Whether the order itself is right: its volume, its stop, what it may win."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.model import (
    UNITS_PER_LOT,
    OrderIntent,
    lots_from_units,
    units_from_lots,
)
from mtquant.risk.checks.remedies import largest_volume, nearest_target, nearest_volume
from mtquant.risk.checks.rule import Result, Rule, is_set, of_equity

if TYPE_CHECKING:
    from mtquant.risk.limits import RiskLimits
    from mtquant.risk.view import RiskView


def has_stop_loss(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse an entry without a stop loss on its losing side: its risk has no bound.

    Without a price, which is refused by itself, only that it is a price is asked.
    """
    stop, price = intent.stop_loss_points or 0, view.entry_points(intent)
    is_losing = not price or (price - stop) * intent.side.value > 0
    return stop > 0 and is_losing, intent.stop_loss_points, price


def target_wins(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse a take profit that is not on the winning side of the entry; none is needed."""
    target = intent.take_profit_points
    if not target:
        return True, None, 0
    price = view.entry_points(intent)
    is_winning = not price or (target - price) * intent.side.value > 0
    return target > 0 and is_winning, target, price


def tradable_volume(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse a volume the instrument does not trade."""
    units = intent.volume_units
    return view.instrument.floor_units(units) == units, units, None


def above_min_order(intent: OrderIntent, _view: RiskView, limits: RiskLimits) -> Result:
    """Refuse an order that is not worth its costs."""
    least = limits.min_order_lots or 0.0
    return intent.volume_units >= units_from_lots(least), intent.volume_units, least


def within_daily_volume(intent: OrderIntent, _view: RiskView, limits: RiskLimits) -> Result:
    """Refuse an order that is too large a share of what is traded in a day, where that is known."""
    daily, most = limits.average_daily_lots.get(intent.symbol), limits.max_daily_volume_fraction
    if not daily or most is None:
        return True, None, most
    share = intent.volume_units / UNITS_PER_LOT / daily
    return share <= most, share, most


def worth_its_risk(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse an entry that may win too little for what it may lose.

    reward:risk = distance of the target ÷ distance of the stop, from the price of now.
    """
    least = limits.min_reward_risk or 0.0
    target, stop = intent.take_profit_points, intent.stop_loss_points
    price = view.entry_points(intent)
    if not target or not stop or not price:
        return False, None, least
    reward = (target - price) * intent.side.value
    risk = (price - stop) * intent.side.value
    ratio = reward / risk if risk > 0 else 0.0
    return ratio >= least, ratio, least


def within_position_exposure(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse a position that is worth too much of equity."""
    ratio = view.order_ratio(intent)
    most = limits.max_position_exposure_ratio or 0.0
    return ratio <= most, ratio, most


def _stop(value: Any, limit: Any, intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return _level(value, "none"), f"a stop {_beyond(-intent.side.value, limit)}"


def _target(value: Any, limit: Any, intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return _level(value, "no target"), f"a target {_beyond(intent.side.value, limit)}"


def _level(points: int | None, missing: str) -> str:
    return f"{points} points" if points else missing


def _beyond(direction: int, price_points: int) -> str:
    """Say on which side of the entry a level has to stand."""
    where = "above" if direction > 0 else "below"
    return f"{where} {price_points} points" if price_points else f"{where} the entry"


def _volume(value: Any, _limit: Any, _intent: OrderIntent, view: RiskView) -> tuple[str, str]:
    instrument = view.instrument
    traded = (
        f"{lots_from_units(instrument.volume_min_units):g} to "
        f"{lots_from_units(instrument.volume_max_units):g} lots in steps of "
        f"{lots_from_units(instrument.volume_step_units):g}"
    )
    return f"{lots_from_units(value):g} lots", traded


def _lots(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return f"{lots_from_units(value):g} lots", f"at least {limit:g} lots"


def _share(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    told = "daily volume not known" if value is None else f"{value:.2%} of a day's volume"
    return told, f"{limit:.2%}"


def _reward(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return "no target" if value is None else f"{value:.2f}", f"at least {limit:g}"


SIZE: Final = (
    Rule(name="stop_loss", look=has_stop_loss, words=_stop),
    Rule(name="take_profit", look=target_wins, words=_target),
    Rule(name="volume", look=tradable_volume, words=_volume, remedy=nearest_volume),
    Rule(name="min_order", look=above_min_order, words=_lots, is_on=is_set("min_order_lots")),
    Rule(
        name="max_daily_volume",
        look=within_daily_volume,
        words=_share,
        remedy=largest_volume,
        is_on=is_set("max_daily_volume_fraction"),
    ),
    Rule(
        name="min_reward_risk",
        look=worth_its_risk,
        words=_reward,
        remedy=nearest_target,
        is_on=is_set("min_reward_risk"),
    ),
    Rule(
        name="max_position_exposure",
        look=within_position_exposure,
        words=of_equity,
        remedy=largest_volume,
        is_on=is_set("max_position_exposure_ratio"),
    ),
)
"""Rules about the order."""
