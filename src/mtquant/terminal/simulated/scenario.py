"""A scenario: a venue, where its prices come from, how orders slip; one YAML file, typed.

It is read without the application: tests, other programs and the embedded terminal load the same
file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from mtquant.data import (
    SAMPLES,
    load_bars,
    load_parquet,
    load_sample,
    load_ticks,
    parse_yaml,
    read_yaml,
)
from mtquant.data.catalogue import catalogued_specification, catalogued_symbols
from mtquant.data.synthetic import SyntheticMarket
from mtquant.exchange import (
    SLIPPAGE_PRESETS,
    BarFeed,
    Feed,
    Market,
    SlippageModel,
    TickFeed,
    TickModel,
    VenueSpec,
)
from mtquant.model import DAY_MS, Bars, ConfigError, ServerClock, Ticks
from mtquant.model.reading import nearest, read
from mtquant.terminal.simulated.faults import FaultScenario

_SUFFIX: Final = ".yaml"
_MOST_DAYS: Final = 3660  # ten years of minutes are some 170 MB a symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource:
    """Say where a symbol's prices come from: the shipped sample, a file of bars, or one of ticks.

    Paths are relative to the scenario's file; `clock` is the one that the file's times run on.
    """

    sample: str | None = None
    bars: str | None = None
    ticks: str | None = None
    clock: str = "utc"

    def __post_init__(self) -> None:
        """Refuse several sources or none.

        Raises:
            ConfigError: the message says what there is.
        """
        if sum(one is not None for one in (self.sample, self.bars, self.ticks)) != 1:
            raise ConfigError("give exactly one of sample, bars and ticks")
        if self.sample is not None and self.sample not in SAMPLES:
            raise ConfigError(f"sample {self.sample!r}: {nearest(self.sample, list(SAMPLES))}")
        try:
            ServerClock(self.clock)
        except ValueError as error:
            raise ConfigError(f"clock: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSource:
    """Choose the made-up market of all symbols without a source of their own.

    It reaches from `history_days` before the moment at which the scenario begins to `ahead_days`
    after it.
    """

    seed: int = 1
    volatility: float = 1.0
    history_days: int = 30
    ahead_days: int = 8

    def __post_init__(self) -> None:
        """Refuse a market without days or without movement.

        Raises:
            ConfigError: the message names the key.
        """
        for name in ("seed", "history_days", "ahead_days"):
            least = int(name != "seed")
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, was {getattr(self, name)}")
        for name in ("history_days", "ahead_days"):
            if getattr(self, name) > _MOST_DAYS:
                raise ConfigError(f"{name} must be at most {_MOST_DAYS}, was {getattr(self, name)}")
        if not 0 < self.volatility <= 5:
            raise ConfigError(f"volatility must be above 0, at most 5, was {self.volatility}")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Describe a whole simulated market: rules, prices, how orders fare, and what goes wrong.

    `symbols` are taken from the catalogue; `venue.instruments` changes what it says of them, and
    adds others. `slippage_preset` names a published distribution instead of `slippage`.
    """

    venue: VenueSpec
    description: str = ""
    symbols: tuple[str, ...] = ()
    prices: Mapping[str, PriceSource] = field(default_factory=dict)
    synthetic: SyntheticSource = field(default_factory=SyntheticSource)
    tick_model: TickModel = TickModel.OHLC
    slippage: SlippageModel = field(default_factory=SlippageModel)
    slippage_preset: str = ""
    faults: FaultScenario = field(default_factory=FaultScenario)
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse prices of symbols that are not traded.

        Raises:
            ConfigError: the message names the symbol.
        """
        for symbol in self.prices:
            if symbol not in self.venue.instruments:
                hint = nearest(symbol, list(self.venue.instruments))
                raise ConfigError(f"prices.{symbol}: no such symbol; {hint}")
        if self.seed < 0:
            raise ConfigError(f"seed must not be negative, was {self.seed}")
        preset = self.slippage_preset
        if preset and preset not in SLIPPAGE_PRESETS:
            hint = nearest(preset, list(SLIPPAGE_PRESETS))
            raise ConfigError(f"slippage_preset: no such preset {preset!r}; {hint}")
        if preset and self.slippage != SlippageModel():
            raise ConfigError("slippage_preset: give it or slippage, not both")

    @property
    def slips(self) -> SlippageModel:
        """Return how orders slip: the preset, or what is stated."""
        return SLIPPAGE_PRESETS.get(self.slippage_preset, self.slippage)


@dataclass(frozen=True, kw_only=True)
class LoadedScenario:
    """Hold a scenario with where it came from."""

    scenario: Scenario
    where: str
    text: str
    folder: Path

    @property
    def moves_with_the_calendar(self) -> bool:
        """Tell whether all its prices are made up, so that it can be opened at any moment."""
        return not self.scenario.prices

    def fingerprint(self, *more: object) -> str:
        """Return a hash of the file and of what else makes its market what it is.

        That is what the catalogue says of its symbols, the files of recorded prices, and `more`.
        """
        recorded = [
            (symbol, sha256(path.read_bytes()).hexdigest())
            for symbol, source in self.scenario.prices.items()
            for name in (source.bars, source.ticks)
            if name is not None and (path := self._path(name)).is_file()
        ]
        facts = (self.text, self.scenario, recorded, *more)
        return sha256(repr(facts).encode()).hexdigest()

    def recorded_ms(self) -> tuple[int, int]:
        """Return the first and the last time of the recorded prices (UTC ms).

        Raises:
            ConfigError: no moment has prices of all symbols.
            DataError: a file is missing or cannot be read.
        """
        ends = [self._feed(symbol, {}).range_ms for symbol in self.scenario.prices]
        first_ms, last_ms = max(first for first, _ in ends), min(last for _, last in ends)
        if first_ms > last_ms:
            raise ConfigError("prices: no moment is in all recorded prices; one ends too early")
        return first_ms, last_ms

    def market(self, opened_ms: int, now_ms: int = 0) -> Market:
        """Return a market that has played nothing.

        Args:
            opened_ms: the moment the scenario was opened at (UTC): made-up prices begin
                `history_days` before that day.
            now_ms: a later moment; they reach `ahead_days` beyond it.

        Raises:
            ConfigError: data and venue do not fit together.
            DataError: a file is missing or cannot be read.
        """
        scenario = self.scenario
        feeds = self._feeds(opened_ms, max(opened_ms, now_ms))
        return Market(scenario.venue, feeds[0], feeds[1:])

    def _feeds(self, opened_ms: int, now_ms: int) -> list[Feed]:
        scenario = self.scenario
        clock = scenario.venue.clock
        made_up = {
            symbol: spec
            for symbol, spec in scenario.venue.instruments.items()
            if symbol not in scenario.prices
        }
        source = scenario.synthetic
        made: dict[str, Bars] = {}
        if made_up:
            market = SyntheticMarket(
                made_up, clock=clock, seed=source.seed, volatility=source.volatility
            )
            made = market.bars(
                clock.day_start_ms(opened_ms) - source.history_days * DAY_MS,
                clock.day_start_ms(now_ms) + source.ahead_days * DAY_MS,
            )
        return [self._feed(symbol, made) for symbol in scenario.venue.instruments]

    def _feed(self, symbol: str, made: Mapping[str, Bars]) -> Feed:
        scenario = self.scenario
        seeds = (scenario.seed, crc32(symbol.encode()))
        prices = self._recorded[symbol] if symbol in scenario.prices else made[symbol]
        slippage = scenario.slips.draw_rows(len(prices.time_ms), *seeds)
        if isinstance(prices, Ticks):
            return TickFeed(scenario.venue, prices, slippage)
        return BarFeed(scenario.venue, prices, slippage, scenario.tick_model)

    @cached_property
    def _recorded(self) -> dict[str, Bars | Ticks]:
        """Hold the prices of all sources, each read once."""
        found = {
            symbol: self._load(symbol, source) for symbol, source in self.scenario.prices.items()
        }
        for symbol, prices in found.items():
            if prices.symbol != symbol:
                raise ConfigError(f"prices.{symbol}: the file holds {prices.symbol}")
        return found

    def _load(self, symbol: str, source: PriceSource) -> Bars | Ticks:
        spread = self.scenario.venue.instruments[symbol].spread_points
        if source.ticks is not None:
            return load_ticks(self._path(source.ticks), clock=_clock(source))
        if source.bars is None:
            return load_sample(spread_points=spread)
        path = self._path(source.bars)
        if path.suffix == ".parquet":
            return load_parquet(path, clock=_clock(source), default_spread_points=spread)
        return load_bars(path, default_spread_points=spread)

    def _path(self, path: str) -> Path:
        return self.folder / Path(path).expanduser()


def load_scenario(name: str | Path) -> LoadedScenario:
    """Read a scenario: a shipped one by its name, or a file.

    Raises:
        ConfigError: there is none, or it says something wrong; the message names the key, the
            value and what would be right.
    """
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        raw, text, folder = read_yaml(path), path.read_text("utf-8"), path.resolve().parent
    elif str(name) in shipped_scenarios():
        text = (_shipped() / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
        raw, folder = parse_yaml(text, str(name)), Path.cwd()
    else:
        hint = nearest(str(name), list(shipped_scenarios()))
        raise ConfigError(f"scenario {str(name)!r}: neither a .yaml file nor a shipped one; {hint}")
    try:
        scenario = read_scenario(raw)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
    return LoadedScenario(scenario=scenario, where=str(name), text=text, folder=folder)


def read_scenario(raw: object) -> Scenario:
    """Return the scenario of a dictionary; instruments are completed from the catalogue.

    Raises:
        ConfigError: a key or value is wrong, or a symbol is not in the catalogue or stands twice.
    """
    if not isinstance(raw, Mapping):
        raise ConfigError("expected sections such as symbols, venue and prices")
    venue = raw.get("venue", {})
    symbols = raw.get("symbols", ())
    if not isinstance(symbols, list | tuple):
        raise ConfigError(f"symbols: expected a list, got {symbols!r}")
    if not isinstance(venue, Mapping):
        raise ConfigError(f"venue: expected a section, got {venue!r}")
    own = venue.get("instruments", {})
    if not isinstance(own, Mapping):
        raise ConfigError(f"venue.instruments: expected a section, got {own!r}")
    twice = sorted({str(one) for one in symbols if list(symbols).count(one) > 1})
    if twice:
        raise ConfigError(f"symbols: {', '.join(twice)} stand more than once")
    instruments = {str(one): catalogued_specification(str(one)) for one in symbols}
    for symbol, changes in own.items():
        known = instruments.get(str(symbol), {})
        both = isinstance(changes, Mapping)
        if both and not known and "digits" not in changes:
            hint = nearest(str(symbol), [*instruments, *catalogued_symbols()])
            raise ConfigError(
                f"venue.instruments.{symbol}: it is not one of symbols, and no whole "
                f"specification; {hint}"
            )
        instruments[str(symbol)] = {**known, **changes} if both else changes
    return read(Scenario, {**raw, "venue": {**venue, "instruments": instruments}})


def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the package, sorted."""
    names = (one.name for one in _shipped().iterdir())
    return tuple(sorted(one.removesuffix(_SUFFIX) for one in names if one.endswith(_SUFFIX)))


def _shipped() -> Any:
    return files("mtquant.terminal.simulated") / "scenarios"


def _clock(source: PriceSource) -> ServerClock | None:
    return None if source.clock == "utc" else ServerClock(source.clock)
