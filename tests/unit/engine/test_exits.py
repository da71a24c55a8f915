"""Exits that meet something on their way: none is lost, none closes more than it was to close."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from cut_worlds import MINUTES, answer, falling, volume_of
from many_worlds import many_venue
from worlds import (
    DirectClient,
    Faulty,
    LiveRun,
    Scripted,
    World,
    bars_of,
    blinks_after,
    require_same_books,
    silent,
)

from mtquant.model import Direction, IntentAction, IntentState, MarginMode, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable

LONG, FLAT = Direction.LONG, Direction.FLAT


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


class PoorAfterARefusal:
    """Refuse the price of the first close, and show a loss from then on."""

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal
        self._has_refused = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def order_send(self, order: dict[str, Any]) -> Any:
        """Send; the first close is answered by another price."""
        if "position" in order and not self._has_refused:
            self._has_refused = True
            return answer(10004)
        return self._terminal.order_send(order)

    def account_info(self) -> Any:
        """Return an AccountInfo, later one that has lost a fortieth."""
        info = self._terminal.account_info()
        if not self._has_refused:
            return info
        return SimpleNamespace(**(info._asdict() | {"equity": info.equity * 0.975}))


def test_the_second_attempt_of_an_exit_follows_a_close_of_a_part_that_was_quicker() -> None:
    world = falling([None, LONG, None, FLAT], first=[None, LONG])
    run = world.live(client=DirectClient, wrap=lambda terminal, _: PoorAfterARefusal(terminal))

    closes = [row for row in run.journal.intents() if row.intent.action is IntentAction.CLOSE]
    refused, worst, part, rest = closes
    assert refused.state is IntentState.REJECTED
    assert {row.state for row in (worst, part, rest)} == {IntentState.DONE}
    assert part.intent.volume_units + rest.intent.volume_units == refused.intent.volume_units
    assert (rest.attempt, rest.intent.decision_key) == (2, refused.intent.decision_key)
    assert run.market.book.positions() == ()


def test_a_cut_goes_on_at_once_when_a_close_of_unknown_outcome_is_given_up() -> None:
    wrap, _ = placed(arrives=False)
    usual = falling()
    lost_ms = falling().live(client=DirectClient).journal.intents()[-1].created_ms
    world = replace(usual, outages=blinks_after(lost_ms))
    run = world.live(client=DirectClient, wrap=wrap)

    whole, lost, part = [r for r in run.journal.intents() if r.intent.action is IntentAction.CLOSE]
    assert (whole.state, lost.state, part.state) == (
        IntentState.DONE,
        IntentState.NOTSENT,
        IntentState.DONE,
    )
    assert part.created_ms == lost.updated_ms
    assert part.intent.volume_units == lost.intent.volume_units


class Silent:
    """Answer no question about the account some times after the first close, or refuse its next."""

    def __init__(self, terminal: Any, *, times: int, refuses: bool) -> None:
        self._terminal, self._times, self._refuses = terminal, times, refuses
        self._closes, self._left, self._has_failed = 0, 0, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def order_send(self, order: dict[str, Any]) -> Any:
        """Send; the second close may be answered by another price."""
        self._closes += "position" in order
        is_met = self._closes == (2 if self._refuses else 1) and "position" in order
        self._left = self._times if is_met else self._left
        return answer(10004) if is_met and self._refuses else self._terminal.order_send(order)

    def account_info(self) -> Any:
        """Return an AccountInfo, or nothing."""
        self._has_failed = self._left > 0
        self._left -= self._has_failed
        return None if self._has_failed else self._terminal.account_info()

    def last_error(self) -> tuple[int, str]:
        """Return an error in the place of the answer that is missing."""
        return (-10005, "IPC timeout") if self._has_failed else self._terminal.last_error()


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("times", range(1, 9))
def test_a_cut_that_is_asked_for_anew_after_a_lost_link_is_carried_out_once(
    times: int, *, refuses: bool
) -> None:
    usual = falling().live(client=DirectClient)
    run = falling().live(
        client=DirectClient,
        wrap=lambda terminal, _: Silent(terminal, times=times, refuses=refuses),
    )

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


# ---------------------------------------------------------------------- a lost link


def unanswered(name: str, *, in_bar: int, call: int, times: int = 1) -> Any:
    """Return a wrapper in which one function gets no answer some times, from a call of a bar on."""

    def wrap(terminal: Any, server: Any) -> Any:
        calls = [0]

        def has_no_answer(*_args: Any, **_named: Any) -> bool:
            calls[0] += server.market.bar >= in_bar
            return call <= calls[0] < call + times

        return silent(terminal, name, has_no_answer)

    return wrap


def a_world(script: list[Direction | None]) -> World:
    return World(bars=MINUTES, strategy=lambda: Scripted(script))


def test_an_exit_whose_reading_is_not_answered_is_carried_out_at_the_reconnect() -> None:
    world = a_world([None, LONG, None, FLAT])
    run = world.live(client=DirectClient, wrap=unanswered("positions_get", in_bar=4, call=2))

    assert len(run.named("link_lost")) == 1
    assert [state for _, state in closes_of(run)] == [IntentState.DONE]
    assert run.market.book.positions() == ()
    assert run.named("exit_dropped") == run.named("decision_repeated") == []


def test_an_exit_that_is_too_old_at_the_reconnect_is_given_up_and_told() -> None:
    world = a_world([None, LONG, None, FLAT])
    lost = unanswered("positions_get", in_bar=4, call=2, times=5)
    run = world.live(client=DirectClient, wrap=lost)

    assert closes_of(run) == []
    (position,) = run.market.book.positions()
    (told,) = run.named("exit_dropped")
    assert told.fields["position_ticket"] == position.position_ticket
    assert told.fields["reason"] == "the decision is too old"


def test_an_entry_whose_reading_is_not_answered_is_given_up_and_told() -> None:
    world = a_world([None, None, None, LONG])
    run = world.live(client=DirectClient, wrap=unanswered("positions_get", in_bar=4, call=2))

    assert list(run.journal.intents()) == []
    assert [one.fields["reason"] for one in run.named("entry_dropped")] == ["the link was lost"]


def test_of_a_reversal_whose_reading_is_not_answered_only_the_exit_is_carried_out() -> None:
    world = a_world([None, LONG, None, Direction.SHORT])
    run = world.live(client=DirectClient, wrap=unanswered("positions_get", in_bar=4, call=2))

    assert [state for _, state in closes_of(run)] == [IntentState.DONE]
    assert run.market.book.positions() == ()
    assert [one.fields["reason"] for one in run.named("entry_dropped")] == ["the link was lost"]


def test_a_close_whose_price_was_refused_has_its_second_attempt_after_a_lost_link_too() -> None:
    def wrap(terminal: Any, server: Any) -> Any:
        refusing = at_first_close(10004)(terminal, server)
        return unanswered("positions_get", in_bar=4, call=3)(refusing, server)

    run = a_world([None, LONG, None, FLAT]).live(client=DirectClient, wrap=wrap)

    assert len(run.named("link_lost")) == 1
    assert [state for _, state in closes_of(run)] == [IntentState.REJECTED, IntentState.DONE]
    assert run.market.book.positions() == ()


def test_a_second_attempt_of_a_close_that_comes_too_late_after_a_lost_link_is_told() -> None:
    def wrap(terminal: Any, server: Any) -> Any:
        refusing = at_first_close(10004)(terminal, server)
        return unanswered("positions_get", in_bar=4, call=3, times=5)(refusing, server)

    run = a_world([None, LONG, None, FLAT]).live(client=DirectClient, wrap=wrap)

    (position,) = run.market.book.positions()
    (told,) = run.named("exit_dropped")
    assert told.fields["position_ticket"] == position.position_ticket
    assert told.fields["reason"] == "the second attempt came too late"


@pytest.mark.parametrize("call", range(1, 10))
def test_an_exit_is_carried_out_whichever_question_about_the_account_has_no_answer(
    call: int,
) -> None:
    world = a_world([None, LONG, None, FLAT])
    run = world.live(client=DirectClient, wrap=unanswered("account_info", in_bar=4, call=call))

    assert run.market.book.positions() == ()
    assert [state for _, state in closes_of(run)].count(IntentState.DONE) == 1


# ---------------------------------------------------------------------- behind a part


def placed(*, arrives: bool) -> tuple[Any, Any]:
    """Return wrapper and hook: the first close of a part is only placed, and comes a step later."""
    held: list[Any] = []

    def keep(terminal: Any, order: dict[str, Any]) -> None:
        held.append(lambda: terminal.order_send(order))

    def on_step(run: LiveRun) -> None:
        if held and arrives and run.market.step == 1:
            assert held.pop()().retcode == 10009

    return at_first_close(10008, only_parts=True, also=keep), on_step


@pytest.mark.parametrize("is_placed", [False, True])
def test_an_exit_behind_a_close_of_a_part_is_carried_out_after_it(is_placed: bool) -> None:
    wrap, on_step = placed(arrives=True) if is_placed else (None, None)
    run = falling([None, LONG, *[None] * 5, FLAT]).live(
        client=DirectClient, wrap=wrap, on_step=on_step
    )

    whole, part, rest = closes_of(run)
    assert {state for _, state in (whole, part, rest)} == {IntentState.DONE}
    opened = [row.intent.volume_units for row in run.journal.intents()][:2]
    assert [whole[0], part[0] + rest[0]] == opened
    assert run.market.book.positions() == ()
    assert run.named("exit_dropped") == []


def test_an_exit_behind_a_close_of_a_part_that_stays_unknown_is_given_up_and_told() -> None:
    wrap, _ = placed(arrives=False)
    world = falling([None, LONG, *[None] * 5, FLAT], quiet_ms=300_000)
    run = world.live(client=DirectClient, wrap=wrap)

    assert {row.intent.reason for row in run.journal.intents()} == {"", "loss limit"}
    (told,) = run.named("exit_dropped")
    assert told.fields["reason"] == "the decision is too old"


def test_an_exit_behind_a_close_of_a_part_gives_way_to_a_newer_signal() -> None:
    wrap, _ = placed(arrives=False)
    world = falling([None, LONG, *[None] * 5, FLAT, LONG], quiet_ms=300_000)
    run = world.live(client=DirectClient, wrap=wrap)

    assert [one.fields["reason"] for one in run.named("exit_dropped")] == [
        "there is a newer decision"
    ]
    assert {row.intent.reason for row in run.journal.intents()} == {"", "loss limit"}


def test_both_runners_carry_an_exit_out_behind_a_close_of_a_part_alike() -> None:
    world = falling([None, LONG, *[None] * 5, FLAT])
    market, _ = world.backtest()

    require_same_books(world.live(client=DirectClient).market, market)
    assert market.book.positions() == ()


@pytest.mark.parametrize(("added", "exit_bar"), [(0.05, 6), (0.3, 4)])
def test_an_exit_behind_a_close_of_a_part_closes_what_other_hands_have_added_too(
    added: float, exit_bar: int
) -> None:
    drop = [0, 0, 0, *[100] * 6, *[0] * 8]
    paths = {
        symbol: [level - sum(drop[: index + 1]) for index in range(len(drop))]
        for symbol, level in (("EURUSD", 110_000), ("GBPUSD", 125_000))
    }
    script = [None, LONG, *[None] * (exit_bar - 2), FLAT]
    usual = falling(script)
    bars, other = (
        bars_of(path, symbol=symbol, timeframe=Timeframe.M1) for symbol, path in paths.items()
    )
    world = replace(
        usual,
        lanes=[replace(one, symbol=s) for one, s in zip(usual.lanes, paths, strict=True)],
        bars=bars,
        others=(other,),
        venue=many_venue(mode=MarginMode.NETTING, always_open=True),
        limits=replace(usual.limits, breaker=replace(usual.limits.breaker, level_3_fraction=0.5)),
    )
    wrap, arrive = placed(arrives=True)

    def on_step(run: LiveRun) -> None:
        arrive(run)
        if (run.market.bar, run.market.step) == (3, 1):
            for symbol in paths:  # netting takes the levels of the newest order
                (shown,) = run.terminal.positions_get(symbol=symbol)
                order = {"action": 1, "symbol": symbol, "volume": added, "type": 0, "sl": shown.sl}
                assert run.terminal.order_send(order).retcode == 10009

    run = world.live(client=DirectClient, wrap=wrap, on_step=on_step)

    assert run.market.book.positions() == ()
    assert run.named("exit_dropped") == []


def test_a_halt_goes_on_at_once_where_other_hands_have_added_as_much_as_it_closed() -> None:
    added: list[float] = []

    def wrap(terminal: Any, _server: Any) -> Any:
        def order_send(order: dict[str, Any]) -> Any:
            if "position" in order and not added:
                added.append(order["volume"])
                by_hand = {"action": 1, "symbol": "EURUSD", "volume": order["volume"], "type": 0}
                assert terminal.order_send(by_hand).retcode == 10009
            return terminal.order_send(order)

        return Faulty(terminal, order_send=order_send)

    def halt(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (5, 1):
            run.journal.request_halt(3, "ann", "out", run.now_ms())

    world = World(
        bars=MINUTES,
        strategy=lambda: Scripted([None, LONG]),
        venue=many_venue(mode=MarginMode.NETTING, always_open=True),
    )
    run = world.live(client=DirectClient, wrap=wrap, on_step=halt)

    closes = [row for row in run.journal.intents() if row.intent.action is IntentAction.CLOSE]
    first, second = closes
    assert first.intent.volume_units == second.intent.volume_units
    assert second.created_ms - first.created_ms < 30_000
    assert run.market.book.positions() == ()
