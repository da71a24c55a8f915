"""The bars of a configuration, in the points of its venue."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.app.data_folder import bars_folder
from mtquant.data import SAMPLE_DIGITS, load_bars, load_parquet, load_sample, rescale
from mtquant.data.store import BarsStore
from mtquant.model import Bars, ConfigError, MarketDataError, ServerClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.app.config import DataSpec, LoadedConfig
    from mtquant.exchange import InstrumentSpec, VenueSpec

SAMPLE_SYMBOL: Final = "EURUSD"


def load_bar_source(loaded: LoadedConfig, spec: DataSpec) -> Bars:
    """Return the bars of one source; paths are relative to the configuration's file.

    Bars with fewer digits than the venue are scaled up. Those with more are refused where the
    venue's digits cannot say every price, unless they are to be rounded. Where the spread of every
    bar is 0 the data have none, and the instrument's stands in.

    Raises:
        DataError: file or entry are missing, empty or broken, or do not fit the venue's digits.
        SymbolNotFoundError: the venue does not trade the symbol.
        ConfigError: the clock is not known.
    """
    venue = loaded.config.venue
    if spec.sample is not None:
        return _sample(spec, _instrument(venue, SAMPLE_SYMBOL))
    bars = _given(spec, loaded.folder)
    instrument = _instrument(venue, bars.symbol)
    with _rounding_named(spec, bars.digits, instrument.digits):
        bars = rescale(bars, instrument.digits, rounding=spec.rounding)
    return bars if bars.spread.any() else _with_spread(bars, instrument.spread_points)


def load_file(path: Path, clock_profile: str, option: str = "data.clock") -> Bars:
    """Return the bars of a `.npz` or `.parquet` file; spread 0 where it has none.

    Args:
        path: the file.
        clock_profile: the clock that the times of a Parquet file run on.
        option: what a person calls the clock.

    Raises:
        DataError: the file is missing, empty or broken.
        ConfigError: the clock is not known.
    """
    if path.suffix != ".parquet":
        return load_bars(path)
    return load_parquet(path, clock=clock_named(clock_profile, option))


def clock_named(profile: str, option: str) -> ServerClock | None:
    """Return a file's clock, None where its times are UTC; `option` is what a person calls it.

    Raises:
        ConfigError: the clock is not known.
    """
    try:
        return None if profile == "utc" else ServerClock(profile)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error


def _given(spec: DataSpec, folder: Path) -> Bars:
    if spec.stored is not None:
        return BarsStore(bars_folder()).get(spec.stored)
    return load_file(folder / Path(str(spec.path)).expanduser(), spec.clock)


def _sample(spec: DataSpec, instrument: InstrumentSpec) -> Bars:
    digits = instrument.digits
    with _rounding_named(spec, SAMPLE_DIGITS, digits):
        return load_sample(
            spread_points=instrument.spread_points, digits=digits, rounding=spec.rounding
        )


def _instrument(venue: VenueSpec, symbol: str) -> InstrumentSpec:
    venue.instrument(symbol)
    return venue.instruments[symbol]


@contextmanager
def _rounding_named(spec: DataSpec, digits: int, wanted: int) -> Iterator[None]:
    """Say how rounding is allowed, where that would help."""
    try:
        yield
    except MarketDataError as error:
        if spec.rounding or digits < wanted:
            raise
        raise MarketDataError(
            f"{error}; set data.rounding: true to round, or give the venue the digits of the data",
            **error.details,
        ) from error


def _with_spread(bars: Bars, spread_points: int) -> Bars:
    spread = np.full(len(bars), spread_points, dtype=np.int32)
    spread.setflags(write=False)
    return replace(bars, spread=spread)
