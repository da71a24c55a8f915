"""Our view of positions, equity, drawdown and the day's loss."""

from mtquant.portfolio.portfolio import Changes, Portfolio

__all__ = ["Changes", "Portfolio"]
