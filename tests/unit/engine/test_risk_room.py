"""Sizes, the gate's word and forced exits follow one set of limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from journal_rows import a_deal, sending_row
from risk_rooms import make_position, make_slot, make_view
from worlds import bars_of

from mtquant.engine import Engine, LossWatch
from mtquant.engine.decision import Decision
from mtquant.engine.risk_room import RiskRoom
from mtquant.execution import Desk
from mtquant.model import (
    BotIdentity,
    DataError,
    DealEntry,
    Direction,
    HaltOrder,
    ServerClock,
    Signal,
    Timeframe,
)
from mtquant.portfolio import Portfolio
from mtquant.risk import BreakerSpec, OnCorrelation, Refusal, RiskEngine, RiskLimits
from mtquant.strategy import ExitSignal

US = BotIdentity()
CLOCK = ServerClock("utc")
HOUR_MS = 3_600_000
BAR_MS = 1_483_358_400_000


class Room(RiskRoom):
    """Hold a room over one slot, and what it is made of."""

    def __init__(self, limits: RiskLimits, losses: LossWatch | None = None) -> None:
        self.slot = make_slot(bars_of([100_000] * 3, first_ms=BAR_MS), index=2)
        self.now_ms = BAR_MS + 3 * HOUR_MS
        self.portfolio = Portfolio(US, CLOCK)
        super().__init__([self.slot], RiskEngine(limits), Desk(US), self.portfolio, losses=losses)

    def sized(self, direction: Direction | None, positions=()):
        view = make_view(self.now_ms, positions=positions)
        self.portfolio.apply(view)
        signal = direction and Signal(
            strategy_id="a",
            symbol="EURUSD",
            direction=direction,
            timeframe=Timeframe.H1,
            time_ms=self.now_ms,
            signal_id="bar:1",
        )
        decision = Decision(
            slot=self.slot, trigger="bar:1", signal=signal, exits=(), protection=(200, None)
        )
        return self.open(decision, view), view


LIMITS = RiskLimits(breaker=BreakerSpec(), max_holding_hours=2.0)


def test_a_size_is_what_the_breaker_leaves_of_it():
    room = Room(LIMITS)
    whole, _ = room.sized(Direction.LONG)
    room.losses.observe(BAR_MS, 1_000_000, 1_000_000)
    room.losses.observe(BAR_MS, 950_000, 1_000_000)
    scaled, _ = room.sized(Direction.LONG)

    assert room.losses.scale == 0.75
    ratio = scaled.intent.volume_units / whole.intent.volume_units
    assert ratio == pytest.approx(0.75, abs=0.02)


def test_a_size_is_what_likeness_leaves_of_it(monkeypatch):
    limits = RiskLimits(max_correlation=0.5, on_correlation=OnCorrelation.REDUCE)
    whole, _ = Room(limits).sized(Direction.LONG)
    monkeypatch.setattr("mtquant.engine.likeness.Likeness.strongest", lambda *_: (0.75, "GBPUSD"))
    scaled, _ = Room(limits).sized(Direction.LONG)

    ratio = scaled.intent.volume_units / whole.intent.volume_units
    assert ratio == pytest.approx(0.5, abs=0.02)
    assert " x 0.5 correlation = " in scaled.explanation
    assert "breaker" not in scaled.explanation


@pytest.mark.parametrize("direction", [None, Direction.FLAT])
def test_without_a_direction_there_is_nothing_to_size(direction):
    refusal, _ = Room(LIMITS).sized(direction)

    assert isinstance(refusal, Refusal)
    assert refusal.rule == "signal"


def test_a_sized_intent_goes_through_the_gate():
    room = Room(LIMITS)
    sized, view = room.sized(Direction.LONG)

    assert room.decide(sized.intent, view, is_ready=True).intent is sized.intent
    refused = room.decide(sized.intent, view, is_ready=False)
    assert [one.rule for one in refused.refusals] == ["reconciled"]


def exit_of(ticket: int) -> ExitSignal:
    return ExitSignal(position_ticket=ticket, exit_name="own", priority=1, reason="own")


def test_a_close_that_limits_demand_stands_before_what_exits_say(monkeypatch):
    room = Room(LIMITS)
    own = (
        make_position(1, open_ms=room.now_ms),
        make_position(2, open_ms=room.now_ms - 2 * HOUR_MS),
    )
    room.slot.exits_of = lambda positions: tuple(exit_of(one.position_ticket) for one in positions)

    found = [(one.position_ticket, one.exit_name) for one in room.exits(room.slot, own)]
    assert found == [(2, "max_holding_hours"), (1, "own")]
    found = [(one.position_ticket, one.exit_name) for one in room.exits(room.slot, own[:1])]
    assert found == [(1, "own")]


def loss(ticket: int):
    return a_deal(
        ticket,
        time_ms=BAR_MS,
        intent_id=US.intent_id(1),
        entry=DealEntry.OUT,
        profit_minor=-1,
    )


def test_deals_reach_the_record_and_the_losses():
    room = Room(LIMITS)
    room.losses.observe(BAR_MS, 1_000_000, 1_000_000)
    room.note(iter([loss(7)]), lead_ms=3)

    assert '"deal_ticket": 7' in room.losses.state()


def test_what_an_earlier_process_knew_is_taken_over():
    room, after = Room(LIMITS), Room(LIMITS)
    room.losses.observe(BAR_MS, 1_000_000, 1_000_000)
    room.losses.observe(BAR_MS, 900_000, 1_000_000)
    after.restore([loss(7)], room.losses.state())

    assert after.losses.level == 2
    assert '"deal_ticket": 7' in after.losses.state()
    with pytest.raises(DataError):
        Room(LIMITS).restore([], "{")


def test_a_watch_may_be_handed_in():
    watch = LossWatch(LIMITS, CLOCK)

    assert Room(LIMITS, watch).losses is watch
    assert Room(LIMITS).losses.breaker is not None


@pytest.mark.parametrize("released_ms", [0, BAR_MS + 1])
def test_bad_fills_refuse_a_symbol_until_a_person_resumes_in_this_process_or_an_earlier(
    released_ms: int,
):
    slot = make_slot(bars_of([100_000] * 3, first_ms=BAR_MS), index=2)
    limits = RiskLimits(max_slippage_points=10)
    engine = Engine([slot], RiskEngine(limits), Desk(US), Portfolio(US, CLOCK))
    numbers = range(1, 6)
    rows = [
        replace(sending_row(number, price_points=100_000), intent_id=US.intent_id(number))
        for number in numbers
    ]
    deals = [
        a_deal(n, time_ms=BAR_MS, price_points=100_040, intent_id=US.intent_id(n)) for n in numbers
    ]
    engine.start(rows, deals, 0, released_ms=released_ms)
    record = engine._room._facts.record
    assert record.slippage_points("EURUSD", BAR_MS) == (None if released_ms else 40)

    engine.step(HaltOrder(time_ms=BAR_MS + 5, level=0, who="Ada", reason="one wild night"))
    assert record.slippage_points("EURUSD", BAR_MS) is None
