"""What remembers losses and knows of news, made from a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.app.prop_rules import load_prop_rules
from mtquant.data.calendar_file import read_calendar
from mtquant.engine import LossWatch
from mtquant.model import ConfigError, minor_from_money
from mtquant.risk.prop import PropClock, PropGuard

if TYPE_CHECKING:
    from pathlib import Path

    from mtquant.app.config import BotConfig
    from mtquant.model.news import NewsEvent
    from mtquant.risk.prop import PropRules


def make_loss_watch(config: BotConfig, folder: Path) -> LossWatch:
    """Return what remembers losses, with the guard of a prop firm's rules where some are chosen.

    Raises:
        ConfigError: the rules cannot be read, or do not fit the account.
    """
    choice, venue, rules = config.risk.prop, config.venue, chosen_rules(config, folder)
    if choice is None or rules is None:
        return LossWatch(config.risk, venue.clock)
    account, highest = venue.account, choice.highest_balance
    digits = account.currency_digits
    guard = PropGuard(
        rules,
        minor_from_money(choice.initial_deposit, digits),
        PropClock(rules.day, venue.clock),
        choice.buffer_fraction,
        highest_minor=None if highest is None else minor_from_money(highest, digits),
        currency=(account.currency, digits),
    )
    return LossWatch(config.risk, venue.clock, guard)


def chosen_rules(config: BotConfig, folder: Path) -> PropRules | None:
    """Return the rules of a prop firm that a configuration names, of its phase; None for none.

    Raises:
        ConfigError: they cannot be read, or have no such phase.
    """
    choice = config.risk.prop
    if choice is None:
        return None
    near = folder / choice.rules
    rules = load_prop_rules(near if near.is_file() else choice.rules)
    return rules.for_phase(choice.phase) if choice.phase else rules


def require_risk_parts(config: BotConfig, folder: Path) -> None:
    """Refuse limits that no run could be made with: their rules, their calendar, their deposit.

    Raises:
        InputError: a file is missing or wrong, the rules do not fit the account, or the account
            begins with another deposit than the rules are to be measured from.
    """
    make_loss_watch(config, folder)
    load_calendar(config, folder)
    choice, account = config.risk.prop, config.venue.account
    if choice is None:
        return
    if minor_from_money(choice.initial_deposit, account.currency_digits) != account.deposit_minor:
        raise ConfigError(
            f"risk.prop.initial_deposit: the firm's lines would be measured from "
            f"{choice.initial_deposit:,.2f} {account.currency}, and the account begins with "
            f"{account.deposit:,.2f} {account.currency} (venue.account.deposit); make them equal"
        )


def load_calendar(config: BotConfig, folder: Path) -> tuple[NewsEvent, ...]:
    """Return the publications of the configured file, none where none is configured.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    path = config.risk.news_calendar
    return () if path is None else read_calendar(folder / path)
