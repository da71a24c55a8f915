"""What was found about parity, as a table for people and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mtquant.model import DealKind, money_from_minor
from mtquant.research import closed_trades, trades_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.app.parity.check import Compared, LeftOut, Parity
    from mtquant.app.parity.difference import Conduct, Difference

_HASH = 8  # characters that are shown


def facts_of(parity: Parity) -> dict[str, Any]:
    """Return all that was found as JSON values; money in minor units, times UTC milliseconds."""
    plan = parity.plan
    return {
        "equal": parity.is_equal,
        "strategy": plan.config.only_strategy.name,
        "symbol": plan.bars.symbol,
        "timeframe": plan.bars.timeframe.name,
        "bars": len(plan.bars),
        "seed": plan.config.seed,
        "ways": [_way_facts(one) for one in parity.ways],
        "signals": [{**asdict(one), "verdict": _word(holds=one.holds)} for one in parity.opinions],
        "left_out": [asdict(one) for one in parity.left_out],
    }


def show_parity(parity: Parity) -> None:
    """Print what was found to standard output."""
    console = Console(highlight=False)
    console.print(_table(parity))
    for line in _lines(parity):
        console.print(line, markup=False, soft_wrap=True)


def _way_facts(one: Compared) -> dict[str, Any]:
    played = one.played
    return {
        "way": played.way,
        "bars": len(played.plan.bars),
        "deals": len(played.ledger.deals),
        "orders": len(played.ledger.orders),
        "net_minor": _net_minor(one),
        **asdict(played.account),
        "trades_sha256": _digest(one),
        "seconds": round(played.seconds, 3),
        "verdict": _verdict(one),
        "difference": None if one.difference is None else asdict(one.difference),
    }


def _table(parity: Parity) -> Table:
    plan = parity.plan
    account = plan.config.venue.account
    table = Table(
        title=f"Parity of {plan.title}, seed {plan.config.seed}",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("Way", no_wrap=True)
    for heading in ("Bars", "Deals", f"Net {account.currency}", "Trades", "Seconds"):
        table.add_column(heading, justify="right")
    table.add_column("Verdict")
    for one in parity.ways:
        digits = account.currency_digits
        table.add_row(
            one.played.way,
            f"{len(one.played.plan.bars):,}",
            f"{len(one.played.ledger.deals):,}",
            f"{money_from_minor(_net_minor(one), digits):,.{digits}f}",
            _digest(one)[:_HASH],
            f"{one.played.seconds:.2f}",
            _verdict(one),
        )
    for found in parity.opinions:
        bars = f"{len(plan.bars):,}"
        table.add_row(
            found.name, bars, "", "", "", f"{found.seconds:.2f}", _word(holds=found.holds)
        )
    for left in parity.left_out:
        table.add_row(left.name, "", "", "", "", "", _left(left))
    return table


def _lines(parity: Parity) -> Iterator[str]:
    for left in parity.left_out:
        yield f"{left.name}: {_left(left)}: {left.why}"
    for found in parity.opinions:
        yield f"{found.name}: {found.finding or found.about}"
    for one in parity.ways:
        if one.difference is not None:
            yield from _difference_lines(one.difference)
    yield "Equal." if parity.is_equal else "Not equal."


def _difference_lines(difference: Difference) -> Iterator[str]:
    mine, theirs = difference.reference, difference.found
    yield ""
    yield f"First difference: {theirs.way}, against {mine.way}"
    yield f"  {difference.quotes}"
    yield f"  {difference.record}"
    for field in difference.fields:
        values = f"{_shown(field.reference)} in {mine.way}, {_shown(field.found)} in {theirs.way}"
        yield f"    {field.name}: {values}"
    for conduct in (mine, theirs):
        yield from _conduct_lines(conduct)


def _conduct_lines(conduct: Conduct) -> Iterator[str]:
    yield f"  {conduct.way}"
    for name, lines in (
        ("deals in this bar", conduct.deals),
        ("orders in this bar", conduct.orders),
        ("reasons", conduct.reasons),
    ):
        yield f"    {name}:" + ("" if lines else " none")
        yield from (f"      {line}" for line in lines)


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _verdict(one: Compared) -> str:
    return "reference" if one.is_reference else _word(holds=one.difference is None)


def _left(one: LeftOut) -> str:
    return "REFUSED" if one.refuses else "left out"


def _word(*, holds: bool) -> str:
    return "equal" if holds else "DIFFERS"


def _net_minor(one: Compared) -> int:
    deals = one.played.ledger.deals
    return sum(deal.net_minor for deal in deals if deal.kind is DealKind.TRADE)


def _digest(one: Compared) -> str:
    return trades_sha256(closed_trades(one.played.ledger.deals))
