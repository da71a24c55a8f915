"""The account's arithmetic as plain scalar functions, for every engine alike."""

from __future__ import annotations


def day_loss_minor(day_start_balance_minor: int, equity_minor: int) -> int:
    """Return how far equity stands below the day's starting balance, 0 when above."""
    return max(0, day_start_balance_minor - equity_minor)
