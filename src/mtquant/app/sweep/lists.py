"""Files of combinations: CSV with a heading, or one JSON object a line."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from mtquant.model import ConfigError
from mtquant.research.sweep import Parameter, find_parameter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_list(path: Path, known: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """Return the combinations of a `.csv` or `.jsonl` file.

    Raises:
        ConfigError: the file is missing, of another kind or broken, or names what is not known.
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
        lines = [row for row in csv.reader(text.splitlines(), strict=True) if row]
    except csv.Error as error:
        raise ConfigError(f"this is not CSV ({error})") from error
    if not lines:
        raise ConfigError("the list holds no combinations")
    parameters = [find_parameter(name.strip(), known) for name in lines[0]]
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


def _json_rows(text: str, _known: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"line {number} is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise ConfigError(f'line {number} holds no object such as {{"fast": 10}}')
        rows.append(row)
    return rows
