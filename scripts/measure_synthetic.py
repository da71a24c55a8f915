"""Compare the synthetic market with real bars, and write the page's tables and picture.

    python scripts/measure_synthetic.py

The real bars lie beside the project, in ../shared/data/bars, and are not part of it; without them
this says so and changes nothing. Only summary figures are written: the part between the marks of
docs/concepts/synthetic-market.md, and docs/images/synthetic-market.svg.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from market_picture import Panel, picture
from market_statistics import (
    CLOCK,
    HOUR_MS,
    Floats,
    Statistics,
    daily_moves,
    market_times,
    measure,
    on_grid,
    similarity,
)

from mtquant.data import load_parquet
from mtquant.data.catalogue import entry, instrument_specs
from mtquant.data.synthetic import SyntheticMarket, SyntheticSpec
from mtquant.model import Bars, Timeframe, make_bars

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
REAL: Final = ROOT.parent / "shared" / "data" / "bars"
PAGE: Final = ROOT / "docs" / "concepts" / "synthetic-market.md"
PICTURE: Final = ROOT / "docs" / "images" / "synthetic-market.svg"
BEGIN: Final = "<!-- measured: begin -->\n"
END: Final = "<!-- measured: end -->\n"
SEED: Final = 1
FIRST_YEAR: Final = "2014-01-01"
YEARS: Final = 5
ON_SERVER_TIME: Final = ("GBPUSD_H1", "USDJPY_H1")
TOGETHER: Final = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "US500", "BTCUSD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Hold the measures of a real series and of the made-up one at the same timeframe."""

    symbol: str
    name: str
    is_minutes: bool
    days: int
    real: Statistics
    made: Statistics


def main() -> int:
    """Write the tables and the picture; return 0, also where there is nothing to compare with."""
    if not REAL.is_dir():
        print(f"no real bars at {REAL}: nothing was compared, nothing was written")
        return 0
    found = list(comparisons())
    correlations = together()
    text = "\n".join([*overview(found), *spreads(found), *pairs(*correlations), *everything()])
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8", newline="\n")
    PICTURE.write_text(picture(panels(found)), encoding="utf-8", newline="\n")
    print(text)
    return 0


