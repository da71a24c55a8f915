"""What a reading shows of the account that nothing explains, or that nobody manages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.engine.notes import note
from mtquant.model import HaltOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.engine.slot import StrategySlot
    from mtquant.execution import Desk
    from mtquant.model import BrokerView, Position, Publish
    from mtquant.portfolio import Portfolio

_NAMED = 5


class AccountWatch:
    """Say once what is strange, and again when it is not so any more.

    `owner` returns whose a position of the bot is.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        desk: Desk,
        owner: Callable[[Position], StrategySlot | None],
    ) -> None:
        self._portfolio = portfolio
        self._cash = portfolio.cash
        self._desk = desk
        self._owner = owner
        self._told_unmanaged: set[tuple[int, bool]] = set()  # by ticket, and whether it is bare
        self._told_lack_minor = 0
        self._is_new_journal = False

    def begin(self, *, is_new_journal: bool) -> None:
        """Note whether the journal is a new one: what the broker has of ours is older then."""
        self._is_new_journal = is_new_journal

    def look(self, view: BrokerView) -> tuple[list[Publish], HaltOrder | None]:
        """Return what is to be told of a reading, and the halt that it asks for."""
        told = self._cash_notes(view) + self._rebuilt_notes(view) + self._unmanaged_notes(view)
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

    def _unmanaged_notes(self, view: BrokerView) -> list[Publish]:
        """Name the bot's positions of symbols that nobody trades any more, and a stop's loss too.

        Nothing is done about them: neither the symbol's prices are known nor its rules, and some
        brokers' stops end with the day.
        """
        told = []
        for one in self._portfolio.own_positions:
            sight = one.position_ticket, one.stop_loss_points is None
            if sight in self._told_unmanaged or self._owner(one) is not None:
                continue
            self._told_unmanaged.add(sight)
            told.append(
                note(
                    "position_unmanaged",
                    view.time_ms,
                    "link",
                    position_ticket=one.position_ticket,
                    symbol=one.symbol,
                    volume_units=one.volume_units,
                    stop_loss_points=one.stop_loss_points,
                )
            )
        return told

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
