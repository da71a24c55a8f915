"""The face of the module: every name, every convention of a call, as the official one has them."""

import copy
import datetime as dt
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from terminals import deal, make_server
from worlds import bars_of

from mtquant.terminal.simulated import SimulatedTerminal, make_module
from mtquant.terminal.simulated.charts import RATES_DTYPE
from mtquant.terminal.simulated.ticks import TICKS_DTYPE

API = Path(__file__).resolve().parents[4] / "shared" / "spec" / "mt5_api.json"
H1 = 16385
SOUND: dict[str, tuple] = {
    "initialize": (),
    "login": (1000001,),
    "shutdown": (),
    "version": (),
    "last_error": (),
    "account_info": (),
    "terminal_info": (),
    "symbols_total": (),
    "symbols_get": (),
    "symbol_info": ("EURUSD",),
    "symbol_info_tick": ("EURUSD",),
    "symbol_select": ("EURUSD", True),
    "market_book_add": ("EURUSD",),
    "market_book_release": ("EURUSD",),
    "market_book_get": ("EURUSD",),
    "copy_rates_from": ("EURUSD", H1, 2**31 - 1, 3),
    "copy_rates_from_pos": ("EURUSD", H1, 0, 3),
    "copy_rates_range": ("EURUSD", H1, 0, 2**31 - 1),
    "copy_ticks_from": ("EURUSD", 0, 3, -1),
    "copy_ticks_range": ("EURUSD", 0, 2**31 - 1, -1),
    "orders_total": (),
    "positions_total": (),
    "orders_get": (),
    "positions_get": (),
    "history_orders_total": (0, 2**31 - 1),
    "history_deals_total": (0, 2**31 - 1),
    "history_orders_get": (0, 2**31 - 1),
    "history_deals_get": (0, 2**31 - 1),
    "order_check": (deal(),),
    "order_send": (deal(),),
    "order_calc_margin": (0, "EURUSD", 1.0, 1.1),
    "order_calc_profit": (0, "EURUSD", 1.0, 1.1, 1.2),
    "Buy": ("EURUSD", 0.1),
    "Sell": ("EURUSD", 0.1),
    "Close": ("EURUSD",),
    "_RawOrder": (0, "EURUSD", 0.1, 1.1),
}
FREE = {"initialize", "shutdown", "last_error"}  # need no connection
FALSE = {"initialize", "login", "symbol_select", "market_book_add", "market_book_release"}


def make_face(**options: Any) -> Any:
    return make_module(SimulatedTerminal(make_server(bars_of([110_000, 110_050]))), **options)


@pytest.fixture
def face() -> Any:
    module = make_face()
    assert module.initialize()
    assert module.market_book_add("EURUSD")
    return module


@pytest.fixture(scope="module")
def api() -> dict:
    if not API.is_file():
        pytest.skip(f"the description of the official module is not at {API}")
    return json.loads(API.read_text(encoding="utf-8"))


# ---------------------------------------------------------------- the official description


@pytest.mark.shared
def test_the_face_has_the_official_names_and_no_other(api: dict):
    official = {*api["functions"], *api["constants"], *api["structs"]}
    ours = {name for name in vars(make_face()) if not name.startswith("__")}

    assert ours == official
    assert len(api["functions"]) == 36
    assert len(api["constants"]) == 223
    assert len(api["structs"]) == 11
    assert set(SOUND) == set(api["functions"])


@pytest.mark.shared
def test_every_constant_structure_and_table_is_the_official_one(api: dict):
    face = make_face()

    assert face.__version__ == api["version"]
    assert face.__author__ == api["author"]
    for name, fact in api["constants"].items():
        assert getattr(face, name) == fact["value"]
    for name, fact in api["structs"].items():
        struct = getattr(face, name)
        names = tuple(field["name"] for field in fact["fields"])
        assert struct.__match_args__ == names
        assert struct.n_fields == struct.n_sequence_fields == len(names)
        assert struct(range(len(names)))._asdict() == {n: i for i, n in enumerate(names)}
    for name, dtype in (("rates", RATES_DTYPE), ("ticks", TICKS_DTYPE)):
        assert dtype.itemsize == api["numpy_dtypes"][name]["itemsize"] == 60
        assert dtype.descr == [tuple(field) for field in api["numpy_dtypes"][name]["fields"]]


