"""What a journal holds about one number: the intents, deals and log rows of a single story."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from mtquant.model import ConfigError, Deal, DealEntry, HaltOrder, IntentRow, JournalError
from mtquant.storage.chain import LogRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mtquant.storage import SqliteJournal

_CONTEXT: Final = ("link", "halt")
"""Correlation ids that stories share: what happened to the link and to the bot meanwhile."""
_LINK: Final = ("link_lost", "reconciled")
_FLATTENS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Hold all about one position, or about a wish to trade that came to nothing.

    `rows` are those of the log, in the order in which the bot got to know; among them are the
    first rows of other intents that the same signal made. `known_as` says what the number that
    was asked for is, `also` what else has it.
    """

    number: int | str
    known_as: str
    also: tuple[str, ...]
    position_ticket: int  # 0: there is no position
    intents: tuple[IntentRow, ...]
    deals: tuple[Deal, ...]
    rows: tuple[LogRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; the body of a log row is its record."""
        rows = [
            {name: getattr(row, name) for name in ("sequence", "time_ms", "kind", "hash")}
            | {"intent_id": row.intent_id, "correlation_id": row.correlation_id}
            | {"record": row.record()}
            for row in self.rows
        ]
        return {
            "number": self.number,
            "known_as": self.known_as,
            "also": list(self.also),
            "position_ticket": self.position_ticket,
            "intents": [row.to_dict() for row in self.intents],
            "deals": [deal.to_dict() for deal in self.deals],
            "rows": rows,
        }


def fields_of(row: LogRow) -> dict[str, Any]:
    """Return the fields of an observation.

    Raises:
        JournalError: it has none.
    """
    found = row.record().get("fields")
    if not isinstance(found, dict):
        raise JournalError(f"log row {row.sequence}: this is no observation")
    return found


def find_story(journal: SqliteJournal, number: int) -> Story:
    """Return the story that a ticket or an intent's number belongs to.

    Raises:
        ConfigError: nothing in the journal has this number.
        JournalError: the journal cannot be read.
    """
    with journal.snapshot():
        books = _Books(journal.intents(), journal.deals())
        owners = books.owners(number)
        if not owners:
            raise ConfigError(
                f"{number}: not in this journal; looked at the numbers of "
                f"{len(books.intents)} intents with their orders and positions, and at the deal, "
                f"order and position tickets of {len(books.deals)} deals"
            )
        first, *others = owners
        intents = books.intents_of(first)
        deals = books.deals_of(first, intents)
        rows = _rows(journal, books, intents, deals)
    return Story(
        number=number,
        known_as=first.kind,
        also=tuple(str(one) for one in others if one.leads_elsewhere(first, intents, deals)),
        position_ticket=first.position_ticket,
        intents=tuple(intents),
        deals=tuple(deals),
        rows=tuple(rows),
    )


def find_decision(journal: SqliteJournal, correlation_id: str) -> Story:
    """Return all that one decision led to: what was refused, and the intents that were made.

    Raises:
        ConfigError: nothing in the journal has this id.
        JournalError: the journal cannot be read.
    """
    with journal.snapshot():
        intents = [one for one in journal.intents() if one.intent.signal_id == correlation_id]
        orders = {one.order_ticket for one in intents} - {0}
        deals = [one for one in journal.deals() if one.order_ticket in orders]
        ids = {one.intent_id for one in intents}
        tickets = [one.deal_ticket for one in deals]
        rows = journal.story(ids, [correlation_id], tickets)
    own = [row for row in rows if row.correlation_id == correlation_id or row.intent_id in ids]
    if not own:
        raise ConfigError(
            f"{correlation_id!r}: no decision of this journal has this id; `mtquant journal "
            "refused` shows the ids of refused entries"
        )
    return Story(
        number=correlation_id,
        known_as="decision",
        also=(),
        position_ticket=0,
        intents=tuple(intents),
        deals=tuple(deals),
        rows=tuple(own),
    )


@dataclass(frozen=True, slots=True)
class _Owner:
    """Say what a number is, and to which position that belongs."""

    kind: str
    position_ticket: int
    intent: IntentRow | None = None
    deal: Deal | None = None

    def __str__(self) -> str:
        of = f" of position {self.position_ticket}" if self.position_ticket else ""
        return f"{self.kind}{of}"

    def leads_elsewhere(
        self, first: _Owner, intents: Iterable[IntentRow], deals: Iterable[Deal]
    ) -> bool:
        if self.position_ticket:
            return self.position_ticket != first.position_ticket
        return self.intent not in (None, *intents) or self.deal not in (None, *deals)


class _Books:
    """Find in all intents and deals what belongs together."""

    def __init__(self, intents: Sequence[IntentRow], deals: Sequence[Deal]) -> None:
        self.intents = intents
        self.deals = deals

    @cached_property
    def _positions(self) -> dict[int, int]:
        """Return order ticket → position ticket; an opening before what it closed of another."""
        closing = [deal for deal in self.deals if deal.entry is not DealEntry.IN]
        opening = [deal for deal in self.deals if deal.entry is DealEntry.IN]
        return {deal.order_ticket: deal.position_ticket for deal in (*closing, *opening)}

    def _position_of(self, row: IntentRow) -> int:
        found = self._positions.get(row.order_ticket, 0) if row.order_ticket else 0
        return row.intent.position_ticket or found

    def owners(self, number: int) -> list[_Owner]:
        """Return what has this number: brokers count orders, positions and deals apart."""
        if number <= 0:
            return []
        found = [
            _Owner("intent", self._position_of(row), intent=row)
            for row in self.intents
            if row.intent_id == number
        ]
        positions = {deal.position_ticket for deal in self.deals}
        positions |= {row.intent.position_ticket for row in self.intents}
        if number in positions:
            found.append(_Owner("position", number))
        found += [
            _Owner("order", self._position_of(row), intent=row)
            for row in self.intents
            if number in (row.order_ticket, row.intent.order_ticket)
        ]
        for deal in self.deals:
            if number in (deal.order_ticket, deal.deal_ticket):
                kind = "deal" if deal.deal_ticket == number else "order"
                found.append(_Owner(kind, deal.position_ticket, deal=deal))
        return found

    def intents_of(self, owner: _Owner) -> list[IntentRow]:
        """Return the intents of a position, or the one that is meant, with all their attempts."""
        position = owner.position_ticket
        meant = [
            row
            for row in self.intents
            if row is owner.intent or (position and self._position_of(row) == position)
        ]
        keys = {row.intent.decision_key for row in meant}
        return [row for row in self.intents if row.intent.decision_key in keys]

    def deals_of(self, owner: _Owner, intents: Iterable[IntentRow]) -> list[Deal]:
        """Return the deals of a position and of the intents' orders."""
        position, orders = owner.position_ticket, {row.order_ticket for row in intents} - {0}
        return [
            deal
            for deal in self.deals
            if deal is owner.deal
            or deal.order_ticket in orders
            or (position and deal.position_ticket == position)
        ]

    def exclusive(self, intents: Iterable[IntentRow]) -> set[str]:
        """Return the correlation ids of intents that no other strategy or symbol has.

        Two strategies may decide at the same bar without a signal; its id then joins both.
        """
        named = {row.intent.signal_id: _who(row) for row in intents}
        for row in self.intents:
            if named.get(row.intent.signal_id, _who(row)) != _who(row):
                del named[row.intent.signal_id]
        return named.keys() - {"", *_CONTEXT}


def _who(row: IntentRow) -> tuple[str, str]:
    return row.intent.strategy_id, row.intent.symbol


def _rows(
    journal: SqliteJournal, books: _Books, intents: Sequence[IntentRow], deals: Sequence[Deal]
) -> list[LogRow]:
    """Return the rows of a story, in the order of the log."""
    ids = {row.intent_id for row in intents}
    tickets = {deal.deal_ticket for deal in deals}
    names = books.exclusive(intents)
    strangers = [deal.deal_ticket for deal in deals if deal.intent_id not in ids]
    found = journal.story(ids, {row.intent.signal_id for row in intents} | names, strangers)
    own: list[LogRow] = []
    companions: set[int] = set()
    for row in found:
        if row.kind == "deal":
            is_own = row.record().get("deal_ticket") in tickets
        elif row.kind == "intent":
            joined = row.correlation_id in names and not row.correlation_id.startswith("bar:")
            is_own = row.intent_id in ids or (joined and row.intent_id not in companions)
            companions.add(row.intent_id)
        else:
            is_own = row.kind == "note" and _is_note_of(row, ids, names)
        if is_own:
            own.append(row)
    context = journal.story([], _CONTEXT)
    return sorted([*own, *_meanwhile(context, own, intents)], key=lambda row: row.sequence)


def _is_note_of(row: LogRow, ids: set[int], names: set[str]) -> bool:
    about = fields_of(row).get("intent_id")
    return about in ids if about else row.correlation_id in names


def _meanwhile(
    context: Iterable[LogRow], own: Sequence[LogRow], intents: Iterable[IntentRow]
) -> list[LogRow]:
    """Return what happened to link and bot during a story, or right after its last row.

    Of the halts before it, the one that its closing obeyed belongs to it.
    """
    if not own:
        return []
    first, last = own[0].sequence, own[-1].sequence
    obeyed = {row.intent_id for row in intents if row.intent.signal_id == "halt"}
    closes = [row.sequence for row in own if row.kind == "intent" and row.intent_id in obeyed]
    chosen, cause = [], None
    for row in context:
        if row.kind != "halt" and row.record().get("name") not in _LINK:
            continue  # the closing of another position by a halt
        if first < row.sequence <= last + 1:
            chosen.append(row)
            last = max(last, row.sequence)
        elif row.kind == "halt" and closes and row.sequence < closes[0]:
            level = HaltOrder.from_dict(row.record()).level
            cause = row if level >= _FLATTENS else None if level == 0 else cause
    return [cause, *chosen] if cause is not None else chosen
