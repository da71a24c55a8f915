"""What goes into the engine (events) and what comes out (commands)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mtquant.model.bars import Quote
from mtquant.model.codec import Jsonable
from mtquant.model.intent import ExecutionResult, IntentRow
from mtquant.model.kinds import TradeMode
from mtquant.model.signal import Scalar
from mtquant.model.trading import AccountSnapshot, Deal, Order, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerView(Jsonable):
    """Hold one consistent reading of the broker: account, positions, orders, new deals, quotes.

    `deals` and `closed_orders` are those the broker booked since the reader's last view. The time
    is the reader's, whose clock is `lead_ms` ahead of the server's, as far as he knows.
    `trade_modes` say, by symbol, what the broker lets be done with it now.
    """

    time_ms: int
    account: AccountSnapshot
    positions: tuple[Position, ...]
    orders: tuple[Order, ...]
    deals: tuple[Deal, ...]
    closed_orders: tuple[Order, ...]
    quotes: tuple[Quote, ...]
    lead_ms: int = 0
    trade_modes: Mapping[str, TradeMode] = field(default_factory=dict)

    @property
    def server_ms(self) -> int:
        """Return the time by the server's clock, UTC milliseconds."""
        return self.time_ms - self.lead_ms

    def quote(self, symbol: str) -> Quote | None:
        """Return the quote of a symbol, None if the view has none."""
        return next((quote for quote in self.quotes if quote.symbol == symbol), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerReport:
    """Report a reading of the broker; `cause` is that of the `ReadBroker` it answers, or `poll`."""

    view: BrokerView
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """Report the answer to a `SendOrder`."""

    result: ExecutionResult


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLost:
    """Report that the terminal cannot be read any more."""

    time_ms: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRestored:
    """Report that the terminal answers again."""

    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Report that time has come this far and nothing else happened."""

    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltOrder(Jsonable):
    """Carry a person's (or the breaker's) halt, or its release when `level` is 0."""

    time_ms: int
    level: int
    who: str
    reason: str
    request_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReport:
    """Report what the account is worth, without its credit, minor units.

    It comes between readings, to whoever watches losses; `server_ms` is the server's time (UTC ms).
    """

    server_ms: int
    equity_minor: int
    balance_minor: int


Event = BrokerReport | OrderReport | LinkLost | LinkRestored | Timer | HaltOrder | AccountReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBroker:
    """Ask the runner for a `BrokerReport` with this cause."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrder:
    """Ask the runner to journal this row and to send it once."""

    row: IntentRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIntents:
    """Ask the runner to journal where intents stand now."""

    rows: tuple[IntentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeals:
    """Ask the runner to journal deals that the broker booked."""

    deals: tuple[Deal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHalt:
    """Ask the runner to journal a halt level before anything acts on it."""

    halt: HaltOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBaseline:
    """Ask the runner to journal what the deals do not explain of the balance, minor units."""

    baseline_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRisk:
    """Ask the runner to journal what breaker and prop rules remember, as JSON."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Jsonable):
    """Ask the runner to hand an observation to the subscribers.

    `name` is a past-tense lower-case event name; `correlation_id` joins all that one decision
    caused.
    """

    name: str
    time_ms: int
    correlation_id: str
    fields: Mapping[str, Scalar] = field(default_factory=dict)


Command = (
    ReadBroker
    | SendOrder
    | RecordIntents
    | RecordDeals
    | RecordHalt
    | RecordBaseline
    | RecordRisk
    | Publish
)
