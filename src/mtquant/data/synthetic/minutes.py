"""The minutes of one week: what every asset does between the levels at its two ends.

An asset's volatility is its hour's, times the nerves of the day, times two slow waves (one shared,
one its own), times the news. Its movement is what its drivers do and something of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.data.synthetic.assets import ASSETS, DAY_MINUTES, WEEK_MINUTES, week_profile
from mtquant.data.synthetic.skeleton import group_of, stream, week_start_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.data.synthetic.skeleton import Skeleton

    Floats = NDArray[np.float64]

_SHARED_WAVE: Final = 0.32  # deviation of the logarithm of volatility
_OWN_WAVE: Final = 0.15
_WAVE_KEPT: Final = 0.94  # from hour to hour: half is forgotten in eleven
_FLICKER: Final = 0.30  # from minute to minute
_OPENING: Final = 0.20  # a bar opens this much of its volatility beside the last close

# Scheduled news of weekdays: minute of the market's day, how often.
_CALENDAR: Final = ((600, 0.20), (930, 0.45), (1020, 0.30), (1260, 0.10))
_NEWS_SIZE: Final = (0.2, 0.5)  # of the logarithm: median and deviation
# Surprises at any minute: how many a week, and the logarithm of their size.
_OWN_SURPRISES: Final = (1.5, (0.6, 0.5))
_SHARED_SURPRISES: Final = (3.0, (0.9, 0.6))  # of crypto, which has no calendar
_ECHO_MINUTES: Final = 90
_NEWS_SHARES: Final = {"market": 1.08, "crypto": 1.06}  # what news adds to volatility


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetMinutes:
    """Hold an asset's week: logarithms of its price float64[n + 1], the rest float64[n].

    `volatility` is that of each minute, `activity` the part of it that is not the hour's;
    `opening` is how far a minute opens from the close before.
    """

    path: Floats
    volatility: Floats
    activity: Floats
    opening: Floats


class Week:
    """Make the minutes of one week, each asset when it is asked for."""

    def __init__(self, seed: int, number: int, skeleton: Skeleton, volatility: float) -> None:
        self._seed, self._number = seed, number
        self._skeleton, self._volatility = skeleton, volatility
        self.start_ms = week_start_ms(number)
        self.length = (week_start_ms(number + 1) - self.start_ms) // 60_000
        # The hour that a change of clocks adds or takes falls at the end.
        self.minute_of_week = np.minimum(np.arange(self.length), WEEK_MINUTES - 1)
        self._drivers: dict[str, Floats] = {}
        self._moods: dict[str, Floats] = {}
        self._flickers: dict[str, Floats] = {}
        self._assets: dict[str, AssetMinutes] = {}

    def asset(self, name: str) -> AssetMinutes:
        """Return what an asset does; `USD` stands still."""
        if name not in self._assets:
            self._assets[name] = self._made(name) if name in ASSETS else self._still()
        return self._assets[name]

    def stream(self, *names: str) -> np.random.Generator:
        """Return the generator of one purpose in this week."""
        return stream(self._seed, self._number, "week", *names)

    def _still(self) -> AssetMinutes:
        nothing = np.zeros(self.length + 1)
        rest = nothing[1:]
        return AssetMinutes(path=nothing, volatility=rest, activity=rest, opening=rest)

    def _made(self, name: str) -> AssetMinutes:
        asset, n = ASSETS[name], self.length
        rng = self.stream("asset", name)
        movement = asset.own_loading * rng.standard_normal(n)
        for driver, part in asset.loadings.items():
            movement += part * self._driver(driver)
        group = group_of(asset)
        activity = self._mood(group) * self._wave(rng, _OWN_WAVE)
        activity *= self._surprises(rng, *_OWN_SURPRISES)
        usual = asset.daily_volatility * self._volatility / math.sqrt(DAY_MINUTES)
        volatility = (
            _profile(asset.day)[self.minute_of_week] * activity * (usual / _NEWS_SHARES[group])
        )
        levels = self._skeleton.levels[name][self._number : self._number + 2]
        return AssetMinutes(
            path=_between(levels, movement, volatility * self._flicker(group)),
            volatility=volatility,
            activity=activity,
            opening=_OPENING * volatility * rng.standard_normal(n),
        )

    def _driver(self, name: str) -> Floats:
        if name not in self._drivers:
            self._drivers[name] = self.stream("driver", name).standard_normal(self.length)
        return self._drivers[name]

    def _mood(self, group: str) -> Floats:
        """Return what all assets of a group share of their activity."""
        if group not in self._moods:
            rng = self.stream("mood", group)
            days = self._skeleton.nerves[group][self._number]
            mood = days[self.minute_of_week // DAY_MINUTES] * self._wave(rng, _SHARED_WAVE)
            is_crypto = group == "crypto"
            mood *= self._surprises(rng, *_SHARED_SURPRISES) if is_crypto else self._calendar(rng)
            self._moods[group] = mood
        return self._moods[group]

    def _flicker(self, group: str) -> Floats:
        """Return how minutes differ from their neighbours, for all assets of a group alike."""
        if group not in self._flickers:
            noise = self.stream("flicker", group).standard_normal(self.length)
            self._flickers[group] = np.exp(_FLICKER * noise - _FLICKER**2)
        return self._flickers[group]

    def _wave(self, rng: np.random.Generator, deviation: float) -> Floats:
        """Return slow factors around one; their mean square is one."""
        hours = self.length // 60 + 2
        fresh = math.sqrt(1.0 - _WAVE_KEPT**2)
        shocks = rng.standard_normal(hours).tolist()
        wave = [shocks[0]]
        for shock in shocks[1:]:
            wave.append(_WAVE_KEPT * wave[-1] + fresh * shock)
        minutes = np.interp(np.arange(self.length), np.arange(hours) * 60.0, wave)
        factors: Floats = np.exp(deviation * minutes - deviation**2)
        return factors

    def _calendar(self, rng: np.random.Generator) -> Floats:
        chances, sizes = (
            rng.random((5, len(_CALENDAR))),
            rng.lognormal(*_NEWS_SIZE, (5, len(_CALENDAR))),
        )
        events = [
            (day * DAY_MINUTES + minute, float(sizes[day, slot]))
            for day in range(5)
            for slot, (minute, often) in enumerate(_CALENDAR)
            if chances[day, slot] < often
        ]
        return self._echoes(events)

    def _surprises(
        self, rng: np.random.Generator, a_week: float, size: tuple[float, float]
    ) -> Floats:
        count = int(rng.poisson(a_week))
        minutes = rng.integers(0, self.length, count).tolist()
        sizes = rng.lognormal(*size, count).tolist()
        return self._echoes(list(zip(minutes, sizes, strict=True)))

    def _echoes(self, events: list[tuple[int, float]]) -> Floats:
        """Return factors from one on: each event at its minute, fading."""
        factors = np.ones(self.length + _ECHO_MINUTES)
        echo = _echo()
        for minute, size in events:
            factors[minute : minute + _ECHO_MINUTES] += size * echo
        return factors[: self.length]


@cache
def _profile(day: str) -> Floats:
    return week_profile(day)


@cache
def _echo() -> Floats:
    echo = np.exp(np.arange(_ECHO_MINUTES) / -15.0)
    echo[0] = 1.6
    return echo


def _between(levels: Floats, movement: Floats, volatility: Floats) -> Floats:
    """Return a path from the first level to the second: what is lacking is spread by variance."""
    steps = movement * volatility
    variance = volatility**2
    steps += variance * ((levels[1] - levels[0] - steps.sum()) / variance.sum())
    return np.concatenate([levels[:1], levels[0] + np.cumsum(steps)])
