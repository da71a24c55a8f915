"""The results of a sweep as columns: numbered trials, their parameters, their figures."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mtquant.model import ConfigError
from mtquant.research.sweep.figures import FIGURES, find_figure
from mtquant.research.sweep.rows_file import read_lines
from mtquant.research.sweep.trials import TrialState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mtquant.research.sweep.parameters import Value
    from mtquant.research.sweep.trials import Work

_CODES: Final = (TrialState.OK, TrialState.INVALID, TrialState.FAILED)
_CHUNK: Final = 4096  # rows written at once


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResults:
    """Hold every trial of a sweep, one per combination and window, as columns of length n.

    Trial r + 1 stands in row r. `parameters` and `figures` map a name to a column; a figure that
    is undefined is NaN here, and empty or null in every file. `states` uint8[n] counts in the
    order ok, invalid, failed; `reasons` says why a row has no figures. `windows` are the names
    that the numbers in `window` int32[n] stand for.
    """

    parameters: Mapping[str, NDArray[Any]]
    windows: tuple[str, ...]
    window: NDArray[np.int32]
    states: NDArray[np.uint8]
    figures: Mapping[str, NDArray[np.float64]]
    reasons: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.states)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the parameters."""
        return tuple(self.parameters)

    def count(self, state: TrialState) -> int:
        """Return how many trials ended like that."""
        return int(np.count_nonzero(self.is_state(state)))

    def state(self, row: int) -> TrialState:
        """Return how the trial in a row ended."""
        return _CODES[int(self.states[row])]

    def is_state(self, state: TrialState) -> NDArray[np.bool_]:
        """Return which trials ended like that, bool[n]."""
        same: NDArray[np.bool_] = self.states == _CODES.index(state)
        return same

    def combination(self, row: int) -> dict[str, Value]:
        """Return the parameters of the trial in a row."""
        return {name: one[row : row + 1].tolist()[0] for name, one in self.parameters.items()}

    def figure(self, name: str, row: int) -> float | int | None:
        """Return a figure of the trial in a row; None when it is undefined."""
        value = float(self.figures[name][row])
        if value != value:  # noqa: PLR0124 - NaN
            return None
        return int(value) if FIGURES[name].is_whole else value

    def ranked(self, by: str, min_trades: int = 0) -> NDArray[np.int64]:
        """Return the rows that have the figure `by`, the best first; equal ones by their number.

        Rows with fewer than `min_trades` trades are left out.

        Raises:
            ConfigError: there is no such figure.
        """
        figure = find_figure(by)
        values = self.figures[by]
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(~np.isnan(values) & (self.figures["trades"] >= min_trades))
        keys = values[rows] if figure.is_lower_better else -values[rows]
        return rows[np.argsort(keys, kind="stable")]

    def common_reasons(self, state: TrialState, most: int = 10) -> list[tuple[str, int]]:
        """Return the most frequent reasons for a state with their counts, frequent ones first."""
        code = _CODES.index(state)
        found = Counter(why for row, why in self.reasons.items() if self.states[row] == code)
        return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:most]

    def row(self, row: int) -> dict[str, Any]:
        """Return a trial as JSON values: undefined figures are None."""
        row = int(row)  # a row of `ranked` is numpy's
        return {
            "trial": row + 1,
            "window": self.windows[int(self.window[row])],
            "state": self.state(row).value,
            "parameters": self.combination(row),
            **{name: self.figure(name, row) for name in FIGURES},
            "reason": self.reasons.get(row),
        }

    def to_csv(self, path: Path) -> None:
        """Write all trials in the order of their numbers; undefined is empty.

        Raises:
            OSError: the file cannot be written.
        """
        head = ["trial", "window", *self._column_names(), "state", *FIGURES, "reason"]
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(",".join(head) + "\n")
            for start in range(0, len(self), _CHUNK):
                file.write(self._csv_chunk(start, min(start + _CHUNK, len(self))))

    def to_frame(self) -> Any:
        """Return a pandas frame with a row per trial, indexed by its number.

        Raises:
            ConfigError: pandas is not installed (it comes with the extra `data`).
        """
        try:
            import pandas as pd  # noqa: PLC0415 - heavy, and only needed here
        except ImportError as error:
            raise ConfigError("a frame needs pandas, which comes with the extra `data`") from error
        states = np.array([code.value for code in _CODES], dtype=object)
        columns = {
            "window": np.array(self.windows, dtype=object)[self.window],
            **dict(zip(self._column_names(), self.parameters.values(), strict=True)),
            "state": states[self.states],
            **self.figures,
            "reason": [self.reasons.get(row) for row in range(len(self))],
        }
        index = pd.RangeIndex(1, len(self) + 1, name="trial")
        return pd.DataFrame(columns, index=index)

    def _column_names(self) -> list[str]:
        """Return the headings of the parameters: one called as another column is marked."""
        taken = {"trial", "window", "state", "reason", *FIGURES}
        return [f"parameter.{name}" if name in taken else name for name in self.names]

    def _csv_chunk(self, start: int, stop: int) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = [self.windows[number] for number in self.window[start:stop].tolist()]
        states = [_CODES[code].value for code in self.states[start:stop].tolist()]
        parameters = [map(_cell, one[start:stop].tolist()) for one in self.parameters.values()]
        figures = [_figure_cells(name, one[start:stop]) for name, one in self.figures.items()]
        reasons = (self.reasons.get(row, "") for row in range(start, stop))
        numbers = range(start + 1, stop + 1)
        writer.writerows(zip(numbers, names, *parameters, states, *figures, reasons, strict=True))
        return text.getvalue()


def load_results(path: Path, work: Work) -> SweepResults:
    """Return the results that a finished rows file holds.

    Raises:
        ConfigError: the file is damaged, or rows are missing.
    """
    return collect(work, read_lines(path, work.rows))


def collect(work: Work, lines: Iterator[tuple[int, TrialState, Any]]) -> SweepResults:
    """Return results from the lines of all trials, in whatever order they come.

    Raises:
        ConfigError: rows are missing.
    """
    count = work.rows
    table = np.full((len(FIGURES), count), np.nan)
    states = np.full(count, len(_CODES), dtype=np.uint8)
    reasons: dict[int, str] = {}
    texts: dict[str, str] = {}  # each kept once
    for row, state, rest in lines:
        states[row] = _CODES.index(state)
        if state is TrialState.OK:
            table[:, row] = rest  # None becomes NaN
        else:
            reasons[row] = texts.setdefault(rest, rest)
    missing = int(np.count_nonzero(states == len(_CODES)))
    if missing:
        raise ConfigError(f"the rows of {missing:,} trials of {count:,} are missing")
    numbers = np.arange(count, dtype=np.int64)
    return SweepResults(
        parameters=work.space.columns(numbers // len(work.windows)),
        windows=work.windows,
        window=(numbers % len(work.windows)).astype(np.int32),
        states=states,
        figures=dict(zip(FIGURES, table, strict=True)),
        reasons={row: reasons[row] for row in sorted(reasons)},
    )


def _figure_cells(name: str, values: NDArray[np.float64]) -> list[str]:
    whole = FIGURES[name].is_whole
    return [
        "" if value != value else repr(int(value) if whole else value)  # noqa: PLR0124 - NaN
        for value in values.tolist()
    ]


def _cell(value: Value) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
