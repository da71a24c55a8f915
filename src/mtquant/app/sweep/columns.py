"""Bars as one file per column, which any number of processes map into their memory at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mtquant.model import Bars, ConfigError, DataError, Timeframe

_COLUMNS: Final = ("time_ms", "open", "high", "low", "close", "spread", "tick_volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBars:
    """Say where columns lie and whose they are."""

    folder: Path
    symbol: str
    timeframe: Timeframe
    digits: int

    def open(self) -> Bars:
        """Return the bars, read from the disk as they are needed.

        Raises:
            DataError: a column is missing or damaged.
        """
        try:
            # plain arrays: those that know of their file are slow to take rows from
            columns = {
                name: np.asarray(np.load(self.folder / f"{name}.npy", mmap_mode="r"))
                for name in _COLUMNS
            }
        except (OSError, ValueError) as error:
            raise DataError(f"{self.folder}: these columns cannot be read ({error})") from error
        return Bars(symbol=self.symbol, timeframe=self.timeframe, digits=self.digits, **columns)


def store_bars(bars: Bars, folder: Path) -> StoredBars:
    """Write the columns of bars into a folder named after their content; return where.

    Raises:
        ConfigError: they cannot be written.
    """
    target = folder / bars.content_hash()
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in _COLUMNS:
            draft = target / f".{name}.draft.npy"
            np.save(draft, getattr(bars, name), allow_pickle=False)
            draft.replace(target / f"{name}.npy")
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written ({error.strerror})") from error
    return StoredBars(
        folder=target, symbol=bars.symbol, timeframe=bars.timeframe, digits=bars.digits
    )
