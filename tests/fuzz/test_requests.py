"""Whatever a script sends, the terminal answers in the module's way and the book stays right."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from terminals import deal, make_server, make_terminal, require_consistent
from worlds import bars_of, make_venue

from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated.retcodes import RETCODE_TEXTS
from mtquant.terminal.structs import OrderCheckResult, OrderSendResult, TradeRequest

BARS = bars_of([110_000 + 60 * (i % 7) - 80 * (i % 4) for i in range(12)], wick=25)
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


@st.composite
def sound(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a request of right types, close to one that is executed."""
    return deal(
        action=draw(st.sampled_from([1, 1, 1, 6, 5, 7, 8, 10, 0, 3])),
        type=draw(st.sampled_from([0, 1, 0, 1, 2, 7, 8])),
        volume=draw(st.sampled_from([0.01, 0.1, 0.5, 1.0, 0.015, 0.0, 1000.0, math.inf])),
        sl=draw(PRICES),
        tp=draw(PRICES),
        price=draw(PRICES),
        type_filling=draw(st.sampled_from([0, 0, 1, 2, 3])),
        position=draw(st.sampled_from([0, 0, 50_000_001, 50_000_002, 50_000_003, 1])),
    )


@st.composite
def broken(draw: st.DrawFn) -> dict[Any, Any]:
    """Draw a sound request with some fields replaced, added or taken away."""
    request = draw(sound()) | draw(st.dictionaries(FIELDS, ANYTHING, max_size=4))
    for name in draw(st.lists(FIELDS, max_size=3)):
        request.pop(name, None)
    return request


KEYS = st.one_of(FIELDS, st.text(max_size=5), st.integers(), st.none())
REQUESTS = st.one_of(
    sound(), sound(), broken(), st.dictionaries(KEYS, ANYTHING, max_size=4), ANYTHING
)


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(REQUESTS, st.booleans(), st.integers(0, 4)), max_size=12))
def test_any_request_is_answered_and_the_book_stays_right(played: list[tuple]):
    server = make_server(BARS, venue=make_venue(deposit=1500.0, freeze_level_points=3))
    terminal: Any = make_terminal(server)
    for request, checks_only, steps in played:
        for send, kind in (
            (terminal.order_check, OrderCheckResult),
            (terminal.order_send, OrderSendResult),
        )[: 1 if checks_only else 2]:
            answer = send(request)
            if answer is None:
                assert terminal.last_error()[0] == -2
            else:
                assert type(answer) is kind
                assert answer.retcode in RETCODE_TEXTS or (answer.retcode, answer.comment) == (
                    0,
                    "Done",
                )
        for _ in range(steps):
            server.step()
        require_consistent(terminal, server.book)


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
    terminal: Any = make_terminal()
    answer = getattr(terminal, name)(*given_)

    assert (answer is None) == (terminal.last_error()[0] in {-2, -4})
