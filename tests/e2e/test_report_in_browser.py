"""The report in a real browser, and the check that opens it there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtquant.data import SAMPLE_SPREAD_POINTS, load_sample
from mtquant.exchange import InstrumentSpec, Market, SlippageModel, VenueSpec
from mtquant.model import Side, units_from_lots
from mtquant.research import summarise, write_report

CHECK = Path(__file__).resolve().parents[2] / "scripts" / "check_report.py"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, NAMES)), reason="no Chromium is installed"
)
PLANTED = {
    "console error: planted": "<script>console.error('planted')</script>",
    "uncaught exception: Error: planted": "<script>throw new Error('planted')</script>",
    "the page scrolls sideways": '<div style="width:3000px">planted</div>',
    "Content Security Policy": '<img src="https://example.invalid/planted.png" alt="">',
}


def check(*options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECK), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """Return the report of the sample, traded back and forth."""
    spec = InstrumentSpec(
        digits=5,
        contract_size=100_000.0,
        base_currency="EUR",
        profit_currency="USD",
        spread_points=SAMPLE_SPREAD_POINTS,
        commission_per_lot=3.5,
    )
    bars, venue = load_sample(), VenueSpec(instruments={"EURUSD": spec})
    market = Market.of_bars(venue, bars, SlippageModel().draw(len(bars), seed=1))
    while market.advance():
        if market.step != 0 or market.bar % 32:
            continue
        for position in market.book.open_positions:
            market.book.close_market(position.ticket, position.units)
        side = Side.BUY if market.bar % 64 else Side.SELL
        market.book.open_market("EURUSD", side, units_from_lots(0.1))
    deals = market.book.ledger.deals
    path = tmp_path_factory.mktemp("report") / "report.html"
    summary = summarise(bars, deals, venue)
    write_report(
        path, "Back and forth", summary=summary, bars=bars, deals=deals, venue=venue, facts={}
    )
    return path


@pytest.mark.browser
@needs_browser
def test_the_report_opens_without_a_fault_and_has_its_picture_taken(report, tmp_path):
    result = check("--report", report, "--pictures", tmp_path)

    assert result.returncode == 0, result.stderr
    pictures = sorted(path.name for path in tmp_path.iterdir())
    assert len(pictures) == 8
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("complaint", PLANTED)
def test_a_planted_fault_is_found(report, tmp_path, complaint):
    broken = tmp_path / "broken.html"
    page = report.read_text(encoding="utf-8")
    broken.write_text(page.replace("</main>", f"{PLANTED[complaint]}</main>"), encoding="utf-8")

    result = check("--report", broken)

    assert result.returncode == 1
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.browser
@needs_browser
def test_a_request_beyond_the_file_is_found_without_any_policy(tmp_path):
    (tmp_path / "other.css").write_text("")
    page = tmp_path / "page.html"
    page.write_text(
        '<!doctype html><link rel="icon" href="data:,"><link rel="stylesheet" href="other.css">'
    )

    result = check("--report", page)

    assert result.returncode == 1
    assert "request beyond the file: file://" in result.stderr


def test_without_a_browser_the_check_says_so_in_one_line(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html>")

    result = check("--report", page, "--chromium", tmp_path / "nothing")

    assert result.returncode == 1
    assert result.stderr.startswith("check_report: Chromium was not found")
    assert result.stderr.count("\n") == 1


@pytest.mark.browser
@needs_browser
def test_a_report_that_is_not_there_is_named(tmp_path):
    result = check("--report", tmp_path / "nothing.html")

    assert result.returncode == 1
    assert "there is no report" in result.stderr
