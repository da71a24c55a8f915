"""Margin, profit and conversion of every calculation mode, by the rules and by the terms.

The numbers come from the MQL5 reference and book and from MetaTrader's administrator help.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.exchange import AccountSpec, InstrumentSpec, Terms, VenueSpec, rules
from mtquant.exchange.rules import modes
from mtquant.model import CalculationMode as Mode
from mtquant.model import ConfigError

LOT = 100_000_000


def forex(base: str, profit: str, digits: int, **more) -> InstrumentSpec:
    return InstrumentSpec(
        digits=digits, contract_size=100_000.0, base_currency=base, profit_currency=profit, **more
    )


EURUSD = forex("EUR", "USD", 5)
USDJPY = forex("USD", "JPY", 3)
EURJPY = forex("EUR", "JPY", 3)


def terms(symbol: str, instruments: dict[str, InstrumentSpec], **account) -> Terms:
    return Terms.of(VenueSpec(account=AccountSpec(**account), instruments=instruments), symbol)


def stock(mode: Mode, **more) -> Terms:
    spec = InstrumentSpec(
        digits=2,
        contract_size=10.0,
        base_currency="USD",
        profit_currency="USD",
        calculation_mode=mode,
        **more,
    )
    return terms("X", {"X": spec})


# margin by mode: 2 lots of contract 10 at 50.00, leverage 100


@pytest.mark.parametrize(
    ("mode", "more", "margin"),
    [
        (Mode.FOREX, {}, 20),
        (Mode.FOREX_NO_LEVERAGE, {}, 2000),
        (Mode.CFD, {}, 100_000),
        (Mode.CFD_LEVERAGE, {}, 1000),
        (Mode.CFD_INDEX, {"tick_value": 0.05}, 500_000),
        (Mode.FUTURES, {"margin_initial": 300.0}, 60_000),
        (Mode.EXCH_FUTURES, {"margin_initial": 300.0}, 60_000),
        (Mode.EXCH_FUTURES_FORTS, {"margin_initial": 300.0, "settlement_price": 49.0}, 62_000),
        (Mode.EXCH_STOCKS, {}, 100_000),
        (Mode.EXCH_STOCKS_MOEX, {}, 100_000),
        (Mode.EXCH_BONDS, {"face_value": 1000.0}, 1_000_000),
        (Mode.EXCH_BONDS_MOEX, {"face_value": 1000.0}, 1_000_000),
        (Mode.FOREX, {"margin_initial": 300.0}, 600),
        (Mode.CFD_LEVERAGE, {"margin_initial": 300.0}, 600),
        (Mode.CFD, {"margin_initial": 300.0}, 60_000),
        (Mode.EXCH_STOCKS, {"margin_rates": (0.5, 2.0, 0.0, 0.0)}, 50_000),
    ],
)
def test_every_mode_has_its_margin(mode: Mode, more: dict, margin: int):
    if mode is Mode.EXCH_FUTURES_FORTS:
        more = more | {"tick_value": 0.1}
    assert stock(mode, **more).margin([(1, 2 * LOT, 5000)]) == margin


def test_collateral_needs_no_margin_and_adds_the_liquid_part_of_its_worth():
    arguments = (modes.SERV_COLLATERAL, 10.0, 1.0, 0.01, 0.0)

    assert rules.margin_value(*arguments) == rules.price_value(*arguments) == 0.0
    assert rules.collateral_minor(2 * LOT, 5000, 10.0, 0.9, 1e8) == 90_000
    assert rules.collateral_minor(2 * LOT, 5000, 10.0, 0.9, 0.0) == 0


@pytest.mark.parametrize(
    ("mode", "more", "profit"),
    [
        (Mode.CFD, {}, 3000),
        (Mode.CFD_INDEX, {"tick_value": 0.05}, 3000),
        (Mode.EXCH_STOCKS, {}, 3000),
        (Mode.FUTURES, {"margin_initial": 1.0, "tick_value": 0.05}, 1500),
        (Mode.FUTURES, {"margin_initial": 1.0, "tick_value": 0.5, "tick_size_points": 25}, 600),
        (Mode.EXCH_BONDS, {"face_value": 1000.0}, 30_000),
        (Mode.EXCH_BONDS, {"face_value": 1000.0, "accrued_interest": 0.25}, 30_500),
    ],
)
def test_every_mode_has_its_profit(mode: Mode, more: dict, profit: int):
    assert stock(mode, **more).profit(1, 2 * LOT, 5000, 5150) == profit


def test_futures_without_a_tick_size_are_worth_nothing_instead_of_failing():
    assert rules.price_value(modes.FUTURES, 10.0, 1.0, 0.0, 0.0) == 0.0
    assert rules.margin_value(modes.CFD_INDEX, 10.0, 1.0, 0.0, 0.0) == 0.0


# margin of an account


def test_margin_rates_multiply_the_covered_part_by_their_mean():
    """Sell 3 lots, buy 2, rates 4 and 2, leverage 500: 1343.36 + 895.54 = 2238.90."""
    spec = forex(
        "EUR", "USD", 5, margin_hedged_contract=100_000.0, margin_rates=(2.0, 4.0, 0.0, 0.0)
    )
    legs = [(-1, LOT, 111_943), (1, LOT, 111_953)] * 2 + [(-1, LOT, 111_943)]

    assert terms("EURUSD", {"EURUSD": spec}, leverage=500).margin(legs) == 223_890


def test_pending_orders_add_to_the_positions():
    """Buy 1 at 15.436, 2 at 15.432, buy limit 1 at 15.412: 2315.00 + 770.60 = 3085.60."""
    pending = rules.margin_amount(modes.CFD_LEVERAGE, LOT, 15_412, 5000.0, 1e3, 100, 100.0)
    weighted = float(LOT * 15_436 + 2 * LOT * 15_432)
    positions = (modes.CFD_LEVERAGE, 3 * LOT, weighted, 0, 0.0, 5000.0, 0.0, 1e3, 100, 0.0, 100.0)

    assert pending == pytest.approx(77_060)
    assert rules.hedged_margin_minor(*positions, 1.0, 1.0, False, False, pending) == 308_560


def test_the_larger_leg_is_taken_with_its_own_pending_orders():
    legs = (modes.FOREX, 2 * LOT, 2.0 * LOT, LOT, 1.0 * LOT, 1e5, 1e5, 1e5, 100, 0.0, 100.0)

    assert rules.hedged_margin_minor(*legs, 1.0, 1.0, False, True) == 200_000
    assert rules.hedged_margin_minor(*legs, 1.0, 1.0, False, True, 0.0, 150_000.0) == 250_000


def test_held_positions_take_the_maintenance_margin():
    spec = stock(Mode.CFD, margin_initial=1000.0, margin_maintenance=500.0)
    bare = stock(Mode.CFD, margin_initial=1000.0)

    assert spec.margin([(1, LOT, 5000)]) == 100_000
    assert spec.margin([(1, LOT, 5000)], is_held=True) == 50_000
    assert bare.margin([(1, LOT, 5000)], is_held=True) == 100_000


def test_an_order_against_a_fixed_margin_keeps_what_is_held():
    """Buy 1 held; sell 2: 500 held + 500 hedged + 1000 initial; after it 1000."""
    fixed = stock(
        Mode.CFD, margin_initial=1000.0, margin_maintenance=500.0, margin_hedged_contract=500.0
    )
    held = fixed.margin([(1, LOT, 5000)], is_held=True)

    assert held == 50_000
    assert fixed.fixed_margin_to_open(held, LOT, (-1, 2 * LOT, 5000)) == 200_000
    assert fixed.margin([(1, LOT, 5000), (-1, 2 * LOT, 5000)], is_held=True) == 100_000


@pytest.mark.parametrize(
    ("same", "opposite", "position", "margin"),
    [(20 / 3, 10.0, 20 / 3, 6.67), (50 / 3, 0.0, 20 / 3, 16.67), (0.0, 10.0, 20 / 3, 3.33)],
)
def test_netting_margin_counts_the_larger_direction(
    same: float, opposite: float, position: float, margin: float
):
    """Sell 0.02 USDJPY held, 6.67: buying 0.03 needs no more, selling 0.03 makes 16.67."""
    found = rules.netting_margin_minor(100 * same, 100 * opposite, 100 * position, 0.0)

    assert found == round(100 * margin)
    assert rules.netting_margin_minor(100 * same, 0.0, 0.0, 1.0) == round(100 * same + 1)


def test_the_documented_forts_margin():
    """Buy 3 at 73640, buy limit 2 at 73000, sell limit 10 at 74500, settlement 73638."""

    def amount(side: int, lots: int, price: int) -> float:
        initial = 7665.41 if side > 0 else 7739.59
        return rules.forts_margin_amount(side, lots * LOT, price, 73_638, initial, 1.0, 100.0)

    bought = amount(1, 3, 73_640) + amount(1, 2, 73_000)
    assert round(bought) == 3_705_705
    sold, turned = amount(-1, 10, 74_500), amount(-1, 3, 73_640)
    assert round(sold - turned) == 4_556_313
    assert rules.netting_margin_minor(bought, sold, turned, 0.0) == 4_556_313


def test_forts_positions_take_the_larger_direction():
    forts = stock(
        Mode.EXCH_FUTURES_FORTS,
        margin_initial=300.0,
        margin_initial_short=310.0,
        settlement_price=50.0,
    )

    assert forts.margin([(1, LOT, 5000), (-1, LOT, 5000)]) == 31_000
    assert forts.margin([(1, 2 * LOT, 5000), (-1, LOT, 5000)]) == 60_000


# conversion


@pytest.mark.parametrize(
    ("symbol", "own", "quote", "expected"),
    [("EURJPY", 132_000, (109_900, 109_910), 10_991), ("GBPJPY", 150_000, (0, 122_730), 12_273)],
)
def test_the_margin_of_a_cross_converts_at_the_ask_of_its_base(
    symbol: str, own: int, quote: tuple, expected: int
):
    """0.1 lots of EURJPY and GBPJPY on a dollar account, leverage 100: 109.91 and 122.73."""
    base = symbol[:3]
    listed = {
        symbol: forex(base, "JPY", 3),
        f"{base}USD": forex(base, "USD", 5),
        "USDJPY": USDJPY,
    }
    cross = terms(symbol, listed)
    rate = cross.opening_rate(1, own, lambda pair: (max(1, quote[0]), quote[1]))

    assert cross.conversions.foreign_pairs == (f"{base}USD", "USDJPY")
    assert cross.margin([(1, LOT // 10, own)], [rate]) == expected


@pytest.mark.parametrize(
    ("side", "opened", "closed", "expected"),
    [(1, 108_183, 108_483, 27_654), (-1, 108_179, 107_879, 27_809)],
)
def test_a_pair_converts_its_own_profit_at_the_closing_price(
    side: int, opened: int, closed: int, expected: int
):
    assert terms("USDJPY", {"USDJPY": USDJPY}).profit(side, LOT, opened, closed) == expected


@pytest.mark.parametrize(
    ("lots", "opened", "expected"), [(1, 76_239, 23_815), (1, 75_750, 87_803), (2, 74_721, 444_904)]
)
def test_printed_rouble_profits(lots: int, opened: int, expected: int):
    """USDRUB on a dollar account, closed at 76.421: 238.15, 878.03, 4449.04."""
    usdrub = terms("USDRUB", {"USDRUB": forex("USD", "RUB", 3)})

    assert usdrub.profit(1, lots * LOT, opened, 76_421) == expected


@pytest.mark.parametrize(
    ("quoted", "digits", "quote", "expected"),
    [
        ("JPY", 3, (111_380, 111_387), (0.8977708350166538, 0.8978272580355541)),
        ("CAD", 5, (141_954, 141_972), (1 / 1.41972, 1 / 1.41954)),
    ],
)
def test_documented_tick_values(quoted: str, digits: int, quote: tuple, expected: tuple):
    pair = f"USD{quoted}"
    listed = {
        "X": forex("EUR", quoted, digits),
        "EURUSD": EURUSD,
        pair: forex("USD", quoted, digits),
    }
    found = terms("X", listed).tick_values(lambda symbol: quote if symbol == pair else None)

    assert found == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("by_deal", "side", "closed", "rate"),
    [
        (False, 1, 120_300, 1 / 111.387),
        (False, -1, 119_700, 1 / 111.387),
        (False, 1, 119_700, 1 / 111.380),
        (False, -1, 120_300, 1 / 111.380),
        (True, 1, 120_300, 1 / 111.380),
        (True, 1, 119_700, 1 / 111.380),
        (True, -1, 119_700, 1 / 111.387),
        (True, -1, 120_300, 1 / 111.387),
    ],
)
def test_profits_convert_by_the_market_or_by_the_deal(
    by_deal: bool, side: int, closed: int, rate: float
):
    listed = {"EURJPY": EURJPY, "EURUSD": EURUSD, "USDJPY": USDJPY}
    cross = terms("EURJPY", listed, converts_by_deal=by_deal)
    profit = cross.profit(side, LOT, 120_000, closed, lambda _: (111_380, 111_387))

    sign = 1 if side * (closed - 120_000) > 0 else -1
    assert profit == sign * round(30_000 * rate * 100)


def test_conversion_without_a_quote_is_refused_by_name():
    cross = terms("EURJPY", {"EURJPY": EURJPY, "EURUSD": EURUSD, "USDJPY": USDJPY})

    with pytest.raises(ConfigError, match="USDJPY: currency conversion needs its quotes"):
        cross.profit(1, LOT, 120_000, 120_300)
    with pytest.raises(ConfigError, match="EURUSD: currency conversion needs its quotes"):
        cross.margin([(1, LOT, 120_000)])


def test_profit_digits_round_each_leg_before_it_converts():
    coarse = terms("USDJPY", {"USDJPY": forex("USD", "JPY", 3, profit_digits=0)})
    fine = terms("USDJPY", {"USDJPY": USDJPY})

    assert coarse.profit(1, LOT // 1000, 100_004, 100_008) == 1  # 10000.4 and 10000.8 yen
    assert fine.profit(1, LOT // 1000, 100_004, 100_008) == 0


def test_only_forex_symbols_convert():
    metal = InstrumentSpec(
        digits=2,
        contract_size=100.0,
        base_currency="XAU",
        profit_currency="JPY",
        calculation_mode=Mode.CFD,
    )
    index = InstrumentSpec(
        digits=2,
        contract_size=1.0,
        base_currency="USD",
        profit_currency="JPY",
        margin_currency="USD",
        calculation_mode=Mode.CFD,
    )
    with pytest.raises(ConfigError, match="neither JPYUSD nor USDJPY is a forex symbol"):
        terms("GOLD", {"GOLD": metal, "INDEX": index})
    assert terms("GOLD", {"GOLD": metal, "USDJPY": USDJPY}).conversions.foreign_pairs == ("USDJPY",)


# whatever is drawn

positive = st.integers(1, 10**7)
amounts = st.floats(0, 1e6)


@given(positive, st.integers(0, 500), st.sampled_from([1.0, 1e3, 1e5]))
def test_there_and_back_never_gains(bid: int, spread: int, scale: float):
    ask = bid + spread
    there = rules.conversion_rate(bid, ask, scale, False, False)
    back = rules.conversion_rate(bid, ask, scale, True, False)

    assert there * back <= 1 + 1e-12
    assert rules.conversion_rate(bid, ask, scale, False, True) >= there
    assert rules.conversion_rate(bid, ask, scale, True, True) * there == pytest.approx(1)


@given(st.integers(-2, 2), st.integers(-2, 2), st.sampled_from([0.0, 1e3]), st.booleans())
def test_an_unquoted_pair_converts_to_nothing(bid: int, ask: int, scale: float, inverse: bool):
    rate = rules.conversion_rate(bid, ask, scale, inverse, True)

    assert (rate == 0.0) == (bid <= 0 or ask <= 0 or scale <= 0)


legs = st.tuples(st.integers(0, 1000 * LOT), positive)
flags = st.booleans()


@given(
    legs,
    legs,
    st.tuples(amounts, amounts, st.sampled_from([0.0, 1e3, 1e5])),
    st.tuples(st.integers(0, 1000), st.sampled_from([0.0, 100.0]), st.just(100.0)),
    st.tuples(st.floats(0, 10), st.floats(0, 10), flags, flags),
)
def test_margin_is_never_negative_and_nothing_divides_by_zero(bought, sold, values, rates, more):
    for mode in range(13):
        margin = rules.hedged_margin_minor(
            mode,
            bought[0],
            float(bought[0] * bought[1]),
            sold[0],
            float(sold[0] * sold[1]),
            *values,
            *rates,
            *more,
        )
        assert margin >= 0
        assert bought[0] or sold[0] or margin == 0


@given(st.sampled_from([1, -1]), positive, positive, amounts, amounts)
def test_forts_and_netting_margins_are_never_negative(side, price, settlement, initial, point):
    amount = rules.forts_margin_amount(side, LOT, price, settlement, initial, point, 1.0)

    assert amount >= 0
    assert rules.netting_margin_minor(0.0, amount, 2 * amount, 0.0) == 0


def test_a_rule_without_a_divisor_answers_nothing():
    assert rules.value_minor(LOT, 5000, 10.0, 0.0) == 0
    assert rules.swap_points_minor(LOT, -5.0, 1, 10.0, 0.0, 1.0) == 0
    assert rules.swap_interest_minor(LOT, 5.0, 1, 10.0, 0.0, 100.0, 1.0) == 0
    assert rules.margin_amount(modes.CFD, LOT, 5000, 10.0, 0.0, 100, 1.0) == 0.0
