"""Whether it is the time for an entry: how often, how soon after a loss, in which hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.risk.checks.rule import A_PERSON, MIDNIGHT, Met, Result, Rule, as_told, is_set
from mtquant.risk.hours import is_in_hours

if TYPE_CHECKING:
    from mtquant.model import OrderIntent
    from mtquant.risk.limits import RiskLimits
    from mtquant.risk.view import RiskView

_MINUTE_MS: Final = 60_000
_DAY_TRADES: Final = 3
_DAY_TRADER_EQUITY: Final = 25_000


def within_entries_per_minute(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse a strategy that enters too often."""
    most = limits.max_entries_per_minute
    return view.entries_in_minute < most, view.entries_in_minute, most


def within_entries_per_day(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse a strategy that has entered often enough for a day."""
    most = limits.max_entries_per_day or 0
    return view.entries_today < most, view.entries_today, most


def within_entries_in_a_row(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse a strategy that enters on one side again and again, until a person has looked."""
    most = limits.max_entries_in_a_row or 0
    return view.entries_in_a_row < most, view.entries_in_a_row, most


def cooled_down(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse a strategy for a while after it has closed a trade with a loss."""
    wanted_ms = _MINUTE_MS * (limits.cool_down_after_loss_minutes or 0.0)
    if view.last_loss_ms is None:
        return True, None, wanted_ms
    passed_ms = view.now_ms - view.last_loss_ms
    return passed_ms >= wanted_ms, passed_ms, wanted_ms


def in_trading_hours(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Result:
    """Refuse entries outside of the hours that a person has set."""
    is_open = is_in_hours(limits.trading_hours, view.server_wall_ms)
    return is_open, view.server_wall_ms, limits.trading_hours


def no_news(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse entries around a publication that moves the symbol's currencies."""
    return not view.news, view.news or "none", "none near"


def within_day_trades(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse what would make a small account a pattern day trader's (FINRA rule 4210(f)(8)(B)).

    Four day trades within five business days need 25,000 of equity: an entry may become the
    fourth, as every position of today may become one when its stop is met.
    """
    account = view.account
    is_large = account.equity_minor >= _DAY_TRADER_EQUITY * 10**account.currency_digits
    may_be = view.day_trades + view.opened_today
    return is_large or may_be < _DAY_TRADES, may_be, _DAY_TRADES


def _in_minute(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return f"{value} in the last 60 seconds", str(limit)


def _today(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return f"{value} today", str(limit)


def _in_a_row(value: Any, limit: Any, intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return f"{value} times {intent.side.name}", str(limit)


def _minutes(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    told = "no loss yet" if value is None else f"{value / _MINUTE_MS:.1f} min after a loss"
    return told, f"{limit / _MINUTE_MS:g} min"


def _hours(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    days, minutes = divmod(value // _MINUTE_MS, 24 * 60)
    day = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")[(days + 4) % 7]
    return f"{day} {minutes // 60:02}:{minutes % 60:02} server time", ", ".join(limit)


def _day_trades(_value: Any, limit: Any, _intent: OrderIntent, view: RiskView) -> tuple[str, str]:
    told = f"{view.day_trades} day trades in five days"
    if view.opened_today:
        told = f"{told}, {view.opened_today} opened today"
    return told, f"{limit} below 25,000 of equity"


def _time_left(met: Met) -> str:
    tenths = -(-10 * (met.limit - met.value) // _MINUTE_MS)  # rounded up: not told too soon
    return f"entries return in {tenths / 10:.1f} min"


PACE: Final = (
    Rule(
        name="max_entries_per_minute",
        look=within_entries_per_minute,
        words=_in_minute,
        remedy="entries return within a minute",
    ),
    Rule(
        name="max_entries_per_day",
        look=within_entries_per_day,
        words=_today,
        remedy=MIDNIGHT,
        is_on=is_set("max_entries_per_day"),
    ),
    Rule(
        name="max_entries_in_a_row",
        look=within_entries_in_a_row,
        words=_in_a_row,
        remedy=f"look at it, then: {A_PERSON}",
        is_on=is_set("max_entries_in_a_row"),
    ),
    Rule(
        name="cool_down",
        look=cooled_down,
        words=_minutes,
        remedy=_time_left,
        is_on=is_set("cool_down_after_loss_minutes"),
    ),
    Rule(
        name="trading_hours",
        look=in_trading_hours,
        words=_hours,
        remedy="entries return with those hours",
        is_on=is_set("trading_hours"),
    ),
    Rule(
        name="news",
        look=no_news,
        words=as_told,
        remedy="entries return when its window is over",
        is_on=is_set("news_calendar"),
    ),
    Rule(
        name="pattern_day_trader",
        look=within_day_trades,
        words=_day_trades,
        remedy="entries return as trades are five business days old, or from that equity on",
        is_on=lambda limits: limits.pattern_day_trader,
    ),
)
"""Rules about time."""
