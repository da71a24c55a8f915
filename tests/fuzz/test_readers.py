"""Whatever stands in a configuration or a file, it is read, or refused by a typed error."""

import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from terminals import make_server
from worlds import bars_of

from mtquant.data import load_bars, save_bars
from mtquant.exchange import CancelRequest, VenueSpec
from mtquant.model import ConfigError, MtquantError, read
from mtquant.risk import RiskLimits
from mtquant.storage import SqliteJournal
from mtquant.terminal.simulated import FileLog

PRINTABLE = st.characters(exclude_categories=["C", "Zl", "Zp"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 12),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["forex", "cfd", "USD", "EUR", "points", "eet_eu", "utc", "hedging", "1%"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(PRINTABLE, max_size=5), inner, max_size=3),
    ),
    max_leaves=5,
)


def sections(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    known = st.dictionaries(st.sampled_from(names), SCALARS, max_size=4)
    return st.one_of(
        known, known, st.dictionaries(st.text(PRINTABLE, max_size=6), VALUES, max_size=2)
    )


def fields_of(kind: type) -> tuple[str, ...]:
    return tuple(kind.__dataclass_fields__)


INSTRUMENT = {
    "digits": 5,
    "contract_size": 100_000,
    "base_currency": "EUR",
    "profit_currency": "USD",
}
INSTRUMENT_NAMES = (
    *INSTRUMENT,
    "margin_currency",
    "calculation_mode",
    "volume_min_lots",
    "volume_max_lots",
    "volume_step_lots",
    "stops_level_points",
    "swap_mode",
    "triple_swap_weekday",
    "commission_per_lot",
    "spread_points",
)
ACCOUNT = sections(
    "login", "currency", "currency_digits", "deposit", "leverage", "stop_out_percent", "margin_mode"
)
VENUES = st.fixed_dictionaries(
    {
        "instruments": st.dictionaries(
            st.text(PRINTABLE, max_size=31),
            sections(*INSTRUMENT_NAMES).map(lambda changes: INSTRUMENT | changes),
            max_size=2,
        )
    },
    optional={"account": ACCOUNT, "server_clock": SCALARS, "server": SCALARS},
)


def is_read_or_refused_in_one_line(kind: type, raw: object) -> None:
    try:
        made = read(kind, raw)
    except ConfigError as error:
        message = str(error)
    else:
        message = ""
        assert isinstance(made, kind)
    assert "\n" not in message


@settings(max_examples=300, deadline=None)
@given(st.one_of(VENUES, VENUES, VALUES))
def test_any_venue_is_read_or_refused_in_one_line(raw: object):
    is_read_or_refused_in_one_line(VenueSpec, raw)


@settings(max_examples=300, deadline=None)
@given(st.one_of(sections(*fields_of(RiskLimits)), VALUES))
def test_any_limits_are_read_or_refused_in_one_line(raw: object):
    is_read_or_refused_in_one_line(RiskLimits, raw)


# ---------------------------------------------------------------- files


def made_once(make: Callable[[Path], object], name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        make(path)
        return path.read_bytes()


def make_log(path: Path) -> None:
    log = FileLog(path, "print")
    server = make_server(log=log)
    server.touch()
    server.execute(CancelRequest(order_ticket=1))
    log.close()


BARS_FILE = made_once(lambda path: save_bars(bars_of([110_000] * 9), path), "bars.npz")
LOG_FILE = made_once(make_log, "log.jsonl")
JOURNAL_FILE = made_once(lambda path: SqliteJournal.open(path).close(), "journal.sqlite")
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=4)


def damaged(content: bytes, hits: list[tuple[float, bytes]], keep: float) -> bytes:
    changed = bytearray(content)
    for where, data in hits:
        at = int(where * len(changed))
        changed[at : at + len(data)] = data
    return bytes(changed[: int(len(changed) * keep)])


KEPT = st.one_of(st.just(1.0), st.floats(0, 1))
# random bytes, or what happens to a good file: some bytes overwritten, the end cut off
FILES = st.one_of(st.binary(max_size=200), st.tuples(DAMAGE, KEPT))
Drawn = bytes | tuple[list[tuple[float, bytes]], float]


def is_used_or_refused(drawn: Drawn, good: bytes, use: Callable[[Path], object]) -> None:
    content = drawn if isinstance(drawn, bytes) else damaged(good, *drawn)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        with suppress(MtquantError):
            use(path)


@settings(max_examples=200, deadline=None)
@given(FILES)
def test_any_bars_file_is_read_or_refused(drawn: Drawn):
    is_used_or_refused(drawn, BARS_FILE, load_bars)


@settings(max_examples=200, deadline=None)
@given(FILES)
def test_any_server_log_is_replayed_or_refused(drawn: Drawn):
    def use(path: Path) -> None:
        log = FileLog(path, "print")
        with closing(log):
            make_server(log=log)

    is_used_or_refused(drawn, LOG_FILE, use)


@settings(max_examples=100, deadline=None)
@given(FILES)
def test_any_journal_is_opened_or_refused(drawn: Drawn):
    def use(path: Path) -> None:
        with closing(SqliteJournal.open(path)) as journal:
            journal.intents()
            journal.deals()
            journal.pending_halts()
            journal.halt_level()

    is_used_or_refused(drawn, JOURNAL_FILE, use)


def test_the_files_that_get_damaged_were_good(tmp_path: Path):
    (tmp_path / "bars.npz").write_bytes(BARS_FILE)
    (tmp_path / "log.jsonl").write_bytes(LOG_FILE)
    (tmp_path / "journal.sqlite").write_bytes(JOURNAL_FILE)

    assert len(load_bars(tmp_path / "bars.npz")) == 9
    with closing(FileLog(tmp_path / "log.jsonl", "print")) as log:
        assert len(list(log.records())) == 2
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as journal:
        assert journal.intents() == []
