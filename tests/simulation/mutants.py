"""Mutants: bots with a planted bug. One that no seed kills shows what the simulation cannot see."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from mtquant.broker import BrokerSession
from mtquant.engine import Engine, LiveRunner, OrderMaker
from mtquant.execution import Desk
from mtquant.model import (
    BrokerView,
    ExecutionResult,
    IntentAction,
    IntentRow,
    IntentState,
    JournalError,
    Order,
    Outcome,
    RetryableError,
    SendOrder,
)
from mtquant.portfolio import Portfolio
from mtquant.risk import ApprovedOrder, PositionSizer, Refused, RiskEngine
from simulation.blind_mutants import BLIND
from simulation.bot import Parts
from simulation.campaign import play
from simulation.checks import UPHELD, first_broken
from simulation.patient_mutants import PATIENT
from simulation.risk_mutants import RISKY
from simulation.schedule import Seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KILLS = Path(__file__).with_name("mutants.txt")


# ---------------------------------------------------------------------- sending


class ResendsOnNone(BrokerSession):
    """Send again what got no answer."""

    def send(self, row: IntentRow, last_look: Any = None) -> ExecutionResult:
        result = super().send(row, last_look)
        return super().send(row) if result.outcome is Outcome.UNKNOWN else result


class ClosesWithoutTicket(BrokerSession):
    """Leave the position out of closes."""

    def send(self, row: IntentRow, last_look: Any = None) -> ExecutionResult:
        real = self._terminal
        self._terminal = _Stripping(real)
        try:
            return super().send(row, last_look)
        finally:
            self._terminal = real


class _Stripping:
    def __init__(self, terminal: Any) -> None:
        self._real = terminal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def order_send(self, request: dict[str, Any]) -> Any:
        kept = {key: value for key, value in request.items() if key != "position"}
        return self._real.order_send(kept if request["action"] == 1 else request)


class SendsMore(BrokerSession):
    """Round the volume up to the next lot."""

    def send(self, row: IntentRow, last_look: Any = None) -> ExecutionResult:
        units = -(-row.intent.volume_units // 10**8) * 10**8
        more = replace(row, intent=replace(row.intent, volume_units=units))
        return super().send(more, last_look)


class TakesAnyAccount(BrokerSession):
    """Trade on whatever account answers."""

    def _require_identity(self, account: Any) -> None:
        return

    def _require_wanted(self, account: Any) -> None:
        return


class TakesNoneForEmpty(BrokerSession):
    """Take a getter that answers None for one that has nothing to tell."""

    def _asked(self, call: str, *arguments: Any) -> Any:
        try:
            return super()._asked(call, *arguments)
        except RetryableError:
            if call in {"account_info", "terminal_info", "copy_rates_from_pos", "symbol_info"}:
                raise
            return ()


class TrustsLostServer(BrokerSession):
    """Believe what a terminal shows without its server."""

    def _asked(self, call: str, *arguments: Any) -> Any:
        answer = super()._asked(call, *arguments)
        return SimpleNamespace(connected=True) if call == "terminal_info" else answer


class JournalsAfterwards(LiveRunner):
    """Send first and write it down then."""

    def _transmit(self, row: IntentRow) -> ExecutionResult:
        result = self._session.send(row)
        self._journal.record_sending(row)
        return result


class IgnoresRequestedHalts(LiveRunner):
    """Look at requests for a halt between looks only."""

    def _objection(self, row: IntentRow) -> str:
        return ""


class IgnoresDeadlines(LiveRunner):
    """Send an entry however old its decision is."""

    def _objection(self, row: IntentRow) -> str:
        why = super()._objection(row)
        return why if "halt" in why else ""  # nor how old the price is


class ResendsAfterRestart(Engine):
    """Send again what was being sent when the process ended."""

    def start(self, rows: Iterable[IntentRow], deals: Any, halt_level: int, **more: Any) -> Any:
        kept = list(rows)
        commands = super().start(kept, deals, halt_level, **more)
        again = [SendOrder(row=row) for row in kept if row.state is IntentState.SENDING]
        return [*commands, *again]


class SendsKnownRows(LiveRunner):
    """Do not mind that a row was journalled before."""

    def _transmit(self, row: IntentRow) -> ExecutionResult:
        with suppress(JournalError):
            self._journal.record_sending(row)
        return self._session.send(row)


# ---------------------------------------------------------------------- deciding


class ForgetsUnknown(RiskEngine):
    """Take exposure from the broker's view alone."""

    def decide(self, intent: Any, view: Any) -> ApprovedOrder | Refused:
        return super().decide(intent, replace(view, in_flight=(), may_come=()))


