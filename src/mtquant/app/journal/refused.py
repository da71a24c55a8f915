"""`mtquant journal refused`: what was not let pass, and by which rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtquant.app.journal.opened import reading
from mtquant.app.journal.story import fields_of
from mtquant.app.plain_text import aligned, lots_text, shown, utc_text
from mtquant.model.several import rules_in
from mtquant.storage.chain import LogRow

if TYPE_CHECKING:
    from pathlib import Path

_HEADER = ("time (UTC)", "side", "lots", "symbol", "refused by", "decision")
_NUMBERS = (2,)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedListing:
    """Hold refused entries, oldest first, and how often each rule refused one of all.

    `is_narrowed`: only those of a symbol or a rule were asked for.
    """

    is_narrowed: bool
    by_rule: dict[str, int]
    matching: int
    rows: tuple[LogRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        refused = [
            {"time_ms": row.time_ms, "correlation_id": row.correlation_id} | fields_of(row)
            for row in self.rows
        ]
        return {"by_rule": self.by_rule, "matching": self.matching, "refused": refused}


def list_refused(folder: Path, *, limit: int, symbol: str = "", rule: str = "") -> RefusedListing:
    """Return the newest refused entries; without `rule` by any, without `symbol` of all.

    Raises:
        JournalError: there is no journal in the folder, or it cannot be read.
    """
    with reading(folder) as journal:
        found = [row for row in journal.log() if row.kind == "note"]
        found = [row for row in found if row.record().get("name") == "order_refused"]
    matching = [
        row
        for row in found
        if (not symbol or fields_of(row).get("symbol") == symbol)
        and (not rule or rule in _rules(row))
    ]
    counts = Counter(one for row in matching for one in _rules(row))
    return RefusedListing(
        is_narrowed=bool(symbol or rule),
        by_rule=dict(counts.most_common()),
        matching=len(matching),
        rows=tuple(matching[-limit:]),
    )


def refused_lines(listing: RefusedListing) -> list[str]:
    """Return a listing for people."""
    if not listing.rows:
        return ["No entry was refused" + (" like that." if listing.is_narrowed else ".")]
    rules = ", ".join(f"{rule} {count}" for rule, count in listing.by_rule.items())
    lines = [f"{listing.matching} refused, by {rules}", ""]
    lines += aligned([_HEADER, *map(_cells, listing.rows)], _NUMBERS)
    if len(listing.rows) < listing.matching:
        lines.append(f"… the newest {len(listing.rows)} of {listing.matching}; --limit shows more")
    return [*lines, "", "`mtquant journal why DECISION` shows the values and limits of all rules."]


def _rules(row: LogRow) -> list[str]:
    return rules_in(fields_of(row))


def _cells(row: LogRow) -> tuple[str, ...]:
    fields = fields_of(row)
    units = fields.get("volume_units")
    return (
        utc_text(row.time_ms),
        str(fields.get("side") or "-"),
        lots_text(units) if units else "-",
        shown(str(fields.get("symbol") or "-")),
        ", ".join(_rules(row)),
        shown(row.correlation_id),
    )