def comparisons() -> Iterator[Comparison]:
    """Yield one comparison for each real series of bars, symbol by symbol."""
    paths = [path for path in sorted(REAL.glob("*.parquet")) if "_ticks_" not in path.name]
    made: dict[tuple[str, Timeframe], Statistics] = {}
    for path in paths:
        is_on_server_time = path.name.startswith(ON_SERVER_TIME)
        bars = load_parquet(path, clock=CLOCK if is_on_server_time else None)
        key = (bars.symbol, bars.timeframe)
        if key not in made:
            minutes = made_up(bars.symbol)
            made[bars.symbol, Timeframe.M1] = measure(minutes)
            made[bars.symbol, Timeframe.H1] = measure(hourly(minutes))
        yield Comparison(
            symbol=bars.symbol,
            name=path.stem.replace("_", " "),
            is_minutes=bars.timeframe is Timeframe.M1,
            days=int((bars.time_ms[-1] - bars.time_ms[0]) // 86_400_000),
            real=measure(bars),
            made=made[key],
        )


def made_up(symbol: str, years: int = YEARS) -> Bars:
    """Return the symbol's made-up minutes."""
    return market_of((symbol,), years)[symbol]


def market_of(symbols: tuple[str, ...], years: int) -> dict[str, Bars]:
    """Return made-up minutes of several symbols."""
    spec = SyntheticSpec(symbols=symbols, seed=SEED, start=FIRST_YEAR, years=years)
    market = SyntheticMarket(instrument_specs(symbols), clock=CLOCK, seed=SEED)
    return market.bars(*spec.range_ms(CLOCK))


def hourly(minutes: Bars) -> Bars:
    """Return hours made of minutes; the spread is that of the first."""
    hours = minutes.time_ms // HOUR_MS
    starts = np.flatnonzero(np.diff(hours, prepend=-1))
    ends = np.append(starts[1:], len(hours)) - 1
    return make_bars(
        symbol=minutes.symbol,
        timeframe=Timeframe.H1,
        digits=minutes.digits,
        time_ms=hours[starts] * HOUR_MS,
        open=minutes.open[starts],
        high=np.maximum.reduceat(minutes.high, starts),
        low=np.minimum.reduceat(minutes.low, starts),
        close=minutes.close[ends],
        spread=minutes.spread[starts],
    )


def overview(found: list[Comparison]) -> Iterator[str]:
    """Yield the table of what each symbol does alone: real / made up."""
    yield "### One symbol at a time\n"
    yield (
        "| real series | daily volatility, % | ratio | hours | kurtosis | weekend gap "
        "| clustering | range |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for one in found:
        real, made = one.real, one.made
        ratio = made.daily / real.daily
        kurtosis = f"{real.kurtosis:.0f} / {made.kurtosis:.0f}" if one.is_minutes else "–"
        yield (
            f"| {one.name} | {100 * real.daily:.2f} / {100 * made.daily:.2f} "
            f"| {marked(f'{ratio:.2f}', is_met=0.75 <= ratio <= 1.25)} "
            f"| {fit(real.by_hour, made.by_hour)} | {kurtosis} "
            f"| {two(real.weekend, made.weekend)} | {two(real.clustering, made.clustering)} "
            f"| {two(real.reach, made.reach)} |"
        )
    yield ""


def spreads(found: list[Comparison]) -> Iterator[str]:
    """Yield the table of spreads, where real ones are known."""
    yield "### Spreads\n"
    yield "| real series | by hour | right after the rollover, in typical spreads |"
    yield "|---|---|---|"
    for one in found:
        if len(one.real.spread_by_hour):
            first = [
                side.spread_by_hour[np.isfinite(side.spread_by_hour)][0]
                / np.nanmedian(side.spread_by_hour)
                for side in (one.real, one.made)
            ]
            hours = fit(one.real.spread_by_hour, one.made.spread_by_hour)
            yield f"| {one.name} | {hours} | {two(first[0], first[1], digits=1)} |"
    yield ""


def together() -> tuple[Floats, Floats]:
    """Return the correlations of hourly returns in 2018: real, made up."""
    real = {
        symbol: load_parquet(next(REAL.glob(f"{symbol}_M1_*2018.parquet"))) for symbol in TOGETHER
    }
    return correlation(real), correlation(market_of(TOGETHER, YEARS))


def correlation(bars: dict[str, Bars]) -> Floats:
    """Return the correlation matrix of hourly returns, hours without trading left out."""
    start = max(one.time_ms[0] for one in bars.values())
    end = min(one.time_ms[-1] for one in bars.values())
    grid = np.arange(start, end, HOUR_MS)
    moves = np.diff([on_grid(one, grid) for one in bars.values()], axis=1)
    found: Floats = np.corrcoef(moves[:, moves[0] != 0])
    return found


def pairs(real: Floats, made: Floats) -> Iterator[str]:
    """Yield the table of correlations: real / made up."""
    yield "### Together\n"
    yield "| | " + " | ".join(TOGETHER[1:]) + " |"
    yield "|---" * len(TOGETHER) + "|"
    for row, symbol in enumerate(TOGETHER[:-1]):
        cells = ["" for _ in range(row)]
        cells += [two(real[row, one], made[row, one]) for one in range(row + 1, len(TOGETHER))]
        yield f"| **{symbol}** | " + " | ".join(cells) + " |"
    yield ""


def everything() -> Iterator[str]:
    """Yield the table of all symbols: what they do in the made-up market alone."""
    yield "### All symbols\n"
    yield "| symbol | daily volatility, % | quietest, busiest year | kurtosis | gaps in sessions |"
    yield "|---|---|---|---|---|"
    for symbol in ALL:
        bars = made_up(symbol)
        found = measure(bars)
        quiet, busy = by_year(bars)
        yield (
            f"| {symbol} | {100 * found.daily:.2f} | {100 * quiet:.2f} to {100 * busy:.2f} "
            f"| {found.kurtosis:.0f} | {holes(bars)} |"
        )


def by_year(bars: Bars) -> tuple[float, float]:
    """Return the lowest and the highest daily volatility of calendar years."""
    years = bars.time_ms.astype("datetime64[ms]").astype("datetime64[Y]")
    found = []
    for year in np.unique(years):
        part = bars[slice(*np.searchsorted(years, [year, year + 1]).tolist())]
        if len(part) > 100_000:
            found.append(float(daily_moves(part, market_times(part.time_ms)).std()))
    return min(found), max(found)


def holes(bars: Bars) -> int:
    """Return how many minutes inside sessions have no bar."""
    instrument = entry(bars.symbol).specification.instrument(bars.symbol)
    after = np.flatnonzero(np.diff(bars.time_ms) > 60_000)
    missing = bars.time_ms[after] + 60_000
    return sum(instrument.is_open_at(CLOCK.to_server_ms(int(one))) for one in missing)


def panels(found: list[Comparison]) -> list[Panel]:
    """Return what the picture shows: volatility by hour, then spreads by hour."""
    chosen = {one.symbol: one for one in found if one.is_minutes}
    drawn = [
        Panel(title=symbol, real=scaled(one.real.by_hour), made=scaled(one.made.by_hour))
        for symbol, one in sorted(chosen.items())
    ]
    for one in found:
        if len(one.real.spread_by_hour):
            title = f"{one.symbol} spread"
            sides = [scaled(side.spread_by_hour) for side in (one.real, one.made)]
            drawn.append(Panel(title=title, real=sides[0], made=sides[1]))
    return drawn


def scaled(hours: Floats) -> Floats:
    """Return hours against their median."""
    return hours / np.nanmedian(hours)


def fit(real: Floats, made: Floats) -> str:
    """Return the correlation of two days of hours, marked where it is too low."""
    found = similarity(real, made)
    return marked(f"{found:.2f}", is_met=found >= 0.8)


def marked(figure: str, *, is_met: bool) -> str:
    """Return a figure, in bold where it misses its aim."""
    return figure if is_met else f"**{figure}**"


def two(real: float, made: float, digits: int = 2) -> str:
    """Return both sides of a figure; a dash where there is none."""
    texts = [f"{one:.{digits}f}".replace("-", "−") for one in (real, made)]
    return " / ".join("–" if one == "nan" else one for one in texts)


ALL: Final = (
    *("EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "NZDUSD", "USDCAD", "EURJPY", "GBPJPY"),
    *("EURCAD", "XAUUSD", "XAGUSD", "US500", "NAS100", "US30", "GER40", "USOIL", "BTCUSD"),
    "ETHUSD",
)

if __name__ == "__main__":
    sys.exit(main())
