"""Whatever the method, market and money: a volume is tradable and never above its formula."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtquant.exchange import Terms
from mtquant.model import (
    UNITS_PER_LOT,
    AccountSnapshot,
    CalculationMode,
    Instrument,
    MarginMode,
    Side,
    units_from_lots,
)
from mtquant.risk import (
    PositionSizer,
    Refusal,
    Sizing,
    SizingMethod,
    SizingRequest,
    SizingSpec,
    risk_sized,
)

ENTRY = 108_483
STEP_FREE = Fraction(1, 10**12)  # what floats may add to a quotient

RECORD = {"win_rate_fraction": 0.6, "average_win": 100.0, "average_loss": 50.0}
GIVEN: dict[SizingMethod, dict[str, float]] = {
    SizingMethod.PERCENT_AT_RISK: {},
    SizingMethod.FIXED_LOTS: {"lots": 3.21},
    SizingMethod.FIXED_FRACTIONAL: {"equity_fraction": 0.3},
    SizingMethod.VOLATILITY: {},
    SizingMethod.KELLY: RECORD,
    SizingMethod.KELLY_PLAN_A: RECORD,
    SizingMethod.VOLATILITY_TARGET: {"annual_volatility_fraction": 0.1},
}
AT_RISK = {
    SizingMethod.PERCENT_AT_RISK: None,  # the sizer's own fraction
    SizingMethod.KELLY: Fraction(1, 10),
    SizingMethod.KELLY_PLAN_A: Fraction(1, 5),
}


def _account(currency: str, digits: int) -> AccountSnapshot:
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


USD, YEN = _account("USD", 2), _account("JPY", 0)
EURUSD = Instrument(
    symbol="EURUSD",
    digits=5,
    contract_size=100_000,
    base_currency="EUR",
    profit_currency="USD",
    margin_currency="EUR",
)
USDJPY = replace(
    EURUSD,
    symbol="USDJPY",
    digits=3,
    base_currency="USD",
    profit_currency="JPY",
    margin_currency="USD",
    profit_digits=0,
)
MINI = replace(EURUSD, symbol="MINI", contract_size=1_234.0)  # its points are parts of a cent
INDEX = replace(
    EURUSD,
    symbol="INDEX",
    digits=1,
    contract_size=0.7,
    base_currency="USD",
    margin_currency="USD",
    calculation_mode=CalculationMode.CFD,
    volume_min_units=30_000_000,
    volume_step_units=15_000_000,
)
FUTURE = replace(
    INDEX,
    symbol="FUTURE",
    calculation_mode=CalculationMode.FUTURES,
    tick_size_points=5,
    fixed_tick_value=12.5,
    volume_min_units=UNITS_PER_LOT,
    volume_step_units=UNITS_PER_LOT,
    volume_max_units=40 * UNITS_PER_LOT,
)
MARKETS = [
    (Terms.at_broker(instrument, account), account)
    for instrument, account in (
        (EURUSD, USD),
        (USDJPY, USD),
        (USDJPY, YEN),
        (MINI, USD),
        (INDEX, USD),
        (FUTURE, USD),
    )
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Hold one drawn trade; `changed` draws a neighbour of it."""

    terms: Terms
    account: AccountSnapshot
    spec: SizingSpec
    risk: float
    side: Side
    equity: int
    distance: int
    strength: float
    scale: float
    atr: float
    volatility: float

    def sized(self) -> Sizing | Refusal:
        request = SizingRequest(
            side=self.side,
            entry_points=ENTRY,
            stop_points=ENTRY - self.side.value * self.distance,
            strength=self.strength,
            scale=self.scale,
            atr_points=self.atr,
            annual_volatility_fraction=self.volatility,
        )
        account = replace(self.account, equity_minor=self.equity)
        return PositionSizer(self.spec, self.risk).size(self.terms, account, request)

    @property
    def units(self) -> int:
        sized = self.sized()
        return 0 if isinstance(sized, Refusal) else sized.volume_units

    def loss_minor(self, units: int, distance: float) -> int:
        side = self.side.value
        return -self.terms.profit(side, units, ENTRY, ENTRY - side * distance)

    def formula(self) -> Fraction:
        """Return the units of the method's definition in exact arithmetic, before cap and step."""
        method = self.spec.method
        scaled = Fraction(self.strength) * Fraction(self.scale)
        if method is SizingMethod.FIXED_LOTS:
            return Fraction(321, 100) * UNITS_PER_LOT * scaled
        money = self.equity * scaled * UNITS_PER_LOT
        if method is SizingMethod.FIXED_FRACTIONAL:
            return money * Fraction(3, 10) / self.value_minor()
        if method is SizingMethod.VOLATILITY_TARGET:
            return money * Fraction(1, 10) / Fraction(self.volatility) / self.value_minor()
        if method is SizingMethod.VOLATILITY:
            loss = self.loss_minor(UNITS_PER_LOT, 2 * self.atr)
            return money * Fraction(self.risk) / loss
        loss = self.loss_minor(UNITS_PER_LOT, self.distance)
        return money * (AT_RISK[method] or Fraction(self.risk)) / loss

    def value_minor(self) -> int:
        """Return the worth of a lot in minor units, told for each market apart."""
        instrument = self.terms.instrument
        if instrument.symbol == "USDJPY" and self.account.currency == "USD":
            return 10_000_000  # the base currency is that of the account
        price = Fraction(ENTRY, 10**instrument.digits)
        per_price = Fraction(str(instrument.contract_size))
        if instrument.symbol == "FUTURE":
            per_price = Fraction(25)  # 12.5 for 0.5
        return round(price * per_price * 10**self.account.currency_digits)