@pytest.mark.shared
def test_every_function_is_called_the_official_way(api: dict, face: Any):
    for name, fact in api["functions"].items():
        function = getattr(face, name)
        calling = fact["calling"]
        if calling.startswith(("positional-only", "no arguments")):
            with pytest.raises(TypeError, match="takes no keyword arguments"):
                function(*SOUND[name], nonsense=1)
        if calling.startswith("no arguments"):
            with pytest.raises(TypeError, match="takes no arguments"):
                function(1)
        if calling.startswith("positional-only"):
            needed = [one for one in fact["params"] if "default" not in one]
            for count in {0, len(needed) - 1, len(fact["params"]) + 1}:
                args = (*SOUND[name], 1, 1)[:count]
                assert function(*args) is (False if name in FALSE else None)
                assert face.last_error() == (-2, "Invalid arguments")
            limits = [
                (i, one["max_len"]) for i, one in enumerate(fact["params"]) if "max_len" in one
            ]
            for place, limit in limits:
                args = list(SOUND[name])
                args[place] = "x" * limit
                assert function(*args) in (False, None)
                assert face.last_error() == (-4, "Terminal: Not found")
                args[place] += "x"
                assert function(*args) in (False, None)
                assert face.last_error() == (-2, 'Invalid "symbol" argument')
    assert face.symbols_get(group="x" * 1997) == ()
    assert face.symbols_get(group="x" * 1998) is None


# ---------------------------------------------------------------- the rules, by calling


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_call_is_answered_and_clears_the_error(face: Any, name: str):
    face.symbol_info("NOPE")
    error = face.last_error()
    answer = getattr(face, name)(*SOUND[name])

    assert answer is not None
    if name == "last_error":
        assert answer == error == face.last_error() == (-4, "Terminal: Not found")
    else:
        assert face.last_error() == (1, "Success")


@pytest.mark.parametrize("name", sorted(set(SOUND) - FREE))
def test_without_a_connection_there_is_none(name: str):
    face = make_face()
    assert face.last_error() == (0, "")
    for _ in range(2):
        assert getattr(face, name)(*SOUND[name]) is (False if name in FALSE else None)
        assert face.last_error() == (-10004, "No IPC connection")
        assert face.initialize()
        assert face.shutdown()
        assert face.last_error() == (1, "Success")


@pytest.mark.parametrize("name", SOUND)
def test_no_function_binds_to_a_class(face: Any, name: str):
    function = getattr(face, name)
    owner = type("Owner", (), {"stored": function})

    assert not hasattr(function, "__get__")
    assert owner().stored is owner.stored is function
    assert function.__name__ == name
    assert repr(function) == f"<built-in function {name}>"
    assert copy.deepcopy(function) is function
    assert functools.wraps(function)(lambda: None).__name__ == name


WRONG = [
    ("symbol_info", (5,)),
    ("symbol_info", ("EUR\0USD",)),
    ("symbol_info", ("\ud800",)),
    ("copy_rates_from_pos", ("EURUSD", "M1", 0, 1)),
    ("copy_rates_from_pos", ("EURUSD", 1.0, 0, 1)),
    ("copy_rates_from_pos", ("EURUSD", H1, 0, 2**31)),
    ("copy_ticks_from", ("EURUSD", 0, None, -1)),
    ("order_calc_margin", (0, "EURUSD", "1", 1.1)),
    ("market_book_add", (None,)),
]


