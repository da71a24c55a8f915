"""A story in words: one short paragraph for each thing that happened, oldest first."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.journal.facts import Facts, result_of
from mtquant.app.journal.story import fields_of
from mtquant.app.plain_text import lots_text, shown, utc_text
from mtquant.model import (
    Deal,
    DealEntry,
    HaltOrder,
    IntentAction,
    IntentRow,
    IntentState,
    JournalError,
    Timeframe,
)
from mtquant.model.several import reasons_in
from mtquant.research.words import span_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mtquant.app.journal.story import Story
    from mtquant.storage.chain import LogRow

Said = tuple[str, str]
"""A label and a text."""
_SIGNAL_ID: Final = re.compile(r"(?s)(.+):([^:]+):([A-Z]+[0-9]+):([0-9]+)")
_ENTRIES: Final = {
    DealEntry.IN: "opens",
    DealEntry.OUT: "closes",
    DealEntry.INOUT: "turns round",
    DealEntry.OUT_BY: "closes against another",
}


def story_lines(story: Story, width: int) -> list[str]:
    """Return a story for people, wrapped to a width."""
    teller = _Teller(story)
    said = [(utc_text(time_ms), one) for time_ms, one in teller.told()]
    said += [("", one) for one in result_of(story, teller.facts)]
    told = [(at, shown(label), text) for at, (label, text) in said]
    edge = max((len(label) for _, label, _ in told), default=0)
    lines, before = [teller.headline(), *teller.hints(), ""], ""
    for at, label, text in told:
        lead = f"{at if at != before else '':<19}  {label:<{edge}}  "
        before = at or before
        lines += textwrap.wrap(
            shown(text),
            max(width, len(lead) + 30),
            initial_indent=lead,
            subsequent_indent=" " * len(lead),
            break_on_hyphens=False,
        ) or [lead.rstrip()]
    return lines


class _Teller:
    """Put the rows of a story into words, one after the other."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._own = {row.intent_id: row for row in story.intents}
        self._states: dict[int, IntentState] = {}
        self.facts = Facts.of(story)
        self._newest_ms = 0
        self._notes: dict[str, Callable[[dict[str, Any]], Iterator[Said]]] = {
            "order_approved": self._approved,
            "order_refused": _refused,
            "order_answered": self._answered,
            "reconciled": _reconciled,
        }

    def headline(self) -> str:
        """Say what the story is about."""
        story = self._story
        symbols = {deal.symbol for deal in story.deals}
        symbols |= {row.intent.symbol for row in story.intents}
        names = {row.intent.strategy_id for row in story.intents}
        of = f" of {', '.join(sorted(names))}" if names else ""
        where = f" in {', '.join(sorted(symbols - {''}))}" if symbols - {""} else ""
        if isinstance(story.number, str):
            return shown(f"{story.known_as} {story.number}{where}")
        if not story.position_ticket:
            return shown(f"{story.known_as} {story.number}{of}{where}, without a position")
        is_another = story.number != story.position_ticket
        asked = f" ({story.number} is its {story.known_as})" if is_another else ""
        return shown(f"position {story.position_ticket}{of}{where}{asked}")

    def hints(self) -> list[str]:
        """Say what else has the number that was asked for."""
        return [f"{self._story.number} is also the number of the {one}" for one in self._story.also]

    def told(self) -> Iterator[tuple[int, Said]]:
        """Yield time and words."""
        for row in self._story.rows:
            try:
                said = list(self._words(row))
            except (KeyError, TypeError, ValueError) as error:
                problem = f"log row {row.sequence} is not what a bot writes ({error!r})"
                raise JournalError(problem) from error
            for one in said:
                yield row.time_ms, one
            self._newest_ms = max(self._newest_ms, row.time_ms)

    def _words(self, row: LogRow) -> Iterator[Said]:
        record = row.record()
        if row.kind == "intent":
            intent = IntentRow.from_dict(record)
            yield from self._moved(intent) if row.intent_id in self._own else _joined(intent)
        elif row.kind == "deal":
            yield from self._booked(Deal.from_dict(record))
        elif row.kind == "halt":
            halt = HaltOrder.from_dict(record)
            what = f"level {halt.level}" if halt.level else "lifted"
            yield "halt", f"{what} by {halt.who}: {halt.reason}"
        else:
            fields = fields_of(row)
            if record["name"] == "signal_raised":
                yield from _signal(row.correlation_id, fields)
            else:
                yield from self._notes.get(record["name"], _plain(record["name"]))(fields)

    # ------------------------------------------------------------------ notes

    def _is_quiet(self, intent_id: int) -> bool:
        """Tell whether an intent moved a stop and was done: one line says all of it."""
        row = self._own[intent_id]
        return row.intent.action is IntentAction.MODIFY and row.state is IntentState.DONE

    def _approved(self, fields: dict[str, Any]) -> Iterator[Said]:
        if fields["intent_id"] not in self._own:  # the note waited, its intent was not written
            yield "risk", "approved, but it could not be journalled: not sent"
            return
        if self._is_quiet(fields["intent_id"]):
            return
        passed = reasons_in(fields, "passed")
        if passed:
            yield "risk", f"approved, {len(passed)} rules are met"
        else:
            yield "risk", f"{fields['action']} is let pass"
        for one in passed:
            yield "", one
        if fields["explanation"]:
            yield "size", str(fields["explanation"])

    def _answered(self, fields: dict[str, Any]) -> Iterator[Said]:
        if self._is_quiet(fields["intent_id"]):
            return
        yield "request", _unpacked(fields["request"])
        reply = f": {_unpacked(fields['reply'])}" if fields["reply"] else ""
        yield "reply", f"{fields['outcome']}, {fields['detail']}{reply}"

    # ------------------------------------------------------------------ intents and deals

    def _moved(self, row: IntentRow) -> Iterator[Said]:
        before = self._states.get(row.intent_id)
        self._states[row.intent_id] = row.state
        if self._is_quiet(row.intent_id):
            if row.state is IntentState.DONE and before is not IntentState.DONE:
                yield "stop", f"{self._levels(row)}: {row.intent.reason}; {row.detail}"
            return
        if before is None:
            again = f", attempt {row.attempt}" if row.attempt > 1 else ""
            yield "intent", f"{row.intent_id}{again}: {self._wish(row)}; {row.intent.reason}"
        if row.state is not before:
            yield "state", self._state(row)

    def _wish(self, row: IntentRow) -> str:
        intent, price = row.intent, self.facts.price
        what = f"{intent.side.name} {lots_text(intent.volume_units)} lots {intent.symbol}"
        at = f" at {price(intent.price_points, intent.symbol)}" if intent.price_points else ""
        if intent.action is IntentAction.CLOSE:
            return f"close position {intent.position_ticket}, {what}{at}"
        if intent.action is IntentAction.CANCEL:
            return f"cancel order {intent.order_ticket}, {what}"
        levels = self._levels(row)
        if intent.action is IntentAction.MODIFY:
            return f"move the levels of position {intent.position_ticket}: {levels}"
        return f"open {what}{at}, {levels}"

    def _levels(self, row: IntentRow) -> str:
        intent, price = row.intent, self.facts.price
        return (
            f"stop loss {price(intent.stop_loss_points, intent.symbol)}, "
            f"take profit {price(intent.take_profit_points, intent.symbol)}"
        )

    @staticmethod
    def _state(row: IntentRow) -> str:
        parts = [row.state.name]
        if row.order_ticket:
            parts.append(f"order {row.order_ticket}")
        if row.filled_units:
            parts.append(f"filled {lots_text(row.filled_units)} lots")
        said = ", ".join(parts)
        if row.state is IntentState.LATE:
            said += ": given up before, adopted now"
        return f"{said}; {row.detail}" if row.detail else said

    def _booked(self, deal: Deal) -> Iterator[Said]:
        if deal.side is None:
            yield "deal", f"{deal.deal_ticket}: balance, {self.facts.money(deal.net_minor)}"
            return
        late = "; seen later than that" if deal.time_ms < self._newest_ms else ""
        at = self.facts.price(deal.price_points, deal.symbol)
        traded = f"{deal.side.name} {lots_text(deal.volume_units)} lots at {at}"
        whose = (
            f"{_ENTRIES[deal.entry]} position {deal.position_ticket}, by {self.facts.cause(deal)}"
        )
        yield "deal", f"{deal.deal_ticket}: {traded} {whose}; {self._money(deal)}{late}"

    def _money(self, deal: Deal) -> str:
        parts = {
            "profit": deal.profit_minor,
            "commission": deal.commission_minor,
            "swap": deal.swap_minor,
            "fee": deal.fee_minor,
        }
        said = [f"{name} {self.facts.money(minor)}" for name, minor in parts.items() if minor]
        return ", ".join(said) or "no money moved"


