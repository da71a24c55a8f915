"""The orders and deals of a run, as the book of an account keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.engine.kernels import layout
from mtquant.exchange.ledger import Ledger, LiveOrder, described
from mtquant.model import (
    BotIdentity,
    Deal,
    DealEntry,
    DealKind,
    Filling,
    OrderState,
    OrderType,
    Reason,
    Side,
)

if TYPE_CHECKING:
    from mtquant.engine.kernels.run import Played

_REASONS: Final = {
    layout.BY_BOT: Reason.EXPERT,
    layout.BY_STOP: Reason.STOP_LOSS,
    layout.BY_TARGET: Reason.TAKE_PROFIT,
    layout.BY_STOP_OUT: Reason.STOP_OUT,
}


def ledger_of(played: Played) -> Ledger:
    """Return the history of orders and deals, the same that the book of an account writes."""
    job = played.job
    ledger = Ledger()
    account = job.spec.venue.account
    if account.deposit_minor:
        ledger.book_balance(
            DealKind.BALANCE, account.deposit_minor, job.opened_ms, "initial deposit"
        )
    if account.credit_minor:
        ledger.book_balance(DealKind.CREDIT, account.credit_minor, job.opened_ms, "initial credit")
    writer = _Writer(played, ledger)
    for row in played.deals.tolist():
        writer.write(row)
    return ledger


class _Writer:
    def __init__(self, played: Played, ledger: Ledger) -> None:
        spec = played.job.spec
        self._ledger = ledger
        instrument = spec.venue.instrument(spec.symbol)
        self._symbol = spec.symbol
        self._digits = instrument.digits
        self._filling = instrument.market_filling
        self._identity = BotIdentity(bot=spec.bot)
        self._position = 0

    def write(self, row: list[int]) -> None:
        ticket = self._ledger.tickets.order()
        is_out = row[layout.ENTRY_KIND] == 1
        if not is_out:
            self._position = ticket
        order = self._order(row, ticket, is_out=is_out)
        intent_id = self._identity.intent_id(row[layout.DEAL_INTENT])
        deal = Deal(
            deal_ticket=self._ledger.tickets.deal(),
            order_ticket=ticket,
            position_ticket=self._position,
            time_ms=row[layout.TIME_MS],
            symbol=self._symbol,
            kind=DealKind.TRADE,
            side=Side(row[layout.DEAL_SIDE]),
            entry=DealEntry.OUT if is_out else DealEntry.IN,
            volume_units=row[layout.DEAL_UNITS],
            price_points=row[layout.PRICE],
            profit_minor=row[layout.PROFIT],
            commission_minor=row[layout.COMMISSION],
            swap_minor=row[layout.DEAL_SWAP],
            fee_minor=row[layout.FEE],
            reason=order.reason,
            intent_id=intent_id,
            comment=order.comment,
        )
        self._ledger.deals.append(deal)
        self._ledger.orders.append(
            described(order, OrderState.FILLED, row[layout.PRICE], row[layout.TIME_MS])
        )

    def _order(self, row: list[int], ticket: int, *, is_out: bool) -> LiveOrder:
        by_bot = row[layout.REASON] == layout.BY_BOT
        number = row[layout.ORDER_INTENT] if by_bot else row[layout.DEAL_INTENT]
        return LiveOrder(
            ticket=ticket,
            symbol=self._symbol,
            side=row[layout.DEAL_SIDE],
            order_type=OrderType.MARKET,
            units=row[layout.DEAL_UNITS],
            left=0,
            magic=self._identity.intent_id(number),
            reason=_REASONS[row[layout.REASON]],
            setup_ms=row[layout.TIME_MS],
            price=row[layout.ASKED],
            stop=row[layout.ORDER_STOP],
            target=row[layout.ORDER_TARGET],
            filling=self._filling if by_bot else Filling.FOK,
            position_ticket=self._position if is_out else 0,
            comment=f"mtq{number}"[:16] if by_bot else self._comment(row),
            opened=self._position,
        )

    def _comment(self, row: list[int]) -> str:
        level = row[layout.LEVEL]
        if row[layout.REASON] == layout.BY_STOP_OUT:
            return f"[so {100.0 * level / row[layout.SO_MARGIN]:.2f}%]"
        word = "sl" if row[layout.REASON] == layout.BY_STOP else "tp"
        return f"[{word} {level / 10**self._digits:.{self._digits}f}]"
