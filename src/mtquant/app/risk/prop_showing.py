"""`mtquant risk show --prop`: the rules of a prop firm with their source, date and evidence."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.plain_text import aligned, shown
from mtquant.risk.prop import unkept_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.risk.prop import Level, Phase, PropRules

NOTICE: Final = (
    "Firms change their rules often: compare every number with the source before relying on it. "
    "Nothing is promised, and passing is not either."
)
_RULES: Final = (
    "day",
    "daily_loss",
    "max_loss",
    "profitable_days",
    "consistency",
    "news",
    "weekend",
    "stop_loss",
)
_WORDS: Final = ("level", "note", "name")


def prop_facts(rules: PropRules, name: str) -> dict[str, Any]:
    """Return rules as JSON values; `level` is the evidence of each."""
    return {
        "name": name,
        "title": rules.title,
        "checked": rules.checked,
        "sources": list(rules.sources),
        "level": rules.level.name,
        "rules": [
            {"rule": rule, "says": says, "level": level.name, "note": note}
            for rule, says, level, note in _told(rules)
        ],
        "left_open": list(rules.left_open),
        "not_kept": unkept_facts(rules),
        "notes": list(rules.notes),
        "notice": NOTICE,
    }


def prop_lines(rules: PropRules, name: str) -> list[str]:
    """Return rules for people."""
    told = list(_told(rules))
    rows = [(rule, shown(says), _level_text(level)) for rule, says, level, _ in told]
    notes = [f"{rule}: {note}" for rule, _, _, note in told if note]
    return [
        f"{shown(rules.title)} ({shown(name)}), checked {rules.checked}",
        "",
        *aligned([("rule", "what it says", "evidence"), *rows]),
        "",
        f"left open by the source: {', '.join(rules.left_open) or 'nothing'}",
        *unkept_lines(rules),
        *(f"note: {shown(one)}" for one in (*notes, *rules.notes)),
        *(f"source: {shown(source)}" for source in rules.sources),
        (
            "evidence: own page (the firm's), reported (by others), unverified (recalled, or "
            "sources differ)"
        ),
        "",
        NOTICE,
    ]


def unkept_lines(rules: PropRules, *, has_calendar: bool = True) -> list[str]:
    """Return for people what of the rules the bot does not keep by itself, a line each."""
    found = unkept_rules(rules, has_calendar=has_calendar)
    return [f"not kept by the bot: {shown(one.rule)} ({one.why})" for one in found]


def unkept_facts(rules: PropRules, *, has_calendar: bool = True) -> list[dict[str, str]]:
    """Return the same as JSON values."""
    return [one._asdict() for one in unkept_rules(rules, has_calendar=has_calendar)]


def _told(rules: PropRules) -> Iterator[tuple[str, str, Level, str]]:
    """Yield name, words, evidence and note of every rule that is stated."""
    for phase in rules.phases:
        yield f"phase {phase.name}", _phase_words(phase), phase.level or rules.level, phase.note
    if rules.initial_minor is not None:
        yield "account size", f"{rules.initial_minor} minor units", rules.level, ""
    for name in _RULES:
        found = getattr(rules, name)
        if found is not None:
            yield name, _words(found), rules.level_of(name), found.note
    if rules.inactivity_days is not None:
        yield "inactivity_days", str(rules.inactivity_days), rules.level, ""
    for kind, most in rules.leverage.items():
        yield f"leverage {kind}", f"1:{most:g}", rules.level, ""


def _phase_words(phase: Phase) -> str:
    target = phase.profit_target_fraction
    words = ["no target stated" if target is None else f"target {_text(target, 'x_fraction')}"]
    if phase.min_trading_days:
        words.append(f"at least {phase.min_trading_days} trading days")
    if phase.is_funded:
        words.append("funded")
    return ", ".join(words)


def _words(rule: Any) -> str:
    """Return the fields of a rule as `name value`; those without a value are left out."""
    said = ((one.name, getattr(rule, one.name)) for one in fields(rule))
    return "; ".join(
        f"{name.removesuffix('_fraction')} {_text(value, name)}"
        for name, value in said
        if name not in _WORDS and value is not None
    )


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        return f"{100 * value:g}%" if name.endswith("_fraction") else f"{value:g}"
    return str(value)


def _level_text(level: Level) -> str:
    return level.name.lower().replace("_", " ")
