"""The comparison with peers: what is void, what a ratio is, what is written down."""

import json
import sys
from dataclasses import replace

import compare
import environments
import job
import make_data
import numpy as np
import ours
import pytest
import table

OURS = table.Row(
    name="mtquant", job="on_bar", bars=1000, cpu_seconds=0.01, trades=1000, gross_points=50_000
)
PEER = replace(OURS, name="other", version="1.2", cpu_seconds=0.04)


def answer(**changed):
    """Return what a program prints."""
    line = {
        "name": "other",
        "version": "1.2",
        "job": "on_bar",
        "bars": 1000,
        "combinations": 1,
        "cpu_seconds": 0.04,
        "wall_seconds": 0.05,
        "repeats": 3,
        "trades": 10,
        "gross_points": 500,
        "peak_rss_mb": 40,
        "differences": [],
    }
    return line | changed


def test_a_rate_counts_every_bar_once_for_each_combination():
    assert PEER.rate == 25_000
    assert replace(PEER, combinations=200).rate == 5_000_000


def test_a_ratio_above_one_means_that_mtquant_is_faster():
    ours, peer = table.judged([OURS, PEER])

    assert peer.ratio == pytest.approx(4.0)
    assert ours.ratio is None


@pytest.mark.parametrize(
    "other", [{"bars": 2000}, {"job": "compiled"}, {"failure": "not installed"}]
)
def test_without_its_like_a_row_has_no_ratio(other):
    assert table.ratio(PEER, [replace(OURS, **other), PEER]) is None


@pytest.mark.parametrize(
    ("changed", "void"),
    [
        ({"trades": 1005}, ""),
        ({"trades": 995}, ""),
        ({"trades": 1006}, "1,006 trades where mtquant has 1,000"),
        ({"trades": 994}, "994 trades where mtquant has 1,000"),
        ({"gross_points": 50_250}, ""),
        ({"gross_points": 50_251}, "50,251 gross points where mtquant has 50,000"),
        ({"trades": 900, "differences": ("long only",)}, ""),
        ({"trades": 0, "failure": "not installed"}, ""),
        ({"job": "ticks", "trades": 1}, ""),
    ],
)
def test_a_row_is_void_beyond_half_a_percent_without_a_named_difference(changed, void):
    assert table.why_void(replace(PEER, **changed), [OURS]) == void


def test_signals_as_arrays_and_on_bar_must_make_the_same_trades():
    compiled = replace(PEER, job="compiled", trades=900)

    assert "900 trades" in table.why_void(compiled, [OURS])


def test_rounds_become_medians_and_the_largest_memory():
    row = table.merged(
        [
            answer(cpu_seconds=0.3, wall_seconds=3.0, peak_rss_mb=10),
            answer(cpu_seconds=0.1, wall_seconds=1.0, peak_rss_mb=30),
            answer(cpu_seconds=0.2, wall_seconds=2.0, peak_rss_mb=None),
        ]
    )

    assert (row.cpu_seconds, row.wall_seconds, row.peak_rss_mb) == (0.2, 2.0, 30)
    assert row.rounds == (0.3, 0.1, 0.2)
    assert row.repeats == 9


def test_rounds_that_trade_differently_are_an_error():
    with pytest.raises(ValueError, match="trades differ"):
        table.merged([answer(), answer(trades=11)])


def test_rows_survive_their_file():
    rows = table.judged([OURS, replace(PEER, trades=1, rounds=(0.1, 0.2))])

    stored = json.loads(json.dumps([table.as_json(row) for row in rows]))

    assert [table.from_json(one) for one in stored] == rows
    assert stored[1]["rate"] == 25_000