def _signal(signal_id: str, fields: dict[str, Any]) -> Iterator[Said]:
    found = _SIGNAL_ID.fullmatch(signal_id)
    if found and found[3] in Timeframe.__members__:
        where = f"{found[1]}, {found[2]}, {found[3]} bar of {utc_text(int(found[4]))}"
    else:
        where = signal_id
    yield "signal", f"{fields['direction']}: {fields['reason'] or 'no reason given'} ({where})"


def _joined(row: IntentRow) -> Iterator[Said]:
    """Yield what another position had of the same signal."""
    intent = row.intent
    of = f" of position {intent.position_ticket}" if intent.position_ticket else ""
    yield (
        "also",
        (
            f"the same signal made the intent {row.intent_id}: {intent.action.value} "
            f"{intent.side.name} {intent.symbol}{of}; {intent.reason}"
        ),
    )


def _reconciled(fields: dict[str, Any]) -> Iterator[Said]:
    cause, away_ms = fields["cause"], int(fields["away_ms"])
    when = "after a start" if cause == "start" else f"after {span_text(away_ms)} away"
    yield (
        "link",
        (
            f"the broker was read {when}: {fields['opened']} opened and {fields['closed']} closed "
            f"meanwhile, {fields['unresolved']} unresolved"
        ),
    )


