"""Money of the one position that a kernel holds, by the market's own rules."""

from __future__ import annotations

from mtquant.engine.kernels.layout import (
    BALANCE,
    ENTRY,
    INTEREST_NOW,
    INTEREST_OPEN,
    NO_SWAP,
    SIDE,
    SWAP,
    SWAP_POINTS,
    UNITS,
    Cells,
    Money,
    Trading,
)
from mtquant.exchange.rules.convert import conversion_rate
from mtquant.exchange.rules.costs import (
    commission_minor,
    swap_interest_minor,
    swap_money_minor,
    swap_points_minor,
)
from mtquant.exchange.rules.margin import (
    fixed_margin_to_open,
    hedged_margin_minor,
    leg_margin,
    netting_margin_minor,
)
from mtquant.exchange.rules.profit import profit_minor, value_minor
from mtquant.model.numbers import round_half_away


def own_rate(money: Money, price: int) -> float:
    """Return minor units of the account per one of the profit currency, at a closing price."""
    return money.minor_scale * _converted(money, price) if money.is_converted else 1.0


def profit(money: Money, side: int, units: int, opened: int, closed: int) -> int:
    """Return the profit between two prices (points), minor units."""
    rate = own_rate(money, closed)
    return profit_minor(
        side,
        units,
        opened,
        closed,
        money.price_value,
        money.divisor,
        money.rounds_legs,
        rate,
        rate,
    )


def equity(cells: Cells, money: Money, trading: Trading, price: int) -> int:
    """Return balance + credit + floating profit + swap, closing at a price (points)."""
    total: int = cells[BALANCE] + trading.credit_minor
    if cells[SIDE] != 0:
        floating = profit(money, cells[SIDE], cells[UNITS], cells[ENTRY], price)
        total += floating + cells[SWAP]
    return total


def opening_rate(money: Money, price: int) -> float:
    """Return the conversion that a position keeps for its margin."""
    if money.rate_per_price > 0 or not money.margin_is_converted:
        return 1.0
    return conversion_rate(price, price, money.pair_scale, money.margin_is_inverse, False)


def margin_to_open(money: Money, side: int, units: int, price: int) -> int:
    """Return the margin of an order on an account that holds nothing, minor units."""
    factor = (money.open_long if side > 0 else money.open_short) * opening_rate(money, price)
    if money.is_netting:
        # netting counts a lone buy as the held side, a lone sell as against it: the same amount
        amount = _leg(money, units, price, money.margin_value_open, factor)
        return netting_margin_minor(amount, 0.0, 0.0, 0.0)
    if money.margin_initial > 0:
        per_lot = _leg(money, 100_000_000, price, money.margin_initial, factor)
        return round_half_away(fixed_margin_to_open(0, 0, units, 0.0, per_lot))
    return _hedged(money, side, units, price, money.margin_value_open, factor)


def margin_held(money: Money, side: int, units: int, opened: int) -> int:
    """Return the margin of the position, minor units; it keeps the rate of its opening."""
    factor = (money.held_long if side > 0 else money.held_short) * opening_rate(money, opened)
    if money.is_netting:
        amount = _leg(money, units, opened, money.margin_value_held, factor)
        return netting_margin_minor(amount, 0.0, 0.0, 0.0)
    return _hedged(money, side, units, opened, money.margin_value_held, factor)


def commission(money: Money, units: int, price: int, opens: bool) -> int:
    """Return the commission of one deal, minor units (negative = charged)."""
    if not (money.pays_in if opens else money.pays_out):
        return 0
    if money.is_free:
        return 0
    value = 0.0
    if money.commission_percent > 0:
        worth = value_minor(units, price, money.price_value, money.divisor)
        value = worth * _converted(money, price) * money.minor_scale
    return commission_minor(
        units,
        money.commission_per_lot,
        value,
        money.commission_percent,
        money.commission_per_deal,
        money.commission_minimum,
    )


def fee(money: Money, units: int) -> int:
    """Return the fee of one deal, minor units (negative = charged)."""
    return commission_minor(units, money.fee_per_lot) if money.fee_per_lot > 0 else 0


def swap(money: Money, cells: Cells, nights: float, bid: int, ask: int) -> int:
    """Return what a night costs or brings, minor units."""
    if money.swap_mode == NO_SWAP or nights == 0:
        return 0
    side, units = cells[SIDE], cells[UNITS]
    stated = money.swap_long if side > 0 else money.swap_short
    if money.swap_mode >= INTEREST_NOW:
        closing = bid if side > 0 else ask
        price = cells[ENTRY] if money.swap_mode == INTEREST_OPEN else closing
        lot = money.swap_lot_value
        lot_value = lot if lot > 0 else money.price_value * price / money.point_scale
        rate = _swap_rate(money, bid, ask, side < 0)
        return swap_interest_minor(
            units, stated, nights, lot_value, money.swap_year_days, money.money_scale, rate
        )
    rate = _swap_rate(money, bid, ask, stated < 0)
    if money.swap_mode == SWAP_POINTS:
        return swap_points_minor(
            units, stated, nights, money.price_value, money.divisor, money.minor_scale * rate
        )
    return swap_money_minor(units, stated, nights, money.money_scale, rate)


def _converted(money: Money, price: int) -> float:
    if not money.is_converted:
        return 1.0
    return conversion_rate(price, price, money.pair_scale, money.is_inverse, False)


def _swap_rate(money: Money, bid: int, ask: int, at_ask: bool) -> float:
    if not money.swap_is_converted:
        return 1.0
    return conversion_rate(bid, ask, money.pair_scale, money.swap_is_inverse, at_ask)


def _leg(money: Money, units: int, price: int, value: float, factor: float) -> float:
    return leg_margin(
        money.mode,
        units,
        float(price),
        1.0,
        value,
        money.point_scale,
        money.leverage,
        money.rate_per_price,
        money.fixed_rate,
        factor,
        money.margin_initial > 0,
    )


def _hedged(money: Money, side: int, units: int, price: int, value: float, factor: float) -> int:
    weighted = float(units) * price
    mean = units * factor / units  # as a mean over many positions is computed
    is_long = side > 0
    return hedged_margin_minor(
        money.mode,
        units if is_long else 0,
        weighted if is_long else 0.0,
        0 if is_long else units,
        0.0 if is_long else weighted,
        value,
        0.0,
        money.point_scale,
        money.leverage,
        money.rate_per_price,
        money.fixed_rate,
        mean if is_long else 1.0,
        1.0 if is_long else mean,
        money.margin_initial > 0,
        False,
        0.0,
        0.0,
    )