def test_the_table_shows_ratios_void_rows_and_failures_fastest_first():
    rows = table.judged(
        [
            replace(PEER, peak_rss_mb=1200),
            OURS,
            replace(PEER, name="wrong", trades=7),
            table.Row(name="absent", job="on_bar", bars=1000, failure="no wheel"),
            replace(PEER, job="sweep", combinations=200, differences=("long only",)),
        ]
    )

    text = table.tables(rows)

    lines = [line for line in text.splitlines() if line.startswith("| 1,000 |")]
    assert lines == [
        "| 1,000 | **mtquant** | 100k | – | 1,000 | – |",
        "| 1,000 | other 1.2 | 25.0k | 4.00 × | 1,000 | 1,200 MB |",
        "| 1,000 | wrong 1.2 | 25.0k | void: 7 trades where mtquant has 1,000 | 7 | – |",
        "| 1,000 | absent | not measured: no wheel | – | – | – |",
    ]
    assert "| 1,000 × 200 | other 1.2 | 5.00M | – | 1,000 | – |" in text
    assert text.endswith("* other (`sweep`): long only.\n")


@pytest.mark.parametrize(
    ("rate", "shown"), [(95.2, "95.2"), (81_234, "81.2k"), (3_456_789, "3.46M"), (2.5e9, "2.50G")]
)
def test_rates_show_three_digits(rate, shown):
    assert table.short(rate) == shown


def test_tables_go_between_the_marks_of_a_page():
    page = f"before\n{table.BEGIN}old\n{table.END}after\n"

    written = table.between_marks(page, "new")

    assert written == f"before\n{table.BEGIN}\nnew\n{table.END}after\n"
    assert table.between_marks(written, "new") == written
    with pytest.raises(ValueError, match="the page needs one"):
        table.between_marks("no marks", "new")


def test_rounds_go_through_all_programs_and_a_failure_is_not_tried_again():
    programs = [
        compare.Program(name=name, script="x.py", jobs={"on_bar": (100,)}) for name in ("a", "b")
    ]
    tasks = compare.tasks_of(programs, is_quick=False)
    asked = []

    def ask(task):
        asked.append(task.program.name)
        if task.program.name == "b":
            raise compare.FailedError("no wheel")
        return answer(name="a", bars=task.size)

    a, b = compare.measured(tasks, ask, rounds=2)

    assert asked == ["a", "b", "a"]
    assert a.rounds == (0.04, 0.04)
    assert b.failure == "no wheel"


def test_a_quick_run_measures_every_program_on_small_sizes():
    tasks = compare.tasks_of(compare.PROGRAMS, is_quick=True)

    assert {task.program.name for task in tasks} == {one.name for one in compare.PROGRAMS}
    assert max(task.size for task in tasks if task.job != "ticks") <= 20_000


def test_only_some_programs_are_measured_beside_mtquant():
    assert [one.name for one in compare.chosen(["backtrader"])] == ["mtquant", "backtrader"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('chatter'); print('{\"trades\": 1}')", None),
        ("raise SystemExit('no such job')", "no such job"),
        ("print('hello')", "answered 'hello' instead of a result"),
    ],
)
def test_a_program_answers_with_its_last_line(code, said):
    words = [sys.executable, "-c", code]
    if said is None:
        assert compare.answer_of(words) == {"trades": 1}
    else:
        with pytest.raises(compare.FailedError, match=said):
            compare.answer_of(words)


def test_a_finished_environment_is_used_again(tmp_path):
    python = tmp_path / "peer" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python.parent.mkdir(parents=True)
    python.touch()
    stamp = {"python": sys.version, "requirements": ["peer==1"]}
    (tmp_path / "peer" / environments.STAMP).write_text(json.dumps(stamp), encoding="utf-8")

    assert environments.ensure_environment(tmp_path, "peer", ["peer==1"]) == python


def test_prices_are_whole_points_that_join_and_end_where_they_began(tmp_path):
    digests = make_data.ensure_data(tmp_path, bars=10_000, quotes=6_000)
    prices = job.load_prices(tmp_path, 10_000)
    quotes = job.load_quotes(tmp_path, 6_000)

    assert np.array_equal(prices.open[1:], prices.close[:-1])
    assert (prices.low <= np.minimum(prices.open, prices.close)).all()
    assert (prices.high >= np.maximum(prices.open, prices.close)).all()
    assert prices.open[0] == prices.close[-1] == quotes.bid[-1]
    assert make_data.ensure_data(tmp_path, bars=10_000, quotes=6_000) == digests


