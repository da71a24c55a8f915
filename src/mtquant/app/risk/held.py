"""A position that a hypothetical account holds, as a person writes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from mtquant.model import ConfigError, Side

_LIKE: Final = "write it as 'GBPUSD buy 0.5', or 'GBPUSD buy 0.5 at 1.25 stop 300'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Hold symbol, side and volume; the price is the data's unless given, the stop in points."""

    symbol: str
    side: Side
    lots: float
    price: float | None = None
    stop_distance_points: int | None = None

    @classmethod
    def parse(cls, text: str) -> Held:
        """Return what `SYMBOL SIDE LOTS [at PRICE] [stop POINTS]` says.

        >>> Held.parse("GBPUSD buy 0.5 stop 300").stop_distance_points
        300

        Raises:
            ConfigError: the message names the part that is wrong, and shows one that is right.
        """
        words = text.split()
        if len(words) < 3 or len(words) % 2 == 0:
            raise ConfigError(f"--hold {text!r}: {_LIKE}")
        symbol, side, lots, *more = words
        if side.lower() not in ("buy", "sell"):
            raise ConfigError(f"--hold {text!r}: {side!r} is neither buy nor sell; {_LIKE}")
        rest = dict(zip(more[::2], more[1::2], strict=True))
        if set(rest) - {"at", "stop"} or 2 * len(rest) < len(more):
            raise ConfigError(f"--hold {text!r}: {' '.join(more)!r} cannot be read; {_LIKE}")
        stop = rest.get("stop")
        return cls(
            symbol=symbol,
            side=Side[side.upper()],
            lots=_number(lots, text),
            price=_number(rest["at"], text) if "at" in rest else None,
            stop_distance_points=None if stop is None else _points(stop, text),
        )


def _number(word: str, text: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not 1e-8 <= number <= 1e6:
        raise ConfigError(f"--hold {text!r}: {word!r} is no number that can be; {_LIKE}")
    return number


def _points(word: str, text: str) -> int:
    if not word.isascii() or not word.isdigit() or not 1 <= len(word) <= 9 or int(word) < 1:
        raise ConfigError(f"--hold {text!r}: {word!r} is no distance in whole points; {_LIKE}")
    return int(word)
