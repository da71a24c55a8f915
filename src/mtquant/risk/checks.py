"""The checks of an opening order: pure functions that return a refusal or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mtquant.model import IntentAction, IntentState, OrderIntent, lots_from_units, money_from_minor
from mtquant.risk import rules
from mtquant.risk.limits import Refusal, RiskLimits, RiskView

Check = Callable[[OrderIntent, RiskView, RiskLimits], Refusal | None]


def not_halted(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Refusal | None:
    """Refuse entries while a halt stands."""
    if view.halt_level == 0:
        return None
    return Refusal(
        rule="halt",
        value=f"level {view.halt_level}",
        limit="level 0",
        remedy="mtquant resume --who NAME --reason TEXT",
    )


def broker_is_known(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Refusal | None:
    """Refuse entries until the broker's state has been reconciled."""
    if view.is_ready:
        return None
    return Refusal(rule="reconciled", value="not yet", limit="after reconciliation")


def nothing_unresolved(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Refusal | None:
    """Refuse a second entry on a symbol while another's outcome, or its position, is not seen."""
    known = {position.intent_id for position in view.positions}
    unseen = (
        row
        for row in view.may_come
        if row.state is not IntentState.NOTSENT and row.intent_id not in known
    )
    for row in (*view.in_flight, *unseen):
        if row.intent.symbol == intent.symbol and row.intent.action is IntentAction.OPEN:
            return Refusal(
                rule="unresolved_order", value=f"intent {row.intent_id}", limit="none in flight"
            )
    return None


def fresh_quote(intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Refusal | None:
    """Refuse without a usable quote, or with an old one."""
    quote = view.quote
    if quote is not None and rules.is_quoted(quote.bid_points, quote.ask_points):
        if quote.age_ms <= 1000 * limits.max_quote_age_s:
            return None
        return Refusal(
            rule="quote_age",
            value=f"{quote.age_ms / 1000:.1f} s",
            limit=f"{limits.max_quote_age_s} s",
            remedy=f"entries return with the next tick of {intent.symbol}",
        )
    shown = "none" if quote is None else f"bid {quote.bid_points}, ask {quote.ask_points} points"
    return Refusal(rule="quote", value=shown, limit="0 < bid <= ask", remedy=intent.symbol)


def within_max_spread(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Refusal | None:
    """Refuse while the spread is too wide."""
    if view.quote is None or rules.is_within_spread(
        view.quote.spread_points, limits.max_spread_points
    ):
        return None
    return Refusal(
        rule="max_spread",
        value=f"{view.quote.spread_points} points",
        limit=f"{limits.max_spread_points} points",
    )


def within_max_positions(
    _intent: OrderIntent, view: RiskView, limits: RiskLimits
) -> Refusal | None:
    """Refuse when the account holds, or may come to hold, too many positions.

    Counts the broker's positions and every entry whose position is not among them.
    """
    known = {position.intent_id for position in view.positions}
    coming = [row for row in view.may_come if row.intent_id not in known]
    count = len(view.positions) + len(coming)
    if count < limits.max_positions:
        return None
    return Refusal(
        rule="max_positions", value=f"{count} open or on the way", limit=str(limits.max_positions)
    )


def within_daily_loss(_intent: OrderIntent, view: RiskView, limits: RiskLimits) -> Refusal | None:
    """Refuse entries once equity is too far below the day's starting balance."""
    allowed = rules.allowed_loss_minor(limits.max_daily_loss_fraction, view.day_start_balance_minor)
    if rules.is_within_daily_loss(view.day_loss_minor, allowed):
        return None
    digits, currency = view.account.currency_digits, view.account.currency
    return Refusal(
        rule="max_daily_loss",
        value=f"{money_from_minor(view.day_loss_minor, digits):.{digits}f} {currency}",
        limit=f"{money_from_minor(allowed, digits):.{digits}f} {currency} "
        f"({limits.max_daily_loss_fraction:.1%} of the day's start)",
        remedy="entries return at the next server midnight",
    )


def within_entries_per_minute(
    _intent: OrderIntent, view: RiskView, limits: RiskLimits
) -> Refusal | None:
    """Refuse a strategy that enters too often."""
    if view.entries_in_minute < limits.max_entries_per_minute:
        return None
    return Refusal(
        rule="max_entries_per_minute",
        value=f"{view.entries_in_minute} in the last 60 seconds",
        limit=str(limits.max_entries_per_minute),
    )


def within_entries_per_day(
    _intent: OrderIntent, view: RiskView, limits: RiskLimits
) -> Refusal | None:
    """Refuse a strategy that has entered often enough for a day."""
    most = limits.max_entries_per_day
    if most is None or view.entries_today < most:
        return None
    return Refusal(
        rule="max_entries_per_day",
        value=f"{view.entries_today} today",
        limit=str(most),
        remedy="entries return at the next server midnight",
    )


def within_entries_in_a_row(
    intent: OrderIntent, view: RiskView, limits: RiskLimits
) -> Refusal | None:
    """Refuse a strategy that enters on one side again and again, until a person has looked."""
    most = limits.max_entries_in_a_row
    if most is None or view.entries_in_a_row < most:
        return None
    return Refusal(
        rule="max_entries_in_a_row",
        value=f"{view.entries_in_a_row} times {intent.side.name}",
        limit=str(most),
        remedy="look at it, then: mtquant resume --who NAME --reason TEXT",
    )


def cash_is_explained(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Refusal | None:
    """Refuse entries while the deals do not explain the balance."""
    if view.cash_lack_minor == 0:
        return None
    digits = view.account.currency_digits
    lack = money_from_minor(view.cash_lack_minor, digits)
    return Refusal(
        rule="cash",
        value=f"{lack:+.{digits}f} {view.account.currency} that no deal explains",
        limit="none",
        remedy="look at the account's history, then: mtquant resume --who NAME --reason TEXT",
    )


def tradable_volume(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Refusal | None:
    """Refuse a volume the instrument does not trade."""
    if view.instrument.floor_units(intent.volume_units) == intent.volume_units:
        return None
    return Refusal(
        rule="volume",
        value=f"{lots_from_units(intent.volume_units):g} lots",
        limit=f"{lots_from_units(view.instrument.volume_min_units):g} to "
        f"{lots_from_units(view.instrument.volume_max_units):g} lots in steps of "
        f"{lots_from_units(view.instrument.volume_step_units):g}",
    )


def has_stop_loss(intent: OrderIntent, _view: RiskView, _limits: RiskLimits) -> Refusal | None:
    """Refuse an entry without a stop loss: its risk has no bound."""
    if intent.stop_loss_points:
        return None
    return Refusal(rule="stop_loss", value="none", limit="required")


ENTRY_CHECKS: Final[tuple[Check, ...]] = (
    not_halted,
    broker_is_known,
    nothing_unresolved,
    fresh_quote,
    within_max_spread,
    within_max_positions,
    within_daily_loss,
    within_entries_per_minute,
    within_entries_per_day,
    within_entries_in_a_row,
    cash_is_explained,
    has_stop_loss,
    tradable_volume,
)
"""What an opening order must pass, in this order."""
ENTRY_RULES: Final = tuple(check.__name__ for check in ENTRY_CHECKS)
"""The names of the checks, for whoever tells what was looked at."""
