"""Conversion of money between currencies at the quotes of a pair.

A pair converts `from` to `to` directly when it is quoted [from][to] (EURUSD takes euros to
dollars), and inversely when it is quoted [to][from] (USDJPY takes yen to dollars). "Ask" and
"bid" below always mean those of [from][to]: the ask of an inverse pair is 1 / its bid.

Sources: MQL5 reference (trade_tick_value_profit and _loss: by the market, a gain at the bid, a loss
at the ask); MetaTrader administrator help (by the deal: a closed buy at the ask, a closed sell at
the bid; margin of a buy at the ask, of a sell at the bid).
"""

from __future__ import annotations


def conversion_rate(
    bid_points: float, ask_points: float, point_scale: float, is_inverse: bool, at_ask: bool
) -> float:
    """Return units of the `to` currency per unit of the `from` currency, 0.0 without a quote.

    Args:
        bid_points: of the pair.
        ask_points: of the pair.
        point_scale: 10^digits of the pair.
        is_inverse: True when the pair is quoted [to][from].
        at_ask: True for the ask of [from][to], False for its bid.
    """
    if bid_points <= 0 or ask_points <= 0 or point_scale <= 0:
        return 0.0
    if is_inverse:
        return point_scale / (bid_points if at_ask else ask_points)
    return (ask_points if at_ask else bid_points) / point_scale


def gain_at_ask(side: int, by_deal: bool) -> bool:
    """Tell whether a gain converts at the ask: only by the deal, for a closed buy."""
    return by_deal and side > 0


def loss_at_ask(side: int, by_deal: bool) -> bool:
    """Tell whether a loss converts at the ask: by the market always, by the deal for a buy."""
    return side > 0 if by_deal else True


def tick_value(own_value: float, rate: float) -> float:
    """Return the worth of one tick size per lot in account currency, not rounded.

    `rate` is that of a gain for trade_tick_value_profit and of a loss for trade_tick_value_loss.
    """
    return own_value * rate
