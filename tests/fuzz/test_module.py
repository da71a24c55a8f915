"""Whatever a script calls, with whatever arguments: answers, or the two errors of the module."""

import datetime as dt
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from terminals import deal, make_server, pending, require_consistent
from worlds import MONDAY_MS, bars_of, make_venue

from mtquant.exchange import AccountSpec, VenueSpec
from mtquant.model import MarginMode
from mtquant.terminal.simulated import SimulatedServer, SimulatedTerminal, make_module
from mtquant.terminal.structs import TradeRequest

BARS = bars_of([110_000 + 60 * (i % 7) - 80 * (i % 4) for i in range(12)], wick=25)
OPENED_S = MONDAY_MS // 1000 + 7200
CODES = {1, -1, -2, -4, -6, -10003, -10004}
NAMES = sorted(
    name
    for name in vars(make_module(SimulatedTerminal(make_server())))
    if name.islower() and not name.startswith("__")
)
FUNCTIONS = [*NAMES, "Buy", "Sell", "Close", "_RawOrder"]
POSITIONAL = {
    "copy_rates_from": ("EURUSD", 16385, 2**31 - 1, 5),
    "copy_rates_from_pos": ("EURUSD", 16385, 0, 5),
    "copy_rates_range": ("EURUSD", 16385, 0, 2**31 - 1),
    "copy_ticks_from": ("EURUSD", 0, 5, -1),
    "copy_ticks_range": ("EURUSD", 0, 2**31 - 1, -1),
    "history_deals_get": (0, 2**31 - 1),
    "history_deals_total": (0, 2**31 - 1),
    "history_orders_get": (0, 2**31 - 1),
    "history_orders_total": (0, 2**31 - 1),
    "order_calc_margin": (0, "EURUSD", 1.0, 1.1),
    "order_calc_profit": (0, "EURUSD", 1.0, 1.1, 1.2),
    "order_check": (deal(),),
    "order_send": (deal(),),
    "Buy": ("EURUSD", 0.1),
    "Sell": ("EURUSD", 0.1),
    "Close": ("EURUSD",),
    "_RawOrder": (0, "EURUSD", 0.1, 1.1),
}
VALUES = st.one_of(
    st.sampled_from(["EURUSD", "EURUSD", "NOPE", "*", "", "x" * 30, "x" * 2000, "\0", "\ud800"]),
    st.sampled_from([0, 1, -1, 2, 5, 16385, 50_000_001, OPENED_S, 2**31, 2**63, -(2**70)]),
    st.sampled_from([0.0, 0.1, 1.1, 1.5, math.nan, math.inf, -math.inf, 1e300, OPENED_S + 0.5]),
    st.sampled_from([None, True, False, b"x", [], (), {}, object(), 1j, np.int64(3)]),
    st.sampled_from([np.float64(0.1), np.float32(0.1), np.array([1, 2]), np.zeros(0), np.nan]),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.dates(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.builds(deal, volume=st.sampled_from([0.1, 0.2, 1]), type=st.sampled_from([0, 1, 2])),
    st.builds(pending, st.integers(2, 7), volume=st.sampled_from([0.1, 1.0])),
    st.builds(
        dict,
        action=st.sampled_from([6, 7, 8, 10]),
        order=st.integers(50_000_001, 50_000_003),
        position=st.integers(50_000_001, 50_000_003),
        position_by=st.integers(50_000_001, 50_000_003),
        symbol=st.just("EURUSD"),
        price=st.sampled_from([0.0, 1.098, 1.102]),
    ),
)
OTHER_KEYWORDS = "ticket group login password server path timeout date_from unknown"
KEYWORDS = st.sampled_from([*TradeRequest.__match_args__, *OTHER_KEYWORDS.split()])
HELPERS = ("Buy", "Sell", "Close", "_RawOrder")


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[Any], dict[str, Any]]:
    """Draw a call: often a sound one with one argument replaced, sometimes anything at all."""
    name = draw(st.sampled_from(FUNCTIONS))
    args = list(POSITIONAL.get(name, ("EURUSD",)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(args)))
        args[place : place + draw(st.integers(0, 1))] = [draw(VALUES)]
    if not draw(st.integers(0, 3)):
        args = draw(st.lists(VALUES, max_size=6))
    kwargs = {}
    if not draw(st.integers(0, 3)):
        kwargs = draw(st.dictionaries(KEYWORDS, VALUES, max_size=3))
        args = args if draw(st.booleans()) else []
    return name, args, kwargs


@st.composite
def plays(draw: st.DrawFn) -> list[Any]:
    """Draw a play: calls, and steps of the market between them."""
    return draw(st.lists(st.one_of(calls(), calls(), calls(), st.integers(1, 3)), max_size=24))


ACCOUNTS = (
    AccountSpec(deposit=1500.0),
    AccountSpec(login=2, password="two", margin_mode=MarginMode.NETTING, deposit=1500.0),
    AccountSpec(login=5, password="", investor_password="see", margin_mode=MarginMode.EXCHANGE),
)


VENUE = VenueSpec(
    account=ACCOUNTS[0],
    more_accounts=ACCOUNTS[1:],
    instruments=make_venue(
        freeze_level_points=3, depth_points=(0, 3), depth_lots=(0.1, 1.0)
    ).instruments,
)


def play(drawn: list[Any]) -> int:
    """Make the calls; return how many there were."""
    server = make_server(BARS, venue=VENUE)
    face: Any = make_module(SimulatedTerminal(server))
    face.initialize()
    made = 0
    for one in drawn:
        if isinstance(one, int):
            for _ in range(one):
                server.step()
        else:
            call(face, *one)
            made += 1
    require_sound(face, server)
    return made


def call(face: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    answer, error = attempt(getattr(face, name), args, kwargs)
    code, text = face.last_error()
    if isinstance(error, TypeError):
        assert name in HELPERS or "takes no" in str(error), (name, args, kwargs, error)
    elif isinstance(error, SystemError):
        function = "symbol_info_tick" if name in HELPERS else name
        assert (
            str(error) == f"<built-in function {function}> returned a result with an exception set"
        )
        assert (code, text) == (-2, "Invalid arguments")
    else:
        assert code in CODES
        if name != "last_error" and name not in HELPERS:
            failed = answer is None or answer is False
            assert failed == (code != 1), (name, args, kwargs, answer, text)


def attempt(function: Any, args: list[Any], kwargs: dict[str, Any]) -> tuple[Any, Exception | None]:
    try:
        return function(*args, **kwargs), None
    except (TypeError, SystemError) as error:
        return None, error


def require_sound(face: Any, server: SimulatedServer) -> None:
    for account in ACCOUNTS:
        assert face.initialize(login=account.login)
        book = server.market.books[account.login]
        require_consistent(face, book)
        assert face.history_deals_total(0, 2**31 - 1) == len(book.ledger.deals)


def test_every_function_is_among_the_calls():
    assert len(FUNCTIONS) == 36


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plays())
def test_any_play_of_calls_is_answered_and_the_book_stays_right(drawn: list[Any]):
    play(drawn)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_arguments_of_a_function_are_answered(name: str, data: st.DataObject):
    args = data.draw(st.lists(VALUES, max_size=6))
    kwargs = data.draw(st.dictionaries(KEYWORDS, VALUES, max_size=2))
    play([(name, args, {}), (name, args, kwargs), (name, [], kwargs)])


@pytest.mark.slow
@settings(max_examples=13_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(calls(), min_size=8, max_size=8))
def test_a_hundred_thousand_calls_are_answered(drawn: list[Any]):
    assert play(drawn) == 8
