"""A summary says of a run what its deals say."""

import json
from dataclasses import replace

import pytest
from market_play import (
    at_bars,
    buy,
    close,
    eurusd_venue,
    play,
    random_actor,
    random_bars,
)

from mtquant.model import DataError
from mtquant.research import Summary, closed_trades, equity_curve, summarise, trades_sha256


def test_a_summary_agrees_with_trades_deals_and_equity():
    bars, venue = random_bars(seed=11, count=500), eurusd_venue()
    deals = play(bars, venue, random_actor(11)).deals
    trades = closed_trades(deals)

    summary = summarise(bars, deals, venue)

    balance = sum(deal.net_minor for deal in deals)
    assert summary.deposit == 10_000
    assert summary.final_balance == balance / 100
    assert summary.net_profit == pytest.approx(summary.final_balance - summary.deposit)
    assert summary.final_equity == equity_curve(bars, deals, venue)[-1] / 100
    assert summary.return_fraction == pytest.approx(summary.final_equity / 10_000 - 1)
    assert summary.trades == len(trades)
    assert summary.expectancy == pytest.approx(sum(t.net_minor for t in trades) / len(trades) / 100)
    assert summary.stop_losses + summary.take_profits > 0
    assert summary.trades_sha256 == trades_sha256(trades)
    assert summary.commission < 0
    assert summary.days == 21


def test_a_summary_goes_to_json_and_back():
    bars, venue = random_bars(seed=11, count=100), eurusd_venue()
    summary = summarise(bars, play(bars, venue, random_actor(11)).deals, venue)

    text = json.dumps(summary.to_dict(), allow_nan=False)

    assert Summary.from_dict(json.loads(text)) == summary


def test_a_run_without_trades_has_no_answers_and_says_so():
    bars, venue = random_bars(seed=1, count=60), eurusd_venue()

    summary = summarise(bars, play(bars, venue, at_bars({})).deals, venue)

    undefined = (
        summary.sharpe,
        summary.sortino,
        summary.profit_factor,
        summary.win_rate,
        summary.expectancy,
        summary.average_win,
        summary.average_loss,
    )
    assert undefined == (None,) * 7
    assert (summary.trades, summary.max_drawdown, summary.return_fraction) == (0, 0, 0)


def test_an_account_without_money_has_no_return_and_no_drawdown():
    bars, venue = random_bars(seed=1, count=60), eurusd_venue(deposit=0)

    summary = summarise(bars, [], venue)

    assert (summary.return_fraction, summary.max_drawdown, summary.sharpe) == (None, None, None)


def test_drawdown_counts_from_the_deposit():
    bars, venue = random_bars(seed=1, count=3), eurusd_venue()

    summary = summarise(bars, play(bars, venue, at_bars({0: buy(1.0)})).deals, venue)

    curve = equity_curve(bars, play(bars, venue, at_bars({0: buy(1.0)})).deals, venue)
    assert summary.max_drawdown == pytest.approx(1 - curve.min() / 1_000_000)
    assert summary.open_positions == 1


def test_money_that_comes_later_is_refused():
    bars, venue = random_bars(seed=1, count=60), eurusd_venue()
    deposit, *others = play(bars, venue, at_bars({3: buy(0.1), 5: close()})).deals
    late = replace(deposit, deal_ticket=99, time_ms=int(bars.time_ms[9]))

    with pytest.raises(DataError, match="balance operation 99"):
        summarise(bars, [deposit, *others, late], venue)


def test_no_bars_is_refused():
    with pytest.raises(DataError, match="at least one bar"):
        summarise(random_bars(seed=1, count=5)[:0], [], eurusd_venue())
