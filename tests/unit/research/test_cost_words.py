"""A report says in words what an instrument costs."""

import pytest

from mtquant.exchange import InstrumentSpec
from mtquant.model import CommissionEntry, SwapMode
from mtquant.research.report import _commission_words, _swap_words

ALL_MODELS = (
    "0 USD per lot and side, deals in only, 0.01 % of the value, 1 per deal, "
    "at least 2, fee 0.1 per lot"
)


def spec(**costs) -> InstrumentSpec:
    return InstrumentSpec(
        digits=5, contract_size=1e5, base_currency="EUR", profit_currency="USD", **costs
    )


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({"commission_per_lot": 3.5}, "3.5 USD per lot and side"),
        (
            {
                "commission_percent": 0.01,
                "commission_per_deal": 1.0,
                "commission_minimum": 2.0,
                "commission_entry": CommissionEntry.IN,
                "fee_per_lot": 0.1,
            },
            ALL_MODELS,
        ),
    ],
)
def test_commission_is_told_with_all_its_models(costs: dict, words: str):
    assert _commission_words(spec(**costs), "USD") == words


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({}, "none"),
        (
            {"swap_mode": SwapMode.POINTS, "swap_long_points": -7.5},
            "long −7.5, short 0 points per night",
        ),
        (
            {"swap_mode": SwapMode.DEPOSIT_CURRENCY, "swap_short": 2.0},
            "long 0, short 2 per lot in deposit currency per night",
        ),
        ({"swap_mode": SwapMode.INTEREST_OPEN, "swap_long": -3.0}, "long −3 %, short 0 % a year"),
    ],
)
def test_swap_is_told_in_what_it_is_counted(costs: dict, words: str):
    assert _swap_words(spec(**costs).instrument("EURUSD")) == words
