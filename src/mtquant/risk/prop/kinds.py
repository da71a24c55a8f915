"""The words that rule sets of prop firms are written with."""

from __future__ import annotations

from enum import Enum


class Level(Enum):
    """Say how surely a rule is known; the value is its short form in tables.

    On the firm's OWN_PAGE; REPORTED by others or by code; UNVERIFIED: recalled, assumed, or the
    sources contradict each other.
    """

    OWN_PAGE = "O"
    REPORTED = "R"
    UNVERIFIED = "U"


class Scope(Enum):
    """Say in which phases a rule applies."""

    ALWAYS = "always"
    EVALUATION = "evaluation"
    FUNDED = "funded"


class Effect(Enum):
    """Say what follows when a floor is broken."""

    FAIL = "fail"
    PAUSE = "pause until the reset"


class DailyBase(Enum):
    """Say what the floor of the day is measured from."""

    BALANCE = "balance at the reset"
    EQUITY = "equity at the reset"
    HIGHER = "the higher of balance and equity at the reset"
    EQUITY_HIGH = "the highest equity since the reset"
    NONE = "no daily limit"


class BaseShare(Enum):
    """Say what the daily allowance is a fraction of."""

    INITIAL = "the initial balance"
    BASE = "the base"


class FirstDayBase(Enum):
    """Say what the first day is measured from, before any reset has passed."""

    INITIAL = "the initial balance"
    OBSERVED = "what is seen first"


class Measure(Enum):
    """Say what must not fall below a floor."""

    EQUITY = "equity"
    BALANCE = "balance"


class MaxLossKind(Enum):
    """Say what the floor of the whole loss follows."""

    STATIC = "nothing: it stands"
    EOD_BALANCE = "the highest balance at any reset"
    BALANCE_HIGH = "the highest balance"
    EQUITY_HIGH = "the highest equity"


class ConsistencyScope(Enum):
    """Say when the best day's part is looked at."""

    EVALUATION = "evaluation"
    PAYOUT = "payout"


class ConsistencyEffect(Enum):
    """Say what follows while the best day is too large a part."""

    KEEP_TRADING = "not a breach: keep trading"
    PAYOUT_BLOCKED = "the payout is blocked"


class PropStatus(Enum):
    """Say whether an account may trade."""

    OK = "ok"
    PAUSED = "paused until the reset"
    STOPPED_BY_BUFFER = "stopped before the firm's line"
    FAILED = "failed"
