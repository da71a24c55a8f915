"""No entry leaves while balance and deals tell different stories: what was lost is not known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from cut_worlds import MINUTES, answer
from many_worlds import Lane, ManyWorld, many_venue
from worlds import (
    DirectClient,
    Faulty,
    LiveRun,
    Scripted,
    Successor,
    World,
    bars_of,
    stop_and_target,
)

from mtquant.model import Direction, IntentAction, Timeframe
from mtquant.risk import RiskLimits

LONG, SHORT = Direction.LONG, Direction.SHORT


def late_closing_deals(lag_ms: int) -> Any:
    """Return a wrapper that shows deals which close something so much later than their money."""

    def wrap(terminal: Any, server: Any) -> Any:
        first_ms: dict[int, int] = {}

        def history_deals_get(*args: Any, **kwargs: Any) -> Any:
            found = terminal.history_deals_get(*args, **kwargs)
            for one in found:
                first_ms.setdefault(one.ticket, server.now_ms)
            return tuple(
                one
                for one in found
                if one.entry == 0 or server.now_ms - first_ms[one.ticket] >= lag_ms
            )

        return Faulty(terminal, history_deals_get=history_deals_get)

    return wrap


def opened(run: LiveRun) -> list[str]:
    """Return the symbols of the entries that left."""
    rows = run.journal.intents()
    return [row.intent.symbol for row in rows if row.intent.action is IntentAction.OPEN]


def losing_then_entering(max_daily_loss_fraction: float) -> ManyWorld:
    """Return a world in which one symbol loses six percent as another is to be bought."""
    lanes = [
        Lane(
            name=symbol,
            symbol=symbol,
            timeframe=Timeframe.M1,
            strategy=lambda at=at: Scripted([*[None] * at, LONG]),
            exits=lambda: [stop_and_target(stop_points=200)],
        )
        for symbol, at in (("EURUSD", 1), ("GBPUSD", 8))
    ]
    falls = [110_000] * 8 + [109_700] * 20
    other = bars_of([125_000] * 28, timeframe=Timeframe.M1, symbol="GBPUSD")
    return ManyWorld(
        lanes=lanes,
        bars=bars_of(falls, timeframe=Timeframe.M1),
        others=(other,),
        venue=many_venue(always_open=True),
        limits=RiskLimits(
            risk_per_trade_fraction=0.06,
            max_positions=2,
            max_daily_loss_fraction=max_daily_loss_fraction,
        ),
    )


@pytest.mark.parametrize("lag_ms", [0, 1_000, 40_000])
def test_a_loss_whose_deal_is_late_counts_for_the_daily_limit(lag_ms: int) -> None:
    run = losing_then_entering(0.05).live(client=DirectClient, wrap=late_closing_deals(lag_ms))

    assert opened(run) == ["EURUSD"]
    assert [one.fields["rules"] for one in run.named("order_refused")] == ["max_daily_loss"]


@pytest.mark.parametrize("lag_ms", [0, 1_000, 40_000])
def test_an_entry_that_is_within_the_limits_is_made_once_the_deal_shows(lag_ms: int) -> None:
    run = losing_then_entering(0.5).live(client=DirectClient, wrap=late_closing_deals(lag_ms))

    assert opened(run) == ["EURUSD", "GBPUSD"]


def test_an_entry_is_refused_where_the_money_is_not_explained_in_time() -> None:
    run = losing_then_entering(0.5).live(client=DirectClient, wrap=late_closing_deals(90_000))

    assert opened(run) == ["EURUSD"]
    assert [one.fields["rules"] for one in run.named("order_refused")] == ["cash"]


@pytest.mark.parametrize("lag_ms", [0, 10_000])
def test_a_reversal_waits_for_the_deal_of_its_close(lag_ms: int) -> None:
    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG, None, SHORT]))
    run = world.live(client=DirectClient, wrap=late_closing_deals(lag_ms))

    sides = [
        row.intent.side.name for row in run.journal.intents() if not row.intent.position_ticket
    ]
    assert sides == ["BUY", "SELL"]


def test_a_new_process_does_not_enter_while_money_is_missing() -> None:
    def without_money(terminal: Any, server: Any) -> Any:
        def account_info() -> Any:
            info = terminal.account_info()
            gone = 2_500.0 if server.market.bar >= 6 else 0.0
            moved = {name: getattr(info, name) - gone for name in ("balance", "equity")}
            return SimpleNamespace(**(info._asdict() | moved))

        return Faulty(terminal, account_info=account_info)

    def stop(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (14, 3):
            run.runner.stop()

    script = [None] * 30
    script[10] = script[14] = LONG
    world = World(bars=MINUTES, strategy=lambda: Scripted(script))
    first = LiveRun(world, wrap=without_money, on_step=stop, client=DirectClient)
    first.run()
    after = Successor(first, wrap=without_money, client=DirectClient)
    after.run()

    assert [one.fields["rules"] for one in first.named("order_refused")] == ["cash"]
    assert after.journal.intents() == []
    assert after.named("entry_dropped") + after.named("order_refused") != []


def test_a_second_attempt_waits_for_what_is_late_like_the_first() -> None:
    def wrap(terminal: Any, server: Any) -> Any:
        refused_ms: list[int] = []

        def order_send(order: dict[str, Any]) -> Any:
            if refused_ms:
                return terminal.order_send(order)
            refused_ms.append(server.now_ms)
            return answer(10004)

        def account_info() -> Any:
            info = terminal.account_info()
            off = 0.5 if refused_ms == [server.now_ms] else 0.0
            moved = {name: getattr(info, name) - off for name in ("balance", "equity")}
            return SimpleNamespace(**(info._asdict() | moved))

        return Faulty(terminal, order_send=order_send, account_info=account_info)

    world = World(bars=MINUTES, strategy=lambda: Scripted([*[None] * 5, LONG]))
    run = world.live(client=DirectClient, wrap=wrap)

    assert len(run.market.book.positions()) == 1
    assert run.named("order_refused") == []
