"""Whether the account can carry one position more: count, losses, margin, exposure, likeness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.risk import rules
from mtquant.risk.checks.remedies import cap_or_volume, largest_volume
from mtquant.risk.checks.rule import (
    A_PERSON,
    MIDNIGHT,
    Met,
    Result,
    Rule,
    as_told,
    in_money,
    in_percent,
    is_set,
    money,
    of_equity,
)
from mtquant.risk.limits import OnCorrelation, RiskLimits

if TYPE_CHECKING:
    from mtquant.model import OrderIntent
    from mtquant.risk.view import RiskView

_CAPS: Final = "a cap in max_leverage for each class"


def within_max_positions(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse when the account holds, or may come to hold, too many positions.

    Counts the broker's positions and every entry whose position is not among them.
    """
    count = len(view.positions)
    if view.may_come:
        known = {position.intent_id for position in view.positions}
        count += sum(row.intent_id not in known for row in view.may_come)
    return count < limits.max_positions, count, limits.max_positions


def within_daily_loss(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse entries once equity is too far below the day's starting balance."""
    allowed = rules.allowed_loss_minor(limits.max_daily_loss_fraction, view.day_start_balance_minor)
    passes = rules.is_within_daily_loss(view.day_loss_minor, allowed)
    return passes, view.day_loss_minor, (allowed, limits.max_daily_loss_fraction)


def within_weekly_loss(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse entries once equity is too far below the balance that the server's week began with."""
    fraction = limits.max_weekly_loss_fraction or 0.0
    allowed = rules.allowed_loss_minor(fraction, view.week_start_balance_minor)
    passes = rules.is_within_daily_loss(view.week_loss_minor, allowed)
    return passes, view.week_loss_minor, (allowed, fraction)


def within_drawdown(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse entries once equity is too far below its highest value."""
    most = limits.max_drawdown_fraction or 0.0
    return view.drawdown_fraction < most, view.drawdown_fraction, most


def above_min_equity(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse entries on an account that has become too small."""
    account = view.account
    least = round((limits.min_account_equity or 0.0) * 10**account.currency_digits)
    return account.equity_minor >= least, account.equity_minor, least


def has_free_margin(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse an entry whose margin, on its own, is more than what is free.

    What is held on the other side may make it cheaper; that is not counted.
    """
    margin = view.order_margin_minor(intent)
    free = view.account.free_margin_minor - view.coming_margin_minor
    return margin <= free, margin, free


def above_margin_level(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse an entry after which equity ÷ margin would be too low."""
    least = (limits.min_margin_level_percent or 0.0) / 100
    account = view.account
    margin = account.margin_minor + view.coming_margin_minor + view.order_margin_minor(intent)
    level = account.equity_minor / margin if margin > 0 else None
    return level is None or level >= least, level, least


def value_is_known(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse entries while a position is held whose value nobody here can tell."""
    unknown = view.exposure.unknown
    told = f"a position in {', '.join(unknown)} that no strategy trades" if unknown else "all known"
    return not unknown, told, "positions whose value is known"


def within_gross_exposure(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse when all positions together would be worth too much of equity."""
    ratio = view.ratio(view.exposure.gross_minor + view.order_value_minor(intent))
    most = limits.max_gross_exposure_ratio or 0.0
    return ratio <= most, ratio, most


def within_net_exposure(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse when long minus short positions would be worth too much of equity."""
    order = intent.side.value * view.order_value_minor(intent)
    held = view.exposure.without_coming("net", view.exposure.net_minor, -intent.side.value)
    return _bounded(view, held, order, limits.max_net_exposure_ratio)


def within_symbol_exposure(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse when the positions of a symbol, long minus short, would be worth too much."""
    exposure, symbol, side = view.exposure, intent.symbol, intent.side.value
    total = exposure.by_symbol.get(symbol, 0.0)
    held = exposure.without_coming(f"symbol {symbol}", total, -side)
    order = side * view.order_value_minor(intent)
    return _bounded(view, held, order, limits.max_symbol_exposure_ratio)


def within_class_exposure(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse when the positions of an asset class would be worth too much of equity."""
    valuer = view.valuer
    held = view.exposure.by_class.get(valuer.asset_class, 0.0) if valuer else 0.0
    ratio = view.ratio(held + view.order_value_minor(intent))
    most = limits.max_class_exposure_ratio or 0.0
    return ratio <= most, ratio, most


def within_currency_exposure(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse when what is held of a currency, net, would be worth too much of equity.

    The account's own currency does not count: being long of it is no risk.
    """
    most = limits.max_currency_exposure_ratio or 0.0
    exposure, instrument, side = view.exposure, view.instrument, intent.side.value
    value = view.order_value_minor(intent)
    legs = [(instrument.base_currency, side), (instrument.profit_currency, -side)]
    if instrument.base_currency == instrument.profit_currency:
        legs = legs[:1]
    found: Result = (True, (0.0, ""), most)
    for currency, sign in legs:
        if currency != view.account.currency:
            total = exposure.by_currency.get(currency, 0.0)
            held = exposure.without_coming(f"currency {currency}", total, -sign)
            passes, ratio, _ = _bounded(view, held, sign * value, most)
            if not passes or ratio > found[1][0]:
                found = (passes and found[0], (ratio, currency), most)
    return found


def _bounded(view: RiskView, held: float, change: float, most: float | None) -> Result:
    """Bound the size of a signed sum; what brings it nearer to zero passes."""
    ratio, limit = view.ratio(abs(held + change)), most or 0.0
    return ratio <= limit or abs(held + change) < abs(held), ratio, limit


def within_leverage(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse when the margin that leverage caps ask for would be more than equity.

    Σ value ÷ cap of its class, over all positions and the order. Where one has no cap, the sum
    bounds nothing.
    """
    valuer = view.valuer
    cap = valuer.leverage_cap if valuer else 0.0
    if not cap:
        kind = valuer.leverage_class if valuer else "unknown"
        return False, f"{intent.symbol} is of the class {kind}, which has no cap", _CAPS
    if view.exposure.uncapped:
        symbol, kind = next(iter(view.exposure.uncapped.items()))
        return False, f"{symbol} is held, of the class {kind}, which has no cap", _CAPS
    needed = view.exposure.at_caps_minor + view.order_value_minor(intent) / cap
    return needed <= view.account.equity_minor, needed, view.account.equity_minor


def unlike_what_is_held(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse an entry that moves together with what is held, where that is to be refused."""
    most = limits.max_correlation or 1.0
    if view.correlation is None:
        return True, None, most
    rejects = limits.on_correlation is OnCorrelation.REJECT
    return not rejects or view.correlation[0] <= most, view.correlation, most


def _is_beyond(value: Any, limit: Any) -> bool:
    """Tell whether an entry is more like what is held than the limit, refused for it or not."""
    return value is not None and value[0] > limit


def _open(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return f"{value} open or on the way", str(limit)


def _since_day(value: Any, limit: Any, _intent: OrderIntent, view: RiskView) -> tuple[str, str]:
    return _since(value, limit, view, "day")


def _since_week(value: Any, limit: Any, _intent: OrderIntent, view: RiskView) -> tuple[str, str]:
    return _since(value, limit, view, "week")


def _since(value: Any, limit: Any, view: RiskView, window: str) -> tuple[str, str]:
    allowed, fraction = limit
    allowed_words = f"{money(allowed, view.account)} ({fraction:.1%} of the {window}'s start)"
    return money(value, view.account), allowed_words


def _level(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return "no margin" if value is None else f"{value:.0%} after it", f"at least {limit:.0%}"


def _currency(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    ratio, currency = value
    return f"{ratio:.2f} x equity in {currency or 'none'}", f"{limit:.2f} x equity"


def _caps(value: Any, limit: Any, _intent: OrderIntent, view: RiskView) -> tuple[str, str]:
    if isinstance(value, str):
        return value, limit
    return f"{money(value, view.account)} of margin", f"{money(limit, view.account)} of equity"


def _like(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    told = "not known, or nothing held" if value is None else f"{value[0]:.2f} with {value[1]}"
    return told, f"{limit:.2f}"


def _unlike(met: Met) -> str:
    return f"entries return when {met.value[1]} is closed, or moves less like {met.intent.symbol}"


def _needs_exposure(limits: RiskLimits) -> bool:
    return limits.needs_exposure


ACCOUNT: Final = (
    Rule(
        name="max_positions",
        look=within_max_positions,
        words=_open,
        remedy="entries return when a position is closed",
    ),
    Rule(name="max_daily_loss", look=within_daily_loss, words=_since_day, remedy=MIDNIGHT),
    Rule(
        name="max_weekly_loss",
        look=within_weekly_loss,
        words=_since_week,
        remedy="entries return when the server's next week begins",
        is_on=is_set("max_weekly_loss_fraction"),
    ),
    Rule(
        name="max_drawdown",
        look=within_drawdown,
        words=in_percent,
        remedy=f"look at it, then: {A_PERSON}",
        is_on=is_set("max_drawdown_fraction"),
    ),
    Rule(
        name="min_equity",
        look=above_min_equity,
        words=in_money,
        remedy="entries return from that equity on",
        is_on=is_set("min_account_equity"),
    ),
    Rule(name="free_margin", look=has_free_margin, words=in_money, remedy=largest_volume),
    Rule(
        name="min_margin_level",
        look=above_margin_level,
        words=_level,
        remedy=largest_volume,
        is_on=is_set("min_margin_level_percent"),
    ),
    Rule(
        name="value_known",
        look=value_is_known,
        words=as_told,
        remedy="entries return when it is closed, or a strategy trades its symbol",
        is_on=_needs_exposure,
    ),
    Rule(
        name="max_gross_exposure",
        look=within_gross_exposure,
        words=of_equity,
        remedy=largest_volume,
        is_on=is_set("max_gross_exposure_ratio"),
    ),
    Rule(
        name="max_net_exposure",
        look=within_net_exposure,
        words=of_equity,
        remedy=largest_volume,
        is_on=is_set("max_net_exposure_ratio"),
    ),
    Rule(
        name="max_symbol_exposure",
        look=within_symbol_exposure,
        words=of_equity,
        remedy=largest_volume,
        is_on=is_set("max_symbol_exposure_ratio"),
    ),
    Rule(
        name="max_class_exposure",
        look=within_class_exposure,
        words=of_equity,
        remedy=largest_volume,
        is_on=is_set("max_class_exposure_ratio"),
    ),
    Rule(
        name="max_currency_exposure",
        look=within_currency_exposure,
        words=_currency,
        remedy=largest_volume,
        is_on=is_set("max_currency_exposure_ratio"),
    ),
    Rule(
        name="max_leverage",
        look=within_leverage,
        words=_caps,
        remedy=cap_or_volume,
        is_on=is_set("max_leverage"),
    ),
    Rule(
        name="max_correlation",
        look=unlike_what_is_held,
        words=_like,
        remedy=_unlike,
        is_on=is_set("max_correlation"),
        warns=_is_beyond,
    ),
)
"""Rules about the account and what it holds."""
