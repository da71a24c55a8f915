"""Whatever a script sends, the terminal answers in the module's way and the book stays right."""

import math
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plays import venues
from terminals import deal, make_server, make_terminal, require_consistent, venue_of
from worlds import MONDAY_MS, bars_of

from mtquant.exchange import VenueSpec
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated.retcodes import RETCODE_TEXTS
from mtquant.terminal.structs import OrderCheckResult, OrderSendResult, TradeRequest

BARS = bars_of([110_000 + 60 * (i % 7) - 80 * (i % 4) for i in range(14)], wick=25)
NUMBERS = st.one_of(
    st.integers(-5, 10),
    st.integers(),
    st.sampled_from([2**31, 2**32, 2**63, 2**64, 10**40, -(10**40)]),
    st.floats(),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, 5e-324]),
)
ANYTHING = st.one_of(
    NUMBERS, st.text(max_size=40), st.none(), st.booleans(), st.binary(max_size=4), st.just([])
)
FIELDS = st.sampled_from([*TradeRequest.__match_args__, "unknown", "Volume"])
PRICES = st.sampled_from([0.0, 1.0, 1.05, 1.0999, 1.1, 1.1001, 1.15, 2.0, math.nan, 1e300])
NEAR = st.integers(-12, 12).map(lambda step: round(1.1 + step * 0.0004, 5))
TICKETS = st.sampled_from([0, 1, *range(50_000_001, 50_000_007)])
ACTIONS = [1, 1, 1, 1, 1, 5, 5, 5, 5, 5, 6, 6, 7, 7, 8, 10, 10, 3]
SECONDS = st.one_of(
    st.integers(0, 40).map(lambda hours: MONDAY_MS // 1000 + 7200 + 1800 * hours),
    st.sampled_from([0, 1, 2**31, 2**63 - 1]),
)


VOLUMES = st.sampled_from([0.01, 0.1, 0.1, 0.2, 0.2, 0.5, 1.0, 2.0, 0.015, 0.0, 1000.0, math.inf])
LEVELS = st.sampled_from([0.0] * 30 + [1.05, 1.09, 1.11, 1.15, 1.0999, 1.1001, math.nan, 1e300])


@st.composite
def sound(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a request of right types, close to one that is executed."""
    action = draw(st.sampled_from(ACTIONS))
    kinds = {1: st.sampled_from([0, 1]), 5: st.integers(2, 7)}.get(action, st.just(0))
    return deal(
        action=action,
        type=draw(kinds if draw(st.integers(0, 9)) else st.integers(0, 8)),
        volume=draw(VOLUMES),
        sl=draw(LEVELS),
        tp=draw(LEVELS),
        price=draw(NEAR if draw(st.integers(0, 9)) else PRICES),
        stoplimit=draw(NEAR if draw(st.integers(0, 9)) else PRICES),
        deviation=draw(st.sampled_from([0, 20, 10_000])),
        type_filling=draw(st.sampled_from([0, 0, 1, 2, 2, 3])),
        type_time=draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2, 3])),
        expiration=draw(SECONDS),
        position=draw(TICKETS),
        position_by=draw(TICKETS),
        order=draw(TICKETS),
    )


def aimed(terminal: Any, request: Any, pick: int) -> Any:
    """Point most requests at what there is to close, change and remove."""
    if not isinstance(request, dict) or pick == 0:
        return request
    orders, positions = terminal.orders_get(), terminal.positions_get()
    found = dict(request)
    if orders:
        found["order"] = orders[pick % len(orders)].ticket
    if positions:
        position = positions[pick % len(positions)]
        found |= {"position": position.ticket, "position_by": positions[-1].ticket}
        if request.get("action") == mt5.TRADE_ACTION_DEAL:
            found["type"] = 1 - position.type
    if request.get("action") == mt5.TRADE_ACTION_DEAL and pick < 4:
        return request | {"position": 0}
    return found


@st.composite
def broken(draw: st.DrawFn) -> dict[Any, Any]:
    """Draw a sound request with some fields replaced, added or taken away."""
    request = draw(sound()) | draw(st.dictionaries(FIELDS, ANYTHING, max_size=4))
    for name in draw(st.lists(FIELDS, max_size=3)):
        request.pop(name, None)
    return request


KEYS = st.one_of(FIELDS, st.text(max_size=5), st.integers(), st.none())


@st.composite
def requests(draw: st.DrawFn) -> Any:
    """Draw a request: mostly a sound one, sometimes a broken one or anything at all."""
    kind = draw(st.integers(0, 9))
    if kind < 7:
        return draw(sound())
    if kind < 9:
        return draw(broken())
    return draw(st.one_of(st.dictionaries(KEYS, ANYTHING, max_size=4), ANYTHING))


# a request, what of the account it aims at, whether it is only checked, steps of the market then
PLAYED = st.tuples(requests(), st.integers(0, 7), st.integers(0, 3), st.integers(0, 4))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(venues(), st.lists(PLAYED, max_size=20))
def test_any_request_is_answered_and_the_book_stays_right(venue: VenueSpec, played: list[tuple]):
    server = make_server(BARS, venue=venue)
    terminal: Any = make_terminal(server)
    for drawn, pick, sends, steps in played:
        request = aimed(terminal, drawn, pick)
        before = (server.book.positions(), server.book.orders())
        checked = terminal.order_check(request)
        require_answer(terminal, checked, OrderCheckResult)
        assert (server.book.positions(), server.book.orders()) == before
        if sends:
            sent = terminal.order_send(request)
            require_answer(terminal, sent, OrderSendResult)
            if checked is not None and checked.retcode:
                assert sent.retcode in {checked.retcode, mt5.TRADE_RETCODE_MARKET_CLOSED}
        for _ in range(steps):
            server.step()
        require_consistent(terminal, server.book)


def require_answer(terminal: Any, answer: Any, kind: type) -> None:
    if answer is None:
        assert terminal.last_error()[0] == -2
        return
    assert type(answer) is kind
    is_known = answer.retcode in RETCODE_TEXTS
    assert is_known or (answer.retcode, answer.comment) == (0, "Done")


USUAL = venue_of()
CALLS = (
    ("order_calc_margin", 4),
    ("order_calc_profit", 5),
    ("copy_rates_from", 4),
    ("copy_rates_from_pos", 4),
    ("copy_rates_range", 4),
    ("history_deals_get", 2),
    ("symbol_info", 1),
    ("symbols_get", 1),
)
ARGUMENTS = st.one_of(
    ANYTHING,
    st.datetimes(),
    st.sampled_from(["EURUSD", "EURUSD", 0, 1, mt5.TIMEFRAME_H1, 1.1, 1_483_315_200]),
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CALLS), st.lists(ARGUMENTS, min_size=5, max_size=5), st.booleans())
def test_any_argument_is_answered(call: tuple[str, int], arguments: list, is_near: bool):
    name, count = call
    given_ = arguments[:count]
    if is_near and count >= 4:
        given_[0 if name.startswith("copy") else 1] = "EURUSD"
        given_[1 if name.startswith("copy") else 0] = (
            mt5.TIMEFRAME_H1 if name.startswith("copy") else 0
        )
    terminal: Any = make_terminal(make_server(venue=USUAL))
    answer = getattr(terminal, name)(*given_)

    assert (answer is None) == (terminal.last_error()[0] in {-2, -4})
