"""Hours of entries are the server's, begin within and end without, and are read strictly."""

from datetime import UTC, datetime

import pytest

from mtquant.model import ConfigError
from mtquant.risk import RiskLimits
from mtquant.risk.hours import is_in_hours, open_spans

DAY = 24 * 60


@pytest.fixture(autouse=True)
def unread():
    """Let each test read its texts anew, whatever was read before."""
    open_spans.cache_clear()


def wall_ms(day: int, hour: int, minute: int = 0) -> int:
    """Return a wall time in January 2017, whose first day was a Sunday."""
    return int(datetime(2017, 1, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "hour", "minute", "is_open"),
    [
        (2, 8, 0, True),
        (2, 7, 59, False),
        (4, 8, 0, True),
        (5, 8, 0, True),
        (6, 8, 0, True),
        (2, 21, 59, True),
        (2, 22, 0, False),
        (6, 21, 59, True),
        (7, 12, 0, False),
        (1, 12, 0, False),
    ],
)
def test_hours_begin_within_and_end_without(day: int, hour: int, minute: int, is_open: bool):
    assert is_in_hours(("mon-fri 08:00-22:00",), wall_ms(day, hour, minute)) is is_open


def test_hours_hold_to_the_last_millisecond():
    assert not is_in_hours(("mon 08:00-09:00",), wall_ms(2, 8) - 1)
    assert is_in_hours(("mon 08:00-09:00",), wall_ms(2, 9) - 1)
    assert is_in_hours(("tue 00:00-00:01",), wall_ms(3, 0) + 59_999)
    assert is_in_hours(("mon 23:59-24:00",), wall_ms(3, 0) - 1)


def test_any_of_several_hours_will_do_and_without_any_it_is_always_open():
    hours = ("mon 08:00-09:00", "sat 10:00-11:00")

    assert is_in_hours(hours, wall_ms(2, 8))
    assert is_in_hours(hours, wall_ms(7, 10))
    assert not is_in_hours(hours, wall_ms(7, 8))
    assert is_in_hours((), wall_ms(7, 8))


def test_hours_over_midnight_take_two_lines():
    hours = ("sun-thu 22:00-24:00", "mon-fri 00:00-06:00")

    assert is_in_hours(hours, wall_ms(2, 23, 59))
    assert is_in_hours(hours, wall_ms(3, 0))
    assert is_in_hours(hours, wall_ms(6, 5, 59))
    assert not is_in_hours(hours, wall_ms(6, 22))


def test_days_may_run_over_the_end_of_the_week():
    assert open_spans(("fri-mon 01:00-02:00",)) == tuple(
        (day * DAY + 60, day * DAY + 120) for day in (5, 6, 0, 1)
    )
    assert open_spans(("sat 00:00-24:00", " Sun 00:00-00:01 ")) == ((6 * DAY, 7 * DAY), (0, 1))
    assert open_spans(("sun-sat 10:00-11:00",)) == tuple(
        (day * DAY + 600, day * DAY + 660) for day in range(7)
    )
    assert [
        open_spans((f"{day} 00:00-00:01",))[0][0] // DAY
        for day in ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
    ] == list(range(7))
    assert open_spans(("thu 12:34-23:59",)) == ((4 * DAY + 754, 4 * DAY + 1439),)
    assert open_spans(("thu 08:59-09:59",)) == ((4 * DAY + 539, 4 * DAY + 599),)
    assert open_spans(("wed-wed 10:00-11:00",)) == ((3 * DAY + 600, 3 * DAY + 660),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "always",
        "mon 8:00-9:00",
        "mon-fry 08:00-09:00",
        "mom 08:00-09:00",
        "mon,tue 08:00-09:00",
        "xmon 08:00-09:00",
        "mon 08:00-09:00x",
    ],
)
def test_a_text_of_another_form_is_refused_with_an_example(text: str):
    with pytest.raises(ConfigError) as refused:
        RiskLimits(trading_hours=(text,))

    assert str(refused.value) == (
        f"trading_hours: {text!r} is not understood; write it as 'mon-fri 08:00-22:00', in the "
        "server's time"
    )


@pytest.mark.parametrize(
    "text",
    [
        "mon 09:00-09:00",
        "mon 22:00-06:00",
        "mon 08:60-09:00",
        "mon 05:60-09:30",
        "mon 08:75-20:00",
        "mon 08:00-09:60",
        "mon 08:00-24:01",
    ],
)
def test_hours_that_do_not_end_after_they_begin_are_refused(text: str):
    with pytest.raises(ConfigError) as refused:
        open_spans((text,))

    assert str(refused.value) == (
        f"trading_hours: {text!r} must end after it begins, by 24:00; what goes over midnight "
        "takes two lines"
    )
