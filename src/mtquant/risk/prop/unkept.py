"""What a firm's rules ask for and the bot does not keep by itself, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from mtquant.risk.prop.spec import PropRules

_AIMS: Final = frozenset({"profit_target_fraction", "min_trading_days"})
"""What an account is to reach: nothing that an order could break."""

_LEFT_OPEN: Final = "the source leaves it open, all or in part; a copy of the file can state it"
_EXITS_GO_ON: Final = "the bot holds back entries alone; exits work at every time"
_AT_THE_SERVER: Final = "the broker's server fills stops and targets by itself"
_CAPS: Final = "the broker sets leverage; the bot's own cap is max_leverage, by its asset classes"
_IDLE: Final = "the bot opens nothing for the sake of a date; risk simulate judges it"
_PAYOUT: Final = "no order breaks it; risk simulate judges it"
_NO_CALENDAR: Final = "no news_calendar is configured"


class Unkept(NamedTuple):
    """Name a rule that the bot does not keep by itself, and say why."""

    rule: str
    why: str


def unkept_rules(rules: PropRules, *, has_calendar: bool = True) -> tuple[Unkept, ...]:
    """Return what of a rule set the bot does not keep by itself; aims to reach are no rules.

    Args:
        rules: those of one phase, or all.
        has_calendar: whether publications are known, for the firm's rule about news.
    """
    news = rules.news
    found = [Unkept(name, _LEFT_OPEN) for name in rules.left_open if name not in _AIMS]
    if news is not None and not has_calendar:
        found.append(Unkept("news", _NO_CALENDAR))
    if news is not None and news.covers_closing:
        found.append(Unkept("news.covers_closing", _EXITS_GO_ON))
    if news is not None and news.covers_stops:
        found.append(Unkept("news.covers_stops", _AT_THE_SERVER))
    if rules.leverage:
        found.append(Unkept("leverage", _CAPS))
    if rules.inactivity_days is not None:
        found.append(Unkept("inactivity_days", _IDLE))
    if rules.consistency is not None:
        found.append(Unkept("consistency", _PAYOUT))
    if rules.profitable_days is not None:
        found.append(Unkept("profitable_days", _PAYOUT))
    return tuple(found)
