"""What a halt removes where no bot runs, and what is said about what it could not remove."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mtquant.app import demo, halting
from mtquant.app.config import load_config
from mtquant.app.demo import DemoOptions, run_demo
from mtquant.app.halting import request
from mtquant.app.outage import ScriptedOutage, told_outage
from mtquant.app.results import config_of
from mtquant.app.wiring import make_plan
from mtquant.app.workspace import read_run
from mtquant.model import BotIdentity, ConfigError, HaltError, HaltOrder, IntentAction, IntentState
from mtquant.storage import SqliteJournal
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import FileLog, SimulatedServer, SimulatedTerminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mtquant.app.wiring import Plan
    from mtquant.app.workspace import Workspace
    from mtquant.engine import Progress

OWN = BotIdentity(bot=1).intent_id(4_000)
FOREIGN = 7


class DeathError(Exception):
    """Be the end of a process that nobody awaited."""


def die_in_a_position(progress: Progress) -> None:
    if progress.open_positions:
        raise DeathError


def died(folder: Path, config: Path | None = None) -> Path:
    """Return the folder of a demo that has died while a position of it stood."""
    with pytest.raises(DeathError):
        run_demo(
            DemoOptions(out=folder, outage=False, config=config), on_progress=die_in_a_position
        )
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return died(tmp_path_factory.mktemp("dead") / "bot")


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """Return a folder of a dead demo, of which a position stands."""
    return shutil.copytree(kept, tmp_path / "bot")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(demo, "_PAUSE_S", 0.0)


def halt(folder: Path, level: int = 3) -> str:
    return request(folder, level=level, who="ann", reason="news")


def at_terminal(folder: Path, work: Callable[[SimulatedTerminal], Any]) -> Any:
    """Do something at the terminal of a demo that does not run."""
    facts = read_run(folder)
    plan = make_plan(config_of(facts), is_mute=True)
    log = FileLog(folder / "terminal" / "server.jsonl", facts["fingerprint"])
    terminal = SimulatedTerminal(SimulatedServer(plan.market(), log))
    account = plan.config.venue.account
    terminal.initialize(
        login=account.login, password=account.password, server=plan.config.venue.server
    )
    terminal.symbol_select("EURUSD", True)
    try:
        return work(terminal)
    finally:
        log.close()


def positions_in(folder: Path) -> int:
    return len(at_terminal(folder, lambda terminal: terminal.positions_get()))


def orders_in(folder: Path) -> list[int]:
    found = at_terminal(folder, lambda terminal: terminal.orders_get())
    return [one.ticket for one in found]


def fail_once(monkeypatch: pytest.MonkeyPatch, getter: str, call: int, times: int = 1) -> None:
    """Let a getter of the terminal answer None from its call of that number on, a few times."""
    real, real_error, calls = getattr(SimulatedTerminal, getter), SimulatedTerminal.last_error, [0]

    def is_failing() -> bool:
        return call <= calls[0] < call + times

    def flaky(self: SimulatedTerminal, *given: Any, **named: Any) -> Any:
        calls[0] += 1
        return None if is_failing() else real(self, *given, **named)

    def last_error(self: SimulatedTerminal) -> Any:
        return (-10005, "IPC timeout") if is_failing() else real_error(self)

    monkeypatch.setattr(SimulatedTerminal, getter, flaky)
    monkeypatch.setattr(SimulatedTerminal, "last_error", last_error)


# ---------------------------------------------------------------------- a terminal without answers


@pytest.mark.parametrize(
    ("getter", "call"),
    [("positions_get", 1), ("orders_get", 1), ("history_deals_get", 1), ("account_info", 3)],
)
def test_a_terminal_that_fails_once_is_asked_again_until_the_halt_is_carried_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, getter: str, call: int
) -> None:
    monkeypatch.setattr(demo, "_PATIENCE_S", 20.0)
    fail_once(monkeypatch, getter, call)

    said = halt(folder)

    assert said.endswith("it was carried out at the terminal; no position stands on the account")
    monkeypatch.undo()
    assert positions_in(folder) == 0


def test_what_was_not_read_is_not_said_to_be_carried_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_once(monkeypatch, "positions_get", 1, times=1_000)

    with pytest.raises(
        HaltError, match=r"stands, but it was not carried out .* did not answer"
    ) as no:
        halt(folder)

    assert "no position" not in str(no.value)
    monkeypatch.undo()
    assert positions_in(folder) == 1
    with closing(SqliteJournal.attach(folder / "journal.sqlite")) as journal:
        assert [one.level for one in journal.pending_halts()] == [3]


def test_a_link_that_is_lost_after_the_halt_was_taken_up_is_no_success_either(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_once(monkeypatch, "positions_get", 3, times=1_000)

    with pytest.raises(HaltError, match="it was not carried out"):
        halt(folder)

    monkeypatch.undo()
    assert positions_in(folder) == 1


# ---------------------------------------------------------------------- what is left


def refusing(monkeypatch: pytest.MonkeyPatch, action: int) -> None:
    """Let the broker refuse requests of one kind: it gets a volume or a ticket that is none."""
    real = SimulatedTerminal.order_send

    def order_send(self: SimulatedTerminal, wanted: dict[str, Any]) -> Any:
        if wanted["action"] != action:
            return real(self, wanted)
        return real(self, wanted | {"order": 99_999_999, "volume": 0.001})

    monkeypatch.setattr(SimulatedTerminal, "order_send", order_send)


def place_order(folder: Path, magic: int) -> int:
    """Leave a pending order at the terminal; return its ticket."""

    def place(terminal: Any) -> int:
        bid = terminal.symbol_info_tick("EURUSD").bid
        placed = terminal.order_send(
            {
                "action": mt5.TRADE_ACTION_PENDING,
                "symbol": "EURUSD",
                "volume": 0.5,
                "type": mt5.ORDER_TYPE_BUY_LIMIT,
                "price": round(bid - 0.02, 5),
                "sl": round(bid - 0.05, 5),
                "magic": magic,
                "type_time": mt5.ORDER_TIME_GTC,
                "type_filling": mt5.ORDER_FILLING_RETURN,
            }
        )
        assert placed.retcode == mt5.TRADE_RETCODE_DONE
        return int(placed.order)

    return int(at_terminal(folder, place))


@pytest.mark.parametrize(("level", "magic"), [(2, OWN), (4, FOREIGN)])
def test_a_pending_order_that_could_not_be_removed_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, level: int, magic: int
) -> None:
    ticket = place_order(folder, magic)
    refusing(monkeypatch, mt5.TRADE_ACTION_REMOVE)

    with pytest.raises(HaltError, match="stands, but not all of it was carried out") as left:
        halt(folder, level)

    assert f"1 pending orders stand on the account: EURUSD 0.5 lots, ticket {ticket}" in str(
        left.value
    )
    monkeypatch.undo()
    assert orders_in(folder) == [ticket]


def test_a_pending_order_of_somebody_else_is_named_and_no_failure(folder: Path) -> None:
    ticket = place_order(folder, FOREIGN)

    said = halt(folder)

    assert "no position stands on the account; 1 pending orders stand on the account: " in said
    assert orders_in(folder) == [ticket]


def test_what_was_refused_is_tried_again_by_the_same_command_while_the_market_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as closed:
        refusing(closed, mt5.TRADE_ACTION_DEAL)
        for _ in range(3):
            with pytest.raises(HaltError, match="1 positions stand on the account"):
                halt(folder)

    assert "no position stands" in halt(folder)
    assert positions_in(folder) == 0


def test_an_entry_of_unknown_outcome_is_no_success(folder: Path) -> None:
    with closing(SqliteJournal.open(folder / "journal.sqlite", owner="demo", now_ms=1)) as journal:
        row = [one for one in journal.intents() if one.intent.action is IntentAction.OPEN][-1]
        intent = replace(row.intent, trigger="bar:1", signal_id="x")
        journal.record_sending(
            replace(
                row,
                intent_id=row.intent_id + 900,
                intent=intent,
                state=IntentState.SENDING,
                order_ticket=0,
                filled_units=0,
                detail="",
            )
        )

    with pytest.raises(HaltError, match=r"not all of it .*; 1 orders have no known outcome yet"):
        halt(folder)
    assert positions_in(folder) == 0


def buy(folder: Path) -> None:
    """Open a position that is not the bot's."""

    def bought(terminal: Any) -> int:
        ask = terminal.symbol_info_tick("EURUSD").ask
        placed = terminal.order_send(
            {
                "action": mt5.TRADE_ACTION_DEAL,
                "symbol": "EURUSD",
                "volume": 0.03,
                "type": mt5.ORDER_TYPE_BUY,
                "price": ask,
                "deviation": 20,
                "magic": FOREIGN,
                "type_filling": mt5.ORDER_FILLING_FOK,
            }
        )
        return int(placed.retcode)

    assert at_terminal(folder, bought) == mt5.TRADE_RETCODE_DONE


