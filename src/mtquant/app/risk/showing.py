"""`mtquant risk show`: limits in their sections, and what there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from mtquant.app.plain_text import aligned, shown
from mtquant.app.prop_rules import list_prop_rules, load_prop_rules
from mtquant.app.risk.keys import KEYS, PARTS, WITHOUT_KEY
from mtquant.app.risk.prop_showing import NOTICE
from mtquant.app.risk_limits import list_risk_presets
from mtquant.risk import ENTRY_RULES, RiskLimits
from mtquant.risk.limits import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """Hold one key of the limits: value, unit, the rules that look at it, and whether it acts."""

    section: str
    key: str
    value: Any
    unit: str
    rules: tuple[str, ...]
    also: str
    is_on: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; enforced by names rules of the gate and what else acts."""
        also = self.also.split(", ") if self.also else []
        return {
            "section": self.section,
            "key": self.key,
            "value": _plain(self.value),
            "unit": self.unit,
            "enforced_by": [*self.rules, *also],
            "is_on": self.is_on,
        }


def limit_rows(limits: RiskLimits) -> list[LimitRow]:
    """Return every key with its value, section by section; parts of a key as `breaker.windows`."""
    found: list[LimitRow] = []
    for section in SECTIONS:
        for one in fields(RiskLimits):
            if one.metadata["section"] == section:
                found += _rows_of(limits, section, one.name)
    return found


def always_on(limits: RiskLimits) -> list[str]:
    """Return the rules that are looked at and that no key sets a limit for."""
    on = {rule.name for rule in ENTRY_RULES if rule.is_on(limits)}
    return [name for name in WITHOUT_KEY if name in on]


def limits_facts(limits: RiskLimits, source: str) -> dict[str, Any]:
    """Return limits as JSON values."""
    return {
        "source": source,
        "limits": [row.to_dict() for row in limit_rows(limits)],
        "always_on": always_on(limits),
    }


def limits_lines(limits: RiskLimits, source: str) -> list[str]:
    """Return limits for people."""
    lines = [f"Limits of {shown(source)}"]
    rows = limit_rows(limits)
    cells = [("key", "value", "unit", "enforced by"), *map(_cells, rows)]
    table = aligned(cells)
    lines.append(f"  {table[0]}")
    section = ""
    for row, line in zip(rows, table[1:], strict=True):
        if row.section != section:
            section = row.section
            lines.append(section)
        lines.append(f"  {line}")
    return [*lines, "", f"without a key: {', '.join(always_on(limits))}"]


def choices_facts() -> dict[str, Any]:
    """Return the shipped sets of limits and rules of prop firms as JSON values."""
    return {
        "presets": list(list_risk_presets()),
        "prop_rules": [
            {
                "name": name,
                "title": rules.title,
                "level": rules.level.name,
                "checked": rules.checked,
            }
            for name, rules in ((name, load_prop_rules(name)) for name in list_prop_rules())
        ],
        "notice": NOTICE,
    }


def choices_lines() -> list[str]:
    """Return the same for people."""
    props = ((name, load_prop_rules(name)) for name in list_prop_rules())
    rows = [
        (name, rules.title, rules.level.name.lower().replace("_", " "), rules.checked)
        for name, rules in props
    ]
    return [
        "Sets of limits (mtquant risk show --preset NAME):",
        *(f"  {name}" for name in list_risk_presets()),
        "",
        "Rules of prop firms (mtquant risk show --prop NAME):",
        *(f"  {line}" for line in aligned([("name", "programme", "evidence", "checked"), *rows])),
        "",
        NOTICE,
    ]


def value_text(key: str, value: Any) -> str:
    """Return a value as a file would say it; what is None is off.

    >>> value_text("max_drawdown_fraction", 0.1), value_text("max_positions", 3)
    ('10%', '3')
    """
    if value is None:
        return "off"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, float):
        return f"{100 * value:g}%" if key.endswith("_fraction") else f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value != {} else "none"


def _rows_of(limits: RiskLimits, section: str, name: str) -> Iterator[LimitRow]:
    facts, value = KEYS[name], getattr(limits, name)
    is_on = _is_on(limits, name, value)
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield _row(section, f"{name}.{key}", one, facts.unit, is_on=is_on)
        return
    if not is_dataclass(value):
        yield _row(section, name, value, facts.unit, is_on=is_on)
        return
    for part in fields(value):
        one = getattr(value, part.name)
        key = f"{name}.{part.name}"
        if one is not None or key == "sizing.max_lots":
            yield _row(section, key, one, PARTS.get(key, ""), is_on=is_on and one is not None)


def _row(section: str, key: str, value: Any, unit: str, *, is_on: bool) -> LimitRow:
    facts = KEYS[key.partition(".")[0]]
    return LimitRow(
        section=section,
        key=key,
        value=value,
        unit=unit,
        rules=facts.rules,
        also=facts.also,
        is_on=is_on,
    )


def _is_on(limits: RiskLimits, name: str, value: Any) -> bool:
    facts = KEYS[name]
    if not facts.rules:
        return value is not None
    return any(rule.is_on(limits) for rule in ENTRY_RULES if rule.name in facts.rules)


def _cells(row: LimitRow) -> tuple[str, ...]:
    by = ", ".join(word for word in (*row.rules, row.also) if word)
    return (
        row.key,
        shown(value_text(row.key, row.value)),
        row.unit if row.value is not None else "",
        by if row.is_on else f"{by} (off)",
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name.lower()
    return list(value) if isinstance(value, tuple) else value
