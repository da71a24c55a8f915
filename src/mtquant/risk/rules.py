"""The limits' arithmetic as plain scalar functions, for every engine alike."""

from __future__ import annotations


def is_quoted(bid: int, ask: int) -> bool:
    """Tell whether a quote can be traded on (points)."""
    return 0 < bid <= ask


def is_within_spread(spread: int, max_spread: int) -> bool:
    """Tell whether a spread (points) lets entries through."""
    return spread <= max_spread


def is_within_band(price: int, reference: int, band_fraction: float) -> bool:
    """Tell whether a price lies near enough to a reference (points); a band of 0 is none."""
    return band_fraction <= 0 or abs(price - reference) <= band_fraction * reference


def allowed_loss_minor(max_fraction: float, start_minor: int) -> int:
    """Return the loss since a day or week began at which entries stop, minor units."""
    return int(max_fraction * start_minor)


def is_within_daily_loss(day_loss_minor: int, allowed_minor: int) -> bool:
    """Tell whether the day's loss still lets entries through (minor units)."""
    return day_loss_minor < allowed_minor
