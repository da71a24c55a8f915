"""The synthetic market: M1 bars of any symbols, between any two instants, from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from mtquant.data.catalogue import catalogued_symbols, entry
from mtquant.data.synthetic.assets import ASSETS, DAY_MINUTES, WEEK_MINUTES, legs
from mtquant.data.synthetic.minutes import Week
from mtquant.data.synthetic.skeleton import WEEKS, skeleton, week_at, week_start_ms
from mtquant.model import Bars, ConfigError, Instrument, ServerClock, Timeframe, make_bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtquant.data.synthetic.minutes import AssetMinutes
    from mtquant.exchange import InstrumentSpec

    Floats = NDArray[np.float64]
    Columns = tuple[NDArray[np.int64], ...]

_INSIDE: Final = 0.75  # of a minute's volatility makes its high and low
_LIKE: Final = "EURUSD"  # whose hours a pair has that the catalogue does not know
_SPREAD_NOISE: Final = 0.12
_USUAL_ACTIVITY: Final = 0.8  # the median
_TICK_NOISE: Final = 0.25
_FEWEST_TICKS: Final = 4  # enough for open, high, low and close


class SyntheticMarket:
    """Make M1 bars of symbols that belong together.

    The market of a seed is one: a bar is the same whatever range and symbols are asked for, so a
    later `until_ms` extends what was there. Prices are mid prices in dollars turned into bids;
    the instruments say digits, spread, sessions and holidays, the clock when these are.

    Args:
        instruments: symbol → rules; a symbol is one of the catalogue, or a pair of its currencies.
        clock: the server's, on which sessions and holidays are meant.
        seed: chooses the market.
        volatility: multiplies that of everything.

    Raises:
        ConfigError: a symbol is not made up here; the message names the nearest.
    """

    def __init__(
        self,
        instruments: Mapping[str, InstrumentSpec],
        *,
        clock: ServerClock,
        seed: int = 1,
        volatility: float = 1.0,
    ) -> None:
        self._clock, self._seed, self._volatility = clock, seed, volatility
        self._symbols = {
            symbol: _Symbol.of(spec.instrument(symbol), spec.spread_points)
            for symbol, spec in instruments.items()
        }

    def bars(self, from_ms: int, until_ms: int) -> dict[str, Bars]:
        """Return each symbol's bars that open at `from_ms` or later and have closed by `until_ms`.

        Raises:
            ConfigError: the market knows no such time.
        """
        _require_known(from_ms, until_ms)
        first, last = week_at(from_ms), week_at(max(from_ms, until_ms - 1))
        weeks = skeleton(self._seed, last + 1, self._volatility)
        made: dict[str, list[Columns]] = {symbol: [] for symbol in self._symbols}
        for number in range(first, last + 1):
            week = Week(self._seed, number, weeks, self._volatility)
            time_ms = week.start_ms + 60_000 * np.arange(week.length)
            server_ms = time_ms + _offsets(self._clock, week.start_ms, week.length)
            is_wanted = (time_ms >= from_ms) & (time_ms + 60_000 <= until_ms)
            for symbol, one in self._symbols.items():
                rows = np.flatnonzero(is_wanted & one.is_open(server_ms))
                made[symbol].append((time_ms[rows], *one.columns(week, rows)))
        return {symbol: one.bars(made[symbol]) for symbol, one in self._symbols.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Symbol:
    """Turn what assets do into the bars of a symbol."""

    instrument: Instrument
    legs: tuple[str, str]
    correlation: float
    daily_volatility: float
    ticks: float
    spreads: Floats  # of each minute of a day, points
    open_minutes: NDArray[np.bool_]  # of a server's week, from Sunday on

    @classmethod
    def of(cls, instrument: Instrument, spread_points: int) -> _Symbol:
        symbol = instrument.symbol
        assets = [ASSETS[leg] for leg in legs(symbol) if leg in ASSETS]
        together = sum(
            part * assets[-1].loadings.get(driver, 0.0)
            for driver, part in assets[0].loadings.items()
        )
        deviations = np.array([asset.daily_volatility for asset in assets])
        cross = 2 * together * deviations.prod() if len(assets) == 2 else 0.0
        return cls(
            instrument=instrument,
            legs=legs(symbol),
            correlation=together if len(assets) == 2 else 0.0,
            daily_volatility=float(np.sqrt((deviations**2).sum() - cross)),
            ticks=float(np.mean([asset.ticks for asset in assets])),
            spreads=_spreads(symbol, spread_points),
            open_minutes=_open_minutes(instrument),
        )

    def is_open(self, server_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which minutes lie in a session, holidays left out."""
        days = server_ms // 86_400_000
        is_open = self.open_minutes[(server_ms // 60_000 + 4 * DAY_MINUTES) % WEEK_MINUTES]
        if self.instrument.holidays:
            is_open &= ~np.isin(days, self.instrument.holidays)
        return is_open

    def columns(self, week: Week, rows: NDArray[np.int64]) -> Columns:
        """Return open, high, low, close, spread and tick volume of some minutes of a week."""
        upper, lower = (week.asset(leg) for leg in self.legs)
        rng = week.stream("symbol", self.instrument.symbol)
        above, below = np.log1p(-rng.random((2, week.length)))[:, rows]
        noise = rng.standard_normal((2, week.length))[:, rows]
        volatility = self._volatility(upper, lower, rows)
        path = upper.path - lower.path
        opening = path[rows] + (upper.opening - lower.opening)[rows]
        close = path[rows + 1]
        # Highest and lowest point of a Brownian bridge, each from its exact distribution.
        middle, square = (opening + close) / 2, (close - opening) ** 2
        reach = 2 * (_INSIDE * volatility) ** 2
        high = middle + np.sqrt(square - reach * above) / 2
        low = middle - np.sqrt(square - reach * below) / 2
        activity = np.maximum(upper.activity[rows], lower.activity[rows])
        usual = self.spreads[week.minute_of_week[rows] % DAY_MINUTES]
        wide = np.clip(activity / _USUAL_ACTIVITY, 0.5, 10.0) ** 0.4
        spread = usual * wide * np.exp(_SPREAD_NOISE * noise[0])
        spread = np.maximum(np.rint(spread), np.sign(usual))
        relative = volatility / self.daily_volatility * np.sqrt(DAY_MINUTES)
        ticks = self.ticks * relative**0.9 * np.exp(_TICK_NOISE * noise[1])
        prices = [self._bids(one, spread) for one in (opening, high, low, close)]
        return (*prices, _whole(spread), _whole(np.maximum(ticks, _FEWEST_TICKS)))

    def _volatility(
        self, upper: AssetMinutes, lower: AssetMinutes, rows: NDArray[np.int64]
    ) -> Floats:
        one, other = upper.volatility[rows], lower.volatility[rows]
        return np.sqrt(one**2 + other**2 - 2 * self.correlation * one * other)

    def _bids(self, logarithms: Floats, spread: Floats) -> NDArray[np.int64]:
        middle = np.exp(logarithms) * 10.0**self.instrument.digits
        return _whole(np.maximum(middle - spread / 2, 1.0))

    def bars(self, parts: list[Columns]) -> Bars:
        """Return the bars of consecutive stretches."""
        names = ("time_ms", "open", "high", "low", "close", "spread", "tick_volume")
        stretches = zip(*parts, strict=True)
        columns = {name: np.concatenate(one) for name, one in zip(names, stretches, strict=True)}
        return make_bars(
            symbol=self.instrument.symbol,
            timeframe=Timeframe.M1,
            digits=self.instrument.digits,
            **columns,
        )


def _whole(values: Floats) -> NDArray[np.int64]:
    return np.rint(values).astype(np.int64)


def _spreads(symbol: str, spread_points: int) -> Floats:
    """Return the usual spread of each minute of the market's day, for an instrument's own level."""
    known = entry(symbol if symbol in catalogued_symbols() else _LIKE)
    level = spread_points / known.specification.spread_points
    minutes = np.repeat(np.array(known.spread.by_hour_points) * level, 60)
    minutes[:60] *= 0.93 + 0.3 * np.exp(np.arange(60) / -15.0)  # worst right after the rollover
    return minutes


def _open_minutes(instrument: Instrument) -> NDArray[np.bool_]:
    is_open = np.zeros(WEEK_MINUTES, dtype=bool)
    for weekday, sessions in enumerate(instrument.sessions):
        for start, end in sessions:
            is_open[weekday * DAY_MINUTES + start : weekday * DAY_MINUTES + end] = True
    return is_open


def _offsets(clock: ServerClock, start_ms: int, minutes: int) -> NDArray[np.int64]:
    """Return server time minus UTC of consecutive minutes; it changes at full hours."""
    hours = range(-(-minutes // 60))
    offsets = [clock.offset_ms(start_ms + 3_600_000 * hour) for hour in hours]
    return np.repeat(np.array(offsets, dtype=np.int64), 60)[:minutes]


def _require_known(from_ms: int, until_ms: int) -> None:
    first, end = week_start_ms(0), week_start_ms(WEEKS)
    for ms in (from_ms, until_ms):
        if not first <= ms <= end:
            days = [datetime.fromtimestamp(one / 1000, tz=UTC).date() for one in (first, end, ms)]
            raise ConfigError(
                f"the synthetic market runs from {days[0]} to {days[1]}, {days[2]} lies outside"
            )
