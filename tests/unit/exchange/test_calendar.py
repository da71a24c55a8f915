"""Trading hours, holidays and depth as people write them."""

import pytest

from mtquant.exchange import InstrumentSpec
from mtquant.model import ConfigError, read

EURUSD = {"digits": 5, "contract_size": 100_000, "base_currency": "EUR", "profit_currency": "USD"}
WEEK = ["", *["01:05-12:00, 13:00-24:00"] * 5, ""]


def spec(**more) -> InstrumentSpec:
    return read(InstrumentSpec, EURUSD | more, "instruments.EURUSD")


def test_hours_open_and_close_to_the_minute():
    instrument = spec(sessions=WEEK, holidays=["1970-01-06"]).instrument("EURUSD")
    minute = 60_000
    monday, tuesday = 4 * 86_400_000, 5 * 86_400_000

    def is_open(hour: int, at: int, day: int = monday) -> bool:
        return instrument.is_open_at(day + (60 * hour + at) * minute)

    assert [is_open(1, 5), is_open(11, 59), is_open(23, 59)] == [True] * 3
    assert [is_open(1, 4), is_open(12, 0), is_open(12, 59)] == [False] * 3
    assert not is_open(11, 0, tuesday)
    assert not is_open(11, 0, monday - 86_400_000)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sessions": WEEK[1:]}, "sessions must list Sunday to Saturday, had 6 days"),
        ({"sessions": ["9-17", *WEEK[1:]]}, "expected hours such as 01:05-24:00, was '9-17'"),
        ({"sessions": ["17:00-09:00", *WEEK[1:]]}, "'17:00-09:00' does not come after"),
        ({"sessions": ["09:00-24:01", *WEEK[1:]]}, "'09:00-24:01' does not come after"),
        ({"sessions": ["09:61-24:00", *WEEK[1:]]}, "'09:61-24:00' does not come after"),
        ({"sessions": ["09:00-12:00,11:00-13:00", *WEEK[1:]]}, "'11:00-13:00' does not come"),
        ({"holidays": ["25.12.2017"]}, "a date such as 2017-12-25, was '25.12.2017'"),
        ({"depth_points": [0]}, "depth_points and depth_lots must be of one length, were 1 and 0"),
        ({"depth_points": [1], "depth_lots": [1.0]}, "depth_points must rise from 0"),
        ({"depth_points": [0, 0], "depth_lots": [1.0, 1.0]}, "depth_points must rise from 0"),
        ({"depth_points": [0], "depth_lots": [0.0]}, "depth_lots must be positive"),
        ({"volume_limit_lots": -1.0}, "volume_limit_units must not be negative"),
        ({"margin_pending_rates": [1.0]}, "margin_pending_rates must be 6"),
        ({"fillings": ["fko"]}, "'fko' is not one of fok, ioc, return, boc"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(wrong: dict, message: str):
    with pytest.raises(ConfigError) as refused:
        spec(**wrong).instrument("EURUSD")

    assert message in str(refused.value)
