"""A venue is checked where it is made: what no rule can compute is refused by name."""

import math
from dataclasses import replace

import pytest

from mtquant.exchange import AccountSpec, InstrumentSpec, Terms, VenueSpec
from mtquant.model import (
    AccountSnapshot,
    CalculationMode,
    ConfigError,
    MarginMode,
    SwapMode,
    SymbolNotFoundError,
    read,
)

EURUSD = InstrumentSpec(digits=5, contract_size=100_000, base_currency="EUR", profit_currency="USD")
GOLD = InstrumentSpec(
    digits=2,
    contract_size=100,
    base_currency="XAU",
    profit_currency="USD",
    calculation_mode=CalculationMode.CFD_LEVERAGE,
)
WEDNESDAY = 6  # of 1970-01-07, days since 1970-01-01
LOT = 100_000_000


def venue(**changes) -> VenueSpec:
    return VenueSpec(**({"instruments": {"EURUSD": EURUSD}} | changes))


def snapshot(currency: str = "USD", digits: int = 2) -> AccountSnapshot:
    return AccountSnapshot(
        login=1,
        server="x",
        currency=currency,
        currency_digits=digits,
        leverage=100,
        margin_mode=MarginMode.HEDGING,
        is_demo=True,
        trade_allowed=True,
        balance_minor=0,
        equity_minor=0,
        margin_minor=0,
        time_ms=0,
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instruments": {}}, "instruments: at least one symbol"),
        ({"server_clock": "mars"}, "server_clock: .* use utc, eet_eu"),
        (
            {"instruments": {"USDJPY": replace(EURUSD, profit_currency="JPY")}},
            "instruments.USDJPY: profits in JPY on a USD account need currency conversion",
        ),
        (
            {"instruments": {"EURUSD": replace(EURUSD, margin_currency="GBP")}},
            "instruments.EURUSD: margins in GBP on a USD account .* neither GBPUSD nor USDGBP",
        ),
        (
            {"instruments": {"XAUUSD": replace(GOLD, margin_currency="XAU")}},
            "margins in XAU on a USD account .* neither XAUUSD nor USDXAU is a forex symbol",
        ),
        ({"instruments": {"EURUSD": replace(EURUSD, digits=12)}}, "EURUSD: digits must be 0 to 8"),
        (
            {"instruments": {"EURUSD": replace(EURUSD, margin_initial=-1.0)}},
            "EURUSD: margin_initial must not be negative",
        ),
        (
            {"instruments": {"EURUSD": replace(EURUSD, margin_rates=(1.0, -1.0, 0.0, 0.0))}},
            "EURUSD: margin_rates must be 4",
        ),
    ],
)
def test_a_venue_that_no_rule_can_run_is_refused(changes: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        venue(**changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"login": 0}, "login"),
        ({"deposit": -1.0}, "deposit"),
        ({"deposit": 1e300}, "deposit"),
        ({"currency_digits": 9}, "currency_digits"),
        ({"leverage": 0}, "leverage"),
        ({"margin_mode": MarginMode.NETTING, "fifo_close": True}, "fifo_close: a netting"),
        ({"password": "x", "investor_password": "x"}, "must differ"),
        ({"limit_orders": -1}, "limit_orders must not be negative"),
        ({"credit": -1.0}, "credit must not be negative"),
        ({"stop_out_money": 1.0}, "stop_out_money must lie between 0 and margin_call_money"),
        ({"stop_out_percent": 101.0}, "stop_out_percent"),
        ({"stop_out_percent": -1.0}, "stop_out_percent"),
    ],
)
def test_an_account_that_cannot_trade_is_refused(change: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        AccountSpec(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"commission_per_lot": -1.0}, "commission_per_lot"),
        ({"spread_points": -1}, "spread_points"),
        ({"calculation_mode": CalculationMode.SERV_COLLATERAL}, "not tradable"),
        ({"calculation_mode": CalculationMode.FUTURES}, "margin_initial: futures needs"),
        ({"calculation_mode": CalculationMode.EXCH_BONDS}, "face_value: exch_bonds needs"),
        ({"profit_digits": 9}, "profit_digits must be 0 to 8"),
        ({"commission_percent": -0.1}, "commission_percent must not be negative"),
        ({"fee_per_lot": math.inf}, "fee_per_lot must not be negative"),
        ({"swap_mode": SwapMode.REOPEN_BID}, "swap_mode: reopen_bid is not simulated"),
        ({"swap_mode": SwapMode.POINTS, "swap_long": 1.0}, "points takes swap_long_points"),
        ({"swap_mode": SwapMode.DEPOSIT_CURRENCY, "swap_short_points": 1.0}, "takes swap_long and"),
        ({"swap_long": math.nan}, "swaps must be finite"),
        ({"swap_multipliers": (0, 1, 1, -3, 1, 1, 0)}, "swap_multipliers must not be negative"),
        ({"swap_year_days": 364}, "swap_year_days must be 360, 365 or 366"),
        ({"settlement_price": -1.0}, "settlement_price"),
        ({"settlement_price": math.inf}, "settlement_price"),
    ],
)
def test_negative_costs_and_incomplete_formulas_are_refused(change: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        replace(EURUSD, **change)


def test_an_unknown_symbol_is_refused_with_the_nearest():
    with pytest.raises(SymbolNotFoundError, match=r"'EURUSB' is not traded .* 'EURUSD'"):
        venue().instrument("EURUSB")


def test_people_write_lots_and_the_instrument_holds_units():
    instrument = venue().instrument("EURUSD")

    assert (instrument.volume_min_units, instrument.volume_max_units) == (LOT // 100, 500 * LOT)
    assert AccountSpec(deposit=1234.56).deposit_minor == 123_456


def test_the_margin_currency_follows_from_the_formula_unless_it_is_given():
    made = venue(instruments={"EURUSD": EURUSD, "XAUUSD": GOLD})

    assert made.instrument("EURUSD").margin_currency == "EUR"
    assert made.instrument("XAUUSD").margin_currency == "USD"


def test_gold_as_a_cfd_takes_contract_times_price_once():
    terms = Terms.of(venue(instruments={"XAUUSD": GOLD}), "XAUUSD")

    assert terms.margin([(1, LOT, 120_000)]) == 120_000  # 100 ounces at 1200, leverage 100
    assert terms.profit(1, LOT, 120_000, 120_150) == 15_000


def test_a_venue_can_be_read_from_a_configuration():
    made = read(
        VenueSpec,
        {
            "server_clock": "ny_plus_7",
            "account": {"deposit": 500},
            "instruments": {
                "EURUSD": {
                    "digits": 5,
                    "contract_size": 100000,
                    "base_currency": "EUR",
                    "profit_currency": "USD",
                    "triple_swap_weekday": None,
                }
            },
        },
    )

    assert made.clock.profile == "ny_plus_7"
    assert made.instrument("EURUSD").triple_swap_weekday is None


@pytest.mark.parametrize(("triple", "swap"), [(3, -2100), (None, -700)])
def test_the_triple_day_can_be_left_out(triple: int | None, swap: int):
    spec = replace(
        EURUSD, swap_mode=SwapMode.POINTS, swap_long_points=-7.0, triple_swap_weekday=triple
    )
    terms = Terms.of(venue(instruments={"EURUSD": spec}), "EURUSD")

    assert terms.swap(1, LOT, WEDNESDAY) == swap


def test_terms_of_a_brokers_instrument_equal_those_of_the_venue_but_for_the_commission():
    made = venue()

    assert Terms.at_broker(made.instrument("EURUSD"), snapshot()) == Terms.of(made, "EURUSD")


def test_terms_that_would_need_conversion_are_refused():
    with pytest.raises(ConfigError, match="EURUSD: profits in USD on a CHF account"):
        Terms.at_broker(venue().instrument("EURUSD"), snapshot("CHF"))


def test_terms_of_a_pair_that_converts_itself_need_no_other_quotes():
    terms = Terms.at_broker(venue().instrument("EURUSD"), snapshot("EUR"))

    assert terms.profit(1, LOT, 110_000, 110_300) == 27_199  # 300 dollars at 1.10300
    assert terms.margin([(1, LOT, 110_000)]) == 100_000  # 1000 euros whatever the price


def test_a_currency_without_cents_counts_whole_units():
    spec = InstrumentSpec(
        digits=3, contract_size=100_000, base_currency="USD", profit_currency="JPY"
    )
    account = AccountSpec(currency="JPY", currency_digits=0, deposit=1_000_000.0)
    terms = Terms.of(venue(account=account, instruments={"USDJPY": spec}), "USDJPY")

    assert terms.profit(1, LOT, 108_183, 108_483) == 30_000
    assert terms.margin([(1, LOT, 108_183)]) == 108_183
