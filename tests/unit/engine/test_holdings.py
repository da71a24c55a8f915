"""A position is its strategy's; one of a strategy that is gone is adopted on its symbol."""

from __future__ import annotations

from dataclasses import replace

import pytest
from journal_rows import sending_row
from risk_rooms import make_position, make_slot, make_view
from worlds import bars_of

from mtquant.engine.holdings import Holdings, require_one_slot_a_symbol
from mtquant.execution import Desk
from mtquant.model import BotIdentity, ConfigError, ServerClock
from mtquant.portfolio import Portfolio

US = BotIdentity()


@pytest.fixture
def portfolio() -> Portfolio:
    return Portfolio(US, ServerClock("utc"))


@pytest.fixture
def holdings(portfolio) -> Holdings:
    desk = Desk(US)
    owners = {1: "a", 2: "b", 3: "gone"}
    desk.restore(
        replace(sending_row(number, strategy_id=name), intent_id=US.intent_id(number))
        for number, name in owners.items()
    )
    yen = make_slot(bars_of([100_000], symbol="USDJPY"), symbol="USDJPY", strategy_id="a")
    return Holdings([make_slot(strategy_id="a"), make_slot(strategy_id="b"), yen], desk, portfolio)


def ours(ticket: int, **changes):
    return make_position(ticket, **({"intent_id": US.intent_id(ticket)} | changes))


def test_each_strategy_holds_what_it_has_opened_and_the_first_adopts(holdings, portfolio):
    stranger = make_position(9)
    portfolio.apply(make_view(positions=(ours(1), ours(2), ours(3), ours(4), stranger)))
    assert holdings.of("a") == ()
    holdings.update()

    assert [one.position_ticket for one in holdings.of("a")] == [1, 3, 4]
    assert [one.position_ticket for one in holdings.of("b")] == [2]
    assert holdings.of("gone") == ()


def test_what_is_closed_is_held_no_longer(holdings, portfolio):
    portfolio.apply(make_view(positions=(ours(1),)))
    holdings.update()
    portfolio.apply(make_view())
    holdings.update()

    assert holdings.of("a") == ()


def test_a_symbol_that_no_strategy_trades_is_nobodys(holdings, portfolio):
    strange = ours(1, symbol="OILX")
    portfolio.apply(make_view(positions=(strange,)))
    holdings.update()

    assert holdings.owner(strange) is None
    assert holdings.of("a") == ()
    assert holdings.owner(ours(2, symbol="USDJPY")).strategy_id == "a"


def test_strategies_share_no_symbol_on_a_netting_account():
    require_one_slot_a_symbol(["EURUSD", "GBPUSD"])

    with pytest.raises(ConfigError) as refused:
        require_one_slot_a_symbol(["GBPUSD", "EURUSD", "USDJPY", "EURUSD", "GBPUSD"])
    assert str(refused.value) == (
        "strategies: several trade GBPUSD, EURUSD, and a netting account holds one position a "
        "symbol; use a hedging account, or one strategy a symbol"
    )
