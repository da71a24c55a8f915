"""Whatever is tried: what is approved stays within the limits, and what reduces risk passes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_rooms import make_account, make_position
from worlds import make_venue

from mtquant.exchange import Terms
from mtquant.model import (
    DAY_MS,
    AccountSnapshot,
    IntentAction,
    IntentRow,
    IntentState,
    OrderIntent,
    Position,
    Quote,
    Side,
)
from mtquant.portfolio.exposure import Exposure, ExposureBook, Valuer
from mtquant.risk import (
    ENTRY_RULES,
    ApprovedOrder,
    BreakerSpec,
    Directions,
    OnCorrelation,
    PropChoice,
    Refused,
    RiskEngine,
    RiskLimits,
    RiskView,
)

CAP = 30.0
POINTS = {"EURUSD": 110_000, "GBPUSD": 125_000, "USDJPY": 150_000}
KINDS = {"EURUSD": "forex", "GBPUSD": "forex", "USDJPY": "index"}
STEP = 1_000_000  # 0.01 lots


def valuer(symbol: str) -> Valuer:
    terms = Terms.of(make_venue(symbol=symbol), symbol)
    return Valuer(terms=terms, asset_class=KINDS[symbol], leverage_cap=CAP)


BOOK = ExposureBook({symbol: valuer(symbol) for symbol in POINTS})


def entry(symbol: str, side: Side, steps: int, number: int = 1) -> OrderIntent:
    price = POINTS[symbol]
    return OrderIntent(
        strategy_id="a",
        symbol=symbol,
        action=IntentAction.OPEN,
        side=side,
        volume_units=steps * STEP,
        trigger=f"bar:{number}",
        decided_ms=0,
        deadline_ms=10,
        price_points=price,
        stop_loss_points=price - 500 * side.value,
    )


@dataclass
class Account:
    """Simulate an account: entries that were approved fill when and how much they like."""

    limits: RiskLimits
    rows: dict[int, IntentRow] = field(default_factory=dict)
    filled: dict[int, int] = field(default_factory=dict)  # by intent: units that are held
    snapshot: AccountSnapshot = field(default_factory=make_account)
    number: int = 0

    @property
    def positions(self) -> tuple[Position, ...]:
        return tuple(
            make_position(
                number,
                symbol=row.intent.symbol,
                side=row.intent.side,
                volume_units=self.filled[number],
                open_points=row.intent.price_points,
                current_points=row.intent.price_points,
                intent_id=number,
            )
            for number, row in self.rows.items()
            if self.filled.get(number)
        )

    @property
    def exposure(self) -> Exposure:
        return BOOK.sum(self.positions, self.rows.values())

    def view(self, symbol: str) -> RiskView:
        price = POINTS[symbol]
        rows = tuple(self.rows.values())
        return RiskView(
            now_ms=0,
            account=self.snapshot,
            instrument=BOOK.valuers[symbol].terms.instrument,
            quote=Quote(symbol=symbol, time_ms=0, bid_points=price, ask_points=price),
            positions=self.positions,
            in_flight=(),
            may_come=rows,
            day_start_balance_minor=1_000_000,
            day_loss_minor=0,
            entries_in_minute=0,
            entries_today=0,
            entries_in_a_row=0,
            cash_lack_minor=0,
            halt_level=0,
            is_ready=True,
            valuer=BOOK.valuers[symbol],
            exposure=self.exposure,
        )

    def ask(self, symbol: str, side: Side, steps: int) -> ApprovedOrder | Refused:
        """Ask the gate; what it approves may come from now on."""
        self.number += 1
        wanted = entry(symbol, side, steps, self.number)
        decision = RiskEngine(self.limits).decide(wanted, self.view(symbol))
        if isinstance(decision, ApprovedOrder):
            row = IntentRow(intent_id=self.number, intent=wanted, state=IntentState.SENDING)
            self.rows[self.number] = row
        return decision

    def fill(self, which: int, share: float) -> None:
        """Fill a part of what is missing of one of the open entries, any of them."""
        open_ones = [number for number, row in self.rows.items() if row.is_open]
        if not open_ones:
            return
        number = open_ones[which % len(open_ones)]
        row, before = self.rows[number], self.filled.get(number, 0)
        missing = row.intent.volume_units - before
        self.filled[number] = before + max(1, int(missing * share))
        if self.filled[number] >= row.intent.volume_units:
            self.rows[number] = row.moved(IntentState.DONE, 1)

    def give_up(self, which: int) -> None:
        """Let one of the open entries end with what it has."""
        open_ones = [number for number, row in self.rows.items() if row.is_open]
        if open_ones:
            number = open_ones[which % len(open_ones)]
            self.rows[number] = self.rows[number].moved(IntentState.NOTSENT, 1)

    def finish(self) -> None:
        """Let everything come that may."""
        for number in list(self.rows):
            while self.rows[number].is_open:
                self.fill(0, 1.0)


RATIOS = {
    "max_gross_exposure_ratio": st.floats(0.5, 20),
    "max_net_exposure_ratio": st.floats(0.5, 20),
    "max_symbol_exposure_ratio": st.floats(0.25, 20),
    "max_class_exposure_ratio": st.floats(0.25, 20),
    "max_currency_exposure_ratio": st.floats(0.25, 20),
}
BOUNDS = st.fixed_dictionaries(
    {"max_positions": st.integers(1, 8)},
    optional={**RATIOS, "max_leverage": st.just({"forex_major": CAP})},
)


def entries(most_steps: int) -> st.SearchStrategy[tuple[str, Side, int]]:
    return st.tuples(
        st.sampled_from(sorted(POINTS)), st.sampled_from(Side), st.integers(1, most_steps)
    )


def stepping(most_steps: int) -> st.SearchStrategy[list[tuple[str, Any]]]:
    number = st.integers(0, 9)
    return st.lists(
        st.one_of(
            entries(most_steps).map(lambda order: ("ask", order)),
            st.tuples(number, st.floats(0, 1)).map(lambda fill: ("fill", fill)),
            st.tuples(number).map(lambda which: ("give_up", which)),
        ),
        min_size=1,
        max_size=20,
    )


ENTRIES, STEPS = entries(300), stepping(300)


def require_within(account: Account, exposure: Exposure) -> None:
    """Hold sums against the limits; each is a multiple of 10,000.00 of equity."""
    limits, equity = account.limits, account.snapshot.equity_minor
    own = account.snapshot.currency
    foreign = [minor for name, minor in exposure.by_currency.items() if name != own]
    pairs: list[tuple[float | None, list[float]]] = [
        (limits.max_gross_exposure_ratio, [exposure.gross_minor]),
        (limits.max_net_exposure_ratio, [exposure.net_minor]),
        (limits.max_symbol_exposure_ratio, list(exposure.by_symbol.values())),
        (limits.max_class_exposure_ratio, list(exposure.by_class.values())),
        (limits.max_currency_exposure_ratio, foreign),
    ]
    for most, sums in pairs:
        if most is not None:
            assert all(abs(minor) <= most * equity * (1 + 1e-9) for minor in sums)
    if limits.max_leverage:
        assert exposure.at_caps_minor <= equity * (1 + 1e-9)


def require_bounded(bounds: dict[str, Any], steps: list[tuple[str, Any]]) -> None:
    """Play steps and hold what is held, and what may come with it, against the limits."""
    account = Account(RiskLimits(**bounds))
    for what, facts in steps:
        getattr(account, what)(*facts)
        require_within(account, BOOK.sum(account.positions, ()))
        require_within(account, account.exposure)
        assert len(account.positions) <= account.limits.max_positions
    account.finish()
    require_within(account, BOOK.sum(account.positions, ()))


@settings(max_examples=200)
@given(bounds=BOUNDS, steps=STEPS)
def test_approved_entries_never_come_to_more_than_a_limit(
    bounds: dict[str, Any], steps: list[tuple[str, Any]]
) -> None:
    """However they fill: in parts, one before the other, or never."""
    require_bounded(bounds, steps)


@settings(max_examples=300)
@given(
    name=st.sampled_from([one for one in RATIOS if "gross" not in one and "class" not in one]),
    steps=stepping(9),
)
def test_entries_that_offset_each_other_never_come_to_more_than_a_limit(
    name: str, steps: list[tuple[str, Any]]
) -> None:
    """What is on its way to the other side may be given up."""
    require_bounded({name: 1.0, "max_positions": 8}, steps)


@given(bounds=BOUNDS, steps=STEPS, order=ENTRIES)
def test_what_is_refused_changes_nothing(bounds, steps, order) -> None:
    account = Account(RiskLimits(**bounds))
    for what, facts in steps:
        before = asdict(account.exposure)
        answer = getattr(account, what)(*facts)
        assert not isinstance(answer, Refused) or asdict(account.exposure) == before
    view = account.view(order[0])
    before = asdict(view.exposure)
    RiskEngine(account.limits).decide(entry(*order), view)
    assert asdict(view.exposure) == before


# ---------------------------------------------------------------------- any view, any limits


VIEWS = st.fixed_dictionaries(
    {},
    optional={
        "quote": st.one_of(
            st.none(),
            st.builds(
                Quote,
                symbol=st.just("EURUSD"),
                time_ms=st.just(0),
                bid_points=st.integers(0, 120_000),
                ask_points=st.integers(0, 120_000),
                age_ms=st.integers(0, 100_000),
            ),
        ),
        "account": st.builds(
            lambda equity, margin: make_account(equity_minor=equity, margin_minor=margin),
            st.integers(-1_000, 5_000_000),
            st.integers(0, 1_000_000),
        ),
        "positions": st.lists(st.integers(1, 3).map(make_position), max_size=3).map(tuple),
        "day_loss_minor": st.integers(0, 2_000_000),
        "week_loss_minor": st.integers(0, 2_000_000),
        "week_start_balance_minor": st.integers(0, 2_000_000),
        "entries_in_minute": st.integers(0, 100),
        "entries_today": st.integers(0, 100),
        "entries_in_a_row": st.integers(0, 100),
        "cash_lack_minor": st.integers(-5, 5),
        "halt_level": st.integers(0, 4),
        "is_ready": st.booleans(),
        "valuer": st.sampled_from([None, BOOK.valuers["EURUSD"]]),
        "exposure": st.builds(
            Exposure,
            gross_minor=st.floats(0, 1e7),
            net_minor=st.floats(-1e7, 1e7),
            at_caps_minor=st.floats(0, 1e7),
            by_symbol=st.dictionaries(st.just("EURUSD"), st.floats(-1e7, 1e7)),
            by_class=st.dictionaries(st.just("forex"), st.floats(0, 1e7)),
            by_currency=st.dictionaries(st.just("EUR"), st.floats(-1e7, 1e7)),
            unknown=st.sampled_from([(), ("OILX",)]),
        ),
        "reference_points": st.integers(0, 200_000),
        "server_wall_ms": st.integers(0, 14 * DAY_MS),
        "drawdown_fraction": st.floats(0, 1),
        "last_loss_ms": st.one_of(st.none(), st.integers(-10_000_000, 0)),
        "slippage_points": st.one_of(st.none(), st.floats(-10, 50)),
        "correlation": st.one_of(st.none(), st.tuples(st.floats(-1, 1), st.just("GBPUSD"))),
        "news": st.sampled_from(["", "USD Payrolls"]),
        "breaker_level": st.integers(0, 3),
        "prop_words": st.sampled_from(["", "prop_floor: too low"]),
        "day_trades": st.integers(0, 5),
        "opened_today": st.integers(0, 5),
    },
)
# by limit: values from the loosest to the tightest
TIGHTER: dict[str, list[Any]] = {
    "max_position_exposure_ratio": [None, 5.0, 0.5, 0.1],
    "max_daily_volume_fraction": [None, 0.5, 0.05, 0.005],
    "min_order_lots": [None, 0.0, 0.05, 5.0],
    "max_positions": [9, 3, 2, 1],
    "max_gross_exposure_ratio": [None, 50.0, 5.0, 0.5],
    "max_net_exposure_ratio": [None, 50.0, 5.0, 0.5],
    "max_symbol_exposure_ratio": [None, 25.0, 2.5, 0.25],
    "max_class_exposure_ratio": [None, 25.0, 2.5, 0.25],
    "max_currency_exposure_ratio": [None, 25.0, 2.5, 0.25],
    "max_correlation": [None, 1.0, 0.5, 0.1],
    "max_daily_loss_fraction": [0.9, 0.5, 0.05, 0.01],
    "max_weekly_loss_fraction": [None, 0.5, 0.05, 0.01],
    "max_drawdown_fraction": [None, 0.9, 0.2, 0.01],
    "max_entries_per_minute": [60, 20, 5, 1],
    "max_entries_per_day": [None, 60, 10, 1],
    "max_entries_in_a_row": [None, 60, 10, 1],
    "cool_down_after_loss_minutes": [None, 0.0, 5.0, 500.0],
    "max_spread_points": [100_000, 500, 50, 0],
    "max_quote_age_s": [90, 60, 10, 1],
    "price_band_fraction": [None, 0.25, 0.05, 0.0025],
    "max_slippage_points": [None, 40, 5, 0],
    "min_reward_risk": [None, 0.0, 1.0, 5.0],
    "min_account_equity": [None, 0.0, 1_000.0, 40_000.0],
    "min_margin_level_percent": [None, 100.0, 300.0, 9_000.0],
    "max_leverage": [{}, {"forex_major": 30.0}],
    "directions": [Directions.BOTH, Directions.LONG_ONLY, Directions.CLOSE_ONLY],
    "fifo_no_hedge": [False, True],
    "pattern_day_trader": [False, True],
    "trading_hours": [(), ("mon-fri 00:00-24:00",), ("tue 08:00-20:00",)],
    "news_calendar": [None, "calendar.csv"],
    "breaker": [None, BreakerSpec()],
    "prop": [None, PropChoice(rules="firm", initial_deposit=1.0)],
}
RANKS = st.fixed_dictionaries(
    {name: st.integers(0, len(values) - 1) for name, values in TIGHTER.items()}
)
WISHES = st.builds(
    lambda side, steps, stop, target: replace(
        entry("EURUSD", side, steps), stop_loss_points=stop, take_profit_points=target
    ),
    st.sampled_from(Side),
    st.integers(1, 300),
    st.sampled_from([None, 109_000, 111_000]),
    st.sampled_from([None, 105_000, 112_000]),
)


def limits_of(ranks: dict[str, int]) -> RiskLimits:
    chosen = {name: TIGHTER[name][rank] for name, rank in ranks.items()}
    return RiskLimits(average_daily_lots={"EURUSD": 10.0}, **chosen)


def seen(changes: dict[str, Any]) -> RiskView:
    return replace(Account(RiskLimits()).view("EURUSD"), **changes)


def is_approved(limits: RiskLimits, wish: OrderIntent, view: RiskView, halt_level: int = 0) -> bool:
    return isinstance(RiskEngine(limits, halt_level).decide(wish, view), ApprovedOrder)


@pytest.mark.parametrize("action", [one for one in IntentAction if one is not IntentAction.OPEN])
@given(ranks=RANKS, changes=VIEWS, wish=WISHES, halt_level=st.integers(0, 4))
def test_what_reduces_risk_always_passes(
    action: IntentAction, ranks, changes, wish, halt_level: int
) -> None:
    tickets = {"order_ticket": 5} if action is IntentAction.CANCEL else {"position_ticket": 5}
    moved = {"stop_loss_points": 1} if action is IntentAction.MODIFY else {}
    reducing = replace(wish, action=action, **tickets, **moved)

    assert is_approved(limits_of(ranks), reducing, seen(changes), halt_level)


@given(
    ranks=RANKS,
    wish=WISHES,
    side=st.sampled_from(Side),
    old=st.one_of(st.none(), st.integers(1, 200)),
    new=st.one_of(st.none(), st.integers(-200, 200)),
)
def test_a_move_passes_exactly_where_the_stop_is_not_farther_than_before(
    ranks, wish, side: Side, old: int | None, new: int | None
) -> None:
    held = make_position(5, side=side, stop_loss_points=old)
    move = replace(wish, action=IntentAction.MODIFY, position_ticket=5, stop_loss_points=new)
    wanted = new or 0
    is_kept = wanted > 0 and (old is None or side.value * wanted >= side.value * old)

    assert is_approved(limits_of(ranks), move, seen({"positions": (held,)}), 0) == is_kept


@given(ranks=RANKS, changes=VIEWS, wish=WISHES)
def test_every_finding_reads_and_the_verdict_is_all_of_them(ranks, changes, wish) -> None:
    decision = RiskEngine(limits_of(ranks)).decide(wish, seen(changes))
    told = decision.findings.told()

    assert all(one.value and one.limit and one.rule for _, one in told)
    assert isinstance(decision, ApprovedOrder) == all(passes for passes, _ in told)
    refused = tuple(one for passes, one in told if not passes)
    assert getattr(decision, "refusals", ()) == refused


@given(ranks=RANKS, changes=VIEWS, wish=WISHES, seed=st.integers(0, 2**32 - 1))
def test_findings_are_the_same_whatever_order_the_rules_are_in(
    ranks, changes, wish, seed: int
) -> None:
    limits, view = limits_of(ranks), seen(changes)
    order = np.random.default_rng(seed).permutation(len(ENTRY_RULES))
    usual = RiskEngine(limits).decide(wish, view)
    mixed = RiskEngine(limits, rules=[ENTRY_RULES[at] for at in order]).decide(wish, view)

    assert type(mixed) is type(usual)
    by_name = sorted(usual.findings.told(), key=lambda one: one[1].rule)
    assert sorted(mixed.findings.told(), key=lambda one: one[1].rule) == by_name


@settings(max_examples=200)
@given(ranks=RANKS, changes=VIEWS, wish=WISHES, data=st.data())
def test_tighter_limits_never_let_more_pass(ranks, changes, wish, data) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(TIGHTER)), min_size=1, unique=True))
    tighter = ranks | {name: len(TIGHTER[name]) - 1 for name in names}
    view = seen(changes)
    before = RiskEngine(limits_of(ranks)).decide(wish, view)
    after = RiskEngine(limits_of(tighter)).decide(wish, view)

    assert isinstance(before, ApprovedOrder) or isinstance(after, Refused)
    refused = {one.rule for one in getattr(before, "refusals", ())}
    assert refused <= {one.rule for one in getattr(after, "refusals", ())}


@pytest.mark.parametrize("name", sorted(TIGHTER))
@given(changes=VIEWS, wish=WISHES)
def test_each_limit_that_is_tightened_alone_only_refuses_more(name: str, changes, wish) -> None:
    view = seen(changes)
    kept = [
        is_approved(limits_of(dict.fromkeys(TIGHTER, 0) | {name: rank}), wish, view)
        for rank in range(len(TIGHTER[name]))
    ]

    assert kept == sorted(kept, reverse=True)


@given(changes=VIEWS, wish=WISHES, level=st.integers(0, 4))
def test_a_halt_never_lets_more_pass(changes, wish, level: int) -> None:
    view = seen(changes)

    assert is_approved(RiskLimits(), wish, view) or not is_approved(RiskLimits(), wish, view, level)
    assert level == 0 or not is_approved(RiskLimits(), wish, view, level)


@given(changes=VIEWS, wish=WISHES)
def test_a_likeness_that_is_only_told_refuses_nothing(changes, wish) -> None:
    view = seen(changes)
    usual = is_approved(RiskLimits(), wish, view)

    for way in (OnCorrelation.WARN, OnCorrelation.REDUCE):
        limits = RiskLimits(max_correlation=0.1, on_correlation=way)
        assert is_approved(limits, wish, view) is usual
