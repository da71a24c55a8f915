"""Make the shipped sample from the MIT-licensed package gym-anytrading 2.0.0.

Usage: python scripts/make_sample.py path/to/FOREX_EURUSD_1H_ASK.csv
(`pip download --no-deps gym-anytrading==2.0.0` and unzip; the file lies in datasets/data.)
"""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np

from mtquant.data import save_bars
from mtquant.model import Timeframe, make_bars, round_half_away

TARGET = Path(__file__).resolve().parent.parent / "src/mtquant/data/sample"
DIGITS = 5


def main(source: Path) -> None:
    """Convert the CSV into int32 points and write it with its metadata."""
    with source.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    moments = [
        datetime.strptime(row["Time"], "%d.%m.%Y %H:%M:%S.%f").replace(tzinfo=UTC) for row in rows
    ]
    prices = {
        name: np.array(
            [round_half_away(float(row[name.capitalize()]) * 10**DIGITS) for row in rows]
        )
        for name in ("open", "high", "low", "close")
    }
    bars = make_bars(
        symbol="EURUSD",
        timeframe=Timeframe.H1,
        digits=DIGITS,
        time_ms=np.array([int(moment.timestamp()) * 1000 for moment in moments]),
        **prices,
    )
    TARGET.mkdir(parents=True, exist_ok=True)
    save_bars(bars, TARGET / "eurusd_h1_2017_ask.npz")
    metadata = {
        "symbol": "EURUSD",
        "timeframe": "H1",
        "side": "ask",
        "clock": "UTC",
        "rows": len(bars),
        "first": moments[0].isoformat(),
        "last": moments[-1].isoformat(),
        "unit": "int32 points, price = value / 10**5",
        "origin": "PyPI package gym-anytrading 2.0.0, "
        "gym_anytrading/datasets/data/FOREX_EURUSD_1H_ASK.csv",
        "licence": "MIT, copyright (c) 2019 Mohammad Amin Haghpanah",
        "source_sha256": sha256(source.read_bytes()).hexdigest(),
        "content_sha256": bars.content_hash(),
        "made_by": "scripts/make_sample.py",
        "left_out": "the volume column, which counts currency units and not ticks",
        "bid": "derived when loaded: bid = ask - spread, 10 points unless told otherwise",
    }
    text = json.dumps(metadata, indent=2) + "\n"
    (TARGET / "metadata.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
