"""Swap of every mode and commission of every model, by the terms and in the book.

The documented numbers are those of MetaTrader's administrator help.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtquant.exchange import AccountSpec, Book, InstrumentSpec, Terms, VenueSpec, rules
from mtquant.model import CalculationMode, CommissionEntry, Side, SwapMode

LOT = 100_000_000
NOON_MS = 1_483_358_400_000
SUNDAY = 3  # 1970-01-04, counted from 1970-01-01
TUESDAY, WEDNESDAY = SUNDAY + 2, SUNDAY + 3
QUOTES = {"EURUSD": (110_000, 110_010), "GBPUSD": (125_000, 125_020), "USDTRY": (439_600, 439_640)}


def forex(base: str, profit: str, **more) -> InstrumentSpec:
    return InstrumentSpec(
        digits=5, contract_size=100_000.0, base_currency=base, profit_currency=profit, **more
    )


def terms(spec: InstrumentSpec) -> Terms:
    listed = {"X": spec} | {pair: forex(pair[:3], pair[3:]) for pair in QUOTES}
    return Terms.of(VenueSpec(instruments=listed), "X")


def quote(symbol: str) -> tuple[int, int] | None:
    return QUOTES.get("GBPUSD" if symbol == "X" else symbol)


def swap(spec: InstrumentSpec, side: int = 1, lots: int = 1, day: int = TUESDAY, **more) -> int:
    return terms(spec).swap(side, lots * LOT, day, more.get("prices", (0, 0)), quote)


@pytest.mark.parametrize(("day", "expected"), [(TUESDAY, -1294), (WEDNESDAY, -3882), (SUNDAY, 0)])
def test_the_point_value_of_a_foreign_currency_is_rounded_first(day: int, expected: int):
    """5 USDTRY, point 1.14 dollars, swap -11.35: -12.94."""
    spec = forex("GBP", "TRY", swap_mode=SwapMode.POINTS, swap_long_points=-11.35)

    assert swap(spec, lots=5, day=day) == expected


def test_multipliers_stand_before_the_triple_day():
    spec = forex(
        "EUR",
        "USD",
        swap_mode=SwapMode.POINTS,
        swap_long_points=7.0,
        swap_multipliers=(0, 1, 4, 0, 1, 1, 0.5),
    )

    assert [swap(spec, lots=2, day=SUNDAY + day) for day in range(7)] == [
        0,
        1400,
        5600,
        0,
        1400,
        1400,
        700,
    ]


@pytest.mark.parametrize(
    ("mode", "long", "expected"),
    [
        (SwapMode.BASE_CURRENCY, -5.0, -625),  # pounds at the ask 1.2502
        (SwapMode.BASE_CURRENCY, 5.0, 625),  # at the bid 1.25
        (SwapMode.MARGIN_CURRENCY, -5.0, -550),  # euros at 1.1001
        (SwapMode.DEPOSIT_CURRENCY, -5.0, -500),
    ],
)
def test_money_swaps_convert_at_the_unfavourable_side(mode: SwapMode, long: float, expected: int):
    spec = forex("GBP", "USD", margin_currency="EUR", swap_mode=mode, swap_long=long)

    assert swap(spec) == expected
    assert swap(replace(spec, swap_long=1000 * long)) == pytest.approx(1000 * expected, abs=100)


def test_money_swaps_convert_to_the_last_digit():
    spec = forex(
        "GBP", "USD", swap_mode=SwapMode.BASE_CURRENCY, swap_long=-1000.0, swap_short=1000.0
    )

    assert (swap(spec), swap(spec, -1)) == (-125_020, 125_000)


def test_interest_of_forex_counts_the_contract_in_base_currency():
    """A lot of a pound pair at 3.6 percent: 10 pounds a night, at the bid for buys."""
    for mode in (SwapMode.INTEREST_CURRENT, SwapMode.INTEREST_OPEN):
        spec = forex("GBP", "USD", swap_mode=mode, swap_long=-3.6, swap_short=-3.6)
        assert (swap(spec, lots=100), swap(spec, -1, lots=100)) == (-125_000, -125_020)


@pytest.mark.parametrize(
    ("mode", "expected"), [(SwapMode.INTEREST_OPEN, -500), (SwapMode.INTEREST_CURRENT, -600)]
)
def test_interest_of_others_counts_the_price(mode: SwapMode, expected: int):
    spec = InstrumentSpec(
        digits=2,
        contract_size=10.0,
        base_currency="USD",
        profit_currency="USD",
        calculation_mode=CalculationMode.CFD,
        swap_mode=mode,
        swap_long=-3.6,
    )

    assert swap(spec, prices=(500_000, 600_000)) == expected  # 10 x 5000 or 6000, 3.6 %, 360 days
    assert swap(replace(spec, swap_year_days=365), prices=(500_000, 600_000)) in {-493, -592}


def test_a_book_accumulates_interest_at_its_own_quotes():
    spec = forex("EUR", "USD", swap_mode=SwapMode.INTEREST_CURRENT, swap_long=-3.6)
    venue = VenueSpec(server_clock="utc", instruments={"EURUSD": spec})
    book = Book(venue, NOON_MS)
    book.jump("EURUSD", 110_000, 110_010, NOON_MS)
    book.open_market("EURUSD", Side.BUY, LOT)
    book.roll_over(NOON_MS + 12 * 3_600_000)

    assert book.open_positions[0].swap_minor == -1100


# commission


def deals(**costs) -> list[tuple[int, int]]:
    """Return commission and fee of the deals in and out of 2 lots of EURUSD at 1.1."""
    spec = forex("EUR", "USD", **costs)
    venue = VenueSpec(
        server_clock="utc", account=AccountSpec(deposit=100_000.0), instruments={"EURUSD": spec}
    )
    book = Book(venue, NOON_MS)
    book.jump("EURUSD", 110_000, 110_000, NOON_MS)
    ticket = book.open_market("EURUSD", Side.BUY, 2 * LOT).order_ticket
    book.close_market(ticket, 2 * LOT)
    trades = book.ledger.deals[1:]
    assert book.balance_minor == 10_000_000 + sum(deal.net_minor for deal in trades)
    return [(deal.commission_minor, deal.fee_minor) for deal in trades]


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({"commission_per_lot": 3.5}, [(-700, 0), (-700, 0)]),
        ({"commission_percent": 0.01}, [(-2200, 0), (-2200, 0)]),
        ({"commission_per_deal": 1.0}, [(-100, 0), (-100, 0)]),
        ({"commission_per_lot": 1.0, "commission_minimum": 5.0}, [(-500, 0), (-500, 0)]),
        (
            {"commission_per_lot": 1.0, "commission_entry": CommissionEntry.IN},
            [(-200, 0), (0, 0)],
        ),
        (
            {"commission_minimum": 5.0, "commission_entry": CommissionEntry.OUT},
            [(0, 0), (-500, 0)],
        ),
        ({"fee_per_lot": 0.25}, [(0, -50), (0, -50)]),
    ],
)
def test_every_model_charges_its_deals(costs: dict, expected: list):
    assert deals(**costs) == expected


money = st.floats(0, 1e5)


@given(st.integers(1, 1000 * LOT), st.tuples(money, money, st.floats(0, 5), money), money)
def test_commission_is_never_earned_nor_below_its_minimum(units, costs, least):
    charged = -rules.commission_minor(units, *costs, least)

    assert charged >= max(0, least - 0.5)
