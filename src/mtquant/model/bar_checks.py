"""What columns of bars and ticks must be; complaints name the first wrong row and what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mtquant.model.errors import MarketDataError
from mtquant.model.server_clock import KNOWN_UNTIL_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mtquant.model.timeframe import Timeframe

IntColumn = NDArray[np.int64] | NDArray[np.int32]
PRICE_COLUMNS: Final = ("open", "high", "low", "close")
_WHOLE: Final = dict.fromkeys((*PRICE_COLUMNS, "spread", "bid", "ask"), "points") | {
    "time": "seconds",
    "time_ms": "milliseconds",
    "time_msc": "milliseconds",
}
_LARGEST: Final = 2**63 - 1  # of a signed column; unsigned ones hold more
_Check = tuple[str, NDArray[np.int64], "Callable[[int], str]"]


def whole_column(values: IntColumn | int, n: int, name: str) -> NDArray[np.int64]:
    """Return n whole numbers of a column, or of one number for all rows.

    Raises:
        MarketDataError: they are no whole numbers, not n, or do not fit 64 bits.
    """
    array: NDArray[Any] = np.full(n, values) if isinstance(values, int) else np.asarray(values)
    if not np.issubdtype(array.dtype, np.integer):
        raise MarketDataError(
            f"column {name} must hold whole {_WHOLE.get(name, 'numbers')}, was {array.dtype}"
            f"{_examples(array)}"
        )
    if array.shape != (n,):
        raise MarketDataError(f"column {name} has shape {array.shape}, the times have ({n},)")
    too_large = np.flatnonzero(array > _LARGEST)
    if len(too_large):
        row = int(too_large[0])
        raise MarketDataError(
            f"column {name} does not fit 64 bits: {array[row]} in row {row}", row=row
        )
    return array.astype(np.int64)


def points_column(values: IntColumn | int, n: int, name: str) -> NDArray[np.int32]:
    """Return n numbers of points.

    Raises:
        MarketDataError: they are no whole numbers, not n, or do not fit 32 bits.
    """
    array = whole_column(values, n, name)
    if n and (array.min() < -(2**31) or array.max() >= 2**31):
        row = int(np.flatnonzero((array < -(2**31)) | (array >= 2**31))[0])
        raise MarketDataError(
            f"column {name} does not fit 32 bits of points: {array[row]} in row {row}", row=row
        )
    return array.astype(np.int32)


def times_column(values: IntColumn, n: int, name: str, *, unit_ms: int = 1) -> NDArray[np.int64]:
    """Return n times of a column in milliseconds; `unit_ms` is how long its own unit is.

    Raises:
        MarketDataError: they are no whole numbers, not n, or lie before 1970 or in years that
            server clocks do not know.
    """
    array = whole_column(values, n, name)
    outside = np.flatnonzero((array < 0) | (array >= KNOWN_UNTIL_MS // unit_ms))
    if len(outside):
        row = int(outside[0])
        raise MarketDataError(
            f"column {name} lies outside 1970-01-01 to {time_text(KNOWN_UNTIL_MS):.10} in row "
            f"{row} (of {n}, {len(outside)} such rows): {array[row]} {_WHOLE[name]}",
            row=row,
        )
    return array * unit_ms


def require_sane(
    symbol: str,
    timeframe: Timeframe,
    times: NDArray[np.int64],
    volume: NDArray[np.int64],
    columns: Mapping[str, NDArray[np.int32]],
) -> None:
    """Refuse bars that contradict themselves.

    Raises:
        MarketDataError: the message and `details["row"]` name the first wrong row.
    """
    _require_none(symbol, len(times), _checks(timeframe, times, volume, columns))


def require_sane_ticks(
    symbol: str, times: NDArray[np.int64], bid: NDArray[np.int32], ask: NDArray[np.int32]
) -> None:
    """Refuse ticks that contradict themselves.

    Raises:
        MarketDataError: the message and `details["row"]` name the first wrong row.
    """

    def moved(row: int) -> str:
        return f"{time_text(times[row])} after {time_text(times[row - 1])} UTC"

    def prices(row: int) -> str:
        return f"bid {bid[row]}, ask {ask[row]} points"

    checks: tuple[_Check, ...] = (
        ("time falls", np.flatnonzero(np.diff(times) < 0) + 1, moved),
        ("bid is not positive", np.flatnonzero(bid <= 0), prices),
        ("ask lies below bid", np.flatnonzero(ask < bid), prices),
    )
    _require_none(symbol, len(times), checks)


def time_text(time_ms: int) -> str:
    """Return a moment (UTC milliseconds) for people; any number has a text.

    >>> time_text(1_488_326_400_000)
    '2017-03-01 00:00:00'
    """
    text = str(np.datetime64(int(time_ms), "ms")).replace("T", " ")
    return text.removesuffix(".000")


def _require_none(symbol: str, n: int, checks: tuple[_Check, ...]) -> None:
    for complaint, rows, shown in checks:
        if len(rows):
            row = int(rows[0])
            raise MarketDataError(
                f"{symbol}: {complaint} in row {row} (of {n}, {len(rows)} such rows): {shown(row)}",
                row=row,
            )


def _checks(
    timeframe: Timeframe,
    times: NDArray[np.int64],
    volume: NDArray[np.int64],
    columns: Mapping[str, NDArray[np.int32]],
) -> tuple[_Check, ...]:
    low, high, spread = columns["low"], columns["high"], columns["spread"]
    opened, closed = columns["open"], columns["close"]
    least = np.minimum(np.minimum(opened, closed), np.minimum(low, high))
    outside = (opened < low) | (opened > high) | (closed < low) | (closed > high)
    rise = np.diff(times)

    def moved(row: int) -> str:
        return f"{time_text(times[row])} after {time_text(times[row - 1])} UTC"

    def prices(row: int) -> str:
        return ", ".join(f"{name} {columns[name][row]}" for name in PRICE_COLUMNS) + " points"

    return (
        ("time falls", np.flatnonzero(rise < 0) + 1, moved),
        ("time stands twice", np.flatnonzero(rise == 0) + 1, lambda row: time_text(times[row])),
        (
            f"{timeframe.name} bar opens before the one before it is over",
            np.flatnonzero(rise < timeframe.shortest_ms) + 1,
            moved,
        ),
        ("price is not positive", np.flatnonzero(least <= 0), prices),
        ("high lies below low", np.flatnonzero(high < low), prices),
        ("open or close lies outside low and high", np.flatnonzero(outside), prices),
        ("spread is negative", np.flatnonzero(spread < 0), lambda row: str(spread[row])),
        ("tick volume is negative", np.flatnonzero(volume < 0), lambda row: str(volume[row])),
    )


def _examples(array: NDArray[Any]) -> str:
    """Return the first value that is no whole number, and the first that is no number at all."""
    values = array.reshape(-1)
    if not len(values):
        return ""
    if not np.issubdtype(values.dtype, np.floating):
        return f" ({values[0]!s:.40} in row 0)"
    endless = np.flatnonzero(~np.isfinite(values))
    broken = np.flatnonzero(np.isfinite(values) & (values != np.rint(values)))
    rows = sorted({int(found[0]) for found in (broken, endless) if len(found)}) or [0]
    return f" ({', '.join(f'{_number(values[row])} in row {row}' for row in rows)})"


def _number(value: float) -> str:
    return "NaN" if np.isnan(value) else str(value)
