"""The market's rules against numbers that MetaQuotes prints in its documentation."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.exchange import rules

REFERENCE = Path(__file__).parents[4] / "shared" / "spec"
LOT = 100_000_000
FOREX, FOREX_NO_LEVERAGE, CFD, CFD_LEVERAGE = range(4)
DIVISOR_5 = 1e11  # 10^(5 digits + 8 - 2 money digits)

prices = st.integers(1, 200_000_000)
volumes = st.integers(1, 500 * LOT)
sides = st.sampled_from([1, -1])


def reference(name: str) -> dict:
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"the reference data {path.name} are not beside the project")
    return json.loads(path.read_text(encoding="utf-8"))


def forex_profit(side: int, units: int, opened: int, closed: int, digits: int = 5) -> int:
    divisor = 10.0 ** (digits + 6)
    return rules.profit_minor(side, units, opened, closed, 1e5, divisor, True, 1.0, 1.0)


def one_leg(
    mode: int, units: int, price: int, contract: float, scale: float, *, leverage: int, rate: tuple
) -> int:
    per_price, fixed = rate
    return rules.hedged_margin_minor(
        mode, units, float(units * price), 0, 0.0, contract, 0.0, scale, leverage, per_price, fixed
    )


# profit


@pytest.mark.parametrize(("side", "expected"), [(1, 30_000), (-1, 30_000)])
def test_a_lot_of_eurusd_earns_300_dollars_in_300_points(side: int, expected: int):
    assert forex_profit(side, LOT, 110_000, 110_000 + side * 300) == expected


@pytest.mark.parametrize(
    ("side", "volume", "opened", "closed", "profit"),
    [
        (-1, 0.01, 109_301, 110_104, -803),
        (1, 0.01, 108_676, 110_099, 1423),
        (1, 0.01, 108_640, 110_099, 1459),
        (1, 0.01, 109_545, 110_099, 554),
        (1, 0.02, 109_536, 110_099, 1126),
        (1, 0.02, 110_010, 110_018, 16),
        (1, 0.01, 108_344, 108_340, -4),
    ],
)
def test_printed_eurusd_positions_have_their_printed_profit(
    side: int, volume: float, opened: int, closed: int, profit: int
):
    assert forex_profit(side, round(volume * LOT), opened, closed) == profit


@pytest.mark.parametrize(
    ("side", "opened", "closed", "expected"),
    [(1, 108_183, 108_483, 27_654), (-1, 108_179, 107_879, 27_809)],
)
def test_a_pair_that_converts_its_own_profit_uses_the_closing_price(
    side: int, opened: int, closed: int, expected: int
):
    rate = 1 / (closed / 1000)
    profit = rules.profit_minor(side, LOT, opened, closed, 1e5, 1e9, True, rate, rate)

    assert profit == expected


def test_each_forex_leg_is_rounded_and_a_cfd_only_by_its_difference():
    arguments = (1, 1_000_000, 100_004, 100_009, 1000.0, 1e11)

    assert rules.profit_minor(*arguments, True, 1.0, 1.0) == 0  # 1000.04 and 1000.09, both 1000
    assert rules.profit_minor(1, 1_000_000, 100_004, 100_005, 1e5, 1e11, False, 1.0, 1.0) == 1


@given(sides, volumes, prices, prices)
def test_a_loss_converts_at_its_own_rate(side: int, units: int, opened: int, closed: int):
    plain = rules.profit_minor(side, units, opened, closed, 1.0, 1e8, False, 1.0, 1.0)
    converted = rules.profit_minor(side, units, opened, closed, 1.0, 1e8, False, 2.0, 3.0)

    assert converted == plain * (2 if plain > 0 else 3)


@given(volumes, prices, prices)
def test_what_one_side_gains_the_other_loses(units: int, opened: int, closed: int):
    assert forex_profit(1, units, opened, closed) == -forex_profit(-1, units, opened, closed)


# margin


@pytest.mark.parametrize(
    ("price_points", "lots", "expected"), [(109_910, 0.1, 10_991), (122_730, 0.1, 12_273)]
)
def test_a_dollar_pair_converts_its_own_margin_at_the_ask(
    price_points: int, lots: float, expected: int
):
    units = round(lots * LOT)

    assert (
        one_leg(FOREX, units, price_points, 1e5, 1e5, leverage=100, rate=(100.0, 0.0)) == expected
    )


@pytest.mark.parametrize("price_points", [108_183, 97_000])
def test_the_price_of_a_pair_with_the_account_currency_as_base_does_not_enter(price_points: int):
    assert (
        one_leg(FOREX, LOT // 10, price_points, 1e5, 1e3, leverage=100, rate=(0.0, 100.0)) == 10_000
    )


def test_the_documented_margins_agree():
    documented = reference("doc_examples.json")["order_calc_margin"]
    asks = {"EURUSD": 109_910, "GBPUSD": 122_730, "USDJPY": 108_183, "USDCHF": 97_000}
    checked = 0
    for symbol, lots, money in documented["cases"]:
        if symbol in asks:
            rate = (100.0, 0.0) if symbol.endswith("USD") else (0.0, 100.0)
            units = round(lots * LOT)
            margin = one_leg(
                FOREX, units, asks[symbol], 1e5, 1e5, leverage=documented["leverage"], rate=rate
            )
            assert margin == round(money * 100)
            checked += 1

    assert checked == 4


def test_cfds_with_leverage_take_the_average_opening_price():
    """One lot at 15.436 and two at 15.432, contract 5000, leverage 100: 2315.00."""
    weighted = float(LOT * 15_436 + 2 * LOT * 15_432)
    margin = rules.hedged_margin_minor(
        CFD_LEVERAGE, 3 * LOT, weighted, 0, 0.0, 5000.0, 0.0, 1e3, 100, 0.0, 100.0
    )

    assert margin == 231_500
    assert (
        margin + one_leg(CFD_LEVERAGE, LOT, 15_412, 5000.0, 1e3, leverage=100, rate=(0.0, 100.0))
        == 308_560
    )


def test_covered_volume_takes_the_average_of_all_and_uncovered_that_of_the_larger_leg():
    """Two lots at 1.11953 against three at 1.11943, leverage 500, without margin rates."""
    margin = rules.hedged_margin_minor(
        FOREX,
        2 * LOT,
        2.0 * LOT * 111_953,
        3 * LOT,
        3.0 * LOT * 111_943,
        1e5,
        1e5,
        1e5,
        500,
        100.0,
        0.0,
    )

    covered, uncovered = 2 * 1e5 * 1.11947 / 500, 1e5 * 1.11943 / 500
    assert margin == round(covered * 100) + round(uncovered * 100)
    assert round(covered * 3, 2) == 1343.36  # the documentation's rates 3 and 4
    assert round(uncovered * 4, 2) == 895.54


def test_the_heavier_side_alone_sets_the_margin_when_covered_volume_is_free():
    long_heavy = rules.hedged_margin_minor(
        FOREX, 3 * LOT, 3.0 * LOT * 110_000, LOT, 1.0 * LOT * 120_000, 1e5, 0.0, 1e5, 100, 100.0, 0
    )

    assert long_heavy == 220_000


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(FOREX, 100.0), (FOREX_NO_LEVERAGE, 10_000.0), (CFD, 12_000.0), (CFD_LEVERAGE, 120.0)],
)
def test_leverage_and_price_enter_by_mode(mode: int, expected: float):
    assert rules.margin_amount(mode, LOT, 1200, 100.0, 1e3, 100, 100.0) == pytest.approx(expected)


def test_no_leverage_counts_as_one():
    assert rules.margin_amount(FOREX, LOT, 1, 1.0, 1.0, 0, 1.0) == 1.0


@pytest.mark.parametrize(
    ("equity", "margin", "is_out"),
    [(5000, 10_000, True), (5001, 10_000, False), (-1, 10_000, True), (-1, 0, False)],
)
def test_a_stop_out_comes_at_the_level_and_never_without_margin(
    equity: int, margin: int, *, is_out: bool
):
    assert rules.is_stop_out(equity, margin, 50.0) is is_out


# costs


@pytest.mark.parametrize(
    ("lots", "swap_points", "expected"),
    [(2, 7.0, 1400), (2, -5.47, -1094), (0.0001, -5.47, 0)],
)
def test_documented_dollar_swaps_agree(lots: float, swap_points: float, expected: int):
    units = round(lots * LOT)

    assert rules.swap_points_minor(units, swap_points, 1, 1e5, DIVISOR_5, 1.0) == expected


def test_the_value_of_a_point_is_rounded_before_the_swap_is():
    """Five lots of USDTRY: 1.14 dollars a point, times -11.35 points: -12.94, not -12.91."""
    assert rules.swap_points_minor(5 * LOT, -11.35, 1, 1e5, DIVISOR_5, 0.2274587) == -1294


@pytest.mark.parametrize(
    ("weekday", "nights"), [(0, 0), (1, 1), (2, 1), (3, 3), (4, 1), (5, 1), (6, 0)]
)
def test_nights_count_by_the_day_that_ends(weekday: int, nights: int):
    assert rules.swap_nights(weekday, 3) == nights
    assert rules.swap_nights(weekday, -1) == min(nights, 1)


def test_commission_is_charged_per_lot_and_side():
    assert rules.commission_minor(LOT // 100, 350.0) == -4
    assert rules.commission_minor(LOT, 0.0) == 0


# prices


@given(sides, prices, prices, st.integers(0, 500))
def test_a_stop_and_a_target_of_one_level_are_met_on_opposite_sides(side, level, bid, spread):
    ask = bid + spread
    at = rules.exit_price(side, bid, ask)

    assert rules.stop_is_met(side, level, bid, ask) == (side * (at - level) <= 0)
    assert rules.target_is_met(side, level, bid, ask) == (side * (at - level) >= 0)


@given(sides, prices, prices, prices, st.integers(0, 500))
def test_a_level_is_crossed_exactly_when_it_is_met_after_the_move_and_was_not_before(
    side, level, bid_from, bid_to, spread
):
    at = rules.bid_level(side, level, spread)
    before = rules.stop_is_met(side, level, bid_from, bid_from + spread)
    after = rules.stop_is_met(side, level, bid_to, bid_to + spread)

    if not before:
        assert rules.is_crossed(at, bid_from, bid_to) == after


@given(sides, prices, st.integers(0, 500), st.integers(-9, 9))
def test_a_slip_above_zero_is_worse_for_a_market_order(side, bid, spread, slippage):
    fill = rules.market_fill(side, bid, bid + spread, slippage)
    plain = bid + spread if side > 0 else bid

    assert side * (fill - plain) == slippage


@given(sides, prices, st.integers(-9, 9))
def test_a_stop_slips_against_the_position_or_not_at_all(side, reached, slippage):
    assert side * (reached - rules.stop_fill(side, reached, slippage)) == max(0, slippage)


def test_documented_stop_distances_agree():
    """Bid 1.11423, level 30: a buy's stop below 1.11393 and target above 1.11453 are valid."""
    bid, ask = 111_423, 111_433

    assert not rules.stops_are_valid(1, 111_425, 111_421, bid, ask, 30)
    assert rules.stops_are_valid(1, 111_393, 111_453, bid, ask, 30)
    assert not rules.stops_are_valid(1, 111_394, 0, bid, ask, 30)
    assert not rules.stops_are_valid(1, 0, 111_452, bid, ask, 30)


