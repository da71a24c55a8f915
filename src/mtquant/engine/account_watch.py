"""What a reading shows of the account that neither the journal nor any deal explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.engine.notes import note
from mtquant.model import HaltOrder

if TYPE_CHECKING:
    from mtquant.execution import Desk
    from mtquant.model import BrokerView, Publish
    from mtquant.portfolio import Portfolio

_NAMED = 5


class AccountWatch:
    """Say once what is strange, and again when it is not so any more."""

    def __init__(self, portfolio: Portfolio, desk: Desk) -> None:
        self._portfolio = portfolio
        self._cash = portfolio.cash
        self._desk = desk
        self._told_lack_minor = 0
        self._is_new_journal = False

    def begin(self, *, is_new_journal: bool) -> None:
        """Note whether the journal is a new one: what the broker has of ours is older then."""
        self._is_new_journal = is_new_journal

    def look(self, view: BrokerView) -> tuple[list[Publish], HaltOrder | None]:
        """Return what is to be told of a reading, and the halt that it asks for."""
        told = self._cash_notes(view) + self._rebuilt_notes(view)
        strangers = self._desk.strangers(view)
        told += [
            note(
                "order_not_ours",
                view.time_ms,
                "link",
                order_ticket=order.order_ticket,
                intent_id=order.intent_id,
                symbol=order.symbol,
            )
            for order in strangers
        ]
        if not strangers:
            return told, None
        tickets = ", ".join(str(order.order_ticket) for order in strangers[:_NAMED])
        reason = (
            f"orders carry this bot's numbers and are not in its journal ({tickets}): another bot "
            "with the same number trades the account, or the journal is an older copy"
        )
        return told, HaltOrder(time_ms=view.time_ms, level=1, who="the bot", reason=reason)

    def _rebuilt_notes(self, view: BrokerView) -> list[Publish]:
        """Say that this bot traded here before its journal began: what that remembered is lost."""
        if not self._is_new_journal:
            return []
        self._is_new_journal = False
        counts = {
            kind: sum(self._portfolio.is_own(one.intent_id) for one in found)
            for kind, found in (
                ("positions", view.positions),
                ("orders", view.orders),
                ("closed_orders", view.closed_orders),
            )
        }
        if not any(counts.values()):
            return []
        return [note("journal_rebuilt", view.time_ms, "link", **counts)]

    def _cash_notes(self, view: BrokerView) -> list[Publish]:
        """Say when the deals do not explain the balance any more, and when they do again."""
        lacks_minor = self._cash.lacks_minor
        if lacks_minor == self._told_lack_minor:
            return []
        self._told_lack_minor = lacks_minor
        seen = {"difference_minor": lacks_minor, "balance_minor": view.account.balance_minor}
        return [
            note("cash_differs" if lacks_minor else "cash_agrees", view.time_ms, "cash", **seen)
        ]
