"""Watch the embedded terminal in real time: how late ticks come, and whether memory grows.

Usage: mtquant terminal run --scenario FILE bench/real_time.py SYMBOL MINUTES

Prints one line of JSON: ticks seen, the median and the largest lateness in ms (how long after its
own time a tick was first visible; a poll comes every 5 ms), and the memory at the first and the
last tick.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median

import MetaTrader5 as mt5  # noqa: N813, TID251 - as its documentation writes it

_POLL_S = 0.005


def memory_mb() -> float:
    """Return the resident memory of this process (Linux), MB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _now_ms() -> float:
    return time.time() * 1000  # noqa: TID251 - a client in real time


def main(symbol: str, minutes: float) -> None:
    """Watch a symbol for some minutes."""
    if not mt5.initialize():
        raise SystemExit(mt5.last_error())
    first_ms = mt5.symbol_info_tick(symbol).time_msc
    offset_ms = round((first_ms - _now_ms()) / 3_600_000) * 3_600_000  # the server's time zone
    end = time.monotonic() + 60 * minutes
    last = mt5.symbol_info_tick(symbol).time_msc
    late: list[float] = []
    began = 0.0
    while time.monotonic() < end:
        tick = mt5.symbol_info_tick(symbol)
        if tick.time_msc != last:
            last = tick.time_msc
            late.append(_now_ms() - (last - offset_ms))
            began = began or memory_mb()
        time.sleep(_POLL_S)  # noqa: TID251 - a client in real time
    found = {
        "ticks": len(late),
        "late_ms_median": round(median(late), 1),
        "late_ms_most": round(max(late), 1),
        "memory_mb_first": round(began, 1),
        "memory_mb_last": round(memory_mb(), 1),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
