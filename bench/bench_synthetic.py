"""How much CPU a year of made-up M1 bars costs.

Budget: 1 s for one symbol, 15 s for all of the catalogue's nineteen. A miss means that something
is done minute by minute, or that assets which symbols share are made more than once a week.
"""

from __future__ import annotations

import pytest
from measure import cpu_of

from mtquant.data.synthetic import SyntheticSpec, synthetic_bars

ALL = (
    *("EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "NZDUSD", "USDCAD", "EURJPY", "GBPJPY"),
    *("EURCAD", "XAUUSD", "XAGUSD", "US500", "NAS100", "US30", "GER40", "USOIL", "BTCUSD"),
    "ETHUSD",
)

pytestmark = pytest.mark.bench


@pytest.mark.parametrize(
    ("symbols", "budget_s"),
    [(("EURUSD",), 1.0), (("EURJPY",), 1.0), (("BTCUSD",), 1.0), (ALL, 15.0)],
)
def test_a_year_of_minutes_stays_within_its_budget(
    symbols: tuple[str, ...], budget_s: float
) -> None:
    spec = SyntheticSpec(symbols=symbols)
    count = sum(len(bars) for bars in synthetic_bars(spec).values())

    seconds = cpu_of(lambda: synthetic_bars(spec), runs=3).median

    names = symbols[0] if len(symbols) == 1 else f"{len(symbols)} symbols"
    print(f"\na year of {names}: {seconds:.2f} s CPU, {count / seconds / 1e6:.1f}M bars per second")
    assert seconds <= budget_s


def test_the_newest_day_costs_no_more_than_its_week() -> None:
    whole = cpu_of(lambda: synthetic_bars(SyntheticSpec(symbols=("EURUSD",))), runs=3).median
    day = SyntheticSpec(symbols=("EURUSD",), start="2026-11-18", days=1)

    seconds = cpu_of(lambda: synthetic_bars(day)).median

    print(f"\none day of EURUSD: {1000 * seconds:.1f} ms CPU")
    assert seconds <= whole / 10
