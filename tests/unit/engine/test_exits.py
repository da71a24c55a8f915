"""Exits that meet something on their way: none is lost, none closes more than it was to close."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from many_worlds import Lane, ManyWorld, many_venue
from worlds import DirectClient, LiveRun, Scripted, World, bars_of, stop_and_target

from mtquant.model import Direction, IntentAction, IntentState, Timeframe
from mtquant.risk import BreakerSpec, RiskLimits

if TYPE_CHECKING:
    from collections.abc import Callable

LONG, FLAT = Direction.LONG, Direction.FLAT
MINUTES = bars_of([110_000] * 30, timeframe=Timeframe.M1)


class Faulty:
    """Be the terminal, with some functions replaced."""

    def __init__(self, terminal: Any, **replaced: Any) -> None:
        self._terminal = terminal
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._terminal, name)


def falling(script: list[Direction | None] | None = None) -> ManyWorld:
    """Return a world of two long positions that fall until the breaker cuts them back.

    In bar 7 it closes one wholly and half of the other.
    """
    drop = [0, 0, 0, *[100] * 6, *[0] * 8]
    lanes = [
        Lane(
            name=f"lane{number}",
            symbol="EURUSD",
            timeframe=Timeframe.H1,
            strategy=lambda: Scripted(script or [None, LONG]),
            exits=lambda: [stop_and_target(stop_points=1_000)],
        )
        for number in range(2)
    ]
    breaker = BreakerSpec(
        level_1_fraction=0.01, level_2_fraction=0.02, level_3_fraction=0.03, cool_down_minutes=120
    )
    return ManyWorld(
        lanes=lanes,
        bars=bars_of([110_000 - sum(drop[: index + 1]) for index in range(len(drop))]),
        others=(),
        venue=many_venue(always_open=True),
        limits=RiskLimits(
            risk_per_trade_fraction=0.02,
            max_positions=2,
            max_daily_loss_fraction=0.9,
            breaker=breaker,
        ),
    )


def volume_of(terminal: Any, ticket: int) -> float:
    """Return what a terminal shows of a position, lots."""
    shown = {one.ticket: one.volume for one in terminal.positions_get()}
    return float(shown.get(ticket, 0.0))


def answer(retcode: int) -> Any:
    """Return a reply that names no order."""
    return SimpleNamespace(retcode=retcode, comment="", order=0, deal=0, volume=0.0, price=0.0)


def at_first_close(
    reply: int,
    *,
    only_parts: bool = False,
    also: Callable[[Any, dict[str, Any]], None] | None = None,
) -> Any:
    """Return a wrapper that answers the first close, or the first of a part, without sending it."""

    def wrap(terminal: Any, _server: Any) -> Any:
        met: list[int] = []

        def order_send(order: dict[str, Any]) -> Any:
            ticket = order.get("position")
            if not ticket or met:
                return terminal.order_send(order)
            if only_parts and order["volume"] > volume_of(terminal, ticket) - 1e-9:
                return terminal.order_send(order)
            met.append(ticket)
            if also is not None:
                also(terminal, order)
            return answer(reply)

        return Faulty(terminal, order_send=order_send)

    return wrap


def closes_of(run: LiveRun) -> list[tuple[int, IntentState]]:
    """Return the volumes that closes asked for, and what became of them."""
    rows = run.journal.intents()
    return [
        (row.intent.volume_units, row.state)
        for row in rows
        if row.intent.action is IntentAction.CLOSE
    ]


# ---------------------------------------------------------------------- second attempts


def test_a_close_of_a_part_whose_price_was_refused_closes_that_part_at_its_second_attempt() -> None:
    world = falling()
    usual = world.live(client=DirectClient)

    run = world.live(client=DirectClient, wrap=at_first_close(10004, only_parts=True))

    second = [row for row in run.journal.intents() if row.attempt == 2]
    (part,) = [row.intent.volume_units for row in second]
    assert part == closes_of(usual)[-1][0]
    left = [one.volume_units for one in run.market.book.positions()]
    assert left == [one.volume_units for one in usual.market.book.positions()] != []


def test_a_close_whose_position_is_gone_before_its_second_attempt_drops_no_entry() -> None:
    def by_hand(terminal: Any, order: dict[str, Any]) -> None:
        assert terminal.order_send(order | {"magic": 0}).retcode == 10009

    world = World(bars=MINUTES, strategy=lambda: Scripted([None, LONG, None, FLAT]))
    run = world.live(client=DirectClient, wrap=at_first_close(10004, also=by_hand))

    assert [state for _, state in closes_of(run)] == [IntentState.REJECTED]
    assert run.named("entry_dropped") == []
    assert run.market.book.positions() == ()
