"""`mtquant risk show --dir`: what a bot's breaker and prop guard remember, read beside the bot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtquant.app.journal.opened import reading
from mtquant.app.plain_text import money_text, shown, utc_text
from mtquant.app.results import config_of
from mtquant.app.risk_wiring import make_loss_watch
from mtquant.app.workspace import read_run
from mtquant.model import HaltOrder
from mtquant.risk import BreakerReport

if TYPE_CHECKING:
    from pathlib import Path

    from mtquant.risk.prop import PropGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class PropMemory:
    """Hold what a prop guard remembers; money in minor units."""

    rules: str
    status: str
    failure: str
    floor_minor: int
    buffered_floor_minor: int
    room_minor: int

    @classmethod
    def of(cls, guard: PropGuard) -> PropMemory:
        """Return what a restored guard tells."""
        failure = guard.failure
        return cls(
            rules=guard.rules.title,
            status=guard.status.value,
            failure="" if failure is None else f"{failure.rule} at {utc_text(failure.time_ms)} UTC",
            floor_minor=guard.floor_minor,
            buffered_floor_minor=guard.buffered_floor_minor,
            room_minor=guard.room_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskMemory:
    """Hold what a bot's folder says: halts, breaker, prop guard, drawdown, as of `seen_ms`.

    `breaker`, `prop` and `drawdown_fraction` are None where they are off, `seen_ms` (the broker's
    time, UTC ms) where nothing was recorded yet.
    """

    halt_level: int
    pending: tuple[HaltOrder, ...]
    seen_ms: int | None
    breaker: BreakerReport | None
    prop: PropMemory | None
    drawdown_fraction: float | None
    money: tuple[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        prop = self.prop
        return {
            "halt_level": self.halt_level,
            "pending": [one.to_dict() for one in self.pending],
            "seen_ms": self.seen_ms,
            "breaker": None if self.breaker is None else self.breaker.to_dict(),
            "prop": None if prop is None else {one: getattr(prop, one) for one in prop.__slots__},
            "drawdown_fraction": self.drawdown_fraction,
        }


def remembered(folder: Path) -> RiskMemory:
    """Return what a bot's folder remembers of losses; a bot that runs there is not disturbed.

    Raises:
        ConfigError: there is no run in the folder, or its configuration cannot be read.
        JournalError: there is no journal, or it cannot be read.
        DataError: what it remembers cannot be read.
    """
    with reading(folder) as journal:
        state, level = journal.risk_state(), journal.halt_level()
        pending = tuple(journal.pending_halts())
    loaded = config_of(read_run(folder))
    config = loaded.config
    watch = make_loss_watch(config, loaded.folder)
    watch.restore(state, ())
    seen_ms = None if state is None else int(json.loads(state)["latest_ms"])
    drawdown = None if config.risk.max_drawdown_fraction is None else watch.drawdown_fraction
    account = config.venue.account
    return RiskMemory(
        halt_level=level,
        pending=pending,
        seen_ms=seen_ms,
        breaker=None if watch.breaker is None else watch.breaker.report(seen_ms or 0),
        prop=None if watch.prop is None else PropMemory.of(watch.prop),
        drawdown_fraction=drawdown,
        money=(account.currency, account.currency_digits),
    )


def memory_lines(memory: RiskMemory) -> list[str]:
    """Return it for people."""
    lines = [f"halt level in force: {memory.halt_level}"]
    lines += [
        f"  asked for: {f'halt level {one.level}' if one.level else 'resume'}, "
        f"by {shown(one.who)}: {shown(one.reason)}"
        for one in memory.pending
    ]
    if memory.seen_ms is None:
        lines.append("losses: nothing is recorded yet")
    else:
        lines.append(f"losses as recorded at {utc_text(memory.seen_ms)} UTC, the broker's time")
    lines += ["breaker: off"] if memory.breaker is None else _breaker(memory, memory.breaker)
    lines += ["prop rules: off"] if memory.prop is None else _prop(memory, memory.prop)
    fall = memory.drawdown_fraction
    lines.append("drawdown: off" if fall is None else f"drawdown: {fall:.2%} below the highest")
    return lines


def _breaker(memory: RiskMemory, report: BreakerReport) -> list[str]:
    name = report.status.name.lower().replace("_", " ")
    lines = [f"breaker: level {report.status.value} ({name})"]
    if report.triggered_ms is not None and report.can_reset_ms is not None:
        lines += [
            f"  since {utc_text(report.triggered_ms)} UTC: {report.reason}",
            (
                f"  a person may reset it from {utc_text(report.can_reset_ms)} UTC on "
                f"({'now' if report.can_reset else 'not yet'})"
            ),
        ]
    lines += [
        f"  {one.window}: began {utc_text(one.begin_ms)} UTC with "
        f"{money_text(one.start_minor, memory.money)}, lost "
        f"{money_text(one.loss_minor, memory.money)} ({one.loss_fraction:.2%})"
        for one in report.windows
    ]
    return lines


def _prop(memory: RiskMemory, prop: PropMemory) -> list[str]:
    floor, buffered, room = (
        money_text(minor, memory.money)
        for minor in (prop.floor_minor, prop.buffered_floor_minor, prop.room_minor)
    )
    failed = f"; broken: {prop.failure}" if prop.failure else ""
    return [
        f"prop rules: {shown(prop.rules)}, {prop.status}{failed}",
        f"  floor {floor}, with its buffer {buffered}; equity is {room} above the floor",
    ]
