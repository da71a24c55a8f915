"""What a run was worth: trades, equity, metrics and the report page."""

from mtquant.research.equity import daily_equity, equity_curve
from mtquant.research.metrics import (
    DAYS_PER_YEAR,
    average_loss,
    average_win,
    downside_deviation,
    drawdown,
    drawdown_duration_ms,
    expectancy,
    max_drawdown,
    profit_factor,
    return_fraction,
    sharpe_ratio,
    simple_returns,
    sortino_ratio,
    win_rate,
)
from mtquant.research.played import summarise_played
from mtquant.research.report import render_report, write_report
from mtquant.research.summary import Summary, summarise
from mtquant.research.trades import (
    Trade,
    closed_trades,
    open_entries,
    trades_csv,
    trades_sha256,
)

__all__ = [
    "DAYS_PER_YEAR",
    "Summary",
    "Trade",
    "average_loss",
    "average_win",
    "closed_trades",
    "daily_equity",
    "downside_deviation",
    "drawdown",
    "drawdown_duration_ms",
    "equity_curve",
    "expectancy",
    "max_drawdown",
    "open_entries",
    "profit_factor",
    "render_report",
    "return_fraction",
    "sharpe_ratio",
    "simple_returns",
    "sortino_ratio",
    "summarise",
    "summarise_played",
    "trades_csv",
    "trades_sha256",
    "win_rate",
    "write_report",
]
