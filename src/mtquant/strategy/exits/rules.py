"""The exits' arithmetic as plain scalar functions over points, for every engine alike."""

from __future__ import annotations

from mtquant.model.numbers import round_half_away


def trailing_stop(
    side: int,
    open_points: int,
    stop: int,
    price: int,
    atr: float,
    distance_atr: float,
    activation_atr: float,
    step_atr: float,
) -> int:
    """Return the new stop level in points, 0 when the stop stays where it is.

    Args:
        side: +1 long, -1 short.
        open_points: opening price of the position.
        stop: present stop loss, 0 = none.
        price: price at which the position would have closed at the end of the bar.
        atr: average true range, points.
        distance_atr: distance of the stop from the price, in average true ranges.
        activation_atr: profit from which on the stop follows, in average true ranges.
        step_atr: smallest improvement, in average true ranges.
    """
    if not atr > 0 or side * (price - open_points) < activation_atr * atr:  # NaN: not ready
        return 0
    level = price - side * max(1, round_half_away(distance_atr * atr))
    if level <= 0:
        return 0
    step = max(1, round_half_away(step_atr * atr))
    if stop > 0 and side * (level - stop) < step:
        return 0
    return level


def level_distance(points: int, multiple: float, atr: float) -> int:
    """Return a level's distance in points: stated, or a multiple of the average true range.

    0 when neither is stated (0 each), or when the average true range is not ready.
    """
    if multiple > 0:
        return max(1, round_half_away(multiple * atr)) if atr > 0 else 0
    return points
