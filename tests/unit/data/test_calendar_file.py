"""Economic calendars are read in order, and a wrong row is named, never passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mtquant.data.calendar_file import read_calendar
from mtquant.model import DataError
from mtquant.model.news import Impact, NewsEvent

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "time,currency,impact,title\n"
ROW = "2026-01-09T13:30:00Z,USD,high,Nonfarm payrolls\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "calendar.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_events_are_read_in_the_order_of_their_times(tmp_path: Path):
    text = HEAD + ROW + '2026-01-09T12:00:00+01:00,EUR,Low,"Output, all industries"\n'

    assert read_calendar(written(tmp_path, text)) == (
        NewsEvent(
            time_ms=1_767_956_400_000,
            currency="EUR",
            impact=Impact.LOW,
            title="Output, all industries",
        ),
        NewsEvent(
            time_ms=1_767_965_400_000, currency="USD", impact=Impact.HIGH, title="Nonfarm payrolls"
        ),
    )


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path):
    text = "\ufefftitle,actual,impact,currency,time\nRates,5,medium,GBP,2026-01-09T13:30:00.250Z\n"
    (found,) = read_calendar(written(tmp_path, text))

    assert (found.title, found.currency, found.impact) == ("Rates", "GBP", Impact.MEDIUM)
    assert found.time_ms == 1_767_965_400_250


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the columns time, currency, impact, title are missing"),
        ("time,currency,effect\n" + ROW, "the columns impact, title are missing; the first row"),
        (HEAD, "the file holds no events"),
        (HEAD + ROW + ROW.replace("Z", ""), "line 3: time .* has no zone; end it with Z"),
        (HEAD + ROW.replace("-09T", "/09 "), "line 2: time must be like 2026-01-09T13:30:00Z"),
        (HEAD + ROW.replace("USD", "usd"), "line 2: currency must be like USD, was 'usd'"),
        (HEAD + ROW.replace("USD", "US1"), "line 2: currency must be like USD, was 'US1'"),
        (HEAD + ROW.replace("USD", "USDT"), "line 2: currency must be like USD, was 'USDT'"),
        (HEAD + ROW.replace("USD", "ÄÖÜ"), "line 2: currency must be like USD, was 'ÄÖÜ'"),
        (HEAD + ROW.replace("high", "red"), "line 2: impact 'red' is not one of low, medium, high"),
        (HEAD + ROW.replace("Nonfarm payrolls", " "), "line 2: title is empty"),
        (HEAD + "2026-01-09T13:30:00Z,USD\n", "line 2: impact '' is not one of"),
        (HEAD + '2026-01-09T13:30:00Z,USD,high,"open\n', "this is no CSV file"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=rf"calendar\.csv: {message}"):
        read_calendar(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="the file cannot be read"):
        read_calendar(tmp_path / "none.csv")


def test_a_file_that_is_no_text_is_named(tmp_path: Path):
    path = tmp_path / "calendar.csv"
    path.write_bytes(HEAD.encode() + b"\xff\xfe")

    with pytest.raises(DataError, match="the file is not UTF-8 text"):
        read_calendar(path)