@pytest.mark.parametrize(("name", "args"), WRONG)
def test_a_wrong_type_in_parsing_is_a_system_error(name: str, args: tuple):
    face, lenient = make_face(), make_face(raises_system_error=False)
    text = f"<built-in function {name}> returned a result with an exception set"

    with pytest.raises(SystemError) as caught:
        getattr(face, name)(*args)
    assert str(caught.value) == text
    assert getattr(lenient, name)(*args) is (False if name in FALSE else None)
    assert lenient.last_error() == (-2, "Invalid arguments")


UNNAMED = (-2, "Unnamed arguments not allowed")
INVALID = (-2, "Invalid arguments")
REFUSED = [
    ("positions_get", ("EURUSD",), {}, UNNAMED),
    ("orders_get", (5,), {"ticket": 5}, UNNAMED),
    ("positions_get", (), {"ticket": "5"}, (-2, 'Invalid "ticket" argument')),
    ("positions_get", (), {"symbol": "x" * 30}, (-2, 'Invalid "symbol" argument')),
    ("orders_get", (), {"group": "x" * 1998}, (-2, 'Invalid "group" argument')),
    ("symbols_get", ("*", "*"), {}, (-2, "Invalid number of arguments")),
    ("symbols_get", (5,), {}, (-2, "Invalid 1st unnamed argument")),
    ("history_deals_get", (), {}, INVALID),
    ("history_deals_get", (0,), {}, INVALID),
    ("history_orders_get", (), {"date_from": 0, "date_to": 5}, INVALID),
    ("history_orders_get", (0, 5), {"ticket": 1}, UNNAMED),
    ("history_deals_get", (0, 5), {"position": 1}, UNNAMED),
    ("history_deals_get", (), {"ticket": 1.0, "position": 1}, (-2, 'Invalid "ticket" argument')),
    ("order_send", (), {}, INVALID),
    ("order_send", (5,), {}, INVALID),
    ("order_send", ({}, {}), {}, INVALID),
    ("order_check", (deal(),), {"volume": 0.1}, UNNAMED),
    ("initialize", ("a", "b"), {}, (-2, "Invalid number of arguments")),
    ("initialize", (5,), {}, (-2, "Invalid 1st unnamed argument")),
    ("initialize", (), {"login": "5"}, (-2, 'Invalid "login" argument')),
    ("initialize", (), {"timeout": 1.5}, (-2, 'Invalid "timeout" argument')),
    ("initialize", (), {"server": 5}, (-2, 'Invalid "server" argument')),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "error"), REFUSED)
def test_what_a_function_with_named_arguments_does_not_take(
    face: Any, name: str, args: tuple, kwargs: dict, error: tuple
):
    assert getattr(face, name)(*args, **kwargs) is (False if name in FALSE else None)
    assert face.last_error() == error


WHOLE = "action magic order deviation type type_filling type_time expiration position position_by"


@pytest.mark.parametrize("send", ["order_check", "order_send"])
def test_a_request_is_strict_about_whole_numbers_amounts_and_texts(face: Any, send: str):
    wrong = dict.fromkeys(WHOLE.split(), 1.0)
    wrong |= dict.fromkeys(("volume", "price", "stoplimit", "sl", "tp"), 1)
    wrong |= {"symbol": "x" * 30, "comment": "x" * 30}
    for field, value in wrong.items():
        for call in (getattr(face, send), lambda one: getattr(face, send)(**one)):
            assert call(deal(**{field: value})) is None
            assert face.last_error() == (-2, f'Invalid "{field}" argument')
    assert getattr(face, send)(deal(volume=np.float64(0.1), comment="x" * 29, nonsense=1))
    assert getattr(face, send)(deal(volume=np.float32(0.1))) is None
    assert getattr(face, send)(deal(magic=np.int64(1))) is None
    assert getattr(face, send)(deal(action=face.TRADE_ACTION_PENDING)).retcode == 10013


