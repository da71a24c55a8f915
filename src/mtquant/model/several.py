"""Several words in one field of an observation, whose fields hold single values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BETWEEN_REASONS: Final = " | "
_BETWEEN_RULES: Final = ","


def reasons_text(reasons: Iterable[object]) -> str:
    """Return sentences as one text, with bars between them."""
    return _BETWEEN_REASONS.join(map(str, reasons))


def reasons_in(fields: Mapping[str, Any], name: str = "reasons") -> list[str]:
    """Return the sentences in a field; none where it is empty or not there."""
    return [one for one in str(fields.get(name, "")).split(_BETWEEN_REASONS) if one]


def rules_text(rules: Iterable[str]) -> str:
    """Return names of rules as one text, with commas between them."""
    return _BETWEEN_RULES.join(rules)


def rules_in(fields: Mapping[str, Any]) -> list[str]:
    """Return the rules that an observation names; none where it names none."""
    return [one for one in str(fields.get("rules", "")).split(_BETWEEN_RULES) if one]
