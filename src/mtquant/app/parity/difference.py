"""The first difference between two ways of playing the same plan."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from mtquant.app.parity.words import bar_line, record_line, value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.app.parity.ways import PlayedWay
    from mtquant.model import Bars, Deal, Order

    Record = Deal | Order


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """Hold one field in which two records differ; None where there is no record."""

    name: str
    reference: object
    found: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """Hold what one way did in a bar, and why, in lines for people."""

    way: str
    deals: tuple[str, ...]
    orders: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Hold where two ways part first: a deal, an order, or the account at the end.

    `bar` is the row of the bar in which it happened, `time_ms` its opening (UTC ms) and `quotes`
    its prices in words; `record` says what differs, such as `deal 12`.
    """

    bar: int
    time_ms: int
    quotes: str
    record: str
    fields: tuple[FieldDifference, ...]
    reference: Conduct
    found: Conduct


def first_difference(reference: PlayedWay, found: PlayedWay) -> Difference | None:
    """Return where two ways part first, None where they are equal to the last field."""
    parted = [
        one
        for kind in ("deal", "order")
        if (one := _parted(kind, _records(reference, kind), _records(found, kind)))
    ]
    bars = reference.plan.bars
    if parted:
        time_ms, record, differing = min(parted, key=lambda one: one[0])
        return _described(reference, found, _bar_at(bars, time_ms), record, differing)
    differing = _fields_of(reference.account, found.account)
    if differing:
        return _described(reference, found, len(bars) - 1, "account at the end", differing)
    return None


def _parted(
    kind: str, mine: Sequence[Record], theirs: Sequence[Record]
) -> tuple[int, str, tuple[FieldDifference, ...]] | None:
    """Return when two rows of records part (UTC ms), at which record, and in what."""
    for row in range(max(len(mine), len(theirs))):
        one = mine[row] if row < len(mine) else None
        other = theirs[row] if row < len(theirs) else None
        if one != other:
            time_ms = min(_time_ms(record) for record in (one, other) if record is not None)
            return time_ms, f"{kind} {row}", _fields_of(one, other)
    return None


def _records(way: PlayedWay, kind: str) -> Sequence[Record]:
    return way.ledger.deals if kind == "deal" else way.ledger.orders


def _time_ms(record: Any) -> int:
    done: int = record.time_ms if hasattr(record, "time_ms") else record.setup_ms
    return done


def _fields_of(one: Any, other: Any) -> tuple[FieldDifference, ...]:
    """Return the fields in which two records of a kind differ; all of them if there is one only."""
    names = [field.name for field in fields(other if one is None else one)]
    pairs = ((name, _field(one, name), _field(other, name)) for name in names)
    return tuple(
        FieldDifference(name=name, reference=mine, found=theirs)
        for name, mine, theirs in pairs
        if mine != theirs
    )


def _field(record: Any, name: str) -> object:
    return None if record is None else value(getattr(record, name))


def _bar_at(bars: Bars, time_ms: int) -> int:
    return max(0, int(np.searchsorted(bars.time_ms, time_ms, side="right")) - 1)


def _described(
    reference: PlayedWay,
    found: PlayedWay,
    bar: int,
    record: str,
    differing: tuple[FieldDifference, ...],
) -> Difference:
    bars = reference.plan.bars
    return Difference(
        bar=bar,
        time_ms=int(bars.time_ms[bar]),
        quotes=bar_line(bars, bar),
        record=record,
        fields=differing,
        reference=_conduct(reference, bar),
        found=_conduct(found, bar),
    )


def _conduct(way: PlayedWay, bar: int) -> Conduct:
    bars = way.plan.bars

    def lines(kind: str) -> tuple[str, ...]:
        return tuple(
            f"{kind} {row}: {record_line(record, bars.digits)}"
            for row, record in enumerate(_records(way, kind))
            if _bar_at(bars, _time_ms(record)) == bar
        )

    return Conduct(
        way=way.way,
        deals=lines("deal"),
        orders=lines("order"),
        reasons=way.reasons.around(bars, bar),
    )
