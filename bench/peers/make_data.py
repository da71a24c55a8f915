"""Make the prices of the comparison, once, from a seed.

    python make_data.py FOLDER [--bars COUNT] [--quotes COUNT]

`bars.npy` holds int32[4, n] points (open, high, low, close) of EURUSD-like M1 bars, each opening
where the last one closed; `bids.npy` holds int32[n] points of one quote a second. Both walk at
random, calmer by night than by day, and end where they began, so that no trend feeds a side.
Files that are there are kept.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED: Final = 20_250
BARS: Final = 1_000_000
QUOTES: Final = 10_000_000
START_POINTS: Final = 110_000
MINUTE_POINTS: Final = 15.0  # one standard deviation of a minute; about 0.6 % a day
STEPS: Final = 12  # of the walk inside a bar
DAY: Final = 1440
SECONDS: Final = 60


def walk(steps: int, per_minute: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return int32[steps] points of a walk with `per_minute` steps a minute."""
    minute = np.arange(steps) // per_minute
    activity = np.exp(0.4 * np.sin(2 * np.pi * (minute % DAY) / DAY - np.pi / 2))
    moves = rng.standard_normal(steps) * activity * (MINUTE_POINTS / np.sqrt(per_minute))
    path = np.cumsum(moves)
    path -= path[-1] * np.arange(1, steps + 1) / steps
    return (START_POINTS + np.rint(path)).astype(np.int32)


def make_bars(count: int) -> NDArray[np.int32]:
    """Return int32[4, count] points: open, high, low and close."""
    inside = walk(count * STEPS, STEPS, np.random.Generator(np.random.PCG64(SEED)))
    inside = inside.reshape(count, STEPS)
    close = inside[:, -1]
    opened = np.concatenate([[START_POINTS], close[:-1]])
    high = np.maximum(opened, inside.max(axis=1))
    low = np.minimum(opened, inside.min(axis=1))
    return np.stack([opened, high, low, close]).astype(np.int32)


def make_bids(count: int) -> NDArray[np.int32]:
    """Return int32[count] points of one quote a second."""
    return walk(count, SECONDS, np.random.Generator(np.random.PCG64(SEED + 1)))


def ensure_data(folder: Path, bars: int = BARS, quotes: int = QUOTES) -> dict[str, str]:
    """Make what is missing in `folder`; return the SHA-256 of each file's contents."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"bars.npy": (make_bars, bars), "bids.npy": (make_bids, quotes)}
    digests = {}
    for name, (make, count) in wanted.items():
        path = folder / name
        if not path.exists():
            unfinished = path.with_suffix(".part.npy")
            np.save(unfinished, make(count))
            unfinished.replace(path)
        digests[name] = hashlib.sha256(np.load(path, mmap_mode="r").tobytes()).hexdigest()
    return digests


def main() -> None:
    """Make the data that the command line asks for."""
    parser = argparse.ArgumentParser(description="Make the prices of the comparison.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bars", type=int, default=BARS)
    parser.add_argument("--quotes", type=int, default=QUOTES)
    asked = parser.parse_args()
    for name, digest in ensure_data(asked.folder, asked.bars, asked.quotes).items():
        print(digest, name)


if __name__ == "__main__":
    main()
