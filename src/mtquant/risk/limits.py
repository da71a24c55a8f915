"""The limits a person sets, and what a refusal says."""

from __future__ import annotations

from dataclasses import dataclass

from mtquant.model import (
    AccountSnapshot,
    ConfigError,
    Instrument,
    IntentRow,
    Position,
    Quote,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Hold the limits of one bot. Fractions are of equity (risk) or of the day's start (loss).

    Entries are counted for each strategy, sent ones, whatever became of them: over the last 60
    seconds, since the server's midnight, and on one side without one on the other (None: not
    limited); after too many of the last a person must look and resume. The first keeps a strategy
    that runs wild from flooding the broker; one that decides on bars never comes near it. An entry
    needs a quote that is not older than `max_quote_age_s`.
    """

    risk_per_trade_fraction: float = 0.01
    max_positions: int = 1
    max_daily_loss_fraction: float = 0.05
    max_spread_points: int = 50
    max_quote_age_s: int = 60
    max_entries_per_minute: int = 60
    max_entries_per_day: int | None = None
    max_entries_in_a_row: int | None = None

    def __post_init__(self) -> None:
        """Refuse limits that do not limit.

        Raises:
            ConfigError: the message names the key, the value and what would be right.
        """
        risk = self.risk_per_trade_fraction
        if not 0 < risk <= 0.1:
            raise ConfigError(
                f"risk_per_trade_fraction: {risk:g} would risk {risk:.0%} of equity on one trade; "
                "use more than 0 and at most 0.1 (for half a percent write 0.005 or '0.5%')"
            )
        if self.max_positions < 1:
            raise ConfigError(f"max_positions must be at least 1, was {self.max_positions}")
        if not 0 < self.max_daily_loss_fraction < 1:
            raise ConfigError(
                "max_daily_loss_fraction must lie between 0 and 1, "
                f"was {self.max_daily_loss_fraction:g}"
            )
        if self.max_spread_points < 0:
            raise ConfigError(f"max_spread_points must not be negative: {self.max_spread_points}")
        for name in (
            "max_quote_age_s",
            "max_entries_per_minute",
            "max_entries_per_day",
            "max_entries_in_a_row",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, was {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Say which rule refuses, the value it saw, its limit, and what would pass."""

    rule: str
    value: str
    limit: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.rule}: {self.value} (limit {self.limit})"
        return f"{text}; {self.remedy}" if self.remedy else text


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """Hold what a decision may look at: the broker's truth joined with the journal's.

    `in_flight` are the intents without an outcome, `may_come` the entries that are or may become
    positions, whether `positions` show them or not. Entries are those of the strategy that asks, in
    a row those on its side. `cash_lack_minor` is what the deals do not explain of the balance.
    """

    now_ms: int
    account: AccountSnapshot
    instrument: Instrument
    quote: Quote | None
    positions: tuple[Position, ...]
    in_flight: tuple[IntentRow, ...]
    may_come: tuple[IntentRow, ...]
    day_start_balance_minor: int
    day_loss_minor: int
    entries_in_minute: int
    entries_today: int
    entries_in_a_row: int
    cash_lack_minor: int
    halt_level: int
    is_ready: bool
