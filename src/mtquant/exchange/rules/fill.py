"""At which price a trade happens. Slippage is in points, positive = against the trader."""

from __future__ import annotations


def market_fill(side: int, bid: int, ask: int, slippage: int) -> int:
    """Return the fill of a market order: a buy (+1) at the ask, a sell (-1) at the bid."""
    return ask + slippage if side > 0 else bid - slippage


def stop_fill(side: int, reached: int, slippage: int) -> int:
    """Return the fill of a stop loss of a position of this side.

    `reached` is the level itself when a continuous move crossed it, or the market's price when
    the market opened beyond it. A stop slips against the position or not at all.
    """
    return reached - side * (max(0, slippage))


def limit_fill(side: int, level: int, bid: int, ask: int, at_market: bool) -> int:
    """Return the fill of a limit order: its own level, or the market's price, which is no worse.

    Source: the MQL5 book prints a buy limit of 75.750 filled at 75.750 with the market at 75.670;
    the administrator help lets the route choose either.
    """
    if not at_market:
        return level
    return min(level, ask) if side > 0 else max(level, bid)
