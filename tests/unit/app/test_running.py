"""What surrounds a run: the scripted outage, watchers that fail, halts from outside."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
from worlds import Scripted, World, bars_of

from mtquant.app.config import load_config
from mtquant.app.guard import GuardedStrategy, guarded
from mtquant.app.halting import request
from mtquant.app.outage import draw_outage
from mtquant.app.results import make_results
from mtquant.app.wiring import Plan, make_plan, run_backtest
from mtquant.model import ConfigError, Direction, HaltError, Publish, Reason, Signal
from mtquant.storage import SqliteJournal
from mtquant.storage.halt_file import read_halt_file

if TYPE_CHECKING:
    from pathlib import Path

    from mtquant.strategy import BarsView


def plan_of(seed: int) -> Plan:
    return make_plan(load_config(overrides={"seed": seed}))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_outage_is_drawn_around_a_stop_in_the_middle_of_the_year(seed: int) -> None:
    plan = plan_of(seed)

    outage = draw_outage(plan)

    assert outage is not None
    deals = run_backtest(plan).book.ledger.deals
    stops = [d.time_ms for d in deals if d.reason is Reason.STOP_LOSS]
    assert any(outage.from_ms < time_ms < outage.to_ms for time_ms in stops)
    span = plan.bars.time_ms[-1] - plan.bars.time_ms[0]
    assert 0.3 < (outage.from_ms - plan.bars.time_ms[0]) / span < 0.7


def test_the_outage_begins_after_the_opening_tick_of_a_bar() -> None:
    outage = draw_outage(plan_of(1))

    assert outage is not None
    assert np.isin(outage.from_ms - 1, plan_of(1).bars.time_ms)


def test_seeds_draw_different_outages() -> None:
    assert len({draw_outage(plan_of(seed)) for seed in range(4)}) > 1


def a_note(name: str = "signal_raised") -> Publish:
    return Publish(name=name, time_ms=0, correlation_id="")


def test_a_watcher_that_fails_is_switched_off_and_logged_not_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[str] = []

    def failing(event: Publish) -> None:
        calls.append(event.name)
        raise OSError("disk full")

    watch = guarded(failing, "event log")
    with caplog.at_level(logging.ERROR):
        watch(a_note())
        watch(a_note())

    assert calls == ["signal_raised"]


def test_a_halt_is_put_into_the_journal_of_a_bot_that_runs(tmp_path: Path) -> None:
    journal = SqliteJournal.open(tmp_path / "journal.sqlite")

    said = request(tmp_path, level=1, who="ann", reason="news")

    assert "halt level 1, by ann; the bot takes it up before its next order" in said
    assert [(h.level, h.who, h.reason) for h in journal.pending_halts()] == [(1, "ann", "news")]
    journal.close()


@pytest.mark.parametrize(
    ("level", "who", "reason", "said"),
    [(1, "ann", " ", "--reason must say why"), (0, " ", "over", "--who must name the person")],
)
def test_nobody_and_no_reason_are_refused(
    tmp_path: Path, level: int, who: str, reason: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        request(tmp_path, level=level, who=who, reason=reason)


def test_a_halt_that_cannot_be_carried_out_stands_all_the_same(tmp_path: Path) -> None:
    SqliteJournal.open(tmp_path / "journal.sqlite").close()  # and nothing says what ran here

    with pytest.raises(HaltError, match=r"the halt stands, but .* \(.*no run in this folder"):
        request(tmp_path, level=3, who="ann", reason="news")
    with closing(SqliteJournal.attach(tmp_path / "journal.sqlite")) as journal:
        assert [halt.level for halt in journal.pending_halts()] == [3]


def test_a_damaged_journal_does_not_take_the_kill_switch_away(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    SqliteJournal.open(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update log set body = '{}'")

    said = request(tmp_path, level=1, who="ann", reason="news")

    assert "the journal is damaged" in said
    halt = read_halt_file(tmp_path)
    assert halt is not None
    assert (halt.level, halt.reason) == (1, "by ann: news")
    with pytest.raises(ConfigError, match="HALT is there and halts the bot"):
        request(tmp_path, level=0, who="ann", reason="over")


def test_a_halt_says_what_a_console_made_of_its_reason(tmp_path: Path) -> None:
    SqliteJournal.open(tmp_path / "journal.sqlite").close()
    request(tmp_path, level=1, who="ann", reason="caf\udce9")
    with closing(SqliteJournal.attach(tmp_path / "journal.sqlite")) as journal:
        assert [halt.reason for halt in journal.pending_halts()] == ["caf\\udce9"]


@pytest.mark.parametrize("answers", [True, False])
def test_a_strategy_that_fails_live_is_switched_off_and_its_exits_go_on(*, answers: bool) -> None:
    class Failing(Scripted):
        def on_bar(self, bars: BarsView) -> Signal | None:
            if bars.index == 3:
                if answers:
                    return "LONG"  # type: ignore[return-value]
                raise ZeroDivisionError("mine")
            return super().on_bar(bars)

    closes = [110_000, 110_000, 110_000, 110_000, 109_500, *[109_500] * 6]
    script = [None, Direction.LONG, *[Direction.LONG] * 9]
    world = World(bars=bars_of(closes), strategy=lambda: GuardedStrategy(Failing(script)))

    run = world.live()

    assert [deal.reason for deal in run.journal.deals()[1:]] == [Reason.EXPERT, Reason.STOP_LOSS]


def test_a_finished_run_takes_no_halt(tmp_path: Path) -> None:
    SqliteJournal.open(tmp_path / "journal.sqlite").close()
    (tmp_path / "summary.json").write_text("{}", encoding="utf-8")

    with pytest.raises(ConfigError, match="the run in this folder is finished"):
        request(tmp_path, level=1, who="ann", reason="news")


def test_a_bot_with_one_position_makes_the_same_trades_on_a_netting_account() -> None:
    hedging = load_config()
    raw = dict(hedging.raw)
    raw["venue"] = raw["venue"] | {"account": raw["venue"]["account"] | {"margin_mode": "netting"}}
    netting = load_config(raw=raw)

    found, expected = (
        make_results(plan, run_backtest(plan).book.ledger.deals, {})[0]
        for plan in (make_plan(netting), make_plan(hedging))
    )

    assert found == expected