def test_times_leave_weekends_out():
    days = job.minute_times(7 * 1440).astype("datetime64[ns]").astype("datetime64[D]")

    assert np.is_busday(days).all()


def test_crossings_are_where_one_average_leaves_the_other_behind():
    nan = float("nan")
    fast = np.array([nan, 3.0, 1.0, 2.0, 3.0, 2.0, 2.0, 1.0])
    slow = np.full(8, 2.0)

    up, down = job.crossings(fast, slow)

    assert np.flatnonzero(up).tolist() == [4]
    assert np.flatnonzero(down).tolist() == [2, 7]


def plainly(prices):
    """Do the common job in a plain loop, stop before target."""
    closes = prices.close
    fast, slow = (job.moving_average(closes, window) for window in (job.FAST, job.SLOW))
    up, down = job.crossings(fast, slow)
    side = entry = trades = gross = 0
    for bar in range(1, len(prices)):
        opened, wanted = int(prices.open[bar]), int(up[bar - 1]) - int(down[bar - 1])
        moves = []
        if wanted not in (0, side):
            moves = [opened - entry] if side else []
            side, entry = wanted, opened
        worst, best = sorted((int(one[bar]) - entry) * side for one in (prices.low, prices.high))
        if side and worst <= -job.STOP_POINTS:
            moves.append(job.STOP_POINTS)
        elif side and best >= job.TARGET_POINTS:
            moves.append(job.TARGET_POINTS)
        if side and (worst <= -job.STOP_POINTS or best >= job.TARGET_POINTS):
            side = 0
        trades += len(moves)
        gross += sum(abs(move) for move in moves)
    return job.Outcome(trades, gross)


@pytest.mark.parametrize("name", sorted({"compiled", "on_bar"} & set(ours.RUNNERS)))
def test_mtquant_does_the_common_job_as_a_plain_loop_does(tmp_path, name):
    make_data.ensure_data(tmp_path, bars=20_000, quotes=60)
    prices = job.load_prices(tmp_path, 20_000)

    outcome = ours.RUNNERS[name](prices)()

    assert outcome == plainly(prices)


def test_a_program_prints_its_measures_as_one_line(tmp_path, capsys):
    make_data.ensure_data(tmp_path, bars=100, quotes=60)
    peer = job.Peer(
        name="peer",
        package="numpy",
        prepare={"on_bar": lambda prices: lambda: job.Outcome(len(prices), 12.3)},
        differences={"on_bar": ["it only counts"]},
    )

    job.answer(peer, ["--data", str(tmp_path), "--job", "on_bar", "--size", "50", "--repeats", "2"])

    row = table.merged([json.loads(capsys.readouterr().out)])
    assert (row.name, row.version, row.job, row.bars) == ("peer", np.__version__, "on_bar", 50)
    assert (row.trades, row.gross_points, row.repeats) == (50, 12, 2)
    assert row.differences == ("it only counts",)


def test_a_program_that_trades_by_chance_is_refused(tmp_path):
    make_data.ensure_data(tmp_path, bars=100, quotes=60)
    trades = iter(range(9))
    peer = job.Peer(
        name="peer",
        package="numpy",
        prepare={"on_bar": lambda _: lambda: job.Outcome(next(trades), 0.0)},
    )

    with pytest.raises(SystemExit, match="in a repeat"):
        job.answer(peer, ["--data", str(tmp_path), "--job", "on_bar", "--size", "50"])


def test_the_stored_results_are_those_of_the_page():
    found = json.loads(compare.RESULTS.read_text(encoding="utf-8"))
    page = compare.PAGE.read_text(encoding="utf-8")
    rows = [table.from_json(row) for row in found["rows"]]

    assert table.tables(rows) in page
    assert not [row for row in rows if row.void]
