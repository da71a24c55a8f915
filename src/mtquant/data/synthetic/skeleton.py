"""The weeks of the synthetic market: when they begin, how nervous their days are, where they lead.

The minutes of a week are drawn between two levels that stand before them. So every week can be
made alone, and is the same whatever else is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from mtquant.data.synthetic.assets import ASSETS, DRIVERS, Asset
from mtquant.model import ServerClock

WEEK_MS: Final = 7 * 86_400_000
WEEKS: Final = 3640  # that a market has
_FIRST_MS: Final = 946_857_600_000  # Monday, 2000-01-03: where every market begins
_MARKET_CLOCK: Final = ServerClock("ny_plus_7")  # a trading day ends at 17:00 in New York
_FARTHEST: Final = math.log(10.0)  # a level lies within ten times and a tenth of its centre
_BLOCK: Final = 64  # weeks that share the generators of their levels

# Days are calm, usual or stressed; a row says where the next day goes from there.
_MULTIPLIERS: Final = (0.72, 1.0, 1.6)
_MOVES: Final = ((0.95, 0.05, 0.0), (0.025, 0.94, 0.035), (0.0, 0.10, 0.90))
_USUAL: Final = 1


def stream(seed: int, number: int, *names: str) -> np.random.Generator:
    """Return the generator of one purpose; equal arguments give equal numbers everywhere."""
    words = [crc32(name.encode()) for name in names]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number, *words])))


def week_at(utc_ms: int) -> int:
    """Return the number of the week that an instant falls into."""
    return (_MARKET_CLOCK.to_server_ms(utc_ms) - _FIRST_MS) // WEEK_MS


def week_start_ms(number: int) -> int:
    """Return the UTC instant at which a week begins: Sunday, 17:00 in New York."""
    return _MARKET_CLOCK.to_utc_ms(_FIRST_MS + number * WEEK_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """Hold what stands before the minutes.

    `levels` are logarithms of prices, float64[weeks + 1], at the starts of the weeks;
    `nerves` by group ("market", "crypto") multiply the volatility of each day, float64[weeks, 7].
    """

    levels: dict[str, NDArray[np.float64]]
    nerves: dict[str, NDArray[np.float64]]


def group_of(asset: Asset) -> str:
    """Return whose nerves and news an asset shares."""
    return "crypto" if asset.day == "crypto" else "market"


def skeleton(seed: int, weeks: int, volatility: float) -> Skeleton:
    """Return levels and nerves of at least the first `weeks` weeks."""
    return _blocks(seed, -(-weeks // _BLOCK), volatility)


@lru_cache(maxsize=4)
def _blocks(seed: int, blocks: int, volatility: float) -> Skeleton:
    nerves = {group: _nerves(seed, blocks, group) for group in ("market", "crypto")}
    shocks = {name: _normals(seed, blocks, "driver", name) for name in DRIVERS}
    levels = {}
    for name, asset in ASSETS.items():
        own = _normals(seed, blocks, "asset", name)
        shock = asset.own_loading * own
        shock += sum(part * shocks[driver] for driver, part in asset.loadings.items())
        # A weekend moves like a fraction of a day, but in crypto.
        days = np.full(7, 1.0) if asset.day == "crypto" else np.array([1.0] * 5 + [0.045] * 2)
        variance = (nerves[group_of(asset)] ** 2 * days).sum(axis=1)
        steps = shock * np.sqrt(variance) * asset.daily_volatility * volatility
        levels[name] = _pulled(math.log(asset.level), steps, asset.pull_weeks)
    return Skeleton(levels=levels, nerves=nerves)


def _normals(seed: int, blocks: int, *names: str) -> NDArray[np.float64]:
    parts = [stream(seed, one, "level", *names).standard_normal(_BLOCK) for one in range(blocks)]
    return np.concatenate(parts)


def _pulled(centre: float, steps: NDArray[np.float64], half_life: float) -> NDArray[np.float64]:
    """Return a walk of `steps` that is drawn back to its centre and never far from it."""
    kept = 0.5 ** (1.0 / half_life)
    walk = [0.0]
    for step in steps.tolist():
        walk.append(kept * walk[-1] + step)
    return centre + _FARTHEST * np.tanh(np.array(walk) / _FARTHEST)


def _nerves(seed: int, blocks: int, group: str) -> NDArray[np.float64]:
    """Return the day multipliers of a Markov chain; their mean square is one."""
    draws = [stream(seed, one, "nerves", group).random(_BLOCK * 7) for one in range(blocks)]
    state, states = _USUAL, []
    for draw in np.concatenate(draws).tolist():
        to_calm, to_usual, _ = _MOVES[state]
        state = (draw >= to_calm) + (draw >= to_calm + to_usual)
        states.append(state)
    return (np.array(_MULTIPLIERS) / _root_mean_square())[states].reshape(-1, 7)


def _root_mean_square() -> float:
    calm, stressed = _MOVES[1][0] / _MOVES[0][1], _MOVES[1][2] / _MOVES[2][1]
    weights = np.array([calm, 1.0, stressed])
    return math.sqrt(float(weights @ np.square(_MULTIPLIERS) / weights.sum()))
