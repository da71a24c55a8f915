"""The backtest runner: the engine's commands go straight to the market's book."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mtquant.engine.drive import drive
from mtquant.exchange import Execution, Market, Progress, Refusal
from mtquant.model import (
    BrokerReport,
    BrokerView,
    Command,
    Event,
    ExecutionResult,
    Filling,
    Instrument,
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
    from mtquant.strategy import Series

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
    """Play all bars of a market under the engine.

    Bars on which nothing can happen are skipped by the market and consumed by the engine in one
    span; where something may happen, the market is walked point by point, exactly as the
    simulated terminal walks it.
    """

    def __init__(
        self,
        engine: Engine,
        market: Market,
        series: Series,
        subscriber: Subscriber | None = None,
    ) -> None:
        self._engine = engine
        self._market = market
        self._series = series
        self._subscriber = subscriber
        self._filling = _filling_for(market.venue.instrument(series.symbol))
        self._seen_deals = 0
        self._seen_orders = 0

    def run(self) -> None:
        """Play to the end of the data; open positions stay open."""
        market, engine = self._market, self._engine
        market.advance()
        self._perform(engine.start((), (), 0))
        last = len(market) - 1
        while market.bar < last:
            quiet_until = min(market.next_event_bar() - 1, last)
            if quiet_until > market.bar:
                self._skip(quiet_until)
            else:
                self._walk()
        while market.advance():
            self._report_deals()

    def _skip(self, until: int) -> None:
        """Consume the bars before `until`; the market follows to where the engine stopped."""
        consumed, commands = self._engine.advance(self._series, self._market.bar, until)
        self._market.jump_to_open(consumed)
        self._perform(commands)

    def _walk(self) -> None:
        """Walk the current bar to the opening tick of the next, then let it be decided on."""
        bar = self._market.bar
        while self._market.bar == bar:
            self._market.advance()
            self._report_deals()
        _, commands = self._engine.advance(self._series, bar, bar + 1)
        self._perform(commands)

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
        quote = book.quote(self._series.symbol)
        view = BrokerView(
            time_ms=book.now_ms,
            account=book.account(),
            positions=book.positions(),
            orders=book.orders(),
            deals=tuple(deals[self._seen_deals :]),
            closed_orders=tuple(orders[self._seen_orders :]),
            quotes=() if quote is None else (quote,),
        )
        self._seen_deals, self._seen_orders = len(deals), len(orders)
        return view

    def _send(self, row: IntentRow) -> ExecutionResult:
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
                    filling=self._filling,
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
                    filling=self._filling,
                    magic=row.intent_id,
                    comment=row.comment,
                )
            case IntentAction.MODIFY:
                return book.modify_stops(intent.position_ticket, stop, target)


def _filling_for(instrument: Instrument) -> Filling:
    """Return the filling that live orders ask for: the first that the symbol allows."""
    wanted = (Filling.FOK, Filling.IOC)
    return next((one for one in wanted if one in instrument.fillings), Filling.RETURN)
