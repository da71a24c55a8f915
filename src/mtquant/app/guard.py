"""Other people's code must not stop the exits: what fails is switched off, loudly."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mtquant.observe import get_logger
from mtquant.strategy import Strategy, require_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mtquant.model import Publish, Signal
    from mtquant.observe import Subscriber
    from mtquant.strategy import BarsView, TickView


class GuardedStrategy(Strategy):
    """Run a strategy live: when it fails it is switched off, and the exits go on working.

    In a backtest a failing strategy fails, with its traceback; live, somebody has to mind the
    positions it left.
    """

    def __init__(self, strategy: Strategy) -> None:
        super().__init__(strategy.strategy_id, strategy.parameters)
        self._strategy = strategy
        self._is_alive = True

    def on_start(self, bars: BarsView) -> None:
        """Let the strategy ask for its indicators."""
        self._strategy.on_start(bars)

    def on_bar(self, bars: BarsView) -> Signal | None:
        """Return the strategy's opinion; nothing any more after its first failure."""
        return self._opinion(partial(self._strategy.on_bar, bars), bars)

    def on_tick(self, ticks: TickView) -> Signal | None:
        """Return the strategy's opinion about a tick; nothing after its first failure."""
        return self._opinion(partial(self._strategy.on_tick, ticks), ticks.bars)

    @property
    def wants_ticks(self) -> bool:
        """Tell whether the strategy looks at ticks."""
        return self._strategy.wants_ticks

    def _opinion(self, ask: Callable[[], Signal | None], bars: BarsView) -> Signal | None:
        if not self._is_alive:
            return None
        try:
            said = ask()
            return None if said is None else require_signal(said, self.strategy_id, bars.index)
        except Exception:  # noqa: BLE001 - it is somebody's code; what stops is new risk only
            self._is_alive = False
            get_logger(__name__).exception(
                "strategy_failed", strategy=self.strategy_id, bar_ms=bars.time_ms[-1]
            )
            return None

    def state(self) -> Mapping[str, object]:
        """Return what the strategy remembers, and whether it is still asked."""
        return {**self._strategy.state(), "is_alive": self._is_alive}


class MuteStrategy(Strategy):
    """Say nothing, in place of somebody's strategy: where only its positions are minded."""

    def on_bar(self, bars: BarsView) -> Signal | None:  # noqa: ARG002 - it looks at nothing
        """Return no opinion."""
        return None


def guarded(subscriber: Subscriber, name: str) -> Subscriber:
    """Return a subscriber that never raises.

    After its first failure (a full disk, a defect) it is logged with its traceback and not called
    again; the journal, which trading depends on, is not a subscriber.
    """
    alive = [True]

    def publish(event: Publish) -> None:
        if not alive[0]:
            return
        try:
            subscriber(event)
        except Exception:  # noqa: BLE001 - whatever it was, trading goes on
            alive[0] = False
            get_logger(__name__).exception(
                "subscriber_failed", subscriber=name, observed=event.name
            )

    return publish
