"""Economic calendars in CSV files: one row for each release."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import TYPE_CHECKING, Final

from mtquant.model import DataError
from mtquant.model.news import Impact, NewsEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_COLUMNS: Final = ("time", "currency", "impact", "title")
_IMPACTS: Final = {impact.name.lower(): impact for impact in Impact}


def read_calendar(path: Path) -> tuple[NewsEvent, ...]:
    """Return the events of a CSV file in the order of their times.

    The first row names the columns time, currency, impact and title, in any order; others are
    passed over. A time is ISO 8601 with Z or its offset from UTC (2026-01-09T13:30:00Z), a currency
    three capital letters, an impact low, medium or high.

    Raises:
        DataError: the file cannot be read, a column is missing, it holds no events, or a row is
            wrong; the message names file, line, value and what would be right.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            _require_columns(rows.fieldnames or (), path)
            events = [_event(row, f"{path}: line {rows.line_num}") for row in rows]
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: the file is not UTF-8 text ({error.reason})") from error
    except csv.Error as error:
        raise DataError(f"{path}: this is no CSV file ({error})") from error
    if not events:
        raise DataError(f"{path}: the file holds no events")
    return tuple(sorted(events, key=lambda event: event.time_ms))


def _require_columns(names: Sequence[str], path: Path) -> None:
    missing = [name for name in _COLUMNS if name not in names]
    if missing:
        raise DataError(
            f"{path}: the columns {', '.join(missing)} are missing; the first row must name "
            f"{', '.join(_COLUMNS)}"
        )


def _event(row: dict[str, str | None], where: str) -> NewsEvent:
    cells = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    currency, impact = cells["currency"], cells["impact"].lower()
    if not (
        len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()
    ):
        raise DataError(f"{where}: currency must be like USD, was {currency!r}")
    if impact not in _IMPACTS:
        raise DataError(f"{where}: impact {cells['impact']!r} is not one of {', '.join(_IMPACTS)}")
    if not cells["title"]:
        raise DataError(f"{where}: title is empty; name the release")
    return NewsEvent(
        time_ms=_time_ms(cells["time"], where),
        currency=currency,
        impact=_IMPACTS[impact],
        title=cells["title"],
    )


def _time_ms(text: str, where: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"{where}: time must be like 2026-01-09T13:30:00Z, was {text!r}") from error
    if moment.tzinfo is None:
        raise DataError(f"{where}: time {text!r} has no zone; end it with Z for UTC")
    return round(moment.timestamp() * 1000)
