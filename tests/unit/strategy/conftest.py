"""Series made by hand: a closing price a bar, an hour apart."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mtquant.model import BarRow, Bars, Timeframe, make_bars
from mtquant.strategy import BarsView, Series

HOUR_MS = 3_600_000


@pytest.fixture
def bars() -> Callable[..., Bars]:
    """Return a maker of bars from closes; each bar spans `reach` points around its close."""

    def make(closes: Sequence[int], reach: int = 3, spread: int = 2) -> Bars:
        close = np.array(closes, dtype=np.int64)
        return make_bars(
            symbol="EURUSD",
            timeframe=Timeframe.H1,
            digits=5,
            time_ms=np.arange(len(close)) * HOUR_MS,
            open=close,
            high=close + reach,
            low=close - reach,
            close=close,
            spread=spread,
            tick_volume=1,
        )

    return make


@pytest.fixture
def rows(bars) -> Callable[..., list[BarRow]]:
    """Return a maker of the same bars one by one, as they arrive live."""

    def make(closes: Sequence[int], **settings: int) -> list[BarRow]:
        whole = bars(closes, **settings)
        names = ("time_ms", "open", "high", "low", "close", "spread", "tick_volume")
        columns = {name: getattr(whole, name).tolist() for name in names}
        return [BarRow(**{n: columns[n][i] for n in names}) for i in range(len(whole))]

    return make


@pytest.fixture
def view(bars) -> Callable[..., BarsView]:
    """Return a maker of views that stand on the newest of these bars."""

    def make(closes: Sequence[int], **settings: int) -> BarsView:
        made = BarsView(Series.over(bars(closes, **settings)))
        made.index = len(closes) - 1
        return made

    return make
