"""Bars at rest: plain `.npz` columns, Parquet through the extra `data`, and the shipped sample.

`mtquant.data.store` keeps series by content, `mtquant.data.catalogue` knows instruments,
`mtquant.data.synthetic` makes up a market of them.
"""

from mtquant.data.bars_file import load_bars, save_bars
from mtquant.data.parquet import load_parquet, load_ticks, save_parquet
from mtquant.data.precision import rescale
from mtquant.data.resample import first_rows, period_starts, resample, server_times
from mtquant.data.sample import (
    SAMPLE_DIGITS,
    SAMPLE_SPREAD_POINTS,
    SAMPLES,
    load_sample,
    sample_metadata,
)
from mtquant.data.tick_bars import bars_of_ticks, minute_bars
from mtquant.data.yaml_text import parse_yaml, read_yaml

__all__ = [
    "SAMPLES",
    "SAMPLE_DIGITS",
    "SAMPLE_SPREAD_POINTS",
    "bars_of_ticks",
    "first_rows",
    "load_bars",
    "load_parquet",
    "load_sample",
    "load_ticks",
    "minute_bars",
    "parse_yaml",
    "period_starts",
    "read_yaml",
    "resample",
    "rescale",
    "sample_metadata",
    "save_bars",
    "save_parquet",
    "server_times",
]
