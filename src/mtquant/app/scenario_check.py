"""What a scenario makes: a line for each symbol, after everything has been read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mtquant.exchange import BarFeed
from mtquant.model import SystemClock
from mtquant.terminal.simulated import load_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtquant.exchange import Feed
    from mtquant.model import Clock


def scenario_lines(name: str, clock: Clock | None = None) -> Iterator[str]:
    """Yield what a scenario holds.

    Raises:
        InputError: the scenario or one of its files cannot be used.
    """
    loaded = load_scenario(name)
    scenario = loaded.scenario
    if loaded.moves_with_the_calendar:
        market = loaded.market((clock or SystemClock()).now_ms())
    else:
        market = loaded.market(*loaded.recorded_ms())
    accounts = ", ".join(
        f"{one.login} {one.deposit:g} {one.currency} 1:{one.leverage} {one.margin_mode.value}"
        for one in scenario.venue.accounts
    )
    yield f"{name}: {scenario.venue.server}, accounts {accounts}"
    for feed in market.feeds:
        yield f"  {feed.symbol:8} {_prices(feed)}"


def _prices(feed: Feed) -> str:
    first, last = (
        f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}" for ms in feed.range_ms
    )
    if isinstance(feed, BarFeed):
        return f"{len(feed)} {feed.bars.timeframe.name} bars, {first} to {last} UTC"
    return f"ticks, {first} to {last} UTC"