def _refused(fields: dict[str, Any]) -> Iterator[Said]:
    """Tell of a refused entry: what it was, why not, and what it met."""
    units = fields.get("volume_units")
    if units:
        at = [f"{fields['price_points']} points", *_levels(fields)]
        yield "size", str(fields.get("explanation") or "not told")
        order = f"{fields['side']} {lots_text(units)} lots {fields['symbol']} at {', '.join(at)}"
        yield "risk", f"refused: {order}"
    else:
        yield "risk", "entry refused"
    for one in reasons_in(fields):
        yield "", f"not met: {one}"
    for one in reasons_in(fields, "passed"):
        yield "", one


def _levels(fields: dict[str, Any]) -> Iterator[str]:
    for what in ("stop loss", "take profit"):
        at = fields.get(f"{what.replace(' ', '_')}_points")
        if at:
            yield f"{what} {at}"


def _plain(name: str) -> Callable[[dict[str, Any]], Iterator[Said]]:
    """Return the words for the notes that need no more than a sentence."""
    label, sentence = _SENTENCES.get(name, (name.replace("_", " "), ""))

    def words(fields: dict[str, Any]) -> Iterator[Said]:
        listed = ", ".join(f"{key}: {value}" for key, value in fields.items())
        yield label, sentence.format_map(fields) if sentence else listed

    return words


_SENTENCES: Final = {
    "entry_warned": ("risk", "let pass with a warning: {reasons}"),
    "decision_repeated": ("risk", "{action} by {trigger} was decided before: not sent again"),
    "entry_dropped": ("risk", "entry given up: {reason}"),
    "exit_dropped": ("risk", "exit given up: {reason}"),
    "stop_lost": ("stop lost", "position {position_ticket} stands without its stop: {action}"),
    "link_lost": ("link", "lost: {detail}"),
    "intent_moved": ("state", "{state} {detail}"),
}


def _unpacked(text: str) -> str:
    """Return a JSON object as `key value` pairs, whatever else as it stands."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict):
        return text
    return ", ".join(f"{key} {value}" for key, value in found.items())
