"""Kelly's fraction of equity, by the textbook and by the plan this platform grew from."""

from __future__ import annotations


def kelly_stake_fraction(
    win_rate_fraction: float, average_win: float, average_loss: float
) -> float:
    """Return the fraction of equity to stake that makes equity grow fastest: (p·W − q·L) / W.

    The stake is what the stop loss costs. Whoever stakes f of equity has 1 + b·f of it after a win
    and 1 − a·f after a loss; the mean growth p·ln(1 + b·f) + q·ln(1 − a·f) is largest at
    f* = p/a − q/b. A lost trade loses its stake, so a = 1, and a won one brings b = W/L stakes:
    f* = p − q·L/W. Zero or less says that there is no edge. Where losses are on average smaller
    than the stop loss allows, this stakes less than the best, never more.

    Sources: J. L. Kelly, A New Interpretation of Information Rate (1956); E. O. Thorp, The Kelly
    Criterion in Blackjack, Sports Betting, and the Stock Market (2006).

    >>> kelly_stake_fraction(0.6, 100.0, 50.0)
    0.4

    Args:
        win_rate_fraction: p, the share of trades that win, 0 to 1; q = 1 − p.
        average_win: W, in any unit, above 0.
        average_loss: L, in the same unit, a positive number.
    """
    return _edge(win_rate_fraction, average_win, average_loss) / average_win


def kelly_plan_a_stake_fraction(
    win_rate_fraction: float, average_win: float, average_loss: float
) -> float:
    """Return (p·W − q·L) / L of equity: the plan's formula, which divides by the average loss.

    It is W/L times what Kelly's argument allows, twice that where wins are twice the losses, and
    more than the whole of equity where wins are large. Beyond Kelly's fraction equity swings more
    and grows slower: at the 0.8 of this example it shrinks by 7 % a trade, at Kelly's 0.4 it grows
    by 16 %. Hence it is not the default.

    >>> kelly_plan_a_stake_fraction(0.6, 100.0, 50.0)
    0.8

    Args:
        win_rate_fraction: p, the share of trades that win, 0 to 1; q = 1 − p.
        average_win: W, in any unit.
        average_loss: L, in the same unit, a positive number above 0.
    """
    return _edge(win_rate_fraction, average_win, average_loss) / average_loss


def _edge(win_rate_fraction: float, average_win: float, average_loss: float) -> float:
    """Return what a trade wins on average."""
    return win_rate_fraction * average_win - (1.0 - win_rate_fraction) * average_loss