class IgnoresHalts(RiskEngine):
    """Approve, and let leave, as if no halt stood."""

    def raise_halt(self, level: int) -> bool:
        """Take note of nothing."""
        return False


class HasNoLimit(RiskEngine):
    """Approve any number of positions."""

    def decide(self, intent: Any, view: Any) -> ApprovedOrder | Refused:
        return super().decide(intent, replace(view, positions=()))


class IgnoresSpread(RiskEngine):
    """Approve whatever the spread."""

    def decide(self, intent: Any, view: Any) -> ApprovedOrder | Refused:
        limits = self.limits
        self.limits = replace(limits, max_spread_points=10**6)
        try:
            return super().decide(intent, view)
        finally:
            self.limits = limits


class IgnoresPauses(RiskEngine):
    """Approve any number of entries a minute and a day."""

    def decide(self, intent: Any, view: Any) -> ApprovedOrder | Refused:
        return super().decide(intent, replace(view, entries_in_minute=0, entries_today=0))


class RisksTwice(OrderMaker):
    """Let a trade risk twice what the limit says."""

    def open(self, decision: Any, view: BrokerView, sizer: Any, left: Any = (1.0, 1.0)) -> Any:
        doubled = PositionSizer(sizer.spec, 2 * sizer.risk_per_trade_fraction)
        return super().open(decision, view, doubled, left)


class TakesAnyPrice(OrderMaker):
    """Ask for three times the deviation."""

    def __init__(self, strategy_id: str, terms: Any, **facts: int) -> None:
        super().__init__(
            strategy_id, terms, **facts | {"deviation_points": 3 * facts["deviation_points"]}
        )


class HasNoStopGuard(Engine):
    """Leave positions without a stop loss alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._safeguards.protect = lambda _view: iter(())  # type: ignore[method-assign]


class TrustsTheView(Desk):
    """Take what the broker does not show for gone."""

    def may_come(self) -> tuple[IntentRow, ...]:
        return tuple(row for row in self.in_flight if row.intent.action is IntentAction.OPEN)


class ForgetsHaltsAtStart(Engine):
    """Begin every process without a halt."""

    def start(self, rows: Any, deals: Any, halt_level: int, **more: Any) -> Any:
        return super().start(rows, deals, 0, **more)


class AdoptsForeign(Portfolio):
    """Take all positions for its own."""

    @property
    def own_positions(self) -> Any:
        return self.positions


class KeepsOldView(Portfolio):
    """Take over the positions of a view that has new deals only."""

    def apply(self, view: BrokerView) -> Any:
        held = self.positions
        changes = super().apply(view)
        if not changes.deals:
            self.positions = held
        return changes


class DropsDeals(Portfolio):
    """Take the deals of a restart for known ones."""

    def apply(self, view: BrokerView) -> Any:
        if self.account is None:
            self._seen |= {deal.deal_ticket for deal in view.deals}
        return super().apply(view)


# ---------------------------------------------------------------------- proving


class MatchesByComment(Desk):
    """Find orders by their comment."""

    def on_view(self, view: BrokerView) -> Any:
        for order in (*view.orders, *view.closed_orders):
            self._seen_orders[order.comment] = order
        return super().on_view(view)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._seen_orders: dict[str, Order] = {}

    def _evidence(self, row: IntentRow) -> Order | None:
        return self._seen_orders.get(row.comment)


class HasNoQuiet(Desk):
    """Believe at once that nothing was executed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._quiet_ms = 0


