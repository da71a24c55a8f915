"""The report page: complete, harmless, self-contained, the same bytes each time."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from market_play import (
    MONDAY_MS,
    at_bars,
    buy,
    close,
    eurusd_venue,
    play,
    random_actor,
    random_bars,
    sell,
)

from mtquant.exchange import InstrumentSpec
from mtquant.research import closed_trades, render_report, summarise, write_report
from mtquant.research.equity import equity_curve
from mtquant.research.tables import monthly

EMPTY = frozenset({"meta", "link", "br", "hr", "img", "input"})
OUTSIDE = re.compile(r"""(?:src|href|action)\s*=\s*["']?+(?!data:|\#)\S|url\(|@import|https?:""")


class Outline(HTMLParser):
    """Collect what a page consists of, and refuse tags that do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def run(*, count: int = 300, seed: int = 7, act=None, title: str = "A run", facts=None, venue=None):
    bars, venue = random_bars(seed=seed, count=count), venue or eurusd_venue()
    deals = play(bars, venue, act or random_actor(seed)).deals
    return {
        "title": title,
        "summary": summarise(bars, deals, venue),
        "bars": bars,
        "deals": deals,
        "venue": venue,
        "facts": facts or {},
    }


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(**run())


def test_the_page_nests_and_names_its_language_title_and_headings(page):
    outline = Outline(page)

    assert outline.of("html") == [{"lang": "en"}]
    assert (
        len(outline.of("h1")) == len(outline.of("main")) == page.count("<title>A run</title>") == 1
    )
    assert len(outline.of("h2")) == 9
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_forbids_itself_to_load_anything_and_asks_for_nothing(page):
    policies = [m["content"] for m in Outline(page).of("meta") if "http-equiv" in m]

    assert policies == [
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    ]
    assert OUTSIDE.findall(page.replace("http://www.w3.org/2000/svg", "")) == []


def test_every_chart_says_in_words_what_it_shows(page):
    pictures = [svg for svg in Outline(page).of("svg") if svg.get("role") == "img"]

    assert len(pictures) == 4
    assert all(svg["aria-label"] for svg in pictures)
    assert len(Outline(page).of("figcaption")) == 3


def test_every_scrolling_box_has_a_name_and_takes_the_keyboard(page):
    boxes = [d for d in Outline(page).of("div") if "scroll" in (d.get("class") or "")]

    assert len(boxes) == 3
    assert all(box["role"] == "region" and box["tabindex"] == "0" for box in boxes)
    assert all(box["aria-label"] for box in boxes)


def test_every_trade_is_listed_and_marked(page):
    parts = run()
    trades = closed_trades(parts["deals"])

    listed = re.search(r'trades-table".*?</table>', page, re.DOTALL).group()
    assert listed.count('<th scope="row">') == len(trades) > 5
    assert page.count("<title>#") == len(trades)
    assert page.count('href="#m-gain" x=') == sum(t.net_minor > 0 for t in trades)


def test_the_page_says_that_it_is_no_advice(page):
    assert "An example, not advice. Past results say nothing about the future." in page


def test_the_same_run_gives_the_same_bytes(page):
    assert render_report(**run()) == page


def test_whatever_comes_from_outside_is_escaped():
    attack = "</title><script>alert(1)</script>\"'&"
    symbol = "<b>&\"'"
    spec = next(iter(eurusd_venue().instruments.values()))
    venue = replace(
        eurusd_venue(),
        server=attack,
        instruments={symbol: InstrumentSpec(**{f: getattr(spec, f) for f in spec.__slots__})},
    )
    bars = replace(random_bars(seed=1, count=60), symbol=symbol)
    deals = play(bars, venue, at_bars({})).deals

    page = render_report(
        attack,
        summary=replace(summarise(bars, deals, venue), currency=attack),
        bars=bars,
        deals=deals,
        venue=venue,
        facts={attack: attack},
    )

    assert "<script>alert" not in page
    assert "<b>" not in page
    assert len(Outline(page).of("script")) == 2


def test_facts_of_the_caller_stand_first_and_win(page):
    own = render_report(**run(facts={"Strategy": "fast 20", "Server clock": "as measured"}))

    names = re.findall(r"<div><dt>([^<]+)</dt>", own.partition('class="facts"')[2])
    assert names[:2] == ["Strategy", "Server clock"]
    assert names.count("Server clock") == 1
    assert "eet_eu" not in own


def test_a_run_without_trades_shows_dashes_that_explain_themselves():
    page = render_report(**run(act=at_bars({})))

    assert page.count('class="figure none"') == 5
    assert 'title="Not defined: there are no trades"' in page
    assert "No trades were closed." in page
    Outline(page)


def test_an_account_without_money_has_a_report_too():
    Outline(render_report(**run(act=at_bars({}), venue=eurusd_venue(deposit=0))))


@pytest.mark.parametrize("count", [1, 2, 30])
def test_a_short_run_has_a_report_too(count):
    page = render_report(**run(count=count, act=at_bars({0: buy(0.1)})))

    assert "1 position still open" in page
    assert page.count("<title>still open: BUY 0.1, 2017-01-08 22:00 1.0") == 1
    assert not re.search(r"\bnan\b|\binf\b", page)


def test_the_cursors_data_are_columns_of_one_length(page):
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1)
    data = json.loads(text)

    parts = run()
    lengths = {len(data[name]) for name in ("minutes", "price", "equity", "drawdown")}
    assert lengths == {300}
    curve = equity_curve(parts["bars"], parts["deals"], parts["venue"])
    assert data["equity"] == curve.tolist()


def test_a_year_of_hours_and_many_trades_stay_small():
    page = render_report(**run(count=6_225, seed=3))

    assert page.count("<title>#") > 200
    assert len(page.encode()) < 600_000
    points = max(path.count("L") for path in re.findall(r'd="M([^"]*)"', page))
    assert points <= 1_500


def test_months_split_the_run_at_utc_months():
    bars, venue = random_bars(seed=2, count=600), eurusd_venue()  # January into February
    deals = play(bars, venue, at_bars({5: buy(0.5), 300: close(), 500: sell(0.1)})).deals
    curve = equity_curve(bars, deals, venue)

    january, february = monthly(bars, curve, closed_trades(deals), 1_000_000)

    assert january.start_ms < MONDAY_MS < february.start_ms
    assert [len(m.nets_minor) for m in (january, february)] == [1, 0]
    assert february.end_equity_minor == curve[-1]
    grown = (1 + january.return_fraction) * (1 + february.return_fraction)
    assert grown == pytest.approx(curve[-1] / 1_000_000)


def test_a_report_is_written_whole_and_leaves_nothing_else(tmp_path):
    parts = run(count=60)
    path = tmp_path / "report.html"
    path.write_text("old")

    write_report(path, **parts)

    assert path.read_text(encoding="utf-8") == render_report(**parts)
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "missing" / "report.html"

    with pytest.raises(OSError, match="missing"):
        write_report(path, **run(count=60))

    assert list(Path(tmp_path).iterdir()) == []
