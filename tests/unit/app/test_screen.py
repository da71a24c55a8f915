"""What a person reads while the demo runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mtquant.app.config import load_config
from mtquant.app.outage import ScriptedOutage
from mtquant.app.results import Results
from mtquant.app.screen import DemoScreen, show_results
from mtquant.app.wiring import make_plan
from mtquant.app.workspace import Workspace
from mtquant.engine import Progress
from mtquant.model import Publish

if TYPE_CHECKING:
    import pytest

LOST_MS = 1_500_876_000_000


def a_screen(*, quiet: bool = False) -> DemoScreen:
    screen = DemoScreen(quiet=quiet)
    workspace = Workspace(folder=Path(), is_continued=False)
    outage = ScriptedOutage(from_ms=LOST_MS, to_ms=LOST_MS + 3_600_000)
    screen.on_plan(make_plan(load_config()), outage, workspace)
    return screen


def progress(bars: int) -> Progress:
    return Progress(
        time_ms=LOST_MS,
        bars=bars,
        equity_minor=1_012_345,
        open_positions=1,
        drawdown=0.0123,
        is_connected=False,
    )


def told(name: str, **fields: object) -> Publish:
    return Publish(name=name, time_ms=LOST_MS, correlation_id="", fields=fields)  # type: ignore[arg-type]  # scalars


def test_progress_shows_time_equity_positions_trades_drawdown_and_a_lost_link(
    capsys: pytest.CaptureFixture[str],
) -> None:
    a_screen().on_progress(progress(3_000))

    line = capsys.readouterr().err.splitlines()[-1]
    assert line == (
        " 48% 2017-07-24 06:00  equity 10,123.45 USD  open 1  trades 0  drawdown 1.2%  NO LINK"
    )


def test_without_a_terminal_window_there_is_one_line_a_tenth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = a_screen()
    before = len(capsys.readouterr().err.splitlines())

    for bars in range(0, 1_244, 100):
        screen.on_progress(progress(bars))

    assert before == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_what_losses_lead_to_is_told_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    screen = a_screen()

    screen.on_event(told("breaker_rose", level=2, reason="equity is 6.10% below the peak"))
    screen.on_event(told("breaker_stays", level=2, reason="the cool-down"))
    screen.on_event(told("breaker_reset", who="anna", reason="looked"))
    screen.on_event(told("drawdown_reset", drawdown_fraction=0.151, who="anna", reason="looked"))
    screen.on_event(told("prop_rule_met", rule="daily_loss", what="breach"))
    screen.on_event(told("prop_rules_not_kept", firm="E8 Markets One", reasons="weekend: open"))
    screen.on_event(told("entry_warned", reasons="max_correlation: 0.90 with GBPUSD (limit 0.70)"))

    assert [line[18:] for line in capsys.readouterr().err.splitlines()[-7:]] == [
        "circuit breaker at level 2: equity is 6.10% below the peak",
        "circuit breaker stays at level 2: the cool-down",
        "circuit breaker reset by anna: looked",
        "highest value begins anew after 15.10%, by anna: looked",
        "prop rule daily_loss: breach",
        "the bot does not keep all rules of E8 Markets One: weekend: open",
        "entry let pass with a warning: max_correlation: 0.90 with GBPUSD (limit 0.70)",
    ]


def test_a_journal_that_was_rebuilt_is_told_with_what_is_forgotten(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = a_screen()

    screen.on_event(told("journal_rebuilt", positions=1, orders=0, closed_orders=12))

    line = capsys.readouterr().err.splitlines()[-1]
    assert "no journal was here, and the broker knows this bot: 1 positions, 0 orders and" in line
    assert line.endswith("halts and loss limits of an earlier one are forgotten")


def test_the_outage_is_told_in_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    screen = a_screen()
    capsys.readouterr()

    screen.on_event(told("link_lost", detail="No IPC connection (-10004)"))
    closed = {"while_away": True, "reason": "sl", "price_points": 116_425, "position_ticket": 7}
    screen.on_event(told("position_closed", **closed))
    counts = {"opened": 0, "closed": 1, "positions": 0, "unresolved": 0}
    screen.on_event(told("reconciled", cause="reconnect", away_ms=18_000_000, **counts))

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("link lost: No IPC connection (-10004); entries are off")
    assert lines[1].endswith("while away: position 7 closed by sl at 1.16425")
    assert "link restored after 5.0 hours and reconciled: 0 opened and 1 closed" in lines[2]


def test_quiet_means_nothing_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    screen = a_screen(quiet=True)
    screen.on_progress(progress(10))
    screen.on_event(told("link_lost", detail="x"))

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_what_has_no_value_is_called_undefined(capsys: pytest.CaptureFixture[str]) -> None:
    summary = {"trades": 0, "net_profit": 0.0, "sharpe": None, "trades_sha256": "ab" * 32}

    show_results(Results(summary=summary, report=None, currency="USD"))

    printed = capsys.readouterr().out
    assert "undefined" in printed
    assert "ab" * 32 in printed
