"""Files of combinations: CSV with a heading, or one JSON object a line."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from mtquant.model import ConfigError
from mtquant.research.sweep import Parameter, find_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def read_list(path: Path, known: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """Return the combinations of a `.csv` or `.jsonl` file.

    Raises:
        ConfigError: the file is missing, of another kind or broken, or names what is not known,
            or a parameter twice.
    """
    readers = {".csv": _csv_rows, ".jsonl": _json_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: a list is a .csv or a .jsonl file")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    try:
        return reader(text, known)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _csv_rows(text: str, known: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise ConfigError(f"this is not CSV ({error})") from error
    if not lines:
        raise ConfigError("the list holds no combinations")
    parameters = _parameters([name.strip() for name in lines[0]], known)
    rows = []
    for number, line in enumerate(lines[1:], 1):
        if len(line) != len(parameters):
            raise ConfigError(
                f"row {number} has {len(line)} values, the heading {len(parameters)} names"
            )
        pairs = zip(parameters, line, strict=True)
        rows.append({one.name: _word(one, cell, number) for one, cell in pairs})
    return rows


def _word(parameter: Parameter, cell: str, number: int) -> Any:
    try:
        return parameter.word(cell)
    except ConfigError as error:
        raise ConfigError(f"row {number}: {error}") from error


def _json_rows(text: str, known: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(_json_row(line, known))
            except ConfigError as error:
                raise ConfigError(f"line {number}: {error}") from error
    return rows


def _json_row(line: str, known: Mapping[str, Parameter]) -> dict[str, Any]:
    try:
        row = json.loads(line, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"this is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ConfigError('this is no object such as {"fast": 10}')
    _parameters(list(row), known)
    return row


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    _require_once([name for name, _ in pairs])
    return dict(pairs)


def _parameters(names: Sequence[str], known: Mapping[str, Parameter]) -> list[Parameter]:
    """Return the parameters of these names, none of which may be empty or come twice."""
    for place, name in enumerate(names, 1):
        if not name:
            raise ConfigError(f"name {place} of {len(names)} is empty")
    _require_once(names)
    return [find_parameter(name, known) for name in names]


def _require_once(names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ConfigError(f"{name}: is given {count} times; write it once")
