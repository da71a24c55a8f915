"""The shipped sample: real EURUSD H1 prices of 2017."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from typing import Any, Final

from mtquant.data.bars_file import load_bars
from mtquant.data.precision import rescale
from mtquant.model import Bars, make_bars

SAMPLES: Final = ("eurusd-h1-2017",)
SAMPLE_SPREAD_POINTS = 10
SAMPLE_DIGITS: Final = 5


def load_sample(
    *,
    spread_points: int = SAMPLE_SPREAD_POINTS,
    digits: int = SAMPLE_DIGITS,
    rounding: bool = False,
) -> Bars:
    """Return the sample as bid bars, its prices and its spread in points of `digits` decimals.

    The source has ask prices only: bid = ask - `spread_points`, for every bar.

    Raises:
        MarketDataError: the prices do not fit that many digits and are not to be rounded, see
            `rescale`.
    """
    with as_file(files("mtquant.data") / "sample" / "eurusd_h1_2017_ask.npz") as path:
        ask = rescale(load_bars(path), digits, rounding=rounding)
    return make_bars(
        symbol=ask.symbol,
        timeframe=ask.timeframe,
        digits=ask.digits,
        time_ms=ask.time_ms,
        open=ask.open - spread_points,
        high=ask.high - spread_points,
        low=ask.low - spread_points,
        close=ask.close - spread_points,
        spread=spread_points,
    )


def sample_metadata() -> dict[str, Any]:
    """Return where the sample comes from: origin, licence, hashes, how it was made."""
    text = (files("mtquant.data") / "sample" / "metadata.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
