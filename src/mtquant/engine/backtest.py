"""The backtest runner: the engine's commands go straight to the market's book."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mtquant.engine.drive import drive
from mtquant.engine.timeline import Timeline
from mtquant.exchange import NEVER, CancelRequest, Execution, Market, Progress, Refusal
from mtquant.model import (
    NOT_SENT,
    AccountReport,
    BrokerReport,
    BrokerView,
    Command,
    Event,
    ExecutionResult,
    IntentAction,
    IntentRow,
    OrderReport,
    Outcome,
    Publish,
    ReadBroker,
    SendOrder,
)

if TYPE_CHECKING:
    from mtquant.engine.engine import Engine

Subscriber = Callable[[Publish], None]
_REFUSALS = {  # the classes that live answers have; all others are REFUSED
    Refusal.REQUOTE: Outcome.REPRICE,
    Refusal.PRICE_CHANGED: Outcome.REPRICE,
    Refusal.NO_PRICES: Outcome.REPRICE,
    Refusal.NO_CHANGES: Outcome.ALREADY,
    Refusal.POSITION_GONE: Outcome.ALREADY,
    Refusal.TRADE_DISABLED: Outcome.DISABLED,
    Refusal.EXPERTS_DISABLED: Outcome.DISABLED,
}
_PROGRESS = {
    Progress.DONE: Outcome.CONFIRMED,
    Progress.PARTIAL: Outcome.CONFIRMED,
    Progress.PLACED: Outcome.ACCEPTED,
}


class BacktestRunner:
    """Play the prices of a market under the engine.

    Stretches in which nothing can happen to the account are skipped by the market and consumed by
    the engine in spans; where something may happen, the market is walked moment by moment, exactly
    as the simulated terminal walks it.
    """

    def __init__(
        self, engine: Engine, market: Market, subscriber: Subscriber | None = None
    ) -> None:
        """Set out before the first price.

        Raises:
            ConfigError: a series of the engine is not cut from the prices of its symbol.
        """
        self._engine = engine
        self._market = market
        self._timeline = Timeline(engine.slots, market)
        self._symbols = tuple(dict.fromkeys(slot.symbol for slot in engine.slots))
        self._tick_slots = [slot for slot in engine.slots if slot.wants_ticks]
        self._subscriber = subscriber
        self._fillings = {
            symbol: market.venue.instrument(symbol).market_filling for symbol in self._symbols
        }
        self._trade_modes = {
            symbol: market.venue.instrument(symbol).trade_mode for symbol in self._symbols
        }
        self._seen_deals = 0
        self._seen_orders = 0

    def run(self) -> None:
        """Play to the end of the data; open positions stay open."""
        market = self._market
        market.advance()
        self._perform(self._engine.start((), (), 0))
        if self._tick_slots or self._engine.losses.is_on:
            self._walk_all()
            return
        while (close_ms := self._timeline.next_ms()) != NEVER:
            start_ms, end_ms = market.next_event()
            if close_ms < start_ms:
                self._decide_until(start_ms)
            else:
                self._walk(start_ms, min(close_ms, end_ms))
        while market.advance():
            self._report_deals()

    def _walk_all(self) -> None:
        """Walk every moment: who looks at ticks, or at losses, has something to say at each."""
        while True:
            for slot in self._tick_slots:
                quote = self._market.book.quote(slot.symbol)
                if quote is not None:
                    self._perform(self._engine.tick(slot.series, quote))
            self._decide_due()
            if not self._market.advance():
                return
            self._report_deals()
            self._report_account()

    def _report_account(self) -> None:
        """Say what the account is worth, to who watches losses; without positions it stays so."""
        book = self._market.book
        if not self._engine.losses.is_on or not book.open_positions:
            return
        self._perform(
            self._engine.step(
                AccountReport(
                    server_ms=book.now_ms,
                    equity_minor=book.equity_minor - book.credit_minor,
                    balance_minor=book.balance_minor,
                )
            )
        )

    def _decide_until(self, quiet_ms: int) -> None:
        """Consume the bars that close before an event, up to the first that asks for something."""
        while self._timeline.next_ms() < quiet_ms:
            commands = self._timeline.consume(self._engine, quiet_ms - 1)
            if commands:
                self._market.go_to(self._timeline.now_ms)
                self._perform(commands)
                return

    def _walk(self, start_ms: int, until_ms: int) -> None:
        """Walk through an event to its end, or to the next close, which is then decided on."""
        market = self._market
        if start_ms - 1 > market.now_ms:
            market.go_to(start_ms - 1)
        known = self._seen_deals
        while market.now_ms < until_ms and self._seen_deals == known:
            if not market.advance():
                return
            self._report_deals()
        self._decide_due()

    def _decide_due(self) -> None:
        """Decide on the bars that have closed by now."""
        now_ms = self._market.now_ms
        while self._timeline.next_ms() <= now_ms:
            self._perform(self._timeline.consume(self._engine, now_ms))

    def _report_deals(self) -> None:
        if len(self._market.book.ledger.deals) > self._seen_deals:
            self._perform([ReadBroker(cause="poll")])

    def _perform(self, commands: Iterable[Command]) -> None:
        steps = drive(self._engine, commands)
        event: Event | None = None
        try:
            while True:
                event = self._answer(steps.send(event))
        except StopIteration:
            return

    def _answer(self, command: Command) -> Event | None:
        match command:
            case ReadBroker():
                return BrokerReport(view=self._view(), cause=command.cause)
            case SendOrder():
                return OrderReport(result=self._send(command.row))
            case Publish():
                if self._subscriber is not None:
                    self._subscriber(command)
        return None

    def _view(self) -> BrokerView:
        book = self._market.book
        deals, orders = book.ledger.deals, book.ledger.orders
        quotes = (book.quote(symbol) for symbol in self._symbols)
        view = BrokerView(
            time_ms=book.now_ms,
            account=book.account(),
            positions=book.positions(),
            orders=book.orders(),
            deals=tuple(deals[self._seen_deals :]),
            closed_orders=tuple(orders[self._seen_orders :]),
            quotes=tuple(quote for quote in quotes if quote is not None),
            trade_modes=self._trade_modes,
        )
        self._seen_deals, self._seen_orders = len(deals), len(orders)
        return view

    def _send(self, row: IntentRow) -> ExecutionResult:
        if row.intent.action is IntentAction.OPEN and self._engine.risk.halt_level:
            return ExecutionResult(  # a reading since its approval has raised it
                intent_id=row.intent_id,
                outcome=Outcome.REFUSED,
                detail=f"{NOT_SENT}a halt stands",
                time_ms=self._market.now_ms,
            )
        done = self._execute(row)
        refusal = done.refusal
        outcome = _REFUSALS.get(refusal, Outcome.REFUSED) if refusal else _PROGRESS[done.progress]
        return ExecutionResult(
            intent_id=row.intent_id,
            outcome=outcome,
            detail=refusal.value if refusal else "executed",
            time_ms=self._market.now_ms,
            order_ticket=done.order_ticket,
            deal_ticket=done.deal_ticket,
            volume_units=done.volume_units,
            price_points=done.price_points,
        )

    def _execute(self, row: IntentRow) -> Execution:
        book, intent = self._market.book, row.intent
        stop, target = intent.stop_loss_points or 0, intent.take_profit_points or 0
        match intent.action:
            case IntentAction.OPEN:
                return book.open_market(
                    intent.symbol,
                    intent.side,
                    intent.volume_units,
                    price=intent.price_points or 0,
                    deviation=intent.deviation_points,
                    filling=self._fillings[intent.symbol],
                    stop=stop,
                    target=target,
                    magic=row.intent_id,
                    comment=row.comment,
                )
            case IntentAction.CLOSE:
                return book.close_market(
                    intent.position_ticket,
                    intent.volume_units,
                    price=intent.price_points or 0,
                    deviation=intent.deviation_points,
                    filling=self._fillings[intent.symbol],
                    magic=row.intent_id,
                    comment=row.comment,
                )
            case IntentAction.MODIFY:
                return book.modify_stops(intent.position_ticket, stop, target)
            case IntentAction.CANCEL:
                return book.send(CancelRequest(order_ticket=intent.order_ticket))
