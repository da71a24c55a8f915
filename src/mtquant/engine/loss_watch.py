"""What the account has lost, held against breaker, drawdown and the rules of a prop firm."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mtquant.engine.notes import note
from mtquant.model import CircuitBreakerError, DataError, DealEntry, DealKind, Publish
from mtquant.risk import CircuitBreaker, LossWindows
from mtquant.risk.prop import PropEventKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mtquant.model import Deal, ServerClock
    from mtquant.risk import BreakerStep, RiskLimits
    from mtquant.risk.prop import PropEvent, PropGuard

_RECORD_MS: Final = 600_000
_FLATTEN: Final = 3
_UNREADABLE: Final = (
    DataError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Say what is to be closed: the worst position, and of the others all but a part.

    `kept` is what that leaves of each, by ticket (units); None until somebody has looked. By then
    `newest_id` was the newest intent: what later ones open is not meant.
    """

    tag: str
    keep_fraction: float
    closes_worst: bool
    kept: dict[int, int] | None = None
    newest_id: int = 0


class LossWatch:
    """Observe the account for all that remembers losses, and keep that over restarts.

    Times are the server's, UTC milliseconds. Whoever uses it records `state` before acting.
    """

    def __init__(
        self, limits: RiskLimits, clock: ServerClock, prop: PropGuard | None = None
    ) -> None:
        spec = limits.breaker
        self.breaker = None if spec is None else CircuitBreaker(spec, clock)
        self.prop = prop
        self._max_drawdown = limits.max_drawdown_fraction
        self._peak = LossWindows(clock) if self._max_drawdown is not None else None
        self._began_ms = 0
        self._latest_ms = 0
        self._paid_minor = 0
        self._deal_ticket = 0  # the newest that was taken in
        self._payments: set[int] = set()  # deals of money paid in and out that were taken in
        self._stop_tag = ""  # of a prop stop whose positions are still to be closed
        self._halt_due = ""  # why a halt is still to be raised
        self._kept: tuple[str, dict[int, int]] = "", {}  # by the last cut, and its tag
        self._newest_id = 0  # as the last cut began
        self._recorded: tuple[tuple[object, ...], int] = (), 0

    @property
    def is_on(self) -> bool:
        """Tell whether anything here asks for observations."""
        return self.breaker is not None or self.prop is not None or self._peak is not None

    @property
    def level(self) -> int:
        """Return the breaker's level, 0 without one."""
        return 0 if self.breaker is None else self.breaker.level

    @property
    def scale(self) -> float:
        """Return what the breaker leaves of sizes."""
        return 1.0 if self.breaker is None else self.breaker.scale

    @property
    def drawdown_fraction(self) -> float:
        """Return the fall of equity from its highest value, 0 where nobody follows it."""
        if self._peak is None or not self._peak.has_begun:
            return 0.0
        return self._peak.loss_fraction("peak")

    @property
    def cut(self) -> Cut | None:
        """Return what is to be closed now, None for nothing."""
        breaker = self.breaker
        if self._stop_tag:
            tag, keep_fraction = self._stop_tag, 0.0
        elif breaker is not None and breaker.has_to_close_worst:
            tag = f"breaker:{breaker.report(self._latest_ms).triggered_ms}"
            keep_fraction = breaker.scale
        else:
            return None
        tag_of_kept, kept = self._kept
        return Cut(
            tag=tag,
            keep_fraction=keep_fraction,
            closes_worst=not self._stop_tag,
            kept=kept if tag_of_kept == tag else None,
            newest_id=self._newest_id if tag_of_kept == tag else 0,
        )

    def plan_cut(self, tag: str, kept: dict[int, int], newest_id: int) -> None:
        """Take note of what a cut leaves, and the newest intent as it begins.

        A process that ends in its middle begins no new one.
        """
        self._kept, self._newest_id = (tag, kept), newest_id

    def note_cut(self) -> None:
        """Take note that what was to be closed is closed."""
        if self._stop_tag:
            self._stop_tag = ""
        elif self.breaker is not None:
            self.breaker.worst_was_closed()

    @property
    def halt_due(self) -> str:
        """Return why a halt that flattens and locks is still to be raised, empty for none."""
        return self._halt_due

    def note_halted(self) -> None:
        """Take note that the halt stands."""
        self._halt_due = ""

    # ------------------------------------------------------------------ observing

    def note_deals(self, deals: Iterable[Deal]) -> None:
        """Take in new deals: money paid in and out, and what a prop firm counts.

        Payments from before the first observation are part of what it sees.
        """
        for deal in deals:
            self._deal_ticket = max(self._deal_ticket, deal.deal_ticket)
            if deal.kind is DealKind.TRADE:
                self._tell_prop(deal)
            elif deal.kind is DealKind.BALANCE:
                self._payments.add(deal.deal_ticket)
                if 0 < self._began_ms <= deal.time_ms:
                    self._paid_minor += deal.net_minor

    def _tell_prop(self, trade: Deal) -> None:
        """Let the guard of a prop firm's rules count a trade's deal."""
        if self.prop is None:
            return
        self.prop.note_traded(trade.time_ms, trade.net_minor)
        if trade.entry is DealEntry.IN:
            self.prop.note_opened(trade.time_ms)
        else:
            self.prop.note_closed(trade.time_ms, trade.net_minor)

    def observe(self, server_ms: int, equity_minor: int, balance_minor: int) -> tuple[Publish, ...]:
        """Take in what the account is worth (without credit); return what is told of it.

        What it leads to stands in `cut` and `halt_due`.

        Raises:
            ConfigError: a guard of a prop firm's rules that remembers nothing cannot begin with
                this account.
        """
        now_ms = self._latest_ms = max(server_ms, self._latest_ms)
        if self.prop is not None and not self.prop.has_begun:
            self.prop.join(now_ms, balance_minor, equity_minor)
        self._began_ms = self._began_ms or now_ms
        paid_minor, self._paid_minor = self._paid_minor, 0
        if self._peak is not None:
            self._peak.observe(now_ms, equity_minor, balance_minor, paid_minor)
        step = event = None
        if self.breaker is not None:
            step = self.breaker.observe(now_ms, equity_minor, balance_minor, paid_minor)
        if self.prop is not None:
            event = self.prop.observe(now_ms, balance_minor, equity_minor, paid_minor)
        if step is None and event is None:
            return ()
        told = [] if step is None else [_rise_note(step)]
        halts = [step.reason] if step is not None and step.level >= _FLATTEN else []
        if event is not None:
            told.append(_prop_note(event))
            if event.kind is PropEventKind.BREACH:
                halts.append(f"prop rule {event.rule}: {event.kind.value}")
            elif event.kind in {PropEventKind.PAUSE, PropEventKind.BUFFER_STOP}:
                self._stop_tag = f"prop:{event.time_ms}"
        self._halt_due = "; ".join(halts) or self._halt_due
        return tuple(told)

    # ------------------------------------------------------------------ a person's word

    def release(self, server_ms: int, who: str, reason: str) -> tuple[list[Publish], str]:
        """Take breaker and drawdown back on a person's word; return what is told, and why not.

        A reason is returned only where a halt of the breaker must stand on. The drawdown stays
        with a breaker that stays.
        """
        breaker, told = self.breaker, []
        if breaker is not None and breaker.level:
            level = breaker.level
            try:
                breaker.reset(server_ms, who, reason)
            except CircuitBreakerError as problem:
                stays = note(
                    "breaker_stays", server_ms, "breaker", level=level, reason=str(problem)
                )
                return [stays], str(problem) if level >= _FLATTEN else ""
            told.append(note("breaker_reset", server_ms, "breaker", who=who, reason=reason))
        return told + self._release_drawdown(server_ms, who, reason), ""

    def _release_drawdown(self, server_ms: int, who: str, reason: str) -> list[Publish]:
        """Let the highest value begin anew where the limit is met: by itself it never would be.

        Below its limit it goes on: a breaker that is taken down again and again forgets its own
        losses, and this is what remembers them all.
        """
        peak, fraction = self._peak, self.drawdown_fraction
        if peak is None or self._max_drawdown is None or fraction < self._max_drawdown:
            return []
        start_minor = peak.start_minor("peak")
        peak.begin_anew(server_ms)
        return [
            note(
                "drawdown_reset",
                server_ms,
                "drawdown",
                drawdown_fraction=fraction,
                start_minor=start_minor,
                who=who,
                reason=reason,
            )
        ]

    # ------------------------------------------------------------------ keeping

    def is_to_be_recorded(self, server_ms: int) -> bool:
        """Tell whether what is remembered has changed in a way that must not be lost, or is due."""
        if not self.is_on or not self._began_ms:
            return False
        marks, since_ms = self._recorded
        return server_ms - since_ms >= _RECORD_MS or self._marks() != marks

    def state(self) -> str:
        """Return what is remembered, as JSON."""
        self._recorded = self._marks(), self._latest_ms
        kept: dict[str, Any] = {
            "began_ms": self._began_ms,
            "latest_ms": self._latest_ms,
            "deal_ticket": self._deal_ticket,
            "payments": sorted(self._payments),
            "stop_tag": self._stop_tag,
            "halt_due": self._halt_due,
            "kept": [self._kept[0], list(self._kept[1].items())],
            "newest_id": self._newest_id,
            "paid_minor": self._paid_minor,
        }
        for name, part in self._parts().items():
            kept[name] = part.state()
        return json.dumps(kept, sort_keys=True)

    def restore(self, text: str | None, deals: Iterable[Deal]) -> None:
        """Take over what an earlier process remembered; `deals` are all that its journal knows.

        Raises:
            DataError: it cannot be read; the message says what to do.
        """
        known = tuple(deals)
        if text is not None and self.is_on:
            try:
                self._take(json.loads(text), known)
            except _UNREADABLE as problem:
                raise DataError(
                    f"what the journal remembers of losses cannot be read ({problem}); look at "
                    "`mtquant journal show`, and begin a new folder if the account is in order"
                ) from problem
        told = self._deal_ticket
        if self.prop is not None and not self.prop.has_begun:  # switched on since
            for deal in known:
                if deal.kind is DealKind.TRADE and deal.deal_ticket <= told:
                    self._tell_prop(deal)
        # a deal may have been journalled after that was, and a payment after newer trades
        self.note_deals([one for one in known if one.deal_ticket > told or self._missed(one)])

    def _missed(self, deal: Deal) -> bool:
        """Tell whether a deal is a payment that was not taken in; deals may show out of order."""
        return deal.kind is DealKind.BALANCE and deal.deal_ticket not in self._payments

    def _take(self, kept: dict[str, Any], known: Iterable[Deal]) -> None:
        for name, part in self._parts().items():
            if name in kept:  # one that was switched on since has nothing to remember
                part.restore(kept[name])
        self._began_ms, self._latest_ms = int(kept["began_ms"]), int(kept["latest_ms"])
        self._deal_ticket, self._paid_minor = int(kept["deal_ticket"]), int(kept["paid_minor"])
        told = (one for one in known if one.deal_ticket <= self._deal_ticket)
        payments = [one.deal_ticket for one in told if one.kind is DealKind.BALANCE]
        self._payments = {int(ticket) for ticket in kept.get("payments", payments)}
        self._stop_tag = str(kept["stop_tag"])
        self._halt_due = str(kept.get("halt_due", ""))
        tag, units = kept.get("kept", ("", ()))
        self._kept = str(tag), {int(ticket): int(left) for ticket, left in units}
        self._newest_id = int(kept.get("newest_id", 0))

    def _parts(self) -> dict[str, Any]:
        found = {"breaker": self.breaker, "prop": self.prop, "peak": self._peak}
        return {name: part for name, part in found.items() if part is not None}

    def _marks(self) -> tuple[object, ...]:
        """Return what must be durable before anything acts: levels, stops, begins of days.

        A highest value is part of it in steps of a thousandth: it may rise with every tick. So
        may a firm's floors, each in steps of a small part of its own allowance.
        """
        marks: list[object] = [self._stop_tag, self._halt_due]
        breaker = self.breaker
        if breaker is not None:
            windows = breaker.windows
            marks += [breaker.level, breaker.has_to_close_worst, windows.begin_ms("day")]
            marks.append(_in_steps(windows.start_minor("peak")))
        if self._peak is not None:
            marks.append(_in_steps(self._peak.start_minor("peak")))
        if self.prop is not None:
            marks += self.prop.marks
        return tuple(marks)

    def prop_words(self, server_ms: int, worst_loss_minor: int, trade_loss_minor: int) -> str:
        """Return why the rules of a prop firm forbid an entry, empty where they do not.

        Args:
            server_ms: the server's time, UTC milliseconds.
            worst_loss_minor: how far equity falls with all that is open and the order closed at
                their stops, minor units.
            trade_loss_minor: what the order alone loses at its stop, minor units.
        """
        if self.prop is None:
            return ""
        now_ms = max(server_ms, self._latest_ms)
        refusal = self.prop.entry_refusal(now_ms, worst_loss_minor, trade_loss_minor)
        if refusal is None:
            return ""
        words = f"{refusal.rule}: {refusal.value}, limit {refusal.limit}"
        return f"{words}; {refusal.remedy}" if refusal.remedy else words


def _rise_note(step: BreakerStep) -> Publish:
    return note(
        "breaker_rose",
        step.now_ms,
        "breaker",
        from_level=step.from_level,
        level=step.level,
        window=step.window,
        loss_minor=step.loss_minor,
        start_minor=step.start_minor,
        reason=step.reason,
    )


def _prop_note(event: PropEvent) -> Publish:
    return note(
        "prop_rule_met",
        event.time_ms,
        "prop",
        what=event.kind.value,
        rule=event.rule,
        value_minor=event.value_minor,
        limit_minor=event.limit_minor,
    )


def _in_steps(minor: int) -> int:
    """Return a rising amount in steps of about a thousandth."""
    return int(1000 * math.log(minor)) if minor > 0 else 0
