"""What follows from losses: what is recorded, halted and cut, in commands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mtquant.engine.notes import halt_note
from mtquant.engine.safeguards import FLATTEN_OWN
from mtquant.model import HaltOrder, RecordHalt, RecordRisk

if TYPE_CHECKING:
    from mtquant.engine.loss_watch import LossWatch
    from mtquant.engine.safeguards import Safeguards
    from mtquant.model import AccountReport, BrokerView, Command, OrderIntent
    from mtquant.portfolio import Portfolio

_WHO = "the bot's loss limits"


class LossDesk:
    """Act on what the loss watch says; what it remembers is recorded before anything else."""

    def __init__(self, watch: LossWatch, portfolio: Portfolio, guards: Safeguards) -> None:
        self.watch = watch
        self._portfolio, self._guards = portfolio, guards
        self._lead_ms = 0

    def weigh(self, view: BrokerView) -> tuple[list[Command], HaltOrder | None]:
        """Hold a reading against the limits; return what is recorded and told, and a halt."""
        self._lead_ms = view.lead_ms
        account = view.account
        return self._weigh(view.server_ms, account.own_equity_minor, account.balance_minor)

    def weigh_report(self, report: AccountReport) -> tuple[list[Command], HaltOrder | None]:
        """Hold what the account is worth between readings against the limits."""
        account = self._portfolio.account
        if account is None or account.balance_minor != report.balance_minor:
            return [], None  # what has changed the balance comes with the next reading
        return self._weigh(report.server_ms, report.equity_minor, report.balance_minor)

    def _weigh(
        self, server_ms: int, equity_minor: int, balance_minor: int
    ) -> tuple[list[Command], HaltOrder | None]:
        """Observe, unless balance and deals tell different stories: then one of them lags.

        A halt is asked for until it stands: a process may end after it has recorded the loss.
        """
        watch, cash = self.watch, self._portfolio.cash
        if self._guards.halt_level >= FLATTEN_OWN:
            watch.note_halted()
        if not watch.is_on or cash.lags:
            return [], None
        told = watch.observe(server_ms, equity_minor, balance_minor)
        commands: list[Command] = []
        if watch.is_to_be_recorded(server_ms):
            commands.append(RecordRisk(state=watch.state()))
        commands += told
        reason = watch.halt_due
        if not reason:
            return commands, None
        time_ms = server_ms + self._lead_ms
        return commands, HaltOrder(time_ms=time_ms, level=FLATTEN_OWN, who=_WHO, reason=reason)

    def release(self, halt: HaltOrder, level: int) -> tuple[list[Command], bool]:
        """Take the breaker down on a person's word; tell whether the halt of `level` stays."""
        told, objection = self.watch.release(halt.time_ms - self._lead_ms, halt.who, halt.reason)
        if not objection:
            self.watch.note_halted()
        commands: list[Command] = []
        if told:
            commands = [RecordRisk(state=self.watch.state()), *told]
        if not objection:
            return commands, False
        stays = replace(halt, level=level, reason=f"not lifted: {objection}")
        return [*commands, RecordHalt(halt=stays), halt_note(stays)], True

    def cut_is_due(self, now_ms: int) -> bool:
        """Tell whether something is to be closed because of a loss, and it is time to try."""
        return self.watch.cut is not None and self._guards.reducing_is_due(now_ms)

    def cut(self, view: BrokerView) -> tuple[list[Command], list[OrderIntent]]:
        """Return what is recorded as a cut begins and ends, and the closes of now."""
        watch, cut = self.watch, self.watch.cut
        if cut is None:
            return [], []
        begins = cut.kept is None
        if begins:
            watch.plan_cut(cut.tag, *self._guards.begin_cut(cut))
            cut = watch.cut or cut
        intents, is_done = self._guards.reduce(view, cut)
        if is_done:
            watch.note_cut()
        return [RecordRisk(state=watch.state())] if begins or is_done else [], intents
