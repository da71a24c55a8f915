"""What the execution core needs of the world; storage and broker implement it by shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mtquant.model import (
        BrokerView,
        Deal,
        ExecutionResult,
        HaltOrder,
        IntentRow,
        Outcome,
        Publish,
    )


class Journal(Protocol):
    """Keep intents, deals and halts durably: when a method returns, its rows survive a crash."""

    def record_sending(self, row: IntentRow) -> None:
        """Write a new intent in state SENDING.

        Raises:
            JournalError: the decision was journalled before, or the journal cannot be written.
        """
        ...

    def record_intents(self, rows: Sequence[IntentRow]) -> None:
        """Write where intents stand now."""
        ...

    def record_deals(self, deals: Sequence[Deal]) -> None:
        """Write deals that the broker booked; a known deal is left as it is."""
        ...

    def record_halt(self, halt: HaltOrder) -> None:
        """Write a halt level, or its release."""
        ...

    def record_account(self, account: str) -> None:
        """Write whose journal this is, as login@server."""
        ...

    def account(self) -> str | None:
        """Return whose journal this is, None before anything was traded."""
        ...

    def record_baseline(self, baseline_minor: int) -> None:
        """Write what the deals do not explain of the balance, minor units."""
        ...

    def record_risk(self, state: str) -> None:
        """Write what breaker and prop rules remember, as JSON."""
        ...

    def note(self, one: Publish) -> None:
        """Keep an observation: it is written with the next rows, or by `flush`."""
        ...

    def flush(self) -> None:
        """Write the observations that wait."""
        ...

    def keep_room(self) -> bool:
        """Keep room for the rows of exits; tell whether there is any for more than that."""
        ...

    def has_room(self) -> bool:
        """Tell the same, changing nothing."""
        ...

    def pending_halts(self) -> list[HaltOrder]:
        """Return the halts and releases that other processes asked for and nobody took up."""
        ...

    def intents(self) -> list[IntentRow]:
        """Return every intent, oldest first."""
        ...

    def deals(self) -> list[Deal]:
        """Return every deal, oldest first."""
        ...

    def halt_level(self) -> int:
        """Return the halt level that stands."""
        ...

    def released_ms(self) -> int:
        """Return when a halt was lifted last (UTC ms), 0 for never."""
        ...

    def risk_state(self) -> str | None:
        """Return what breaker and prop rules remember, None before anything."""
        ...

    def baseline_minor(self) -> int | None:
        """Return what the deals do not explain of the balance, None before it was settled."""
        ...


class Broker(Protocol):
    """Read and trade an account."""

    def view(self) -> BrokerView:
        """Return one consistent reading.

        Raises:
            RetryableError: the terminal did not answer.
        """
        ...

    def send(
        self, row: IntentRow, last_look: Callable[[], tuple[Outcome, str] | None] | None = None
    ) -> ExecutionResult:
        """Send an intent once and class the answer; never raises for what the broker answers.

        `last_look` is taken just before the request leaves; what it finds keeps it from leaving.
        """
        ...
