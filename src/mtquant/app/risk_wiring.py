"""What remembers losses and knows of news, made from a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.app.prop_rules import load_prop_rules
from mtquant.data.calendar_file import read_calendar
from mtquant.engine import LossWatch
from mtquant.risk.prop import PropClock, PropGuard

if TYPE_CHECKING:
    from pathlib import Path

    from mtquant.app.config import BotConfig
    from mtquant.model.news import NewsEvent


def make_loss_watch(config: BotConfig, folder: Path) -> LossWatch:
    """Return what remembers losses, with the guard of a prop firm's rules where some are chosen.

    Raises:
        ConfigError: the rules cannot be read, or do not fit the account.
    """
    choice, venue = config.risk.prop, config.venue
    if choice is None:
        return LossWatch(config.risk, venue.clock)
    near = folder / choice.rules
    rules = load_prop_rules(near if near.is_file() else choice.rules)
    if choice.phase:
        rules = rules.for_phase(choice.phase)
    initial_minor = round(choice.initial_deposit * 10**venue.account.currency_digits)
    clock = PropClock(rules.day, venue.clock)
    guard = PropGuard(rules, initial_minor, clock, choice.buffer_fraction)
    return LossWatch(config.risk, venue.clock, guard)


def load_calendar(config: BotConfig, folder: Path) -> tuple[NewsEvent, ...]:
    """Return the publications of the configured file, none where none is configured.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    path = config.risk.news_calendar
    return () if path is None else read_calendar(folder / path)
