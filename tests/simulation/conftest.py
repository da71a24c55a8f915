"""Tell, wherever the tests ran, which schedules were played and what killed the mutants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.campaign import FRESH, FRESH_OF_MUTANTS
from simulation.schedule import RECENT_AGES

if TYPE_CHECKING:
    import pytest

KILLED = "fresh kills"  # the property of a test report: mutant, kills, schedules


def pytest_report_header() -> str:
    """Name the fresh schedules, as `run.py simulate --seeds` takes them."""
    fresh, of_mutants = (
        f"{seeds[0].number}:{seeds[-1].number + 1}" for seeds in (FRESH, FRESH_OF_MUTANTS)
    )
    ages = ", ".join(map(str, RECENT_AGES))
    return f"simulation: fresh seeds {fresh} of ages {ages} in turn, mutants also {of_mutants}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many fresh schedules killed each mutant; reports come from the workers too."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    told = (found for report in reports for found in getattr(report, "user_properties", ()))
    rows = sorted(value for name, value in told if name == KILLED)
    if rows:
        terminalreporter.section("mutants that fresh seeds kill")
        terminalreporter.write_line(str(pytest_report_header()))
    for mutant, kills, schedules in rows:
        terminalreporter.write_line(f"{mutant:28} {kills:3} of {schedules}")