@pytest.mark.parametrize("is_writable", [True, False])
def test_without_a_journal_the_level_that_the_file_asks_for_is_carried_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, is_writable: bool
) -> None:
    buy(folder)
    for path in folder.glob("journal.sqlite*"):
        path.unlink()
    (folder / "HALT").write_text("4 everything out", encoding="utf-8")
    if is_writable:
        assert "asks for level 4; no bot runs here, so it was carried out" in halt(folder)
    else:
        monkeypatch.setattr(halting, "write_halt_file", unwritable)
        with pytest.raises(HaltError, match=r"no room: it asks for level 4, .* so it was carried"):
            halt(folder)

    assert positions_in(folder) == 0


def unwritable(_folder: Path, _order: HaltOrder) -> int:
    raise ConfigError("no room")


# ---------------------------------------------------------------------- somebody's strategy

MINE = """
from mtquant.strategy import SmaCrossover

class Mine(SmaCrossover):
    pass
"""


def configured(folder: Path, **changed: Any) -> Path:
    """Write the demo's configuration with other sections into a file of a folder."""
    path = folder / "my.yaml"
    path.write_text(yaml.safe_dump(dict(load_config().raw) | changed), encoding="utf-8")
    return path


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return the file of a strategy, and the folder of a dead demo that ran it."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    source = tmp_path / "halted_strategy.py"
    source.write_text(MINE, encoding="utf-8")
    strategy = {"name": "halted_strategy:Mine", "parameters": {"fast": 20, "slow": 50}}
    try:
        folder = died(tmp_path / "bot", config=configured(tmp_path, strategy=strategy))
    finally:
        sys.modules.pop("halted_strategy", None)
    return source, folder


