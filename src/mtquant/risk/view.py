"""What a decision may look at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from mtquant.model import (
    AccountSnapshot,
    Instrument,
    IntentRow,
    MarginMode,
    OrderIntent,
    Position,
    Quote,
    Side,
    TradeMode,
)
from mtquant.portfolio.exposure import Exposure, Valuer

NOTHING_HELD: Final = Exposure()


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """Hold what a decision may look at: the broker's truth joined with the journal's.

    `in_flight` are the intents without an outcome, `may_come` the entries that are or may become
    positions, whether `positions` show them or not, and `exposure` sums up both. Entries are those
    of the strategy that asks, in a row those on its side. `cash_lack_minor` is what the deals do
    not explain of the balance.

    `trade_mode` is what the broker lets be done with the symbol now.

    `valuer` values the entry; what it found beforehand is known, so that the gate need not ask.
    `coming_margin_minor` is the margin of entries that no position shows yet: the account may or
    may not hold it already.
    `reference_points` is the close of the newest closed bar, 0 where there is none;
    `server_wall_ms` the server's wall time; `last_loss_ms` when the strategy's last losing trade
    was closed; `slippage_points` what fills on the symbol have been worse than asked, on average;
    `correlation` the highest one with what is held, and with which symbol, None where nothing is
    held that moves; `news` names what is published within the window; `breaker_level` and
    `prop_words` say what breaker and prop rules think of entries; `day_trades` counts positions
    opened and closed on one day, of the last five business days, and `opened_today` those that may
    become so yet, entries on their way included.
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
    valuer: Valuer | None = None
    exposure: Exposure = NOTHING_HELD
    known_value_minor: float | None = None
    known_margin_minor: int | None = None
    coming_margin_minor: int = 0
    reference_points: int = 0
    server_wall_ms: int = 0
    week_start_balance_minor: int = 0
    week_loss_minor: int = 0
    drawdown_fraction: float = 0.0
    last_loss_ms: int | None = None
    slippage_points: float | None = None
    correlation: tuple[float, str] | None = None
    news: str = ""
    breaker_level: int = 0
    prop_words: str = ""
    day_trades: int = 0
    trade_mode: TradeMode = TradeMode.FULL
    opened_today: int = 0

    def entry_points(self, intent: OrderIntent) -> int:
        """Return the price that an entry is expected at (points), 0 without a quote."""
        if intent.price_points:
            return intent.price_points
        if self.quote is None:
            return 0
        return self.quote.ask_points if intent.side is Side.BUY else self.quote.bid_points

    @property
    def is_netting(self) -> bool:
        """Tell whether the account holds one position a symbol."""
        return self.account.margin_mode is not MarginMode.HEDGING

    def order_value_minor(self, intent: OrderIntent) -> float:
        """Return what an order is worth, minor units, 0 where nothing values it."""
        if self.known_value_minor is not None:
            return self.known_value_minor
        if self.valuer is None:
            return 0.0
        return self.valuer.value_minor(intent.volume_units, self.entry_points(intent))

    def order_margin_minor(self, intent: OrderIntent) -> int:
        """Return the margin of an order on its own, minor units, 0 where nothing values it."""
        if self.known_margin_minor is not None:
            return self.known_margin_minor
        price = self.entry_points(intent)
        if self.valuer is None or price <= 0:
            return 0
        return self.valuer.terms.margin_to_open(
            intent.side.value, intent.volume_units, price, is_netting=self.is_netting
        )

    def order_ratio(self, intent: OrderIntent) -> float:
        """Return what the order is worth in multiples of equity."""
        return self.ratio(self.order_value_minor(intent))

    def ratio(self, minor: float) -> float:
        """Return an amount in multiples of equity; without equity anything is infinitely much."""
        equity = self.account.equity_minor
        return minor / equity if equity > 0 else math.inf
