"""The arithmetic of the comparison: rates, ratios, what makes a row void, and the tables.

Rates are bars per CPU second (quotes per CPU second for ticks; a sweep counts every bar once for
each combination). Only the standard library is needed.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

OURS: Final = "mtquant"
TOLERANCE: Final = 0.005  # of the trades, and of how far they went in sum
SAME_TRADES: Final = frozenset({"compiled", "on_bar"})  # two ways to do one job
TITLES: Final = {
    "compiled": "One run, signals as arrays or compiled",
    "on_bar": "One run, a Python strategy called on every bar",
    "sweep": "A sweep of windows",
    "ticks": "Quotes, one a second",
}
BEGIN: Final = "<!-- peers: begin -->\n"
END: Final = "<!-- peers: end -->\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Hold what one program did on one job of one size, medians over all rounds.

    `ratio` is the rate of mtquant over that of the program: above 1 mtquant is faster. `void` says
    why the row must not be compared; `failure` why there is nothing to compare.
    """

    name: str
    job: str
    bars: int
    version: str = ""
    combinations: int = 1
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    rounds: tuple[float, ...] = ()  # CPU seconds of each
    repeats: int = 0
    trades: int = 0
    gross_points: int = 0
    peak_rss_mb: int | None = None
    differences: tuple[str, ...] = ()
    ratio: float | None = None
    void: str = ""
    failure: str = ""

    @property
    def rate(self) -> float:
        """Return bars (or quotes) per CPU second, 0 where nothing was measured."""
        return self.bars * self.combinations / self.cpu_seconds if self.cpu_seconds else 0.0


def merged(answers: Sequence[dict[str, Any]]) -> Row:
    """Return one row from the answers that a program gave in several rounds.

    Raises:
        ValueError: it did not make the same trades each time.
    """
    first = answers[0]
    outcomes = {(one["trades"], one["gross_points"]) for one in answers}
    if len(outcomes) > 1:
        raise ValueError(f"{first['name']}, {first['job']}: trades differ by round: {outcomes}")
    memory = [one["peak_rss_mb"] for one in answers if one["peak_rss_mb"] is not None]
    cpu = tuple(one["cpu_seconds"] for one in answers)
    return Row(
        name=first["name"],
        version=first["version"],
        job=first["job"],
        bars=first["bars"],
        combinations=first["combinations"],
        cpu_seconds=statistics.median(cpu),
        wall_seconds=statistics.median(one["wall_seconds"] for one in answers),
        rounds=cpu,
        repeats=sum(one["repeats"] for one in answers),
        trades=first["trades"],
        gross_points=first["gross_points"],
        peak_rss_mb=max(memory, default=None),
        differences=tuple(first["differences"]),
    )


def judged(rows: Iterable[Row]) -> list[Row]:
    """Return the rows with their ratios, and void where they did another job than mtquant."""
    rows = list(rows)
    return [replace(row, ratio=ratio(row, rows), void=why_void(row, rows)) for row in rows]


def ratio(row: Row, rows: Sequence[Row]) -> float | None:
    """Return the rate of mtquant over that of `row`, None for mtquant and without its like."""
    mine = next((one for one in rows if one.name == OURS and _is_alike(one, row)), None)
    if mine is None or row.name == OURS or not (mine.rate and row.rate):
        return None
    return mine.rate / row.rate


def why_void(row: Row, rows: Sequence[Row]) -> str:
    """Return why a row is void: other trades than mtquant's, and no difference that is named."""
    if row.failure or row.differences or row.name == OURS:
        return ""
    mine = _standard(row, rows)
    if mine is None:
        return ""
    for what, found, wanted in (
        ("trades", row.trades, mine.trades),
        ("gross points", row.gross_points, mine.gross_points),
    ):
        if abs(found - wanted) > TOLERANCE * wanted:
            return f"{found:,} {what} where mtquant has {wanted:,}"
    return ""


def tables(rows: Sequence[Row]) -> str:
    """Return a Markdown table of each job, and below them in what the programs differ."""
    parts = [_table(job, rows) for job in TITLES if any(row.job == job for row in rows)]
    notes = [*_notes(rows)]
    return "\n\n".join(parts + (["\n".join(notes)] if notes else [])) + "\n"


def between_marks(page: str, text: str) -> str:
    """Return a page with the text between its marks replaced.

    Raises:
        ValueError: the page has not exactly one pair of marks.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"the page needs one {BEGIN.strip()} and after it one {END.strip()}")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def as_json(row: Row) -> dict[str, Any]:
    """Return a row for the file of results, its rate with it."""
    return asdict(row) | {"rate": round(row.rate)}


def from_json(stored: dict[str, Any]) -> Row:
    """Return the row that `as_json` stored."""
    values = {key: value for key, value in stored.items() if key != "rate"}
    for name in ("rounds", "differences"):
        values[name] = tuple(values[name])
    return Row(**values)


def short(rate: float) -> str:
    """Return a rate with three digits that count.

    >>> short(81_234), short(3_456_789), short(95.2), short(2.5e9)
    ('81.2k', '3.46M', '95.2', '2.50G')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{_three_digits(rate / size)}{unit}"
    return _three_digits(rate)


def _three_digits(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _is_alike(mine: Row, row: Row) -> bool:
    return (mine.job, mine.bars) == (row.job, row.bars) and not mine.failure


def _standard(row: Row, rows: Sequence[Row]) -> Row | None:
    """Return the row of mtquant whose trades `row` must have made."""
    own = [one for one in rows if one.name == OURS and not one.failure and one.bars == row.bars]
    jobs = SAME_TRADES if row.job in SAME_TRADES else {row.job}
    alike = [one for one in own if one.job in jobs]
    return next((one for one in alike if one.job == row.job), alike[0] if alike else None)


def _table(job: str, rows: Sequence[Row]) -> str:
    unit = {"ticks": "Quotes", "sweep": "Bars × combinations"}.get(job, "Bars")
    lines = [
        f"**{TITLES[job]}**",
        "",
        f"| {unit} | Program | Per CPU second | mtquant ÷ it | Trades | Peak memory |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    own = [row for row in rows if row.job == job]
    own.sort(key=lambda row: (row.bars, -row.rate, row.name))
    return "\n".join([*lines, *(_line(row) for row in own)])


def _line(row: Row) -> str:
    size = f"{row.bars:,}" + (f" × {row.combinations}" if row.combinations > 1 else "")
    name = f"**{row.name}**" if row.name == OURS else f"{row.name} {row.version}".strip()
    if row.failure:
        return f"| {size} | {name} | not measured: {row.failure} | – | – | – |"
    times = "–" if row.ratio is None else f"{_three_digits(row.ratio)} ×"
    if row.void:
        times = f"void: {row.void}"
    memory = "–" if row.peak_rss_mb is None else f"{row.peak_rss_mb:,} MB"
    return f"| {size} | {name} | {short(row.rate)} | {times} | {row.trades:,} | {memory} |"


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    said = {}
    for row in rows:
        for difference in row.differences:
            said.setdefault((row.name, difference), []).append(row.job)
    for (name, difference), jobs in sorted(said.items()):
        where = ", ".join(dict.fromkeys(f"`{job}`" for job in jobs))
        yield f"* {name} ({where}): {difference}."
