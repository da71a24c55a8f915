"""Whether anything may be opened now at all: halts, what is known, breaker, prop rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.model import IntentAction, IntentState, OrderIntent, Side, TradeMode, money_from_minor
from mtquant.risk.checks.rule import A_PERSON, Result, Rule, as_told
from mtquant.risk.limits import Directions, RiskLimits

if TYPE_CHECKING:
    from mtquant.risk.view import RiskView

_ALLOWED: Final = {
    Directions.BOTH: (Side.BUY, Side.SELL),
    Directions.LONG_ONLY: (Side.BUY,),
    Directions.SHORT_ONLY: (Side.SELL,),
    Directions.CLOSE_ONLY: (),
}
_OPENS: Final = {
    TradeMode.FULL: (Side.BUY, Side.SELL),
    TradeMode.LONG_ONLY: (Side.BUY,),
    TradeMode.SHORT_ONLY: (Side.SELL,),
    TradeMode.CLOSE_ONLY: (),
    TradeMode.DISABLED: (),
}
_MODE_WORDS: Final = {
    TradeMode.FULL: "fully traded",
    TradeMode.LONG_ONLY: "long only",
    TradeMode.SHORT_ONLY: "short only",
    TradeMode.CLOSE_ONLY: "close only",
    TradeMode.DISABLED: "suspended",
}
_BREAKS_AT: Final = 2


def not_halted(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse entries while a halt stands."""
    return view.halt_level == 0, view.halt_level, 0


def broker_is_known(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse entries until the broker's state has been reconciled."""
    return view.is_ready, "done" if view.is_ready else "not yet", "after reconciliation"


def nothing_unresolved(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse a second entry on a symbol while another's outcome, or its position, is not seen."""
    known = {position.intent_id for position in view.positions} if view.may_come else ()
    unseen = (
        row
        for row in view.may_come
        if row.state is not IntentState.NOTSENT and row.intent_id not in known
    )
    for row in (*view.in_flight, *unseen):
        if row.intent.symbol == intent.symbol and row.intent.action is IntentAction.OPEN:
            return False, f"intent {row.intent_id}", "none in flight"
    return True, "none", "none in flight"


def symbol_takes_entries(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse an entry that the broker does not let the symbol take now."""
    mode, side = view.trade_mode, intent.side
    return side in _OPENS[mode], mode, side


def cash_is_explained(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse entries while the deals do not explain the balance."""
    return view.cash_lack_minor == 0, view.cash_lack_minor, "none"


def breaker_allows(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse entries from the second level of the circuit breaker on."""
    return view.breaker_level < _BREAKS_AT, view.breaker_level, _BREAKS_AT - 1


def prop_allows(_intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse entries that the rules of a prop firm forbid."""
    return not view.prop_words, view.prop_words or "allowed", "the firm's rules"


def direction_is_allowed(intent: OrderIntent, _view: RiskView, limits: RiskLimits) -> Result:
    """Refuse a side that the limits exclude."""
    return intent.side in _ALLOWED[limits.directions], intent.side, limits.directions


def stands_alone(intent: OrderIntent, view: RiskView, _limits: RiskLimits) -> Result:
    """Refuse a second position of a symbol, on either side.

    NFA rule 2-43(b) forbids positions against each other and wants the oldest closed first: of one
    position both are always so.
    """
    symbol = intent.symbol
    for position in view.positions:
        if position.symbol == symbol:
            held = f"position {position.position_ticket} is {position.side.name}"
            return False, held, "one position a symbol"
    return True, "nothing held", "one position a symbol"


def _level(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return f"level {value}", f"level {limit}"


def _mode(value: Any, limit: Any, intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return f"{intent.symbol} is {_MODE_WORDS[value]}", f"open for {limit.name}"


def _side(value: Any, limit: Any, _intent: OrderIntent, _view: RiskView) -> tuple[str, str]:
    return value.name, limit.value


def _lack(value: Any, limit: Any, _intent: OrderIntent, view: RiskView) -> tuple[str, str]:
    digits = view.account.currency_digits
    lack = money_from_minor(value, digits)
    told = f"{lack:+.{digits}f} {view.account.currency} that no deal explains"
    return (told if value else "explained"), limit


STANDING: Final = (
    Rule(name="halt", look=not_halted, words=_level, remedy=A_PERSON),
    Rule(name="reconciled", look=broker_is_known, words=as_told),
    Rule(name="unresolved_order", look=nothing_unresolved, words=as_told),
    Rule(
        name="trade_mode",
        look=symbol_takes_entries,
        words=_mode,
        remedy="entries return when the broker lets {symbol} take them",
    ),
    Rule(
        name="cash",
        look=cash_is_explained,
        words=_lack,
        remedy=f"look at the account's history, then: {A_PERSON}",
    ),
    Rule(
        name="breaker",
        look=breaker_allows,
        words=_level,
        remedy=f"after its cool-down: {A_PERSON}",
        is_on=lambda limits: limits.breaker is not None,
    ),
    Rule(
        name="prop_rules",
        look=prop_allows,
        words=as_told,
        is_on=lambda limits: limits.prop is not None,
    ),
    Rule(
        name="directions",
        look=direction_is_allowed,
        words=_side,
        is_on=lambda limits: limits.directions is not Directions.BOTH,
    ),
    Rule(
        name="fifo_no_hedge",
        look=stands_alone,
        words=as_told,
        remedy="close the position first",
        is_on=lambda limits: limits.fifo_no_hedge,
    ),
)
"""Rules about the state of bot and account."""
