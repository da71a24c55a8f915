"""Tell, wherever the tests ran, which schedules were played and what killed the mutants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.campaign import FRESH, FRESH_OF_MUTANTS
from simulation.schedule import AGE

if TYPE_CHECKING:
    import pytest

KILLED = "fresh kills"  # the property of a test report: mutant, kills, schedules


def pytest_report_header() -> str:
    """Name the fresh schedules."""
    mutants = f"mutants also {FRESH_OF_MUTANTS[0]}:{FRESH_OF_MUTANTS[-1] + 1}"
    return f"simulation: fresh seeds {FRESH[0]}:{FRESH[-1] + 1} of age {AGE}, {mutants}"


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
