"""nautilus_trader on the common job: a Python strategy called on each bar by a compiled engine.

Bars of last prices make bid and ask equal, so there is no spread. A market order sent on a bar's
close fills at that close, which is the next open. Prices are real ones (1.10000) here, because the
instrument's prices have five decimals; the averages are computed on the same whole points.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import job
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money, Price
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from nautilus_trader.model.events import PositionClosed

VENUE: Final = Venue("SIM")
EURUSD: Final = TestInstrumentProvider.default_fx_ccy("EUR/USD", VENUE)
BARS: Final = BarType.from_str("EUR/USD.SIM-1-MINUTE-LAST-EXTERNAL")


class Cross(Strategy):
    """Turn the position around where the averages cross."""

    def __init__(self) -> None:
        super().__init__()
        self.closes: deque[int] = deque(maxlen=job.SLOW)
        self.fast = self.slow = 0
        self.before: int | None = None  # how far the averages were apart a bar ago
        self.trades = 0
        self.gross = 0.0

    def on_start(self) -> None:
        """Ask for the bars."""
        self.subscribe_bars(BARS)

    def on_position_closed(self, event: PositionClosed) -> None:
        """Count what was closed."""
        self.trades += 1
        self.gross += abs(event.avg_px_close - event.avg_px_open)

    def on_bar(self, bar: Bar) -> None:
        """Keep both sums and decide on the newest closed bar."""
        close = round(bar.close.as_double() * job.POINTS_OF_PRICE)
        closes = self.closes
        if len(closes) == job.SLOW:
            self.slow -= closes[0]
        if len(closes) >= job.FAST:
            self.fast -= closes[-job.FAST]
        closes.append(close)
        self.fast += close
        self.slow += close
        if len(closes) < job.SLOW:
            return
        apart = self.fast * job.SLOW - self.slow * job.FAST
        before, self.before = self.before, apart
        if before is None:
            return
        if apart > 0 >= before:
            self.turn(1, close)
        elif apart < 0 <= before:
            self.turn(-1, close)

    def turn(self, side: int, close: int) -> None:
        """Leave the position of the other side and enter on this one."""
        self.cancel_all_orders(EURUSD.id)
        self.close_all_positions(EURUSD.id)
        self.submit_order_list(
            self.order_factory.bracket(
                EURUSD.id,
                OrderSide.BUY if side > 0 else OrderSide.SELL,
                EURUSD.make_qty(job.UNITS),
                sl_trigger_price=price_of(close - side * job.STOP_POINTS),
                tp_price=price_of(close + side * job.TARGET_POINTS),
            )
        )


def price_of(points: int) -> Price:
    """Return a price of the instrument."""
    return EURUSD.make_price(points / job.POINTS_OF_PRICE)


def bars_of(prices: job.Prices) -> list[Bar]:
    """Return the bars as objects of the library, each stamped with its end."""
    columns = {name: one / job.POINTS_OF_PRICE for name, one in prices.floats().items()}
    columns["volume"] = [1e6] * len(prices)
    times = pd.DatetimeIndex(prices.time_ns + job.MINUTE_NS, tz="UTC")
    return BarDataWrangler(BARS, EURUSD).process(pd.DataFrame(columns, index=times))


def on_bar(prices: job.Prices) -> Callable[[], job.Outcome]:
    """Prepare the bar objects once; each run makes an engine of its own."""
    bars = bars_of(prices)

    def work() -> job.Outcome:
        engine = BacktestEngine(
            BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False)
        )
        engine.add_venue(
            VENUE,
            OmsType.NETTING,
            AccountType.MARGIN,
            [Money(job.CASH, USD)],
            base_currency=USD,
            default_leverage=Decimal(100),
        )
        engine.add_instrument(EURUSD)
        engine.add_data(bars)
        strategy = Cross()
        engine.add_strategy(strategy)
        engine.run()
        outcome = job.Outcome(strategy.trades, round(strategy.gross * job.POINTS_OF_PRICE, 1))
        engine.dispose()
        return outcome

    return work


if __name__ == "__main__":
    job.answer(
        job.Peer(name="nautilus_trader", package="nautilus_trader", prepare={"on_bar": on_bar})
    )
