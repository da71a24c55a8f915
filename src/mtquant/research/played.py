"""The figures of a run that a kernel played, from its columns: no object per deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtquant.engine.kernels import layout
from mtquant.model import money_from_minor
from mtquant.research import metrics
from mtquant.research.summary import Summary, worth_figures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtquant.engine.kernels import Played


def summarise_played(played: Played, trades_sha256: str | None = None) -> Summary:
    """Return the same figures that `summarise` finds from bars and deals."""
    job, cells = played.job, played.cells
    account, times_ms = job.spec.venue.account, job.bars.time_ms
    digits, deposit_minor = account.currency_digits, job.deposit_minor
    nets = trade_nets(played)
    returns = metrics.simple_returns(np.append(deposit_minor, played.daily))
    costs, swap = (
        sum(int(played.deals[:, column].sum()) for column in columns)
        for columns in ((layout.COMMISSION, layout.FEE), (layout.DEAL_SWAP,))
    )
    reasons = np.bincount(played.deals[1::2, layout.REASON], minlength=layout.BY_STOP_OUT + 1)
    balance_minor = int(cells[layout.BALANCE]) + account.credit_minor
    final_minor = int(played.daily[-1])
    return Summary(
        currency=account.currency,
        currency_digits=digits,
        first_ms=int(times_ms[0]),
        last_ms=int(times_ms[-1]) + job.columns.duration_ms - 1,
        bars=len(job.bars),
        days=len(played.daily),
        deposit=money_from_minor(deposit_minor, digits),
        final_balance=money_from_minor(balance_minor, digits),
        final_equity=money_from_minor(final_minor, digits),
        net_profit=money_from_minor(balance_minor - deposit_minor, digits),
        return_fraction=metrics.return_fraction(deposit_minor, final_minor),
        max_drawdown=float(played.figures[layout.MAX_DRAWDOWN]) if deposit_minor > 0 else None,
        drawdown_duration_ms=int(cells[layout.LONGEST_MS]),
        **worth_figures(nets, returns, digits),
        commission=money_from_minor(costs, digits),
        swap=money_from_minor(swap, digits),
        stop_losses=int(reasons[layout.BY_STOP]),
        take_profits=int(reasons[layout.BY_TARGET]),
        stop_outs=int(reasons[layout.BY_STOP_OUT]),
        open_positions=int(cells[layout.SIDE] != 0),
        trades_sha256=trades_sha256,
    )


def trade_nets(played: Played) -> NDArray[np.int64]:
    """Return what each closed trade brought after all its costs, int64[t] minor units.

    A kernel holds one position at a time: its deals are an opening and a closing one in turn.
    """
    deals = played.deals
    nets = deals[:, layout.PROFIT] + deals[:, layout.COMMISSION]
    nets += deals[:, layout.DEAL_SWAP]
    nets += deals[:, layout.FEE]
    closed = len(nets) // 2
    found: NDArray[np.int64] = nets[0 : 2 * closed : 2] + nets[1 : 2 * closed : 2]
    return found
