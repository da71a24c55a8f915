"""Average true range, MetaTrader's simple mean."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtquant.indicators.base import Floats, PriceColumns, Stream, require_period

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Atr:
    """Average the last `period` true ranges (MetaTrader's iATR: a simple mean, not Wilder's).

    The true range is max(high, previous close) - min(low, previous close); the first bar has none.
    Source: the platform's ATR example. Sums run over whole points, so the two forms agree to the
    last bit.

    >>> stream = Atr(1).stream()
    >>> [stream.update(*bar) for bar in ((12, 10, 11), (13, 12, 12))]
    [nan, 2.0]
    """

    period: int

    def __post_init__(self) -> None:
        require_period(self.period)

    @property
    def name(self) -> str:
        """Return name and parameters."""
        return f"ATR({self.period})"

    @property
    def first(self) -> int:
        """Return the index of the first bar that has a value."""
        return self.period

    def calculate(self, prices: PriceColumns) -> Floats:
        """Return float64[n] in points, NaN before `first`."""
        values = np.full(len(prices), np.nan)
        if len(prices) <= self.period:
            return values
        before = prices.close[:-1].astype(np.int64)
        true_range = np.maximum(prices.high[1:], before) - np.minimum(prices.low[1:], before)
        total = np.cumsum(true_range, dtype=np.int64)
        window = total[self.period - 1 :].copy()
        window[1:] -= total[: -self.period]
        values[self.period :] = window / self.period
        return values

    def stream(self) -> Stream:
        """Return a new stream that has seen no bar."""
        return _AtrStream(self.period)


class _AtrStream:
    def __init__(self, period: int) -> None:
        self._period = period
        self._ranges: deque[int] = deque()
        self._sum = 0
        self._before: int | None = None

    def update(self, high: int, low: int, close: int) -> float:
        before, self._before = self._before, close
        if before is None:
            return float("nan")
        true_range = max(high, before) - min(low, before)
        self._ranges.append(true_range)
        self._sum += true_range
        if len(self._ranges) > self._period:
            self._sum -= self._ranges.popleft()
        return self._sum / self._period if len(self._ranges) == self._period else float("nan")

    def reset(self) -> None:
        self._ranges.clear()
        self._sum = 0
        self._before = None

    def state(self) -> Mapping[str, object]:
        return {"period": self._period, "ranges": len(self._ranges), "sum_points": self._sum}
