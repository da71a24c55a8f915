"""How the report writes numbers, moments and reasons for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from mtquant.model import Reason

NOTHING: Final = "—"
REASONS: Final = {
    Reason.STOP_LOSS: "stop loss",
    Reason.TAKE_PROFIT: "take profit",
    Reason.STOP_OUT: "stop-out",
    Reason.EXPERT: "strategy",
    Reason.CLIENT: "by hand",
}
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_MINUTE_MS = 60_000


def moment(time_ms: int) -> datetime:
    """Return UTC milliseconds as a datetime."""
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC)


def month_name(at: datetime) -> str:
    """Return the month in three letters, whatever the locale."""
    return _MONTHS[at.month - 1]


def day_text(time_ms: int) -> str:
    """Return a UTC day for people.

    >>> day_text(1_483_308_000_000)
    '1 Jan 2017'
    """
    at = moment(time_ms)
    return f"{at.day} {month_name(at)} {at.year}"


def minute_text(time_ms: int) -> str:
    """Return a UTC minute for tables.

    >>> minute_text(1_483_308_000_000)
    '2017-01-01 22:00'
    """
    return moment(time_ms).strftime("%Y-%m-%d %H:%M")


def span_text(duration_ms: int) -> str:
    """Return a duration in its two largest units.

    >>> span_text(93_600_000), span_text(5_400_000), span_text(0)
    ('1 d 2 h', '1 h 30 min', '0 min')
    """
    days, minutes = divmod(duration_ms // _MINUTE_MS, 1440)
    hours, minutes = divmod(minutes, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def number_text(value: float | None, decimals: int = 2, *, signed: bool = False) -> str:
    """Return a number with a true minus sign and thousands apart, a dash for None.

    >>> number_text(-1234.5), number_text(0.004, signed=True), number_text(None)
    ('−1,234.50', '0.00', '—')
    """
    if value is None:
        return NOTHING
    text = f"{abs(value):,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        return text
    return f"−{text}" if value < 0 else f"+{text}" if signed else text


def percent_text(fraction: float | None, decimals: int = 2, *, signed: bool = False) -> str:
    """Return a fraction in percent, a dash for None.

    >>> percent_text(0.1234), percent_text(-0.05, 1, signed=True)
    ('12.34 %', '−5.0 %')
    """
    if fraction is None:
        return NOTHING
    return f"{number_text(100 * fraction, decimals, signed=signed)} %"