class CountsLeaps(Desk):
    """Take a leap of the clock for time in which nothing has come."""

    def watch(self, now_ms: int) -> None:
        self._watched_clock.now_ms = now_ms


class DropsDecisionKey(Desk):
    """Give each decision a key of its own."""

    def submit(self, order: ApprovedOrder, now_ms: int) -> Any:
        trigger = f"{order.intent.trigger}:{self._sequence}"
        object.__setattr__(order, "intent", replace(order.intent, trigger=trigger))
        return super().submit(order, now_ms)


class TrustsTheReply(Desk):
    """Take a confirmed order for wholly filled."""

    def on_result(self, result: ExecutionResult) -> Any:
        moved = super().on_result(result)
        if moved is None or moved.state is not IntentState.SENDING:
            return moved
        units = moved.intent.volume_units
        done = moved.moved(IntentState.DONE, result.time_ms, filled_units=units)
        self._keep(done)
        return done


class SumsByNumber(Desk):
    """Sum the deals that carry an intent's number."""

    def _filled_units(self, row: IntentRow, order: Order) -> int:
        deals = (deal for one in self._deals.values() for deal in one.values())
        return sum(deal.volume_units for deal in deals if deal.intent_id == row.intent_id)


class NeverLooksAgain(Desk):
    """Leave what was given up alone when it comes late."""

    def _resolve_late(self, row: IntentRow, view: BrokerView) -> None:
        return None


class TurnsBack(Desk):
    """Take up again, after a restart, what was given up."""

    def restore(self, rows: Iterable[IntentRow]) -> list[IntentRow]:
        kept = list(rows)
        changed = super().restore(kept)
        for row in kept:
            if row.state is IntentState.NOTSENT:
                again = replace(row, state=IntentState.UNKNOWN)
                self._keep(again)
                changed.append(again)
        return changed


class TakesUnknownForRefused(Desk):
    """Take an answer that says nothing for a refusal."""

    def on_result(self, result: ExecutionResult) -> Any:
        if result.outcome is Outcome.UNKNOWN:
            result = replace(result, outcome=Outcome.REFUSED)
        return super().on_result(result)


class ForgetsSequence(Desk):
    """Number intents from 1 again after a restart."""

    def restore(self, rows: Iterable[IntentRow]) -> list[IntentRow]:
        changed = super().restore(rows)
        self._sequence = 0
        return changed


class ForgetsMoves(Desk):
    """Know of an earlier process's stops those of the entries only."""

    def restore(self, rows: Iterable[IntentRow]) -> list[IntentRow]:
        changed = super().restore(rows)
        self._moves.clear()
        return changed


MUTANTS: Final[dict[str, Parts]] = {
    "resend_on_none": Parts(session=ResendsOnNone),
    "resend_after_restart": Parts(engine=ResendsAfterRestart, runner=SendsKnownRows),
    "match_by_comment": Parts(desk=MatchesByComment),
    "no_quiet_window": Parts(desk=HasNoQuiet),
    "count_leaps": Parts(desk=CountsLeaps),
    "forget_unknown": Parts(risk=ForgetsUnknown),
    "unknown_is_refused": Parts(desk=TakesUnknownForRefused),
    "close_without_ticket": Parts(session=ClosesWithoutTicket),
    "ignore_halts": Parts(risk=IgnoresHalts),
    "ignore_requested_halts": Parts(runner=IgnoresRequestedHalts),
    "no_stop_guard": Parts(engine=HasNoStopGuard),
    "trust_the_view": Parts(desk=TrustsTheView),
    "forget_halts_at_start": Parts(engine=ForgetsHaltsAtStart),
    "drop_decision_key": Parts(desk=DropsDecisionKey),
    "trust_the_reply": Parts(desk=TrustsTheReply),
    "sum_by_number": Parts(desk=SumsByNumber),
    "adopt_foreign": Parts(portfolio=AdoptsForeign),
    "no_limit": Parts(risk=HasNoLimit),
    "any_account": Parts(session=TakesAnyAccount),
    "send_more": Parts(session=SendsMore),
    "journal_afterwards": Parts(runner=JournalsAfterwards),
    "none_is_empty": Parts(session=TakesNoneForEmpty),
    "trust_lost_server": Parts(session=TrustsLostServer),
    "never_late": Parts(desk=NeverLooksAgain),
    "turn_back": Parts(desk=TurnsBack),
    "ignore_spread": Parts(risk=IgnoresSpread),
    "keep_old_view": Parts(portfolio=KeepsOldView),
    "drop_deals": Parts(portfolio=DropsDeals),
    "forget_sequence": Parts(desk=ForgetsSequence),
    "forget_moves": Parts(desk=ForgetsMoves),
    "no_deadlines": Parts(runner=IgnoresDeadlines),
    "no_pauses": Parts(risk=IgnoresPauses),
    "risk_twice": Parts(maker=RisksTwice),
    "any_price": Parts(maker=TakesAnyPrice),
    **BLIND,
    **RISKY,
    **PATIENT,
}


