"""A server made from its log stands where the uninterrupted one stood after the last record."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminals import deal, make_server, make_terminal, pending
from worlds import bars_of, make_venue

from mtquant.exchange import AccountSpec, Market, VenueSpec
from mtquant.model import DataError, ExecutionMode, MarginMode
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import FileLog, SimulatedServer, SimulatedTerminal

BARS = bars_of([110_000 + 40 * (i % 5) - 25 * (i % 3) for i in range(12)], wick=20)


# a hedging and a netting account, and a thin market
VENUE = VenueSpec(
    account=AccountSpec(deposit=3000.0, credit=50.0, limit_requests_per_minute=20),
    more_accounts=(
        AccountSpec(login=1000002, password="two", margin_mode=MarginMode.NETTING, deposit=2000.0),
    ),
    instruments=make_venue(
        execution_mode=ExecutionMode.EXCHANGE,
        depth_points=(0, 3),
        depth_lots=(1.0, 2.0),
        margin_pending_rates=(0.5,) * 6,
    ).instruments,
)


def state(server: SimulatedServer) -> tuple:
    market = server.market
    books = tuple(
        (
            (book.account(), book.credit_minor, book.positions(), book.orders()),
            (tuple(book.ledger.orders), tuple(book.ledger.deals)),
        )
        for book in market.books.values()
    )
    tickets = server.book.ledger.tickets
    return market.bar, market.step, (tickets.next_order, tickets.next_deal), books


class Watched(SimulatedServer):
    """Remember the state after every record, by the size of the file."""

    def __init__(self, log: FileLog, path: Path) -> None:
        slippage = np.random.default_rng(1).integers(-2, 5, (len(BARS), 2)).astype(np.int32)
        self.path = path
        self.states: dict[int, tuple] = {}
        super().__init__(Market.of_bars(VENUE, BARS, slippage), log)
        self.remember()

    def remember(self) -> None:
        self.states[self.path.stat().st_size] = state(self)

    def touch(self) -> None:
        super().touch()
        self.remember()

    def execute(self, request: Any, login: int | None = None) -> Any:
        answer = super().execute(request, login)
        self.remember()
        return answer

    def deposit(self, amount_minor: int, comment: str = "", login: int | None = None) -> None:
        super().deposit(amount_minor, comment, login)
        self.remember()

    def grant_credit(self, amount_minor: int, comment: str = "", login: int | None = None) -> None:
        super().grant_credit(amount_minor, comment, login)
        self.remember()


KINDS = (
    *("step", "step", "step", "open", "open", "close", "modify", "look", "login"),
    *("pending", "pending", "change", "remove", "close_by", "deposit", "credit"),
)


@st.composite
def actions(draw: st.DrawFn) -> tuple:
    kind = draw(st.sampled_from(KINDS))
    volume = draw(st.sampled_from([0.1, 1.0, 3.0, 0.015]))
    side = draw(st.sampled_from([0, 1]))
    distance = draw(st.sampled_from([0.0, 0.0002, 0.0015]))
    return kind, volume, side, distance, draw(st.integers(0, 3))


def play(terminal: SimulatedTerminal, server: SimulatedServer, action: tuple) -> None:
    kind, _, _, distance, which = action
    if kind == "step":
        server.step()
    elif kind == "look":
        terminal.account_info()
    elif kind == "login":
        terminal.login(1000001 + which % 2)
    elif kind == "deposit":
        server.deposit(1000 * which - 1500, "wire", 1000001 + which % 2)
    elif kind == "credit":
        server.grant_credit(500 * which - 700, "bonus", 1000001 + which % 2)
    else:
        request = request_of(terminal, action, distance)
        if request:
            terminal.order_send(request)


def request_of(terminal: SimulatedTerminal, action: tuple, distance: float) -> dict[str, Any]:
    if action[0] in {"open", "pending"}:
        return opening(terminal, action, distance)
    if action[0] in {"change", "remove"}:
        return changing(terminal, action, distance)
    return closing(terminal, action, distance)


def near(terminal: SimulatedTerminal, side: int, distance: float) -> float:
    tick = terminal.symbol_info_tick("EURUSD")
    price = tick.bid - distance if side == 0 else tick.ask + distance
    return round(price, 5) if distance else 0.0


def opening(terminal: SimulatedTerminal, action: tuple, distance: float) -> dict[str, Any]:
    kind, volume, side, _, which = action
    if kind == "open":
        stop = near(terminal, side, distance)
        return deal(volume=volume, type=side, sl=stop, type_filling=which % 3)
    number = 2 + which if which < 2 else 4 + which % 2
    price = near(terminal, side, 0.001)
    return pending(number, volume=volume, price=price, type_time=which % 2)


def changing(terminal: SimulatedTerminal, action: tuple, distance: float) -> dict[str, Any]:
    waiting = terminal.orders_get()
    if not waiting:
        return {}
    order = waiting[action[4] % len(waiting)]
    number = mt5.TRADE_ACTION_MODIFY if action[0] == "change" else mt5.TRADE_ACTION_REMOVE
    price = round(order.price_open + (distance or 0.0001), 5)
    return {"action": number, "order": order.ticket, "price": price}


def closing(terminal: SimulatedTerminal, action: tuple, distance: float) -> dict[str, Any]:
    kind, volume, side, _, which = action
    positions = terminal.positions_get()
    if not positions:
        return {}
    position, other = positions[which % len(positions)], positions[-1]
    request = {"symbol": "EURUSD", "position": position.ticket, "magic": 9}
    if kind == "close":
        return deal(volume=min(volume, position.volume), type=1 - position.type) | request
    if kind == "close_by":
        return request | {"action": mt5.TRADE_ACTION_CLOSE_BY, "position_by": other.ticket}
    stop = near(terminal, side, distance)
    return request | {"action": mt5.TRADE_ACTION_SLTP, "sl": stop}


def played_whole(path: Path) -> tuple[Watched, SimulatedTerminal]:
    """Play a fixed script of every kind of action on both accounts."""
    log = FileLog(path, "print")
    server = Watched(log, path)
    terminal = make_terminal(server)
    for number in range(150):
        kind = KINDS[number * 7 % len(KINDS)]
        volume = (0.1, 1.0, 3.0, 0.5)[number % 4]
        play(terminal, server, (kind, volume, number // 3 % 2, 0.0015, number // 5 % 4))
    log.close()
    return server, terminal


def test_every_prefix_of_the_log_gives_the_books_of_its_moment(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    server, _ = played_whole(path)
    content, states = path.read_bytes(), server.states
    kinds = {name for line in content.splitlines() for name in json.loads(line)}

    assert kinds >= {"order", "stops", "change", "cancel", "close_by", "deposit", "credit"}
    assert len(states) > 100
    for size, expected in states.items():
        path.write_bytes(content[:size])
        log = FileLog(path, "print")
        assert state(Watched(log, path)) == expected
        log.close()


def test_equal_calls_give_equal_bytes(tmp_path: Path):
    histories = []
    for name in ("one", "two"):
        _, terminal = played_whole(tmp_path / name)
        for login in (1000001, 1000002):
            assert terminal.login(login)
            answers = (terminal.history_orders_get(0, 2**31), terminal.history_deals_get(0, 2**31))
            histories.append(repr((*answers, terminal.account_info())))

    assert histories[:2] == histories[2:]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.lists(actions(), min_size=1, max_size=40), st.floats(0, 1), st.booleans())
def test_a_killed_server_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, played: list, cut: float, on_a_record: bool
):
    path = tmp_path_factory.mktemp("server") / "log.jsonl"
    log = FileLog(path, "print")
    first = Watched(log, path)
    terminal = make_terminal(first)
    for action in played:
        play(terminal, first, action)
    log.close()

    size = int(path.stat().st_size * cut)
    if on_a_record:
        size = max([at for at in first.states if at <= size], default=0)
    os.truncate(path, size)
    log = FileLog(path, "print")
    again = Watched(log, path)

    whole = max([at for at in first.states if at <= size], default=min(first.states))
    assert state(again) == first.states[whole]
    for action in played:
        play(make_terminal(again), again, action)
    log.close()


def test_a_record_is_in_the_file_before_the_answer_is_given(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log = FileLog(path, "print")
    server = make_server(log=log)
    terminal = make_terminal(server)
    answer = terminal.order_send(deal())
    lines = path.read_bytes().splitlines()
    log.close()

    assert answer.retcode == mt5.TRADE_RETCODE_DONE
    assert json.loads(lines[-1])["order"]["magic"] == 7
    assert json.loads(lines[-1])["account"] == 1000001


def test_a_torn_record_is_cut_off_and_counts_as_never_sent(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log = FileLog(path, "print")
    terminal = make_terminal(make_server(log=log))
    terminal.order_send(deal())
    log.close()
    path.write_bytes(path.read_bytes()[:-3])

    log = FileLog(path, "print")
    terminal = make_terminal(make_server(log=log))
    log.close()
    assert terminal.positions_get() == ()
    assert path.read_bytes().endswith(b"\n")


def test_another_fingerprint_is_refused_and_the_file_left_alone(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    FileLog(path, "print").close()
    path.write_bytes(path.read_bytes() + b'{"t":')
    before = path.read_bytes()

    with pytest.raises(DataError, match="another venue, data or seed"):
        FileLog(path, "other")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "lines",
    [
        b"garbage\n",
        b"5\n",
        b"[]\n",
        b'{"version":99}\n',
        b'{"version":1,"fingerprint":"print"}\n',
        b'{"version":2}\n',
        b"\xff\xfe\n",
        b"\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, lines: bytes):
    path = tmp_path / "log.jsonl"
    path.write_bytes(lines)

    with pytest.raises(DataError, match=r"log\.jsonl"):
        FileLog(path, "print")


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"t": "soon"},
        {"t": True},
        {"t": 5},
        {"t": None, "order": {}},
        {"account": 1000001},
        {"dance": {}},
        {"account": 1000001, "dance": {}},
        {"account": 1000001, "order": []},
        {"account": 1000001, "order": {"symbol": "EURUSD"}},
        {"cancel": {"order_ticket": 1}},
        {"account": 5, "cancel": {"order_ticket": 1}},
        {"account": True, "cancel": {"order_ticket": 1}},
        {"account": 1000001, "cancel": {"order_ticket": "1"}},
        {"account": 1000001, "cancel": {"order_ticket": 1, "magic": 2}},
        {"account": 1000001, "close_by": {"position_ticket": 1, "by_ticket": 2}},
        {"account": 1000001, "stops": {"symbol": "EURUSD", "stop": 1.5, "target": 0}},
        {"account": 1000001, "cancel": {"order_ticket": 1}, "deposit": {}},
        {"account": 1000001, "deposit": {"amount_minor": 5}},
    ],
    ids=str,
)
def test_a_record_that_no_server_writes_is_refused(tmp_path: Path, record: dict):
    path = tmp_path / "log.jsonl"
    log = FileLog(path, "print")
    log.write({"t": make_server().now_ms} | record)
    log.write({"t": 1})
    log.close()
    log = FileLog(path, "print")

    with pytest.raises(DataError, match="server's log"):
        make_server(log=log)
    log.close()


def test_a_folder_that_cannot_hold_a_log_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "log.jsonl"):
        with pytest.raises(DataError, match="cannot be used"):
            FileLog(path, "print")


def test_what_could_not_be_written_whole_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "log.jsonl"
    log = FileLog(path, "print")
    before = path.read_bytes()
    whole = os.write
    monkeypatch.setattr(os, "write", lambda file, data: whole(file, data[:4]))

    with pytest.raises(OSError, match="only 4 of"):
        log.write({"t": 1})
    monkeypatch.undo()
    log.close()
    assert path.read_bytes() == before


def test_a_log_that_goes_on_after_the_prices_end_is_refused(tmp_path: Path):
    log = FileLog(tmp_path / "server.jsonl", "one")
    server = SimulatedServer(Market.of_bars(VENUE, BARS), log)
    while server.step():
        pass
    server.touch()
    log.close()

    shorter = Market.of_bars(VENUE, BARS[:6])
    with pytest.raises(DataError, match="this market's prices end at"):
        SimulatedServer(shorter, FileLog(tmp_path / "server.jsonl", "one"))
