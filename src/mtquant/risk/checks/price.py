"""Whether the price can be believed and what trading at it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.model import OrderIntent, Side
from mtquant.risk import rules
from mtquant.risk.checks.rule import A_PERSON, Result, Rule, in_points, is_set

if TYPE_CHECKING:
    from mtquant.risk.limits import RiskLimits
    from mtquant.risk.view import RiskView


def is_quoted(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse without a usable quote."""
    quote = view.quote
    if quote is None:
        return False, None, "0 < bid <= ask"
    return rules.is_quoted(quote.bid_points, quote.ask_points), quote, "0 < bid <= ask"


def fresh_quote(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse an old quote."""
    age_ms = 0 if view.quote is None else view.quote.age_ms
    return age_ms <= 1000 * limits.max_quote_age_s, age_ms, limits.max_quote_age_s


def within_max_spread(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse while the spread is too wide."""
    spread = 0 if view.quote is None else view.quote.spread_points
    most = limits.max_spread_points
    return rules.is_within_spread(spread, most), spread, most


def within_price_band(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse a price far from the close of the newest closed bar: it may be a wrong tick.

    Both the order's own price, by which it is valued, and the quote's that it meets are looked at.
    """
    quote, reference, band = view.quote, view.reference_points, limits.price_band_fraction or 0.0
    price = intent.price_points
    if quote is not None:
        met = quote.ask_points if intent.side is Side.BUY else quote.bid_points
        if not price or abs(met - reference) > abs(price - reference):
            price = met
    if not price or reference <= 0:
        return True, 0, 0
    return rules.is_within_band(price, reference, band), price, (reference, band)


def within_slippage(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse a symbol whose last fills were too much worse than asked, on average."""
    expected = view.slippage_points or 0.0
    most = limits.max_slippage_points or 0
    return expected <= most, expected, most


def _quote(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    if value is None:
        return "none", limit
    return f"bid {value.bid_points}, ask {value.ask_points} points", limit


def _age(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return f"{value / 1000:.1f} s", f"{limit} s"


def _band(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    if limit == 0:
        return "nothing to compare", "the last closed bar"
    reference, band = limit
    away = (value - reference) / reference
    return (
        f"{value} points, {away:+.2%} from the last close",
        f"{band:.2%} around {reference} points",
    )


PRICE: Final = (
    Rule(
        name="quote",
        look=is_quoted,
        words=_quote,
        remedy="entries return with a usable quote of {symbol}",
    ),
    Rule(
        name="quote_age",
        look=fresh_quote,
        words=_age,
        remedy="entries return with the next tick of {symbol}",
    ),
    Rule(
        name="max_spread",
        look=within_max_spread,
        words=in_points,
        remedy="entries return when the spread of {symbol} is narrow enough",
    ),
    Rule(
        name="price_band",
        look=within_price_band,
        words=_band,
        remedy="entries return when quotes and bars of {symbol} agree",
        is_on=is_set("price_band_fraction"),
    ),
    Rule(
        name="max_slippage",
        look=within_slippage,
        words=in_points,
        remedy=f"fills of {{symbol}} count for 30 days, or until: {A_PERSON}",
        is_on=is_set("max_slippage_points"),
    ),
)
"""Rules about the price."""