HUNTED: Final = {  # beside the first check that sees a mutant, one that must see it too
    "resend_on_none": "I1.order",
    "journal_afterwards": "I2.order",
    "forget_unknown": "I3.positions",
    "send_more": "I3.volume",
    "no_pauses": "I3.entries",
    "no_deadlines": "I14.deadline",
    "risk_twice": "I3.risk",
    "any_price": "I14.deviation",
    "drop_deals": "I4.journal",
    "forget_halts_at_start": "I9.level",
    "ignore_spread": "I14.spread",
    "keep_old_view": "I7.positions",
    "forget_losses": "I9.breaker",
    "ignore_breaker": "I3.breaker",
    "never_cuts": "I8.cut",
    "none_is_empty": "I6.seen",
    "trust_lost_server": "I6.blind",
    "count_leaps": "I6.quiet",
    "forget_due_halts": "I8.breaker",
    "ignore_band": "I14.price",
    "forget_moves": "I5.again",
    "ignore_margin": "I3.margin",
    "lazy_journal": "I2.order",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """Name the seed and the check that killed a mutant."""

    name: str
    seed: Seed
    check: str

    def __str__(self) -> str:
        return f"{self.name} {self.seed} {self.check}"


def killed_by(name: str, seed: Seed, active: frozenset[str] = UPHELD) -> Kill | None:
    """Return how a seed kills a mutant that the real bot survives, None if it does not."""
    broken = first_broken(play(seed, MUTANTS[name], active=active).violations)
    if broken is None or not _survives(seed):
        return None
    return Kill(name=name, seed=seed, check=broken.check)


@cache
def _survives(seed: Seed) -> bool:
    """Tell whether the real bot breaks nothing but what is known."""
    return first_broken(play(seed).violations) is None


def first_kill(name: str, seeds: Iterable[Seed], active: frozenset[str] = UPHELD) -> Kill | None:
    """Return the first kill of a mutant, None if it lives."""
    return next((kill for seed in seeds if (kill := killed_by(name, seed, active))), None)


def hunt(seeds: list[Seed]) -> Iterator[tuple[str, Kill | None]]:
    """Yield each mutant with its first kill: by any check, and by the one that must see it too."""
    for name in MUTANTS:
        yield name, first_kill(name, seeds)
        if name in HUNTED:
            yield name, first_kill(name, seeds, frozenset({HUNTED[name]}))


def read_kills() -> list[Kill]:
    """Return the stored kills."""
    lines = [line.partition("#")[0].split() for line in KILLS.read_text("utf-8").splitlines()]
    rows = [words for words in lines if words]
    return [Kill(name=name, seed=Seed.read(seed), check=check) for name, seed, check in rows]


def write_kills(kills: Iterable[Kill]) -> None:
    """Store kills."""
    head = "# mutant, seed, check that killed it: written by `run.py simulate --mutants`\n"
    KILLS.write_text(head + "".join(f"{kill}\n" for kill in kills), encoding="utf-8")