def test_a_ticket_wins_over_a_symbol_and_a_symbol_over_a_group(face: Any):
    ticket = face.Buy("EURUSD", 0.1).order

    assert len(face.positions_get(ticket=ticket, symbol="NOPE", group="NOPE")) == 1
    assert face.positions_get(ticket=1, symbol="EURUSD") == ()
    assert face.positions_get(symbol="NOPE", group="*") == ()
    assert len(face.history_deals_get(ticket=ticket, position=1)) == 1
    assert face.symbols_get("NOPE") == face.symbols_get(group="NOPE") == ()


def test_whole_numbers_of_numpy_are_counts_and_no_dates(face: Any):
    assert len(face.copy_rates_from_pos("EURUSD", np.int32(H1), np.int64(0), np.int8(3))) == 1
    assert face.order_calc_margin(0, "EURUSD", 1, np.float32(1)) == 1000.0
    for date in (np.int64(5), dt.date(2017, 1, 2), "2017-01-02", None):
        assert face.copy_ticks_from("EURUSD", date, 3, -1) is None
        assert face.last_error() == (-2, "Invalid arguments")


def test_a_login_takes_password_then_server(face: Any):
    assert face.login(1000001, "demo", "mtquant-Demo")
    assert face.login(1000001, "demo", server="mtquant-Demo", timeout=10)
    for args, kwargs, error in (
        ((1000001, "mtquant-Demo", "demo"), {}, (-6, "Terminal: Authorization failed")),
        ((0,), {}, (-2, 'Invalid "login" argument')),
        ((), {}, (-2, 'Invalid "login" argument')),
        (("1000001",), {}, (-2, "Invalid 1st unnamed argument")),
        ((1000001, 5), {}, (-2, "Invalid 2nd unnamed argument")),
        ((1000001, "demo", 5), {}, (-2, "Invalid 3rd unnamed argument")),
        ((1000001,), {"password": "x" * 254}, (-2, 'Invalid "password" argument')),
        ((1000001,), {"timeout": "long"}, (-2, 'Invalid "timeout" argument')),
        ((1, "a", "b", "c"), {}, (-2, "Invalid number of arguments")),
    ):
        assert face.login(*args, **kwargs) is False
        assert face.last_error() == error


def test_a_path_that_starts_no_terminal_is_refused(tmp_path: Path):
    face = make_face()
    program = tmp_path / "terminal64.exe"
    for path in (str(program), "/nowhere/terminal64.exe", "C:\\MT5\\notepad.exe", "MetaTrader 5"):
        assert face.initialize(path) is False
        assert face.initialize(path=path) is False
        text = f"IPC initialize failed, Process create failed '{path}'"
        assert face.last_error() == (-10003, text)
    program.touch()
    for path in (str(program), "C:\\Program Files\\MetaTrader 5\\terminal64.exe", ""):
        assert face.initialize(path)


# ---------------------------------------------------------------- depth, ticks, helpers


def test_the_depth_is_the_ask_and_the_bid_for_who_asked_for_it():
    face = make_face()
    assert face.initialize()
    assert face.market_book_get("EURUSD") is None
    assert face.market_book_add("EURUSD")
    ask, bid = face.market_book_get("EURUSD")
    assert (ask.type, ask.price) == (face.BOOK_TYPE_SELL, 1.1001)
    assert (bid.type, bid.price) == (face.BOOK_TYPE_BUY, 1.1)
    assert bid.volume == bid.volume_dbl == face.symbol_info("EURUSD").volume_max
    assert face.market_book_add("NOPE") is False
    assert face.market_book_release("EURUSD")
    assert face.market_book_get("EURUSD") is None
    assert face.last_error() == (-4, "Terminal: Not found")


