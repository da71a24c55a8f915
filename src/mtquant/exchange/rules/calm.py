"""How far a price may go before a position can bring a stop-out: bounds, never too wide.

They let whoever plays a market pass over prices that cannot matter. A bound holds while the price
stays within a quarter of itself: there a conversion at that price grows by a third at most.
"""

from __future__ import annotations


def loss_per_point(
    units: int, price_value: float, divisor: float, rate: float, floating_minor: int, price: int
) -> float:
    """Return the most that equity loses with one point against a position, minor units.

    Args:
        units: volume, 1e-8 lots.
        price_value: `rules.price_value` of a lot.
        divisor: see `rules.value_minor`.
        rate: minor units of the account per one of the profit currency, at `price`.
        floating_minor: profit at `price`, which converts at another rate when the price moves.
        price: at which the position would close now, points.
    """
    if divisor <= 0 or price <= 0:
        return 0.0
    worth = units * price_value / divisor * rate
    return 4.0 / 3.0 * (worth + abs(floating_minor) / price)


def rounding_loss(rate: float) -> float:
    """Return what rounding may add to a position's loss between two quotes, minor units."""
    return 1.0 + 4.0 / 3.0 * rate


def calm_points(room_minor: float, loss_of_a_point: float, price: int) -> float:
    """Return how many points a price may move while losses stay below `room_minor`."""
    far = room_minor / loss_of_a_point if loss_of_a_point > 0 else room_minor
    return max(0.0, min(far, price / 4.0))
