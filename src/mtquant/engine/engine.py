"""The engine: events and closed bars in, commands out. No clock, no I/O, no chance.

`advance` consumes closed bars until something must be done; `step` takes everything else. A
decision first asks for one reading of the broker (`ReadBroker`); the `BrokerReport` that answers
is sized, gated and sent. The same reading confirms sends and reconciles after a start or an
outage: one code path.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mtquant.engine.account_watch import AccountWatch
from mtquant.engine.break_guard import BreakGuard
from mtquant.engine.decision import NEWER, Decision
from mtquant.engine.holdings import Holdings, require_one_slot_a_symbol
from mtquant.engine.loss_desk import LossDesk
from mtquant.engine.notes import (
    answer_note,
    deal_note,
    halt_note,
    note,
    resolved_note,
    unsized_note,
)
from mtquant.engine.orders import REVERSAL, SizedIntent
from mtquant.engine.risk_room import RiskRoom
from mtquant.engine.safeguards import CANCEL_OWN, FLATTEN_OWN, Safeguards
from mtquant.engine.second_attempts import SecondAttempts
from mtquant.engine.submitter import Submitter
from mtquant.engine.waiting_exits import WaitingExits
from mtquant.execution import SentCounter
from mtquant.model import (
    AccountReport,
    BrokerReport,
    BrokerView,
    Command,
    ConfigError,
    Deal,
    Event,
    HaltOrder,
    IntentRow,
    IntentState,
    LinkLost,
    LinkRestored,
    MarginMode,
    OrderReport,
    Outcome,
    Position,
    ReadBroker,
    RecordBaseline,
    RecordDeals,
    RecordHalt,
    RecordIntents,
    Timer,
)
from mtquant.risk import Refusal, RiskEngine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mtquant.engine.loss_watch import LossWatch
    from mtquant.engine.slot import StrategySlot
    from mtquant.execution import Desk
    from mtquant.model import Quote, Signal
    from mtquant.model.news import NewsEvent
    from mtquant.portfolio import Changes, Portfolio
    from mtquant.strategy import ExitSignal, Series

SCAN_EVERY_MS = 5_000


class Engine:
    """Run strategies, each with its exits over its series, on one account.

    They share limits, order desk and portfolio. A position belongs to the strategy whose intent
    opened it, whatever others trade the symbol.
    """

    def __init__(
        self,
        slots: Sequence[StrategySlot],
        risk: RiskEngine,
        desk: Desk,
        portfolio: Portfolio,
        *,
        losses: LossWatch | None = None,
        calendar: Sequence[NewsEvent] = (),
    ) -> None:
        """Begin with nothing known of the broker.

        `losses` may hold a prop firm's rules; `calendar` lists publications by their times.

        Raises:
            ConfigError: there is no strategy, or two have one name.
        """
        names = [slot.strategy_id for slot in slots]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"an engine needs strategies, each with an id of its own: {names}")
        self.slots = tuple(slots)
        self.risk = risk
        self.desk = desk
        self.portfolio = portfolio
        self.sent = SentCounter()
        self._slot_of = {id(slot.series): slot for slot in slots}
        self._holdings = Holdings(self.slots, desk, portfolio)
        self._safeguards = Safeguards(portfolio, desk, self._holdings.owner, self.slots[0].orders)
        self._room = RiskRoom(self.slots, risk, desk, portfolio, losses=losses, calendar=calendar)
        self._losses = LossDesk(self._room.losses, portfolio, self._safeguards)
        self._submitter = Submitter(self._room, desk, portfolio, self.sent)
        self._waiting = WaitingExits(desk, portfolio, self._holdings, self._submitter)
        self._decisions: dict[str, Decision] = {}  # by cause
        self._second = SecondAttempts(
            desk, portfolio, self._holdings, self._room, self._submitter, fallback=self.slots[0]
        )
        self._breaks = BreakGuard(self.slots, self._room, desk, self._holdings)
        self._away_since_ms: int | None = None
        self._watch = AccountWatch(portfolio, desk, self._holdings.owner)
        self._looked_ms: int | None = None
        self._last_scan_ms = -SCAN_EVERY_MS

    def start(
        self,
        rows: Iterable[IntentRow],
        deals: Iterable[Deal],
        halt_level: int,
        *,
        baseline_minor: int | None = None,
        released_ms: int = 0,
        risk_state: str | None = None,
        is_new_journal: bool = False,
        is_released: bool = False,
    ) -> Sequence[Command]:
        """Take over what an earlier process journalled; return what must be done first.

        With `is_released` a person's release waits to be taken up: a halt removes nothing before.

        Raises:
            DataError: what is remembered of losses cannot be read.
        """
        self.risk.raise_halt(halt_level)
        self._safeguards.obey(0 if is_released else halt_level)
        known = tuple(deals)
        self.portfolio.restore(known, baseline_minor)
        changed = self.desk.restore(rows)
        self._room.restore(known, risk_state)
        if halt_level >= FLATTEN_OWN:
            self.losses.note_halted()  # what asked for it must not raise it anew
        self.desk.forgive(released_ms)
        self._watch.begin(is_new_journal=is_new_journal)
        self._room.forgive(released_ms)
        recovered: list[Command] = [RecordIntents(rows=tuple(changed))] if changed else []
        recovered += [resolved_note(row) for row in changed]
        return [*recovered, ReadBroker(cause="start")]

    @property
    def losses(self) -> LossWatch:
        """Return what remembers losses."""
        return self._losses.watch

    @property
    def is_ready(self) -> bool:
        """Tell whether the broker's state is known and entries may be decided."""
        return self._submitter.is_ready

    def begin_look(self, now_ms: int) -> None:
        """Note when a look at bars and ticks begins: what it decides is not carried out much later.

        Where nobody says so, as in a backtest, nothing comes late.
        """
        self._looked_ms = now_ms

    def advance(self, series: Series, start: int, stop: int) -> tuple[int, Sequence[Command]]:
        """Consume closed bars of a slot's series; return the next index and what must be done.

        Begins at bar `start` and stops after the first bar that asks for something, or before
        `stop`. Any split of a span gives the same commands.
        """
        slot = self._slot_of[id(series)]
        for index in range(start, stop):
            slot.move_to(index)
            commands = self._missed(slot) if index < series.decidable_from else self._decide(slot)
            if commands:
                return index + 1, commands
        return max(start, stop), ()

    def tick(self, series: Series, quote: Quote) -> Sequence[Command]:
        """Show a slot's strategy the newest tick of its symbol; return what must be done.

        A tick that is no newer than the last one is not shown again.
        """
        slot = self._slot_of[id(series)]
        signal = slot.tick_signal(quote)
        if signal is None:
            return ()
        return self._decided(slot, f"tick:{quote.time_ms}", signal)

    def step(self, event: Event) -> Sequence[Command]:  # noqa: PLR0911 - a case for each event
        """Take one event; return what must be done, in order."""
        match event:
            case BrokerReport():
                return self._on_report(event)
            case OrderReport():
                return self._on_result(event)
            case Timer():
                return self._on_timer(event.time_ms)
            case LinkLost():
                return self._on_lost(event)
            case LinkRestored():
                return [ReadBroker(cause="reconnect")]
            case HaltOrder():
                return self._on_halt(event)
            case AccountReport():
                return self._on_account(event)

    # ------------------------------------------------------------------ closed bars

    def _missed(self, slot: StrategySlot) -> list[Command]:
        """Show a missed bar to the strategy; say what it would have wanted."""
        signal = slot.signal()
        if signal is None or slot.is_history:
            return []
        direction = signal.direction.name
        return [note("signal_missed", signal.time_ms, signal.signal_id, direction=direction)]

    def _decide(self, slot: StrategySlot) -> list[Command]:
        signal = slot.signal()
        own = self._holdings.of(slot.strategy_id)
        exits = self._room.exits(slot, own) if own else ()
        if signal is None and not exits:
            return []
        return self._decided(slot, f"bar:{slot.bar_ms}", signal, exits)

    def _decided(
        self,
        slot: StrategySlot,
        trigger: str,
        signal: Signal | None,
        exits: tuple[ExitSignal, ...] = (),
    ) -> list[Command]:
        protection = None
        if signal is not None and signal.direction.side is not None:
            protection = slot.protection(signal.direction.side)
        decision = Decision(
            slot=slot,
            trigger=trigger,
            signal=signal,
            exits=exits,
            protection=protection,
            seen_ms=self._looked_ms,
        )
        read = ReadBroker(cause=decision.cause)
        if signal is None:  # an entry that waits goes on waiting beside it
            self._decisions[decision.cause] = decision
            return [read]
        self._second.note_signal(decision)
        told = self._give_way(slot, signal.time_ms) + self._waiting.give_way(
            decision, signal.time_ms
        )
        self._decisions[decision.cause] = decision
        raised = note(
            "signal_raised",
            signal.time_ms,
            signal.signal_id,
            direction=signal.direction.name,
            reason=signal.reason,
        )
        return [raised, *told, read]

    def _give_way(self, slot: StrategySlot, now_ms: int) -> list[Command]:
        """Give up what earlier signals of a strategy wanted to open: it has a newer one."""
        older = [one for one in self._decisions.values() if one.slot is slot and one.signal]
        for decision in older:
            self._forget(decision)
        waited = (one for one in older if one.enters)
        return [note("entry_dropped", now_ms, one.correlation_id, reason=NEWER) for one in waited]

    # ------------------------------------------------------------------ the broker was read

    def _on_report(self, report: BrokerReport) -> list[Command]:
        view = report.view
        self._last_scan_ms = view.time_ms
        changes = self.portfolio.apply(view)
        resolved = self.desk.on_view(view)
        self._holdings.update()
        self._second.note_found(resolved)
        self._room.note(changes.deals, view.lead_ms)
        seen_late = self._away_since_ms is not None or report.cause == "start"
        commands = self._observations(changes, resolved, seen_late=seen_late)
        if report.cause in ("start", "reconnect"):
            commands += self._reconciled(report.cause, changes, view)
        weighed, halt = self._losses.weigh(view)
        commands += weighed
        if halt is not None:
            commands += self._on_halt(halt)
        told, halt = self._watch.look(view)
        commands += told
        if halt is not None:
            commands += self._on_halt(halt)
        commands += self._safeguarded(view)
        if self._safeguards.halt_level >= FLATTEN_OWN:
            return commands
        return commands + self._decided_before(report.cause, view)

    def _decided_before(self, cause: str, view: BrokerView) -> list[Command]:
        """Carry out what was decided and waits for a reading; then what time forbids to hold."""
        commands: list[Command] = []
        for refused in self._second.take_due(cause):
            commands += self._try_again(refused, view)
        if self.is_ready:
            commands += self._waiting.carry_out(view)
        for decision in list(self._decisions.values()):
            if cause == decision.cause:
                commands += self._carry_out(decision, view)
            elif decision.enters:
                commands += self._after_closes(decision, view)
        for intent in self._breaks.close(view):
            commands += self._submitter.submit(intent, view)[0]
        return commands

    def _observations(
        self, changes: Changes, resolved: list[IntentRow], *, seen_late: bool
    ) -> list[Command]:
        commands: list[Command] = []
        if resolved:
            commands.append(RecordIntents(rows=tuple(resolved)))
        if changes.deals:
            commands.append(RecordDeals(deals=changes.deals))
        if changes.settled_minor is not None:
            commands.append(RecordBaseline(baseline_minor=changes.settled_minor))
        commands += [resolved_note(row) for row in resolved]
        commands += [self._deal_note(deal, seen_late=seen_late) for deal in changes.deals]
        return commands

    def _deal_note(self, deal: Deal, *, seen_late: bool) -> Command:
        row = self.desk.row(deal.intent_id)
        correlation_id = row.intent.signal_id if row else ""
        return deal_note(deal, correlation_id, seen_late=seen_late)

    def _reconciled(self, cause: str, changes: Changes, view: BrokerView) -> list[Command]:
        self._require_separate(view)
        away_ms = 0 if self._away_since_ms is None else view.time_ms - self._away_since_ms
        self._submitter.is_ready = True
        self._away_since_ms = None
        told = self._room.start_notes(view.time_ms) if cause == "start" else []
        return [
            *told,
            note(
                "reconciled",
                view.time_ms,
                "link",
                cause=cause,
                away_ms=away_ms,
                opened=len(changes.opened),
                closed=len(changes.closed),
                positions=len(view.positions),
                unresolved=len(self.desk.in_flight),
            ),
        ]

    def _require_separate(self, view: BrokerView) -> None:
        """Refuse two strategies on one symbol of an account that would mix their positions."""
        if view.account.margin_mode is not MarginMode.HEDGING:
            require_one_slot_a_symbol([slot.symbol for slot in self.slots])

    # ------------------------------------------------------------------ carrying out

    def _carry_out(self, decision: Decision, view: BrokerView) -> list[Command]:
        """Leave what the signal turns against, move the stops of the rest, then enter."""
        own = self._holdings.of(decision.slot.strategy_id)
        side = decision.wants.side if decision.wants is not None else None
        leaving = [p for p in own if decision.wants is not None and p.side is not side]
        staying = {p.position_ticket: p for p in own if p not in leaving}
        decision.decided_ms = view.time_ms
        commands: list[Command] = []
        closes: list[int] = []
        is_whole = True
        for position in leaving:
            intent = decision.slot.orders.close(decision, position, view, REVERSAL)
            sent, intent_id = self._waiting.submit(decision, intent, view)
            commands += sent
            closes.append(intent_id)
            is_whole &= intent.volume_units == position.volume_units
        for wanted in decision.exits:
            if wanted.position_ticket in staying:
                commands += self._exit(decision, wanted, staying[wanted.position_ticket], view)
        decision.waits_for |= {number for number in closes if number}
        # without the number of a close to wait for, an earlier process has made this decision:
        # what it wanted to open then is not made up for
        decision.enters = side is not None and not staying and all(closes) and is_whole
        if decision.enters and decision.is_late(view.time_ms):
            self._forget(decision)
            return [*commands, self._dropped(decision, "the decision is too old", view)]
        if side is not None and not staying and not all(closes) and self._waiting.has(decision):
            commands.append(self._dropped(decision, "a part is being closed", view))
        self._waiting.await_entry(decision)
        if decision.enters and not leaving and not self.portfolio.cash.lags:
            commands += self._enter(decision, view)
        elif not decision.enters:
            self._forget(decision)
        return commands

    def _forget(self, decision: Decision) -> None:
        self._decisions.pop(decision.cause, None)

    def _exit(
        self, decision: Decision, wanted: ExitSignal, position: Position, view: BrokerView
    ) -> list[Command]:
        intent = decision.slot.orders.exit(decision, wanted, position, view)
        return [] if intent is None else self._waiting.submit(decision, intent, view)[0]

    def _after_closes(self, decision: Decision, view: BrokerView) -> list[Command]:
        """Enter once the closes that a reversal waits for are done, all of them, fully.

        Every entry waits until balance and deals agree: before, losses may not be known.
        """
        rows = [row for number in decision.waits_for if (row := self.desk.row(number))]
        failed = [r for r in rows if not r.is_open and r.state is not IntentState.DONE]
        is_late = view.time_ms > decision.decided_ms + decision.slot.orders.deadline_ms
        if failed or is_late:
            self._forget(decision)
            why = f"close {failed[0].state.name}" if failed else "the decision is too old"
            return [self._dropped(decision, why, view)]
        if any(row.is_open for row in rows) or self.portfolio.cash.lags:
            return []
        left = {row.intent.position_ticket for row in rows}  # a view that lags still shows them
        held = self._holdings.of(decision.slot.strategy_id)
        if any(p.position_ticket not in left or self.desk.has_rest(p) for p in held):
            self._forget(decision)
            return [self._dropped(decision, "a position has come meanwhile", view)]
        return self._enter(decision, view)

    def _dropped(self, decision: Decision, why: str, view: BrokerView) -> Command:
        return note("entry_dropped", view.time_ms, decision.correlation_id, reason=why)

    def _enter(self, decision: Decision, view: BrokerView) -> list[Command]:
        self._forget(decision)
        intent = self._room.open(decision, view)
        if isinstance(intent, Refusal):
            side = None if decision.wants is None else decision.wants.side
            name, symbol = decision.correlation_id, decision.slot.symbol
            return [unsized_note(name, view.time_ms, symbol, side, intent)]
        sent, intent_id = self._submitter.submit(
            intent.intent, view, explanation=intent.explanation
        )
        if intent_id:
            self._second.note_entry(intent_id, decision)
        return sent

    def _try_again(self, refused: IntentRow, view: BrokerView) -> list[Command]:
        """Make the second attempt of a decision, at the price of now.

        It is a new intent, sized and gated anew, under the deadline of the first.
        """
        number, first = refused.intent_id, refused.intent
        sized = self._second.sized(refused, view)
        if not isinstance(sized, SizedIntent):
            told = self._let_go(number, view.time_ms)
            if sized is None:
                return told + self._second.given_up(refused, view)
            name = first.signal_id
            return [*told, unsized_note(name, view.time_ms, first.symbol, first.side, sized)]
        intent = replace(sized.intent, deadline_ms=first.deadline_ms)
        commands, again = self._submitter.submit(
            intent, view, explanation=sized.explanation, attempt=2
        )
        for decision in self._decisions.values():
            if again and number in decision.waits_for:
                decision.waits_for = decision.waits_for - {number} | {again}
        return commands + self._let_go(number, view.time_ms)

    def _let_go(self, intent_id: int, now_ms: int) -> list[Command]:
        """Give up the entries that wait for a close that came to nothing; say so."""
        waiting = [one for one in self._decisions.values() if intent_id in one.waits_for]
        for decision in waiting:
            self._forget(decision)
        why = "the close before it was refused"
        return [note("entry_dropped", now_ms, one.correlation_id, reason=why) for one in waiting]

    # ------------------------------------------------------------------ answers, time, halts

    def _on_result(self, report: OrderReport) -> list[Command]:
        result = report.result
        row = self.desk.on_result(result)
        if row is None:
            return []
        commands: list[Command] = [answer_note(row, result)] if result.request else []
        commands.append(RecordIntents(rows=(row,)))
        if result.outcome is Outcome.DISABLED and not self.risk.halt_level:
            who = "broker" if result.request else "the bot"
            halt = HaltOrder(time_ms=result.time_ms, level=1, who=who, reason=result.detail)
            commands += self._on_halt(halt)
        again = self._second.note_answer(row)
        if row.state is IntentState.REJECTED:
            commands.append(resolved_note(row))
            if again is not None:
                return [*commands, again]
            return commands + self._let_go(row.intent_id, result.time_ms)
        if row.state is not IntentState.SENDING:
            commands.append(resolved_note(row))
        # what we know of the positions is what the broker shows, never what we asked for
        return [*commands, ReadBroker(cause=f"confirm:{row.intent_id}")]

    def _on_lost(self, event: LinkLost) -> list[Command]:
        """Keep the exits that were decided for the first reading after it, and no entries."""
        self._submitter.is_ready = False
        told = self._waiting.outlast(self._decisions.values(), event.time_ms)
        told += self._second.outlast(event.time_ms)
        self._decisions.clear()
        self.desk.lose_sight()
        if self._away_since_ms is None:
            self._away_since_ms = event.time_ms
        return [note("link_lost", event.time_ms, "link", detail=event.detail), *told]

    def _on_timer(self, now_ms: int) -> list[Command]:
        if self._away_since_ms is not None:
            return []
        self.desk.watch(now_ms)
        guards = self._safeguards
        is_due = guards.stop_is_due(now_ms) or guards.clearing_is_due(now_ms)
        is_due |= guards.halt_level < FLATTEN_OWN and self._breaks.is_due(now_ms)
        if is_due or self._losses.cut_is_due(now_ms):
            return [ReadBroker(cause="guard")]
        if now_ms - self._last_scan_ms < SCAN_EVERY_MS:
            return []
        is_watched = self.portfolio.cash.is_watched or self._waiting.has_any
        return [ReadBroker(cause="scan")] if is_watched or self.desk.needs_scan() else []

    def _on_account(self, report: AccountReport) -> list[Command]:
        """Weigh what the account is worth between readings; act on it with a reading."""
        if not self.is_ready:
            return []
        commands, halt = self._losses.weigh_report(report)
        if halt is not None:
            return commands + self._on_halt(halt)
        if commands and self._losses.watch.cut is not None:
            commands.append(ReadBroker(cause="guard"))
        return commands

    def _on_halt(self, halt: HaltOrder) -> list[Command]:
        commands: list[Command] = []
        if halt.level == 0:
            commands, stays = self._losses.release(halt, self.risk.halt_level)
            if stays:  # at a start it was put off for the release; else it is being obeyed
                if self._safeguards.halt_level < self.risk.halt_level:
                    self._safeguards.obey(self.risk.halt_level)
                return commands
            self.risk.clear_halt()
            self.desk.forgive(halt.time_ms)
            self._room.forgive(halt.time_ms)
            cash = self.portfolio.cash
            if cash.accept(halt.time_ms) and cash.baseline_minor is not None:
                commands.append(RecordBaseline(baseline_minor=cash.baseline_minor))
        else:
            self.risk.raise_halt(halt.level)
        self._safeguards.obey(halt.level)
        commands.append(RecordHalt(halt=halt))
        commands.append(halt_note(halt))
        if halt.level >= CANCEL_OWN or halt.level == 0:  # guards have looked away meanwhile
            commands.append(ReadBroker(cause="halt"))
        return commands

    @property
    def is_clearing(self) -> bool:
        """Tell whether orders or positions are left that a halt removes."""
        return self._safeguards.is_clearing

    def _safeguarded(self, view: BrokerView) -> list[Command]:
        """Obey a halt, cut back what came late, put lost stops back."""
        guards = self._safeguards
        commands: list[Command] = []
        if guards.halt_level:
            for intent in guards.clear(view):
                commands += self._submitter.submit(intent, view)[0]
        if guards.halt_level >= FLATTEN_OWN:
            self._decisions.clear()
            self._waiting.clear()
            self._second.clear()
            return commands
        kept, cuts = self._losses.cut(view)
        commands += kept
        for intent in cuts:
            commands += self._submitter.submit(intent, view)[0]
        rows, cuts = guards.cut_back(view, self.risk.limits.max_positions)
        if rows:
            commands.append(RecordIntents(rows=tuple(rows)))
        for intent in cuts:
            commands += self._submitter.submit(intent, view)[0]
        for told, intent in guards.protect(view):
            commands.append(told)
            commands += self._submitter.submit(intent, view)[0]
        return commands