@given(sides, prices, st.integers(0, 500), st.integers(0, 50), prices)
def test_a_level_that_is_valid_is_not_met_at_once(side, bid, spread, room, level):
    ask = bid + spread
    if rules.stops_are_valid(side, level, 0, bid, ask, room):
        assert not rules.stop_is_met(side, level, bid, ask)
    if rules.stops_are_valid(side, 0, level, bid, ask, room):
        assert not rules.target_is_met(side, level, bid, ask)


@given(sides)
def test_no_levels_are_valid_and_negative_ones_never(side):
    assert rules.stops_are_valid(side, 0, 0, 100, 110, 30)
    assert not rules.stops_are_valid(side, -1, 0, 100, 110, 0)
    assert not rules.stops_are_valid(side, 0, -1, 100, 110, 0)


# the path


@pytest.mark.parametrize(
    ("bar", "before", "path"),
    [
        ((10, 20, 5, 15), (0, 0), [10, 5, 20, 15]),
        ((15, 20, 5, 10), (0, 0), [15, 20, 5, 10]),
        ((10, 20, 5, 10), (1, 2), [10, 20, 5, 10]),
        ((10, 20, 5, 10), (2, 1), [10, 5, 20, 10]),
        ((10, 20, 5, 10), (1, 1), [10, 5, 20, 10]),
    ],
)
def test_the_market_walks_against_the_bar_first(bar: tuple, before: tuple, path: list):
    opened, high, low, close = bar
    direction = rules.path_direction(opened, close, *before)

    assert [rules.path_point(s, direction, opened, high, low, close) for s in range(4)] == path


def test_the_points_of_a_bar_stand_at_its_thirds_and_its_last_millisecond():
    assert [rules.path_time(s, 1000, 60_000) for s in range(4)] == [1000, 21_000, 41_000, 60_999]