@st.composite
def trades(draw: Any, methods: list[SizingMethod]) -> Trade:
    terms, account = draw(st.sampled_from(MARKETS))
    method = draw(st.sampled_from(methods))
    cap = draw(st.none() | st.floats(0.001, 100))
    return Trade(
        terms=terms,
        account=account,
        spec=SizingSpec(method=method, **GIVEN[method], max_lots=cap),
        risk=draw(st.floats(0.001, 0.1)),
        side=draw(st.sampled_from(Side)),
        equity=draw(st.integers(-(10**6), 10**10)),
        distance=draw(st.integers(20, 5000)),
        strength=draw(st.floats(0, 1)),
        scale=draw(st.floats(0, 1) | st.just(1.0)),
        atr=draw(st.floats(20, 5000)),
        volatility=draw(st.floats(0.001, 3)),
    )


every = trades(list(SizingMethod))
at_risk = trades(list(AT_RISK))
many = settings(max_examples=200, deadline=None)


@many
@given(every)
def test_a_volume_is_a_whole_number_of_steps_within_every_limit(trade: Trade):
    instrument, units = trade.terms.instrument, trade.units

    assert units % instrument.volume_step_units == 0
    assert units == 0 or instrument.volume_min_units <= units <= instrument.volume_max_units
    if trade.spec.max_lots is not None:
        assert units <= units_from_lots(trade.spec.max_lots)


@many
@given(every)
def test_a_volume_is_the_largest_tradable_one_not_above_the_formula(trade: Trade):
    instrument, units, exact = trade.terms.instrument, trade.units, trade.formula()
    bigger = max(units + instrument.volume_step_units, instrument.volume_min_units)
    limit = instrument.volume_max_units
    if trade.spec.max_lots is not None:
        limit = min(limit, units_from_lots(trade.spec.max_lots))

    assert units <= max(exact, 0) * (1 + STEP_FREE) + Fraction(1, 2)
    assert bigger > limit or bigger > exact * (1 - STEP_FREE) - 1


@many
@given(every, st.integers(0, 10**10))
def test_more_equity_never_makes_it_smaller(trade: Trade, more: int):
    assert replace(trade, equity=trade.equity + more).units >= trade.units


@many
@given(every, st.integers(0, 5000))
def test_a_wider_stop_never_makes_it_larger(trade: Trade, wider: int):
    assert replace(trade, distance=trade.distance + wider).units <= trade.units


@many
@given(every, st.floats(0, 1), st.sampled_from(["strength", "scale"]))
def test_strength_and_scale_never_raise_it(trade: Trade, part: float, name: str):
    weaker = replace(trade, **{name: getattr(trade, name) * part})
    unscaled = replace(trade, **{name: 1.0})

    assert weaker.units <= trade.units <= unscaled.units


@many
@given(at_risk)
def test_a_stop_costs_no_more_than_was_put_at_risk(trade: Trade):
    units = trade.units
    fraction = AT_RISK[trade.spec.method] or Fraction(trade.risk)
    risk = max(0, trade.equity * fraction * Fraction(trade.strength))
    lots = Fraction(units, UNITS_PER_LOT)
    # A lot's loss is rounded: by one minor unit (two legs) of the profit currency, and a half of
    # one once it is converted; so is the loss of the volume.
    is_converted = bool(trade.terms.conversions.profit.pair)
    rounding = Fraction(3, 2) if is_converted else 1  # a yen is less than a cent

    assert trade.loss_minor(units, trade.distance) <= risk + (lots + 1) * rounding


@many
@given(trades([SizingMethod.PERCENT_AT_RISK]))
def test_percent_at_risk_equals_risk_sized_to_the_letter(trade: Trade):
    plain = replace(trade, spec=SizingSpec(), scale=1.0)
    account = replace(trade.account, equity_minor=trade.equity)
    stop = ENTRY - trade.side.value * trade.distance

    assert plain.sized() == risk_sized(
        trade.terms, account, trade.side, ENTRY, stop, trade.risk, trade.strength
    )


@pytest.mark.parametrize("method", SizingMethod)
def test_a_drawn_trade_of_every_method_gets_a_volume(method: SizingMethod):
    """Hold that the rules above do not speak of refusals alone."""
    for terms, account in MARKETS:
        trade = Trade(
            terms=terms,
            account=account,
            spec=SizingSpec(method=method, **GIVEN[method]),
            risk=0.02,
            side=Side.BUY,
            equity=10**9,
            distance=300,
            strength=0.9,
            scale=0.75,
            atr=150.0,
            volatility=0.2,
        )

        assert trade.units > 0