@pytest.mark.parametrize(
    "text",
    [
        "class Mine(",
        f"{MINE}    def on_start(self, bars):\n        raise ValueError('mine')\n",
        f"{MINE}    def on_bar(self, bars):\n        raise SystemExit\n",
        "raise SystemExit",
        None,
    ],
)
def test_a_halt_closes_whatever_has_become_of_the_strategy(
    mine: tuple[Path, Path], text: str | None
) -> None:
    source, folder = mine
    if text is None:
        source.unlink()
    else:
        source.write_text(text, encoding="utf-8")
    assert positions_in(folder) == 1

    said = halt(folder)

    assert said.endswith("it was carried out at the terminal; no position stands on the account")
    assert "halted_strategy" not in sys.modules
    assert positions_in(folder) == 0


def test_a_defect_is_told_in_a_line_that_says_that_the_halt_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise KeyError("slot")

    monkeypatch.setattr(demo, "plan_engine", broken)

    with pytest.raises(HaltError, match=r"the halt stands, but it was not .* \(KeyError: 'slot'\)"):
        halt(folder)


def test_a_demo_remembers_its_outage_which_cannot_be_drawn_without_its_strategies(
    tmp_path: Path,
) -> None:
    plans: list[ScriptedOutage | None] = []
    with pytest.raises(DeathError):
        run_demo(
            DemoOptions(out=tmp_path / "bot"),
            on_plan=lambda _plan, outage, _workspace: plans.append(outage),
            on_progress=die_in_a_position,
        )

    said = halt(tmp_path / "bot")

    assert plans[0] is not None
    assert told_outage(read_run(tmp_path / "bot")["outage_ms"]) == plans[0]
    assert "no position stands" in said


@pytest.mark.parametrize("facts", [None, [], [1], "12", {"from_ms": 1}])
def test_an_outage_that_is_not_told_is_none(facts: object) -> None:
    assert told_outage(facts) is None


# ---------------------------------------------------------------------- what the folder tells


def test_a_password_in_the_configuration_does_not_take_the_halt_away(tmp_path: Path) -> None:
    venue = load_config().raw["venue"]
    account = venue["account"] | {"password": "s3cret-word"}
    config = configured(tmp_path, venue=venue | {"account": account})
    folder = died(tmp_path / "bot", config=config)

    assert "no position stands" in halt(folder)
    assert positions_in(folder) == 0
    assert "s3cret-word" not in (folder / "run.json").read_text(encoding="utf-8")
    options = DemoOptions(out=folder, outage=False, config=config)
    with pytest.raises(DeathError):
        run_demo(options, on_plan=die)  # it is taken for the same run, and goes on
    assert read_run(folder)["config"]["venue"]["account"]["password"] == "***"


def die(_plan: Plan, _outage: ScriptedOutage | None, workspace: Workspace) -> None:
    assert workspace.is_continued
    workspace.release()
    raise DeathError


def changed_facts(folder: Path, **changed: Any) -> None:
    facts = {k: v for k, v in (read_run(folder) | changed).items() if v is not None}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")


def test_a_folder_that_has_only_one_fingerprint_is_halted_as_well(folder: Path) -> None:
    changed_facts(folder, told_fingerprint=None)

    assert "no position stands" in halt(folder)


def test_a_folder_of_another_configuration_is_left_alone(folder: Path) -> None:
    changed_facts(folder, config=read_run(folder)["config"] | {"seed": 2})

    with pytest.raises(HaltError, match=r"cannot be told from its run.json\): start the bot$"):
        halt(folder)


def test_a_demo_that_is_continued_tells_what_it_told_at_its_first_start(folder: Path) -> None:
    first = read_run(folder)
    changed_facts(folder, told_fingerprint=None, outage_ms=None)

    with pytest.raises(DeathError):
        run_demo(DemoOptions(out=folder, outage=False), on_plan=die)

    assert read_run(folder) == first
