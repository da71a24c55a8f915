"""The desk sends a decision at most once and believes what the broker's state shows."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from mtquant.execution import QUIET_MS, RESERVE_MS, Desk
from mtquant.model import (
    MOST_BETWEEN_MS,
    AccountSnapshot,
    BotIdentity,
    BrokerView,
    Deal,
    DealEntry,
    DealKind,
    ExecutionResult,
    Instrument,
    IntentAction,
    IntentRow,
    IntentState,
    MarginMode,
    Order,
    OrderIntent,
    OrderState,
    OrderType,
    Outcome,
    Position,
    Quote,
    Reason,
    Side,
)
from mtquant.risk import ApprovedOrder, RiskEngine, RiskLimits, RiskView

US = BotIdentity(bot=3)
WHO = "sma"
UNITS = 10_000_000
ACCOUNT = AccountSnapshot(
    login=1,
    server="x",
    currency="USD",
    currency_digits=2,
    leverage=100,
    margin_mode=MarginMode.HEDGING,
    is_demo=True,
    trade_allowed=True,
    balance_minor=1_000_000,
    equity_minor=1_000_000,
    margin_minor=0,
    time_ms=0,
)
EVERYTHING_PASSES = RiskView(
    now_ms=0,
    account=ACCOUNT,
    instrument=Instrument(
        symbol="EURUSD",
        digits=5,
        contract_size=100_000,
        base_currency="EUR",
        profit_currency="USD",
        margin_currency="EUR",
    ),
    quote=Quote(symbol="EURUSD", time_ms=0, bid_points=100_000, ask_points=100_010),
    positions=(),
    in_flight=(),
    may_come=(),
    entries_in_minute=0,
    entries_today=0,
    entries_in_a_row=0,
    cash_lack_minor=0,
    day_start_balance_minor=1_000_000,
    day_loss_minor=0,
    halt_level=0,
    is_ready=True,
)


def intent(action: IntentAction = IntentAction.OPEN, **changes) -> OrderIntent:
    usual = {
        "strategy_id": WHO,
        "symbol": "EURUSD",
        "action": action,
        "side": Side.BUY,
        "volume_units": UNITS,
        "trigger": "bar:1",
        "decided_ms": 0,
        "deadline_ms": 10,
        "stop_loss_points": 101_000 if changes.get("side") is Side.SELL else 99_000,
        "position_ticket": 0 if action is IntentAction.OPEN else 500,
    }
    return OrderIntent(**(usual | changes))


def approved(wish: OrderIntent) -> ApprovedOrder:
    decision = RiskEngine(RiskLimits()).decide(wish, EVERYTHING_PASSES)
    assert isinstance(decision, ApprovedOrder)
    return decision


def view(time_ms: int, **changes) -> BrokerView:
    empty = {"positions": (), "orders": (), "deals": (), "closed_orders": (), "quotes": ()}
    return BrokerView(time_ms=time_ms, account=ACCOUNT, **(empty | changes))


def watch(desk: Desk, from_ms: int, to_ms: int) -> None:
    """Look from one time up to another, often enough for all of it to count."""
    for time_ms in (*range(from_ms, to_ms, MOST_BETWEEN_MS), to_ms):
        desk.watch(time_ms)


def order(intent_id: int, state: OrderState = OrderState.FILLED, **changes) -> Order:
    usual = {
        "order_ticket": 900,
        "symbol": "EURUSD",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "state": state,
        "volume_units": UNITS,
        "filled_units": UNITS if state is OrderState.FILLED else 0,
        "position_ticket": 900,
        "intent_id": intent_id,
    }
    return Order(**(usual | changes))


def deal(intent_id: int, **changes) -> Deal:
    usual = {
        "deal_ticket": 1,
        "order_ticket": 900,
        "position_ticket": 900,
        "time_ms": 0,
        "symbol": "EURUSD",
        "kind": DealKind.TRADE,
        "side": Side.BUY,
        "entry": DealEntry.IN,
        "volume_units": UNITS,
        "price_points": 100_010,
        "profit_minor": 0,
        "commission_minor": 0,
        "swap_minor": 0,
        "fee_minor": 0,
        "reason": Reason.EXPERT,
        "intent_id": intent_id,
    }
    return Deal(**(usual | changes))


def position(**changes) -> Position:
    usual = {
        "position_ticket": 500,
        "symbol": "EURUSD",
        "side": Side.BUY,
        "volume_units": UNITS,
        "open_points": 100_000,
        "open_ms": 0,
        "current_points": 100_000,
        "current_ms": 0,
        "stop_loss_points": 98_000,
        "take_profit_points": None,
        "profit_minor": 0,
        "swap_minor": 0,
        "digits": 5,
        "contract_size": 100_000.0,
    }
    return Position(**(usual | changes))


def reply(intent_id: int, outcome: Outcome, time_ms: int = 50, **changes) -> ExecutionResult:
    return ExecutionResult(
        intent_id=intent_id, outcome=outcome, detail=outcome.value, time_ms=time_ms, **changes
    )


@pytest.fixture
def desk() -> Desk:
    return Desk(US)


@pytest.fixture
def sent(desk: Desk) -> Callable[..., IntentRow]:
    """Return a sender of an intent, at time 0 unless told otherwise."""

    def send(action: IntentAction = IntentAction.OPEN, now_ms: int = 0, **changes) -> IntentRow:
        command = desk.submit(approved(intent(action, **changes)), now_ms)
        assert command is not None
        return command.row

    return send


def states(desk: Desk, rows: list[IntentRow]) -> list[str]:
    assert all(desk.row(row.intent_id) == row for row in rows)
    return [row.state.name for row in rows]


# sending


def test_an_approved_order_gets_our_number_and_a_short_plain_comment(desk: Desk, sent):
    row = sent(now_ms=7)

    assert US.owns(row.intent_id)
    assert (row.state, row.comment, row.created_ms, row.updated_ms) == (
        IntentState.SENDING,
        "mtq1",
        7,
        7,
    )
    assert desk.in_flight == (row,)
    assert desk.needs_scan()


def test_one_decision_is_sent_once_whatever_becomes_of_it(desk: Desk, sent):
    row = sent()
    again = approved(intent(volume_units=2 * UNITS))

    assert desk.has_decided(row.intent.decision_key)
    assert desk.submit(again, 1) is None
    desk.on_result(reply(row.intent_id, Outcome.REFUSED))
    assert desk.submit(again, 2) is None


def test_orders_with_our_number_that_no_row_knows_are_told_once(desk: Desk, sent):
    known = sent(now_ms=5)
    strange = order(US.intent_id(9_000), order_ticket=77, setup_ms=6)
    older = order(US.intent_id(9_001), order_ticket=78, setup_ms=4)
    others = order(12345, order_ticket=79, setup_ms=6)
    mine = order(known.intent_id, setup_ms=6)
    later = Desk(US)
    later.restore([known])
    shown = view(10, closed_orders=(strange, older, others, mine))

    assert [one.order_ticket for one in later.strangers(shown)] == [77]
    assert later.strangers(shown) == []
    again = Desk(US)
    again.restore([known])
    again.forgive(6_000)
    assert again.strangers(shown) == []


def test_an_empty_journal_knows_nothing_of_the_orders_before_it(desk: Desk):
    before, after = (
        order(US.intent_id(9_000), order_ticket=ticket, setup_ms=time_ms)
        for ticket, time_ms in ((77, 99), (78, 101))
    )
    assert desk.strangers(view(100, closed_orders=(before,))) == []
    assert desk.strangers(view(200, closed_orders=(before, after))) == [after]


def test_entries_on_one_side_are_counted_until_one_on_the_other_or_a_person_looks(desk: Desk, sent):
    for number, side in enumerate((Side.BUY, Side.BUY, Side.SELL, Side.SELL, Side.SELL)):
        sent(now_ms=number, trigger=str(number), side=side)

    assert desk.entries_in_a_row(WHO, Side.SELL) == 3
    assert desk.entries_in_a_row(WHO, Side.BUY) == 0
    assert desk.entries_in_a_row("another", Side.BUY) == 0
    desk.forgive(3)
    assert desk.entries_in_a_row(WHO, Side.SELL) == 1


def test_entries_in_a_row_are_counted_over_a_restart(desk: Desk, sent):
    rows = [sent(now_ms=number, trigger=str(number)) for number in range(4)]
    later = Desk(US)
    later.restore(rows)
    assert later.entries_in_a_row(WHO, Side.BUY) == 4
    later.forgive(1)
    assert later.entries_in_a_row(WHO, Side.BUY) == 2


def test_a_refused_price_allows_one_second_attempt(desk: Desk, sent):
    first = sent()
    assert desk.submit(approved(intent()), 1, attempt=2) is None
    desk.on_result(reply(first.intent_id, Outcome.REPRICE))

    assert desk.may_try_again(first)
    second = desk.submit(approved(intent(price_points=100_020)), 2, attempt=2)
    assert second is not None
    assert second.row.attempt == 2
    assert second.row.intent.decision_key == first.intent.decision_key
    assert second.row.intent_id != first.intent_id
    desk.on_result(reply(second.row.intent_id, Outcome.REPRICE))
    assert not desk.may_try_again(second.row)
    assert desk.submit(approved(intent()), 3, attempt=2) is None


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.REPRICE}, key=str))
def test_no_other_answer_allows_a_second_attempt(desk: Desk, sent, outcome: Outcome):
    row = sent()
    desk.on_result(reply(row.intent_id, outcome))

    assert desk.submit(approved(intent()), 1, attempt=2) is None


def test_a_modification_has_no_second_attempt(desk: Desk, sent):
    row = sent(IntentAction.MODIFY)
    desk.on_result(reply(row.intent_id, Outcome.REPRICE))

    assert not desk.may_try_again(row)


def test_after_a_restart_no_decision_has_a_second_attempt(desk: Desk, sent):
    row = sent()
    refused = desk.on_result(reply(row.intent_id, Outcome.REPRICE))
    later = Desk(US)
    later.restore([refused])

    assert later.submit(approved(intent()), 1, attempt=2) is None


def test_every_intent_has_a_number_of_its_own(desk: Desk, sent):
    first, second = sent(), sent(trigger="bar:2")

    assert second.intent_id == first.intent_id + 1
    assert desk.in_flight == (first, second)
    assert desk.row(first.intent_id + 9) is None


@pytest.mark.parametrize("place", ["orders", "closed_orders", "positions", "deals"])
def test_a_number_that_the_broker_has_seen_is_not_used_again(desk: Desk, sent, place: str):
    used = US.intent_id(41)
    makes = {"positions": lambda: position(intent_id=used), "deals": lambda: deal(used)}
    make = makes.get(place, lambda: order(used))
    foreign = order(BotIdentity(bot=2).intent_id(900), order_ticket=901)

    desk.on_view(view(9, closed_orders=(foreign,)))
    desk.on_view(view(10, **{place: (make(),)}))

    assert sent().intent_id == US.intent_id(42)


def test_comments_stay_short_when_the_sequence_is_long():
    desk = Desk(US)
    last = US.intent_id(2**32 - 2)
    desk.restore([IntentRow(intent_id=last, intent=intent(), state=IntentState.DONE)])
    row = desk.submit(approved(intent(trigger="bar:2")), 0).row

    assert len(row.comment) <= 16
    assert row.comment.isalnum()


# replies


@pytest.mark.parametrize(
    ("outcome", "action", "state"),
    [
        (Outcome.CONFIRMED, IntentAction.OPEN, "SENDING"),
        (Outcome.CONFIRMED, IntentAction.CLOSE, "SENDING"),
        (Outcome.CONFIRMED, IntentAction.MODIFY, "DONE"),
        (Outcome.ACCEPTED, IntentAction.OPEN, "UNKNOWN"),
        (Outcome.UNKNOWN, IntentAction.OPEN, "UNKNOWN"),
        (Outcome.UNKNOWN, IntentAction.MODIFY, "UNKNOWN"),
        (Outcome.REFUSED, IntentAction.OPEN, "REJECTED"),
        (Outcome.REPRICE, IntentAction.OPEN, "REJECTED"),
        (Outcome.DISABLED, IntentAction.OPEN, "REJECTED"),
        (Outcome.ALREADY, IntentAction.CLOSE, "DONE"),
        (Outcome.ALREADY, IntentAction.MODIFY, "DONE"),
        (Outcome.ALREADY, IntentAction.OPEN, "UNKNOWN"),
    ],
)
def test_a_reply_moves_the_intent_by_its_class(
    desk: Desk, sent, outcome: Outcome, action: IntentAction, state: str
):
    row = sent(action)
    moved = desk.on_result(reply(row.intent_id, outcome, order_ticket=900))

    assert states(desk, [moved]) == [state]
    assert (moved.detail, moved.order_ticket, moved.updated_ms) == (outcome.value, 900, 50)
    assert desk.needs_scan() == (state in {"SENDING", "UNKNOWN"})


def test_a_second_a_late_and_a_foreign_reply_change_nothing(desk: Desk, sent):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))

    assert desk.on_result(reply(row.intent_id, Outcome.REFUSED)) is None
    assert desk.on_result(reply(row.intent_id + 1, Outcome.REFUSED)) is None
    assert desk.row(row.intent_id).state is IntentState.UNKNOWN


# outcomes read from the broker


@pytest.mark.parametrize("outcome", [None, *Outcome])
def test_an_order_and_its_deal_are_done_whatever_the_reply_was(desk: Desk, sent, outcome):
    row = sent()
    settled = {Outcome.REFUSED, Outcome.REPRICE, Outcome.DISABLED}
    if outcome is not None:
        desk.on_result(reply(row.intent_id, outcome))
    found = desk.on_view(
        view(60, closed_orders=(order(row.intent_id),), deals=(deal(row.intent_id),))
    )

    assert states(desk, found) == ([] if outcome in settled else ["DONE"])
    if found:
        assert (found[0].order_ticket, found[0].filled_units) == (900, UNITS)
        assert not desk.needs_scan()


def test_a_filled_order_waits_for_all_of_its_deals(desk: Desk, sent):
    row = sent()
    half = deal(row.intent_id, volume_units=UNITS // 2)
    rest = deal(row.intent_id, deal_ticket=2, volume_units=UNITS // 2)
    filled = order(row.intent_id)

    assert desk.on_view(view(1, closed_orders=(filled,))) == []
    assert desk.on_view(view(2, deals=(half,))) == []
    assert desk.on_view(view(3, deals=(half,))) == []  # the same deal read twice counts once
    assert states(desk, desk.on_view(view(4, deals=(rest,)))) == ["DONE"]


@pytest.mark.parametrize("state", [OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED])
def test_an_order_that_ended_partly_filled_is_partial(desk: Desk, sent, state: OrderState):
    row = sent()
    ended = order(row.intent_id, state, filled_units=UNITS // 2)
    half = deal(row.intent_id, volume_units=UNITS // 2)
    found = desk.on_view(view(1, closed_orders=(ended,), deals=(half,)))

    assert states(desk, found) == ["PARTIAL"]
    assert found[0].filled_units == UNITS // 2


def test_a_working_order_is_neither_done_nor_partial_yet(desk: Desk, sent):
    row = sent()
    working = order(row.intent_id, OrderState.PARTIALLY_FILLED, filled_units=UNITS // 2)
    half = deal(row.intent_id, volume_units=UNITS // 2)
    rest = deal(row.intent_id, deal_ticket=2, volume_units=UNITS // 2)

    assert desk.on_view(view(1, orders=(working,), deals=(half,))) == []
    assert desk.on_view(view(QUIET_MS * 9, orders=(working,))) == []
    found = desk.on_view(view(3, closed_orders=(order(row.intent_id),), deals=(rest,)))
    assert states(desk, found) == ["DONE"]


@pytest.mark.parametrize("state", [OrderState.REJECTED, OrderState.CANCELED, OrderState.EXPIRED])
def test_an_order_that_died_unfilled_is_rejected(desk: Desk, sent, state: OrderState):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.ACCEPTED))
    found = desk.on_view(view(1, closed_orders=(order(row.intent_id, state),)))

    assert states(desk, found) == ["REJECTED"]
    assert found[0].detail == f"order was {state.value}"
    assert not desk.needs_scan()


def test_an_order_marked_filled_without_any_deal_stays_open(desk: Desk, sent):
    row = sent()
    strange = order(row.intent_id, OrderState.FILLED, filled_units=0)

    assert desk.on_view(view(1, closed_orders=(strange,))) == []
    assert desk.needs_scan()


def test_a_stop_loss_order_with_our_number_does_not_stand_for_the_entry(desk: Desk, sent):
    """Orders made by a stop loss carry the number of the intent that opened the position."""
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    stop = order(row.intent_id, order_ticket=901, side=Side.SELL, reason=Reason.STOP_LOSS)
    closing = deal(
        row.intent_id, deal_ticket=2, order_ticket=901, side=Side.SELL, entry=DealEntry.OUT
    )
    assert desk.on_view(view(1, closed_orders=(stop,), deals=(closing,))) == []

    both = view(2, closed_orders=(stop, order(row.intent_id)), deals=(deal(row.intent_id),))
    found = desk.on_view(both)

    assert states(desk, found) == ["DONE"]
    assert found[0].order_ticket == 900


def test_an_unknown_close_is_found_by_its_own_orders_deals_only(desk: Desk, sent):
    row = sent(IntentAction.CLOSE)
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    closing = order(row.intent_id, side=Side.SELL, position_ticket=500)
    entry = US.intent_id(77)  # closing deals keep the number that opened the position
    foreign = [
        deal(
            row.intent_id, deal_ticket=1, order_ticket=899, position_ticket=500, entry=DealEntry.OUT
        ),
        deal(entry, deal_ticket=2, order_ticket=900, position_ticket=500, entry=DealEntry.IN),
    ]
    assert desk.on_view(view(1, closed_orders=(closing,), deals=tuple(foreign))) == []

    own = deal(entry, deal_ticket=3, position_ticket=500, entry=DealEntry.OUT)
    assert states(desk, desk.on_view(view(2, deals=(own,)))) == ["DONE"]


def test_a_close_counts_all_its_deals_though_its_position_began_anew_meanwhile(desk: Desk, sent):
    row = sent(IntentAction.CLOSE)
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    closing = order(row.intent_id, side=Side.SELL, position_ticket=500)
    part = {"entry": DealEntry.OUT, "volume_units": UNITS // 2}
    deals = (
        deal(row.intent_id, deal_ticket=1, position_ticket=499, **part),
        deal(row.intent_id, deal_ticket=2, position_ticket=500, **part),
    )

    found = desk.on_view(view(1, closed_orders=(closing,), deals=deals))
    assert [(one.state.name, one.filled_units) for one in found] == [("DONE", UNITS)]


def test_orders_of_others_are_not_looked_at(desk: Desk, sent):
    sent()
    manual = order(0)
    other_bot = order(BotIdentity(bot=4).intent_id(1))

    assert desk.on_view(view(1, closed_orders=(manual, other_bot), deals=(deal(0),))) == []


# modifications


def test_a_modification_is_done_when_the_levels_stand(desk: Desk, sent):
    row = sent(IntentAction.MODIFY)
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))

    assert desk.on_view(view(1, positions=(position(),))) == []
    found = desk.on_view(view(2, positions=(position(stop_loss_points=99_000),)))
    assert [(r.state.name, r.detail) for r in found] == [("DONE", "levels stand")]


def test_a_modification_of_a_position_that_is_gone_is_rejected(desk: Desk, sent):
    sent(IntentAction.MODIFY)
    found = desk.on_view(view(1, positions=(position(position_ticket=501),)))

    assert [(r.state.name, r.detail) for r in found] == [("REJECTED", "position is closed")]
    assert found[0].was_overtaken


def test_a_modification_that_never_shows_was_not_sent(desk: Desk, sent):
    row = sent(IntentAction.MODIFY)
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    held = {"positions": (position(),)}
    assert desk.on_view(view(0, **held)) == []

    watch(desk, 0, QUIET_MS)
    found = desk.on_view(view(QUIET_MS, **held))
    assert states(desk, found) == ["NOTSENT"]


# absence


@pytest.mark.parametrize(
    ("scans", "last_is_enough"),
    [
        ([QUIET_MS], False),
        ([10 * QUIET_MS], False),
        ([1, QUIET_MS], False),
        ([1, QUIET_MS + 1], True),
        ([QUIET_MS, 2 * QUIET_MS - 1], False),
        ([QUIET_MS, 2 * QUIET_MS], True),
    ],
)
def test_nothing_happened_only_a_quiet_time_after_the_first_reading_without_it(
    desk: Desk, sent, scans: list, *, last_is_enough: bool
):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    for time_ms, next_ms in pairwise(scans):
        assert desk.on_view(view(time_ms)) == []
        watch(desk, time_ms, next_ms)
    found = desk.on_view(view(scans[-1]))

    assert states(desk, found) == (["NOTSENT"] if last_is_enough else [])
    assert desk.needs_scan() is not last_is_enough


def test_the_quiet_time_can_be_longer(sent):
    desk = Desk(US, quiet_ms=2 * QUIET_MS)
    row = desk.submit(approved(intent()), 0).row
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    desk.on_view(view(0))
    watch(desk, 0, 2 * QUIET_MS - 1)

    assert desk.on_view(view(2 * QUIET_MS - 1)) == []
    assert states(desk, desk.on_view(view(2 * QUIET_MS))) == ["NOTSENT"]


@pytest.mark.parametrize("leap_ms", [MOST_BETWEEN_MS, 600_000, 7_200_000])
def test_a_leap_of_the_clock_is_no_quiet_time(desk: Desk, sent, leap_ms: int):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    desk.on_view(view(0))
    desk.on_view(view(5_000))
    left_ms = QUIET_MS - 5_000 - MOST_BETWEEN_MS

    assert desk.on_view(view(5_000 + leap_ms)) == []
    assert desk.row(row.intent_id).state is IntentState.UNKNOWN
    watch(desk, 5_000 + leap_ms, 5_000 + leap_ms + left_ms - 1)
    assert desk.on_view(view(5_000 + leap_ms + left_ms - 1)) == []
    assert states(desk, desk.on_view(view(5_000 + leap_ms + left_ms))) == ["NOTSENT"]


def test_a_machine_that_sleeps_between_all_its_looks_comes_to_an_end_too(desk: Desk, sent):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    looks = [desk.on_view(view(number * 7_200_000)) for number in range(5)]

    assert [states(desk, found) for found in looks] == [[], [], [], [], ["NOTSENT"]]


def test_a_clock_that_is_set_back_takes_nothing_from_the_quiet_time(desk: Desk, sent):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    desk.on_view(view(600_000))
    watch(desk, 600_000, 630_000)
    watch(desk, 10_000, 39_999)

    assert desk.on_view(view(39_999)) == []
    assert states(desk, desk.on_view(view(40_000))) == ["NOTSENT"]


def test_what_is_still_being_sent_is_never_declared_absent(desk: Desk, sent):
    sent()
    for time_ms in (1, QUIET_MS, 10 * QUIET_MS):
        assert desk.on_view(view(time_ms)) == []
    assert desk.needs_scan()


def test_a_confirmation_that_never_shows_becomes_unknown_then_absent(desk: Desk, sent):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.CONFIRMED, order_ticket=900))

    assert desk.on_view(view(1)) == []
    watch(desk, 1, QUIET_MS)
    assert desk.on_view(view(QUIET_MS)) == []
    doubted = desk.on_view(view(QUIET_MS + 1))
    assert [(r.state.name, r.detail) for r in doubted] == [
        ("UNKNOWN", "confirmed, but not found at the broker")
    ]
    assert states(desk, desk.on_view(view(QUIET_MS + 2))) == ["NOTSENT"]


def not_sent(desk: Desk, sent) -> IntentRow:
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    desk.on_view(view(0))
    watch(desk, 0, QUIET_MS)
    assert states(desk, desk.on_view(view(QUIET_MS))) == ["NOTSENT"]
    return row


def test_a_late_sighting_reopens_what_was_given_up_and_says_what_was_filled(desk: Desk, sent):
    row = not_sent(desk, sent)
    found = desk.on_view(
        view(QUIET_MS * 2, closed_orders=(order(row.intent_id),), deals=(deal(row.intent_id),))
    )

    assert states(desk, found) == ["LATE"]
    assert (found[0].detail, found[0].order_ticket, found[0].filled_units) == (
        "seen after all",
        900,
        UNITS,
    )
    assert desk.on_view(view(QUIET_MS * 3, closed_orders=(order(row.intent_id),))) == []


def test_a_late_order_is_followed_until_all_of_its_deals_are_there(desk: Desk, sent):
    row = not_sent(desk, sent)
    half = deal(row.intent_id, volume_units=UNITS // 2)
    rest = deal(row.intent_id, deal_ticket=2, volume_units=UNITS - UNITS // 2)
    (seen,) = desk.on_view(view(200_000, closed_orders=(order(row.intent_id),)))
    assert (seen.state, seen.filled_units) == (IntentState.LATE, 0)
    assert desk.on_view(view(201_000)) == []

    later = Desk(US)
    later.restore([seen])
    for one in (desk, later):
        (part,) = one.on_view(view(205_000, closed_orders=(order(row.intent_id),), deals=(half,)))
        (whole,) = one.on_view(view(206_000, deals=(rest,)))
        assert (part.filled_units, whole.filled_units) == (UNITS // 2, UNITS)
        assert one.on_view(view(207_000, deals=(rest,))) == []


def test_a_late_order_that_works_on_counts_although_what_came_of_it_is_closed(desk: Desk, sent):
    row = not_sent(desk, sent)
    works = order(row.intent_id, OrderState.PARTIALLY_FILLED, filled_units=UNITS // 2)
    half = deal(row.intent_id, volume_units=UNITS // 2)
    out = deal(0, deal_ticket=2, order_ticket=7, entry=DealEntry.OUT, volume_units=UNITS // 2)
    desk.on_view(view(200_000, orders=(works,), deals=(half, out)))

    assert [one.intent_id for one in desk.may_come()] == [row.intent_id]


def test_a_position_counts_as_closed_only_with_the_volume_that_was_closed(desk: Desk, sent):
    row = sent(IntentAction.CLOSE, position_ticket=500)
    closing = order(row.intent_id, side=Side.SELL, position_ticket=500)
    out = deal(row.intent_id, entry=DealEntry.OUT, side=Side.SELL, position_ticket=500)
    desk.on_view(view(1_000, closed_orders=(closing,), deals=(out,)))

    desk.watch(1_000_000)  # the clock leaps

    assert desk.was_closed(position(volume_units=UNITS))
    assert not desk.was_closed(position(volume_units=UNITS // 2))
    assert not desk.was_closed(position(position_ticket=501))
    watch(desk, 1_000_000, 999_999 + QUIET_MS - MOST_BETWEEN_MS)
    assert desk.was_closed(position(volume_units=UNITS))
    desk.watch(1_000_000 + QUIET_MS - MOST_BETWEEN_MS)
    assert not desk.was_closed(position(volume_units=UNITS))


def test_what_deals_have_left_of_a_position_counts_for_the_quiet_time_and_then_what_is_shown(
    desk: Desk, sent
):
    row = sent()
    desk.on_view(filled_view(row, 0))
    shown = position(position_ticket=900, intent_id=row.intent_id)
    assert desk.left_units(shown) == UNITS

    out = deal(0, deal_ticket=2, order_ticket=901, entry=DealEntry.OUT, side=Side.SELL)
    desk.on_view(view(1_000, deals=(out,)))

    assert desk.left_units(shown) == 0  # the view lags
    watch(desk, 1_000, QUIET_MS)
    assert desk.left_units(shown) == 0
    desk.watch(1_000 + QUIET_MS)
    assert desk.left_units(shown) == UNITS  # somebody had added as much
    assert desk.left_units(replace(shown, volume_units=1)) == 1


def test_what_was_given_up_stays_given_up_while_nothing_is_seen(desk: Desk, sent):
    row = not_sent(desk, sent)

    assert desk.on_view(view(QUIET_MS * 2)) == []
    assert desk.row(row.intent_id).state is IntentState.NOTSENT


def test_a_late_order_that_died_unfilled_reopens_nothing(desk: Desk, sent):
    row = not_sent(desk, sent)
    dead = order(row.intent_id, OrderState.REJECTED)

    assert desk.on_view(view(QUIET_MS * 2, closed_orders=(dead,))) == []
    assert desk.on_view(view(QUIET_MS * 3)) == []
    assert desk.row(row.intent_id).state is IntentState.NOTSENT


def test_a_late_order_that_died_partly_filled_reopens_what_was_given_up(desk: Desk, sent):
    row = not_sent(desk, sent)
    ended = order(row.intent_id, OrderState.CANCELED, filled_units=UNITS // 2)

    half = deal(row.intent_id, volume_units=UNITS // 2)

    assert states(desk, desk.on_view(view(QUIET_MS * 2, closed_orders=(ended,)))) == ["LATE"]
    (late,) = desk.on_view(view(QUIET_MS * 3, deals=(half,)))
    assert late.filled_units == UNITS // 2


# restart


def test_what_was_being_sent_when_the_process_ended_is_unknown_and_never_sent_again(sent):
    row = sent()
    desk = Desk(US)
    changed = desk.restore([row])

    assert [(r.state.name, r.detail) for r in changed] == [("UNKNOWN", "process ended")]
    assert desk.submit(approved(intent()), 1) is None
    assert desk.on_result(reply(row.intent_id, Outcome.REFUSED)) is None
    following = desk.submit(approved(intent(trigger="bar:2")), 2).row
    assert following.intent_id == row.intent_id + 1


def test_a_decision_that_was_not_sent_when_the_process_ended_is_dropped():
    fresh = IntentRow(intent_id=US.intent_id(4), intent=intent(), state=IntentState.NEW)
    desk = Desk(US)

    assert [r.state.name for r in desk.restore([fresh])] == ["NOTSENT"]
    assert not desk.needs_scan()


@pytest.mark.parametrize(
    "state", [s for s in IntentState if s not in {IntentState.NEW, IntentState.SENDING}]
)
def test_every_other_state_is_taken_over_as_it_is(state: IntentState):
    row = IntentRow(intent_id=US.intent_id(4), intent=intent(), state=state)
    desk = Desk(US)

    assert desk.restore([row]) == []
    assert desk.row(row.intent_id) == row
    assert desk.needs_scan() == row.is_open


def test_a_restored_unknown_is_resolved_like_any_other(sent):
    row = sent()
    desk = Desk(US)
    desk.restore([row])
    found = desk.on_view(
        view(9, closed_orders=(order(row.intent_id),), deals=(deal(row.intent_id),))
    )

    assert states(desk, found) == ["DONE"]


def test_a_restored_unknown_that_nobody_knows_needs_the_quiet_time_too(sent):
    row = sent()
    desk = Desk(US)
    desk.restore([replace(row, created_ms=1_000)])

    assert desk.on_view(view(QUIET_MS)) == []  # it may have left just before that process ended
    watch(desk, QUIET_MS, 2 * QUIET_MS - 1)
    assert desk.on_view(view(2 * QUIET_MS - 1)) == []
    assert states(desk, desk.on_view(view(2 * QUIET_MS))) == ["NOTSENT"]


# exposure: what the broker does not show may be there all the same


def coming(desk: Desk) -> list[int]:
    return [row.intent_id for row in desk.may_come()]


def filled_view(row: IntentRow, time_ms: int, **changes) -> BrokerView:
    number = row.intent_id
    return view(time_ms, closed_orders=(order(number),), deals=(deal(number),), **changes)


def test_an_entry_counts_from_its_sending_until_its_position_is_closed(desk: Desk, sent):
    row = sent()
    assert coming(desk) == [row.intent_id]
    desk.on_view(filled_view(row, 1_000))  # the history knows it, the positions do not yet
    assert desk.row(row.intent_id).state is IntentState.DONE
    assert coming(desk) == [row.intent_id]
    own = position(position_ticket=900, intent_id=row.intent_id)
    desk.on_view(view(2_000, positions=(own,)))
    desk.on_view(view(3_000))  # an older reading again
    assert coming(desk) == [row.intent_id]
    half = deal(0, deal_ticket=2, entry=DealEntry.OUT, volume_units=UNITS // 2)
    desk.on_view(view(4_000, deals=(half,)))
    assert coming(desk) == [row.intent_id]
    desk.on_view(view(5_000, deals=(replace(half, deal_ticket=3),)))
    assert coming(desk) == []


def test_a_position_that_is_gone_without_a_deal_counts_ten_minutes_longer(desk: Desk, sent):
    row = sent()
    own = position(position_ticket=900, intent_id=row.intent_id)
    desk.on_view(filled_view(row, 1_000, positions=(own,)))
    watch(desk, 1_000, 1_000 + RESERVE_MS)
    desk.on_view(view(1_000 + RESERVE_MS))

    assert coming(desk) == [row.intent_id]
    desk.watch(1_001 + RESERVE_MS)
    assert coming(desk) == []


def test_a_leap_of_the_clock_ends_no_reserve(desk: Desk, sent):
    row = not_sent(desk, sent)
    desk.on_view(view(QUIET_MS + 2 * RESERVE_MS))

    assert coming(desk) == [row.intent_id]


def test_an_entry_whose_position_was_closed_does_not_count(desk: Desk, sent):
    row = sent()
    out = deal(0, deal_ticket=2, order_ticket=901, entry=DealEntry.OUT, side=Side.SELL)
    desk.on_view(view(500, deals=(out,)))  # the news of the end came first
    desk.on_view(filled_view(row, 1_000))

    assert coming(desk) == []


def test_a_refused_entry_and_other_actions_do_not_count(desk: Desk, sent):
    row = sent()
    sent(IntentAction.CLOSE)
    desk.on_result(reply(row.intent_id, Outcome.REFUSED))

    assert coming(desk) == []


def test_what_was_given_up_counts_ten_minutes_longer(desk: Desk, sent):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    desk.on_view(view(0))
    watch(desk, 0, QUIET_MS)
    desk.on_view(view(QUIET_MS))

    assert desk.row(row.intent_id).state is IntentState.NOTSENT
    watch(desk, QUIET_MS, QUIET_MS + RESERVE_MS)
    assert coming(desk) == [row.intent_id]
    desk.watch(QUIET_MS + RESERVE_MS + 1)
    assert coming(desk) == []


def test_an_unseen_position_counts_after_a_restart_too_and_an_old_one_does_not(sent):
    row = sent()
    late = replace(row, state=IntentState.DONE, updated_ms=RESERVE_MS)
    old = replace(late, intent_id=row.intent_id + 1, updated_ms=0)
    desk = Desk(US)
    desk.restore([old, late])
    desk.on_view(view(RESERVE_MS + 1))

    assert coming(desk) == [late.intent_id]


def test_what_came_late_is_known_by_its_number(desk: Desk, sent):
    row = sent()
    desk.on_result(reply(row.intent_id, Outcome.UNKNOWN))
    desk.on_view(view(0))
    watch(desk, 0, QUIET_MS)
    desk.on_view(view(QUIET_MS))
    assert desk.late == frozenset()
    desk.on_view(filled_view(row, 2 * QUIET_MS))

    assert desk.late == {row.intent_id}


def test_entries_are_counted_by_strategy_and_time_and_over_a_restart(desk: Desk, sent):
    first = sent(now_ms=1_000)
    desk.on_result(reply(first.intent_id, Outcome.REFUSED))  # sent all the same
    second = sent(now_ms=2_000, trigger="bar:2")
    sent(IntentAction.CLOSE, now_ms=2_500)
    other = sent(now_ms=3_000, trigger="bar:3", strategy_id="other")

    assert [desk.entries_since("sma", ms) for ms in (0, 1_000, 1_001, 2_001)] == [2, 2, 1, 0]
    assert desk.entries_since("other", 0) == 1
    assert desk.entries_since("nobody", 0) == 0
    again = Desk(US)
    again.restore([other, second, first])
    assert [again.entries_since("sma", ms) for ms in (0, 1_001, 2_001)] == [2, 1, 0]


def test_a_history_that_begins_late_makes_no_position_smaller(desk: Desk):
    held = {"position_ticket": 900, "order_ticket": 901}
    added = deal(0, deal_ticket=1, volume_units=UNITS, **held)
    taken = {"entry": DealEntry.OUT, "side": Side.SELL, "volume_units": 2 * UNITS}
    closed = deal(0, deal_ticket=2, **(held | {"order_ticket": 902} | taken))
    desk.on_view(view(1_000, deals=(added, closed)))

    shown = position(position_ticket=900, intent_id=0, volume_units=9 * UNITS)
    assert desk.left_units(shown) == 9 * UNITS
