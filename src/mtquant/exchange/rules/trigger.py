"""When a protective level is met: a long position closes at the bid, a short one at the ask.

`side` is +1 for a long (buy) and -1 for a short (sell) position; every price is in points.
"""

from __future__ import annotations


def exit_price(side: int, bid: int, ask: int) -> int:
    """Return the price at which a position of this side would close now."""
    return bid if side > 0 else ask


def stop_is_met(side: int, stop: int, bid: int, ask: int) -> bool:
    """Tell whether a stop loss is met at this quote."""
    return bid <= stop if side > 0 else ask >= stop


def target_is_met(side: int, target: int, bid: int, ask: int) -> bool:
    """Tell whether a take profit is met at this quote."""
    return bid >= target if side > 0 else ask <= target


def bid_level(side: int, level: int, spread: int) -> int:
    """Return the bid at which a level of this side is reached while the spread stands still."""
    return level if side > 0 else level - spread


def is_crossed(level: int, bid_from: int, bid_to: int) -> bool:
    """Tell whether a continuous move from one bid to another reaches a bid level.

    The level under the starting point does not count: it was settled there.
    """
    if bid_to < bid_from:
        return bid_to <= level < bid_from
    return bid_from < level <= bid_to


def stops_are_valid(
    side: int, stop: int, target: int, bid: int, ask: int, stops_level: int
) -> bool:
    """Tell whether protective levels stand on the right side and far enough from the market.

    0 means "no level", below 0 is never valid. Source: MQL5 reference, SYMBOL_TRADE_STOPS_LEVEL
    (buy: bid - SL >= level, TP - bid >= level; sell: SL - ask >= level, ask - TP >= level);
    level 0 still asks for the right side.
    """
    if stop < 0 or target < 0:
        return False
    at = bid if side > 0 else ask
    room = stops_level if stops_level > 0 else 1
    if stop > 0 and side * (at - stop) < room:
        return False
    return not (target > 0 and side * (target - at) < room)


def levels_are_frozen(at: int, stop: int, target: int, freeze_level: int) -> bool:
    """Tell whether a position may not be changed: the market is too close to one of its levels.

    `at` is the price at which it would close, 0 means "no level".
    """
    near_stop = stop != 0 and abs(at - stop) < freeze_level
    near_target = target != 0 and abs(at - target) < freeze_level
    return freeze_level > 0 and (near_stop or near_target)


def is_on_grid(price: int, tick_size: int) -> bool:
    """Tell whether a price is a whole number of the instrument's smallest steps (points)."""
    return tick_size <= 1 or price % tick_size == 0
