"""The figures of one run in one object."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from mtquant.model import Bars, DataError, Deal, DealKind, Reason, money_from_minor
from mtquant.model.codec import Jsonable
from mtquant.research import metrics
from mtquant.research.equity import bar_ends_ms, daily_equity, equity_curve
from mtquant.research.trades import closed_trades, open_entries, trades_sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtquant.exchange import VenueSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Jsonable):
    """Hold what a run was worth; `to_dict` gives JSON values.

    Money is in the account currency, fractions are of 1, times UTC milliseconds, undefined is
    None. `net_profit` is what the deals added to the deposit, costs included; `return_fraction`
    also counts open positions. `sharpe` and `sortino` are of server-day returns, annualized with
    √252. `commission` and `swap` are sums over all deals, negative when paid. A trade's result
    (win rate, profit factor, expectancy, averages) is net of its costs. A sweep leaves
    `trades_sha256` out.
    """

    currency: str
    currency_digits: int
    first_ms: int
    last_ms: int
    bars: int
    days: int
    deposit: float
    final_balance: float
    final_equity: float
    net_profit: float
    return_fraction: float | None
    max_drawdown: float | None
    drawdown_duration_ms: int | None
    sharpe: float | None
    sortino: float | None
    profit_factor: float | None
    trades: int
    win_rate: float | None
    expectancy: float | None
    average_win: float | None
    average_loss: float | None
    commission: float
    swap: float
    stop_losses: int
    take_profits: int
    stop_outs: int
    open_positions: int
    trades_sha256: str | None


class WorthFigures(TypedDict):
    """Hold the figures of a `Summary` that follow from trades and daily returns alone."""

    sharpe: float | None
    sortino: float | None
    profit_factor: float | None
    trades: int
    win_rate: float | None
    expectancy: float | None
    average_win: float | None
    average_loss: float | None


def summarise(
    bars: Bars, deals: Sequence[Deal], venue: VenueSpec, others: Sequence[Bars] = ()
) -> Summary:
    """Return the figures of a run: its bars, all its deals, its venue, bars of other symbols.

    Raises:
        DataError: there are no bars, deals do not fit them, or money came later (no profit it is).
    """
    if not len(bars):
        raise DataError(f"{bars.symbol}: a summary needs at least one bar")
    deposit_minor = starting_deposit_minor(bars, deals)
    curve = equity_curve(bars, deals, venue, others)
    _, daily = daily_equity(bars, curve, venue.clock)
    times_ms, equity = with_start(bars, curve, deposit_minor)
    returns = metrics.simple_returns(np.append(deposit_minor, daily))
    trades = closed_trades(deals)
    nets = [trade.net_minor for trade in trades]
    reasons = Counter(trade.reason for trade in trades)
    balance_minor = sum(deal.net_minor for deal in deals)
    digits = venue.account.currency_digits
    return Summary(
        currency=venue.account.currency,
        currency_digits=digits,
        first_ms=int(bars.time_ms[0]),
        last_ms=int(times_ms[-1]),
        bars=len(bars),
        days=len(daily),
        deposit=money_from_minor(deposit_minor, digits),
        final_balance=money_from_minor(balance_minor, digits),
        final_equity=money_from_minor(int(curve[-1]), digits),
        net_profit=money_from_minor(balance_minor - deposit_minor, digits),
        return_fraction=metrics.return_fraction(deposit_minor, int(curve[-1])),
        max_drawdown=metrics.max_drawdown(equity),
        drawdown_duration_ms=metrics.drawdown_duration_ms(times_ms, equity),
        **worth_figures(nets, returns, digits),
        commission=money_from_minor(sum(d.commission_minor + d.fee_minor for d in deals), digits),
        swap=money_from_minor(sum(deal.swap_minor for deal in deals), digits),
        stop_losses=reasons[Reason.STOP_LOSS],
        take_profits=reasons[Reason.TAKE_PROFIT],
        stop_outs=reasons[Reason.STOP_OUT],
        open_positions=len(open_entries(deals)),
        trades_sha256=trades_sha256(trades),
    )


def worth_figures(
    nets_minor: metrics.Nets, returns: metrics.Returns | None, digits: int
) -> WorthFigures:
    """Return what trades and days were worth.

    Args:
        nets_minor: the result of each trade after costs, minor units.
        returns: of server days, None where there are none.
        digits: decimals of the account currency.
    """
    return WorthFigures(
        sharpe=None if returns is None else metrics.sharpe_ratio(returns),
        sortino=None if returns is None else metrics.sortino_ratio(returns),
        profit_factor=metrics.profit_factor(nets_minor),
        trades=len(nets_minor),
        win_rate=metrics.win_rate(nets_minor),
        expectancy=_money(metrics.expectancy(nets_minor), digits),
        average_win=_money(metrics.average_win(nets_minor), digits),
        average_loss=_money(metrics.average_loss(nets_minor), digits),
    )


def with_start(
    bars: Bars, curve: NDArray[np.int64], deposit_minor: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return times and equity of all bar closes with the deposit at the first open ahead of them.

    Both int64[n + 1]: UTC milliseconds, minor units.
    """
    return np.append(bars.time_ms[0], bar_ends_ms(bars)), np.append(np.int64(deposit_minor), curve)


def starting_deposit_minor(bars: Bars, deals: Sequence[Deal]) -> int:
    """Return the money paid in before the first bar closed, minor units.

    Raises:
        DataError: money was paid in or out later.
    """
    balances = [deal for deal in deals if deal.kind is DealKind.BALANCE]
    for deal in balances:
        if deal.time_ms > int(bar_ends_ms(bars)[0]):
            raise DataError(
                f"balance operation {deal.deal_ticket} comes after the first bar closed; "
                "only a starting deposit can be told from profit"
            )
    return sum(deal.net_minor for deal in balances)


def _money(minor: float | None, digits: int) -> float | None:
    return None if minor is None else minor / 10**digits