def test_ticks_are_the_points_that_the_market_has_played():
    server = make_server(bars_of([110_000, 110_050, 110_050, 110_020], wick=20))
    face: Any = make_module(SimulatedTerminal(server))
    face.initialize()
    seen = []
    while True:
        tick = face.symbol_info_tick("EURUSD")
        seen.append((tick.time, tick.bid, tick.ask, tick.time_msc))
        table = face.copy_ticks_range("EURUSD", 0, 2**31 - 1, face.COPY_TICKS_ALL)
        assert table[["time", "bid", "ask", "time_msc"]].tolist() == seen
        if not server.step():
            break
    assert len(seen) == 16
    assert table.dtype == TICKS_DTYPE
    changed = [i == 0 or seen[i][1:3] != seen[i - 1][1:3] for i in range(16)]
    assert [flags != 0 for flags in table["flags"]] == changed
    info = face.copy_ticks_range("EURUSD", 0, 2**31 - 1, face.COPY_TICKS_INFO)
    assert info.tolist() == table[table["flags"] != 0].tolist()
    assert len(face.copy_ticks_from("EURUSD", 0, 9, face.COPY_TICKS_TRADE)) == 0


def test_ticks_are_exact_at_the_edges_of_their_dates(face: Any):
    server = make_server(bars_of([110_000, 110_050, 110_020], wick=20))
    face = make_module(SimulatedTerminal(server))
    face.initialize()
    while server.step():
        pass
    every = face.copy_ticks_range("EURUSD", 0, 2**31 - 1, -1)
    opened = int(every["time"][4])
    for first, last in ((opened, opened), (opened, opened + 1199), (opened, opened + 1200)):
        found = face.copy_ticks_range("EURUSD", first, last, -1)["time_msc"].tolist()
        assert found == [ms for ms in every["time_msc"] if first * 1000 <= ms <= last * 1000]
    assert face.copy_ticks_from("EURUSD", opened, 3, -1).tolist() == every[4:7].tolist()
    assert face.copy_ticks_from("EURUSD", opened + 1, 1, -1).tolist() == every[5:6].tolist()
    assert face.copy_ticks_from("EURUSD", opened + 0.9, 1, -1).tolist() == every[4:5].tolist()
    closing = int(every["time"][3])  # the last millisecond of a bar
    assert face.copy_ticks_range("EURUSD", closing, closing, -1)["time_msc"].tolist() == []
    assert len(face.copy_ticks_range("EURUSD", closing, closing + 1, -1)) == 2
    assert len(face.copy_ticks_from("EURUSD", 0, 0, -1)) == 0
    for args in (("EURUSD", 0, -1, -1), ("EURUSD", 0, 5, 3)):
        assert face.copy_ticks_from(*args) is None
        assert face.last_error() == (-2, "Invalid arguments")


def test_the_helpers_trade_at_the_market(face: Any):
    bought = face.Buy("EURUSD", 0.1, comment="mine")
    sold = face.Sell("EURUSD", 0.2, 1.1)

    assert (bought.retcode, bought.request.price, bought.request.deviation) == (10009, 1.1001, 10)
    assert (bought.request.comment, bought.request.type_filling) == ("mine", 0)
    assert (sold.retcode, sold.request.type) == (10009, face.ORDER_TYPE_SELL)
    assert face.Close("EURUSD", ticket=bought.order) is True
    assert [one.ticket for one in face.positions_get()] == [sold.order]
    assert face.Close("EURUSD") is True
    assert face.Close("EURUSD") is False
    assert face.Buy("NOPE", 0.1) is None
    assert face.Buy("EURUSD", 1) is None
    assert face.last_error() == (-2, 'Invalid "volume" argument')
    with pytest.raises(TypeError):
        face.Buy()


def test_what_is_done_before_a_call_is_done_before_every_call():
    calls: list[int] = []
    face = make_face(before_call=lambda: calls.append(1))
    for name, args in SOUND.items():
        before = len(calls)
        getattr(face, name)(*args)
        assert len(calls) > before
