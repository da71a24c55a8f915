"""A server made from its log stands where the uninterrupted one stood after the last record."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminals import deal, make_server, make_terminal
from worlds import bars_of, make_venue

from mtquant.exchange import Market
from mtquant.model import DataError
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import FileLog, SimulatedServer, SimulatedTerminal

BARS = bars_of([110_000 + 40 * (i % 5) - 25 * (i % 3) for i in range(12)], wick=20)


def state(server: SimulatedServer) -> tuple:
    market, book = server.market, server.book
    ledger = book.ledger
    return (
        (market.bar, market.step, book.account(), book.positions()),
        (tuple(ledger.orders), tuple(ledger.deals), ledger.next_order, ledger.next_deal),
    )


class Watched(SimulatedServer):
    """Remember the state after every record, by the size of the file."""

    def __init__(self, log: FileLog, path: Path) -> None:
        slippage = np.random.default_rng(1).integers(-2, 5, (len(BARS), 2)).astype(np.int32)
        self.path = path
        self.states: dict[int, tuple] = {}
        super().__init__(Market(make_venue(deposit=3000.0), BARS, slippage), log)
        self.remember()

    def remember(self) -> None:
        self.states[self.path.stat().st_size] = state(self)

    def touch(self) -> None:
        super().touch()
        self.remember()

    def _execute(self, record: dict[str, Any]) -> Any:
        answer = super()._execute(record)
        self.remember()
        return answer


@st.composite
def actions(draw: st.DrawFn) -> tuple:
    kind = draw(st.sampled_from(["step", "step", "open", "open", "close", "modify", "look"]))
    volume = draw(st.sampled_from([0.1, 1.0, 3.0, 0.015]))
    side = draw(st.sampled_from([0, 1]))
    distance = draw(st.sampled_from([0.0, 0.0002, 0.0015]))
    return kind, volume, side, distance, draw(st.integers(0, 3))


def play(terminal: SimulatedTerminal, server: SimulatedServer, action: tuple) -> None:
    kind, volume, side, distance, which = action
    if kind == "step":
        server.step()
        return
    if kind == "look":
        terminal.account_info()
        return
    tick = terminal.symbol_info_tick("EURUSD")
    stop = round(tick.bid - distance if side == 0 else tick.ask + distance, 5) if distance else 0.0
    if kind == "open":
        terminal.order_send(deal(volume=volume, type=side, sl=stop))
        return
    positions = terminal.positions_get()
    if not positions:
        return
    position = positions[which % len(positions)]
    request = {"symbol": "EURUSD", "position": position.ticket, "magic": 9}
    if kind == "close":
        request |= deal(volume=min(volume, position.volume), type=1 - position.type) | request
    else:
        request |= {"action": mt5.TRADE_ACTION_SLTP, "sl": stop}
    terminal.order_send(request)


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
    assert json.loads(lines[-1])["open"]["magic"] == 7


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
        b'{"version":1}\n',
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
        {"t": None, "open": {}},
        {"dance": {}},
        {"open": []},
        {"open": {"symbol": "EURUSD"}},
        {"close": {"ticket": "1", "units": 1, "magic": 1, "comment": ""}},
        {"modify": {"ticket": 1, "stop": 1.5, "target": 0}},
        {"modify": {"ticket": 1, "stop": 1, "target": 0}, "close": {}},
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
