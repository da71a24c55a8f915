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
