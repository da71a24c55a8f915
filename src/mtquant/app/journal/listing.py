"""`mtquant journal show`: the newest intents and where everything stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtquant.app.journal.opened import reading
from mtquant.app.plain_text import aligned, lots_text, shown, utc_text
from mtquant.model import HaltOrder, IntentRow, IntentState

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


_HEADER = (
    "time (UTC)", "number", "action", "side", "lots", "symbol", "state", "order", "filled",
    "strategy", "why",
)  # fmt: skip
_NUMBERS = (4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Hold the intents that were asked for, oldest first, and how the whole journal stands."""

    counts: dict[str, int]
    halt_level: int
    pending: tuple[HaltOrder, ...]
    matching: int
    rows: tuple[IntentRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "counts": self.counts,
            "halt_level": self.halt_level,
            "pending": [one.to_dict() for one in self.pending],
            "matching": self.matching,
            "intents": [row.to_dict() for row in self.rows],
        }


def list_intents(
    folder: Path,
    *,
    limit: int,
    symbol: str = "",
    states: Collection[str] = (),
    only_open: bool = False,
) -> Listing:
    """Return the newest intents; without `states` those in any, without `symbol` of all.

    Raises:
        JournalError: there is no journal in the folder, or it cannot be read.
    """
    with reading(folder) as journal:
        intents, level = journal.intents(), journal.halt_level()
        pending = tuple(journal.pending_halts())
    found = Counter(row.state for row in intents)
    matching = [
        row
        for row in intents
        if (not symbol or row.intent.symbol == symbol)
        and (not states or row.state.name in states)
        and (not only_open or row.is_open)
    ]
    return Listing(
        counts={state.name: found[state] for state in IntentState if found[state]},
        halt_level=level,
        pending=pending,
        matching=len(matching),
        rows=tuple(matching[-limit:]),
    )


def listing_lines(listing: Listing) -> list[str]:
    """Return a listing for people."""
    total = sum(listing.counts.values())
    states = ", ".join(f"{count} {name}" for name, count in listing.counts.items())
    asked = len(listing.pending)
    lines = [
        (
            f"{total} intents{f' ({states})' if states else ''}; "
            f"halt level in force: {listing.halt_level}; "
            f"requests the bot has not taken up: {asked or 'none'}"
        )
    ]
    lines += [
        f"  asked for: {f'halt level {one.level}' if one.level else 'resume'}, "
        f"by {shown(one.who)}: {shown(one.reason)}"
        for one in listing.pending
    ]
    if not listing.rows:
        return [*lines, "No intent is like that." if total else "No intent yet."]
    lines += ["", *aligned([_HEADER, *map(_cells, listing.rows)], _NUMBERS)]
    if len(listing.rows) < listing.matching:
        lines.append(f"… the newest {len(listing.rows)} of {listing.matching}; --limit shows more")
    return lines


def _cells(row: IntentRow) -> tuple[str, ...]:
    intent = row.intent
    why = intent.reason + (f" | {row.detail}" if row.detail else "")
    return (
        utc_text(row.created_ms),
        str(row.intent_id),
        intent.action.value,
        intent.side.name,
        lots_text(intent.volume_units),
        shown(intent.symbol),
        row.state.name,
        str(row.order_ticket or "-"),
        lots_text(row.filled_units) if row.filled_units else "-",
        shown(intent.strategy_id),
        shown(why),
    )
