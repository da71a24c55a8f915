"""Whatever goes wrong and whatever a script does, the terminal answers and the books stay right."""

from dataclasses import fields
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from terminals import deal, make_server, make_terminal, pending, require_consistent, venue_of
from worlds import bars_of

from mtquant.exchange import AccountSpec, VenueSpec
from mtquant.model import ExecutionMode, Filling, MarginMode
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated.faults import (
    FaultRates,
    Faults,
    FaultScenario,
    FaultyTerminal,
    Latency,
)

BARS = bars_of([110_000 + 60 * (i % 7) - 80 * (i % 4) for i in range(16)], wick=25)
RATES = [one.name for one in fields(FaultRates) if one.name.endswith("_fraction")]
ALL = (0, 2**31 - 1)


@st.composite
def scenarios(draw: st.DrawFn) -> FaultScenario:
    """Draw rates of some kinds of faults."""
    names = draw(st.sets(st.sampled_from(RATES), max_size=8))
    chances = {name: draw(st.sampled_from([0.05, 0.3, 1.0])) for name in sorted(names)}
    rates = FaultRates(
        **chances,
        for_ms=draw(st.sampled_from([1, 1_300_000, 7_200_000])),
        delay_ms=draw(st.sampled_from([1, 4_000_000])),
        ticks=draw(st.integers(1, 5)),
        amount=draw(st.sampled_from([-50.0, 0.01, 1e6])),
    )
    latency = Latency(at_most_ms=draw(st.sampled_from([0, 0, 3_000_000])))
    return FaultScenario(seed=draw(st.integers(0, 2**40)), rates=rates, latency=latency)


@st.composite
def venues(draw: st.DrawFn) -> VenueSpec:
    """Draw a venue with two accounts."""
    depth = draw(st.sampled_from([(), (0,), (0, 4)]))
    one = venue_of(
        {"deposit": draw(st.sampled_from([1500.0, 20_000.0]))},
        execution_mode=draw(st.sampled_from(ExecutionMode)),
        fillings=draw(st.sampled_from([tuple(Filling), (Filling.FOK,), (Filling.IOC,)])),
        depth_points=depth,
        depth_lots=(0.3,) * len(depth),
    )
    modes = draw(st.permutations([MarginMode.HEDGING, MarginMode.NETTING]))
    first = AccountSpec(deposit=one.account.deposit, margin_mode=modes[0])
    second = AccountSpec(login=1000002, password="two", margin_mode=modes[1])
    return VenueSpec(account=first, more_accounts=(second,), instruments=one.instruments)


def requests(terminal: Any, number: int) -> dict[str, Any]:
    """Return a request that has something to do with what the terminal shows."""
    positions, orders = terminal.positions_get() or (), terminal.orders_get() or ()
    volume = (0.1, 0.5, 0.01, 2.0)[number % 4]
    if number % 7 == 0 and orders:
        return {"action": mt5.TRADE_ACTION_REMOVE, "order": orders[0].ticket}
    if number % 7 == 1 and positions:
        one = positions[number % len(positions)]
        return deal(position=one.ticket, type=1 - one.type, volume=min(volume, one.volume))
    if number % 7 == 2 and positions:
        stop = round(positions[0].price_open * (0.99 if positions[0].type == 0 else 1.01), 5)
        ticket = positions[0].ticket
        return {"action": 6, "symbol": "EURUSD", "position": ticket, "sl": stop}
    if number % 7 == 3:
        return pending(2 + number % 4, volume=volume)
    return deal(volume=volume, type=number % 2, type_filling=number % 3, deviation=2000)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios(), venues(), st.lists(st.integers(0, 400), max_size=40))
def test_the_books_stay_right_whatever_goes_wrong(
    scenario: FaultScenario, venue: VenueSpec, numbers: list[int]
) -> None:
    faults = Faults(scenario)
    server = make_server(BARS, faults=faults, venue=venue)
    terminal = FaultyTerminal(server, faults)
    for turn, number in enumerate(numbers):
        if turn % 5 == 0:
            terminal.initialize(login=1000001 + number % 2)
        terminal.order_send(requests(terminal, number))
        terminal.order_check(deal())
        for call in (terminal.account_info, terminal.terminal_info, terminal.positions_total):
            answer, (code, text) = call(), terminal.last_error()
            assert (answer is None) is (code != 1), text
        terminal.symbol_info_tick("EURUSD")
        terminal.symbol_info("EURUSD")
        terminal.history_orders_get(*ALL)
        terminal.history_deals_get(*ALL)
        if number % 3 == 1:
            server.step()
        elif number % 3 == 2:
            server.wait_until(server.now_ms + 20_000 * number)
    for login in server.market.books:
        honest = make_terminal(server)
        assert honest.login(login)
        require_consistent(honest, server.market.books[login])
