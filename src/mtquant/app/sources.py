"""Where the prices of a run come from: the shipped sample, files of bars, files of ticks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mtquant.app.market_data import clock_named, load_bar_source
from mtquant.data import load_ticks
from mtquant.model import Bars, ConfigError, Ticks

if TYPE_CHECKING:
    from mtquant.app.config import DataSpec, LoadedConfig
    from mtquant.exchange import VenueSpec


def load_source(loaded: LoadedConfig, spec: DataSpec) -> Bars | Ticks:
    """Return the bars or ticks of a source; paths are relative to the configuration's file.

    Raises:
        DataError: the file is missing, empty or broken.
    """
    if spec.ticks is None:
        return load_bar_source(loaded, spec)
    clock = clock_named(spec.clock, "data.clock")
    return load_ticks(loaded.folder / Path(spec.ticks).expanduser(), clock=clock)


def require_open_hours(venue: VenueSpec, bars: Bars) -> None:
    """Refuse bars of which most open while trading is closed: no decision could be carried out.

    Some bars in the closed hours are usual; most of them mean another clock than stated, or weeks
    that begin on Sunday midnight.
    """
    instrument, clock = venue.instrument(bars.symbol), venue.clock
    looked_at = bars.time_ms[:: max(1, len(bars) // 500)].tolist()
    closed = sum(
        not instrument.is_open(clock.weekday(ms), clock.to_server_ms(ms) // 60_000 % 1440)
        for ms in looked_at
    )
    if 2 * closed > len(looked_at):
        raise ConfigError(
            f"{bars.symbol}: {100 * closed // len(looked_at)} % of the bars open while trading is "
            f"closed at {venue.server} (server clock {venue.server_clock}); check the clock of the "
            "data, or use bars of a day or shorter"
        )
