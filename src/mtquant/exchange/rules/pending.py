"""When a waiting order is met, and where it may stand.

A buy looks at the ask, a sell at the bid. Limits wait for a better price, stops and stop-limits for
a worse one; a stop-limit that is met becomes a limit. `side` is +1 or -1, prices are points.

Sources: MQL5 reference, ENUM_ORDER_TYPE, SYMBOL_TRADE_STOPS_LEVEL and SYMBOL_TRADE_FREEZE_LEVEL.
"""

from __future__ import annotations

LIMIT, STOP, STOP_LIMIT = 1, 2, 3


def waits_for_rise(side: int, kind: int) -> bool:
    """Tell whether an order is met by a rising price: a buy stop, a sell limit."""
    return (side > 0) == (kind != LIMIT)


def room_to_level(side: int, kind: int, price: int, bid: int, ask: int) -> int:
    """Return how many points the market is away from meeting an order; 0 or less: it is met."""
    at = ask if side > 0 else bid
    return price - at if waits_for_rise(side, kind) else at - price


def pending_is_met(side: int, kind: int, price: int, bid: int, ask: int) -> bool:
    """Tell whether an order is met at this quote."""
    return room_to_level(side, kind, price, bid, ask) <= 0


def pending_is_valid(
    side: int, kind: int, price: int, stop_limit: int, bid: int, ask: int, stops_level: int
) -> bool:
    """Tell whether an order may be placed: on the right side of the market, and far enough.

    The limit that a stop-limit leaves stands at its trigger or on its better side.
    """
    if price <= 0:
        return False
    least = stops_level if stops_level > 0 else 1
    if room_to_level(side, kind, price, bid, ask) < least:
        return False
    if kind != STOP_LIMIT:
        return True
    return stop_limit > 0 and side * (price - stop_limit) >= max(0, stops_level)


def is_within_deviation(asked: int, current: int, deviation: int) -> bool:
    """Tell whether the current price is as near to the one asked for as the request allows."""
    return abs(current - asked) <= deviation
