"""A view for the gate joins the broker's truth, the journal's and the limits' own sums."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from journal_rows import a_deal, sending_row
from risk_rooms import make_account, make_position, make_slot, make_view, prop_rules
from worlds import bars_of

from mtquant.engine import LossWatch
from mtquant.engine.facts import RiskFacts, class_of
from mtquant.engine.windows import TradingWindows
from mtquant.execution import Desk
from mtquant.model import (
    BotIdentity,
    DealEntry,
    IntentAction,
    OrderIntent,
    Quote,
    ServerClock,
    Side,
)
from mtquant.model.news import Impact, NewsEvent
from mtquant.portfolio import Portfolio
from mtquant.risk import (
    NOTHING_HELD,
    AssetClass,
    BreakerSpec,
    OnCorrelation,
    RiskEngine,
    RiskLimits,
)
from mtquant.risk.prop import (
    DailyBase,
    DailyLoss,
    NewsRule,
    PropClock,
    PropGuard,
    StopLossRule,
)

US = BotIdentity()
HOUR_MS = 3_600_000
NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02 12:00 UTC
CLOCK = ServerClock("fixed:+2")
LEAD_MS = 500
BUY, SELL = Side.BUY, Side.SELL
RETURNS = np.random.default_rng(5).normal(0, 0.002, 120)
CLOSES = [round(100_000 * float(np.exp(one))) for one in np.cumsum(RETURNS)]


def prop_guard(**changes: Any) -> PropGuard:
    rules = prop_rules(
        daily_loss=DailyLoss(base=DailyBase.BALANCE, allowance_fraction=0.05),
        **changes,
    )
    return PropGuard(rules, 1_000_000, PropClock(rules.day), currency=("USD", 2))


class Room:
    """Hold facts over two symbols, and what they are made of."""

    def __init__(self, limits: RiskLimits | None = None, prop: PropGuard | None = None) -> None:
        self.desk = Desk(US)
        self.portfolio = Portfolio(US, CLOCK)
        self.losses = LossWatch(limits or RiskLimits(), CLOCK, prop)
        self.risk = RiskEngine(limits or RiskLimits())
        news = [NewsEvent(time_ms=NOON_MS, currency="USD", impact=Impact.HIGH, title="Rates")]
        self.slots = [
            make_slot(bars_of(CLOSES), index=119, strategy_id="a"),
            make_slot(bars_of(CLOSES, symbol="GBPUSD"), symbol="GBPUSD", index=119),
            make_slot(bars_of([100_000, 100_500]), index=1, strategy_id="b"),
        ]
        windows = TradingWindows(
            self.risk.limits, CLOCK, news, None if prop is None else prop.rules
        )
        self.facts = RiskFacts(
            self.slots,
            self.risk,
            self.desk,
            self.portfolio,
            losses=self.losses,
            windows=windows,
        )

    def see(self, view):
        self.desk.on_view(view)
        self.portfolio.apply(view)
        self.losses.observe(
            view.server_ms, view.account.own_equity_minor, view.account.balance_minor
        )
        return view

    def view(self, view, **changes: Any):
        return self.facts.view(intent(**changes), view, is_ready=True)


def intent(**changes: Any) -> OrderIntent:
    usual: dict[str, Any] = {
        "strategy_id": "a",
        "symbol": "EURUSD",
        "action": IntentAction.OPEN,
        "side": BUY,
        "volume_units": 10_000_000,
        "trigger": "bar:1",
        "decided_ms": 0,
        "deadline_ms": 10,
        "price_points": 100_000,
        "stop_loss_points": 99_000,
    }
    return OrderIntent(**(usual | changes))


def reading(**changes: Any):
    return make_view(NOON_MS + LEAD_MS, **({"lead_ms": LEAD_MS} | changes))


def entered(number: int, created_ms: int, **changes: Any):
    row = sending_row(number, **({"price_points": 100_000} | changes))
    return replace(row, intent_id=US.intent_id(number), created_ms=created_ms)


def test_a_view_shows_broker_journal_and_limits_together():
    room = Room()
    midnight_ms = NOON_MS - 14 * HOUR_MS + LEAD_MS
    minute_ms = NOON_MS + LEAD_MS - 60_000
    times = [midnight_ms - 1, midnight_ms, minute_ms, minute_ms + 1]
    room.desk.restore(entered(number, ms) for number, ms in enumerate(times, 1))
    deals = (
        a_deal(1, time_ms=NOON_MS, position_ticket=9, intent_id=US.intent_id(1), price_points=7),
        a_deal(
            2,
            time_ms=NOON_MS,
            position_ticket=9,
            intent_id=US.intent_id(1),
            entry=DealEntry.OUT,
            profit_minor=-30_000,
        ),
    )
    room.facts.record.note(deals, LEAD_MS)
    positions = (make_position(), make_position(2, symbol="OILX"))
    account = make_account(balance_minor=970_000, equity_minor=960_000)
    seen = room.see(reading(account=account, positions=positions, deals=deals))
    room.risk.raise_halt(1)
    found = room.view(seen)

    assert (found.now_ms, found.account, found.positions) == (seen.time_ms, account, positions)
    assert found.instrument.symbol == found.quote.symbol == "EURUSD"
    assert len(found.in_flight) == len(found.may_come) == 4
    assert (found.entries_today, found.entries_in_minute, found.entries_in_a_row) == (3, 1, 4)
    assert (found.day_start_balance_minor, found.day_loss_minor) == (1_000_000, 40_000)
    assert (found.week_start_balance_minor, found.week_loss_minor) == (1_000_000, 40_000)
    assert (found.halt_level, found.is_ready, found.cash_lack_minor) == (1, True, 0)
    assert found.reference_points == CLOSES[-1]
    assert found.server_wall_ms == NOON_MS + 2 * HOUR_MS
    assert found.last_loss_ms == NOON_MS + LEAD_MS
    assert found.slippage_points is None  # of one fill
    assert (found.day_trades, found.opened_today) == (1, 0)
    assert (found.drawdown_fraction, found.breaker_level) == (0.0, 0)
    assert (found.news, found.prop_words, found.correlation) == ("", "", None)
    assert found.exposure is NOTHING_HELD
    assert found.valuer.asset_class == "forex"
    assert not room.facts.view(intent(), seen, is_ready=False).is_ready
    assert room.view(seen, side=SELL).entries_in_a_row == 0


def test_losses_that_are_followed_are_shown():
    limits = RiskLimits(breaker=BreakerSpec(), max_drawdown_fraction=0.5)
    room = Room(limits)
    room.see(reading())
    seen = room.see(reading(account=make_account(equity_minor=900_000)))

    found = room.view(seen)
    assert (found.breaker_level, found.drawdown_fraction) == (2, pytest.approx(0.1))


def test_news_near_the_entry_is_named():
    room = Room(RiskLimits(news_calendar="x.csv"))

    assert room.view(room.see(reading())).news == "USD Rates"


@pytest.mark.parametrize(
    ("symbol", "strategy_id", "expected"),
    [
        ("EURUSD", "a", ("EURUSD", CLOSES[-1])),
        ("EURUSD", "b", ("EURUSD", 100_500)),
        ("EURUSD", "gone", ("EURUSD", CLOSES[-1])),
        ("GBPUSD", "b", ("GBPUSD", CLOSES[-1])),
        ("OILX", "a", ("EURUSD", CLOSES[-1])),
    ],
)
def test_the_facts_are_those_of_the_strategys_own_series(symbol, strategy_id, expected):
    room = Room()
    found = room.view(room.see(reading()), symbol=symbol, strategy_id=strategy_id)

    assert (found.instrument.symbol, found.reference_points) == expected


# ---------------------------------------------------------------------- exposure


def test_exposure_is_of_positions_and_entries_and_is_summed_anew_when_either_changes():
    room = Room(RiskLimits(max_gross_exposure_ratio=9.0, max_leverage={"forex_major": 25.0}))
    room.desk.restore([entered(1, NOON_MS)])
    seen = room.see(reading(positions=(make_position(),)))

    first = room.view(seen).exposure
    assert first.gross_minor == pytest.approx(2_000_000)
    assert first.at_caps_minor == pytest.approx(2_000_000 / 25)
    assert room.view(seen).exposure is first
    room.desk.restore([entered(2, NOON_MS)])
    assert room.view(seen).exposure.gross_minor == pytest.approx(3_000_000)
    later = room.see(reading())
    assert room.view(later).exposure.gross_minor == pytest.approx(2_000_000)


def test_an_entry_that_its_position_shows_counts_once_and_a_part_with_its_rest():
    room = Room(RiskLimits(max_gross_exposure_ratio=9.0))
    room.desk.restore([entered(1, NOON_MS)])
    part = make_position(intent_id=US.intent_id(1), volume_units=4_000_000)
    whole = replace(part, volume_units=10_000_000)

    for position in (part, whole):
        seen = room.see(reading(positions=(position,)))
        assert room.view(seen).exposure.gross_minor == pytest.approx(1_000_000)


# ---------------------------------------------------------------------- likeness


@pytest.mark.parametrize("way", [OnCorrelation.REJECT, OnCorrelation.REDUCE])
def test_an_entry_on_its_way_is_as_like_as_a_position(way: OnCorrelation):
    room = Room(RiskLimits(max_correlation=0.5, on_correlation=way))
    seen = room.see(reading())
    assert room.view(seen).correlation is None
    room.desk.restore([entered(1, NOON_MS, symbol="GBPUSD")])

    assert room.view(seen).correlation == (pytest.approx(1.0), "GBPUSD")
    expected = 0.0 if way is OnCorrelation.REDUCE else 1.0
    assert scale(room, seen) == pytest.approx(expected, abs=1e-9)
    assert room.view(seen, side=SELL).correlation == (pytest.approx(-1.0), "GBPUSD")


def test_an_entry_on_its_way_may_become_a_day_trade_and_counts_once():
    room = Room(RiskLimits(pattern_day_trader=True))
    room.desk.restore([entered(1, NOON_MS), entered(2, NOON_MS, symbol="GBPUSD")])
    seen = room.see(reading())
    assert room.view(seen).opened_today == 2
    deal = a_deal(1, time_ms=NOON_MS, position_ticket=9, intent_id=US.intent_id(1))
    room.facts.record.note([deal], LEAD_MS)

    assert room.view(seen).opened_today == 2
    assert Room().view(Room().see(reading())).opened_today == 0


def scale(room: Room, view, side: Side = BUY) -> float:
    return room.facts.correlation_scale("EURUSD", side, view)


def test_likeness_is_told_where_it_is_limited():
    room = Room(RiskLimits(max_correlation=0.5))
    seen = room.see(reading(positions=(make_position(symbol="GBPUSD"),)))

    assert room.view(seen).correlation == (pytest.approx(1.0), "GBPUSD")
    assert scale(room, seen) == 1.0  # refused, not made smaller


def test_where_likeness_reduces_it_takes_the_whole_at_one_and_nothing_up_to_the_limit(
    monkeypatch,
):
    room = Room(RiskLimits(max_correlation=0.6, on_correlation=OnCorrelation.REDUCE))
    seen = room.see(reading(positions=(make_position(symbol="GBPUSD"),)))

    for value, expected in ((0.6, 1.0), (0.7, 0.75), (0.9, 0.25), (1.0, 0.0), (-1.0, 1.0)):
        monkeypatch.setattr(
            "mtquant.engine.likeness.Likeness.strongest",
            lambda *_, value=value: (value, "GBPUSD"),
        )
        assert scale(room, seen) == pytest.approx(expected)
    monkeypatch.undo()
    assert scale(room, seen) == pytest.approx(0.0, abs=1e-9)
    assert scale(room, seen, SELL) == 1.0
    assert scale(room, room.see(reading())) == 1.0


@pytest.mark.parametrize("way", OnCorrelation)
def test_without_a_limit_of_likeness_nothing_is_compared(way: OnCorrelation):
    room = Room(RiskLimits(on_correlation=way))
    seen = room.see(reading(positions=(make_position(symbol="GBPUSD"),)))

    assert scale(room, seen) == 1.0
    assert room.view(seen).correlation is None


# ---------------------------------------------------------------------- a prop firm's rules


def test_an_entry_that_stays_above_the_floor_with_all_that_is_held_is_allowed():
    """Equity 10,000, floor 9,500: the entry risks 100, each position its way to the stop."""
    room = Room(prop=prop_guard())
    held = make_position(stop_loss_points=96_000)  # may lose 400
    seen = room.see(reading(positions=(held,)))

    assert room.view(seen).prop_words == ""
    assert room.view(seen, stop_loss_points=98_999).prop_words == (
        "prop_floor: equity 9499.90 USD at the stops, limit 9500.00 USD; a smaller volume or a "
        "nearer stop"
    )
    short = replace(held, side=SELL, stop_loss_points=104_001)
    assert room.view(room.see(reading(positions=(short,)))).prop_words != ""
    gained = replace(held, stop_loss_points=101_000)
    assert room.view(room.see(reading(positions=(gained,))), volume_units=1).prop_words == ""


def test_an_entry_that_risks_more_than_a_firm_lets_one_trade_risk_is_refused():
    """Of 10,000 a trade may risk 0.5 %, 50.00; the order risks 100.00 at its stop."""
    bound = StopLossRule(within_s=180, max_risk_fraction=0.005)
    room = Room(prop=prop_guard(stop_loss=bound))
    seen = room.see(reading(positions=()))

    assert room.view(seen).prop_words == (
        "prop_trade_risk: 100.00 USD at its stop, limit 50.00 USD (0.5% of the balance); a smaller "
        "volume or a nearer stop"
    )
    assert room.view(seen, stop_loss_points=99_500).prop_words == ""


@pytest.mark.parametrize("changes", [{"symbol": "OILX"}, {"stop_loss_points": None}])
def test_beside_a_position_whose_loss_has_no_bound_nothing_is_opened(changes: dict):
    room = Room(prop=prop_guard())
    seen = room.see(reading(positions=(make_position(7, **changes),)))

    assert room.view(seen).prop_words == "position 7 may lose what nobody can tell"


@pytest.mark.parametrize("action", [IntentAction.CLOSE, IntentAction.MODIFY])
def test_what_reduces_is_asked_nothing_that_only_entries_are(action: IntentAction):
    room = Room(prop=prop_guard(news=NewsRule(before_s=60, after_s=60)))
    seen = room.see(reading(positions=(make_position(7, symbol="OILX"),)))

    found = room.view(seen, action=action, position_ticket=7)
    assert (found.prop_words, found.valuer, found.known_margin_minor) == ("", None, None)


def test_a_firms_rules_about_time_are_told_first():
    room = Room(prop=prop_guard(news=NewsRule(before_s=60, after_s=60)))
    seen = room.see(reading(positions=(make_position(7, symbol="OILX"),)))

    assert room.view(seen).prop_words == "news: USD Rates"


def test_an_entry_without_a_price_is_held_against_its_whole_way_to_the_stop():
    room = Room(prop=prop_guard())
    seen = room.see(reading(quotes=(Quote(symbol="X", time_ms=0, bid_points=1, ask_points=1),)))

    assert room.view(seen, price_points=None, side=SELL).prop_words.startswith("prop_floor")


# ---------------------------------------------------------------------- classes


def test_limits_may_name_the_class_of_a_symbol():
    instrument = make_slot().orders.instrument

    assert class_of(instrument, RiskLimits()) is AssetClass.FOREX_MAJOR
    named = RiskLimits(asset_classes={"EURUSD": "gold"}, max_leverage={"gold": 20.0})
    assert class_of(instrument, named) is AssetClass.GOLD
    room = Room(named)
    valuer = room.view(room.see(reading())).valuer
    assert (valuer.asset_class, valuer.leverage_cap) == ("commodity", 20.0)
    unnamed = Room(RiskLimits(max_leverage={"crypto": 2.0}))
    assert unnamed.view(unnamed.see(reading())).valuer.leverage_cap == 0.0


def test_the_margin_of_what_no_position_shows_is_told_beside_the_account():
    room = Room()
    room.desk.restore([entered(1, 1), entered(2, 2), entered(3, 3, symbol="OILX")])
    alone = room.view(room.see(reading()))
    shown = make_position(7, intent_id=US.intent_id(1), volume_units=10_000_000)
    beside = room.view(room.see(reading(positions=(shown,))))

    assert alone.coming_margin_minor == 2 * alone.known_margin_minor  # nobody values OILX
    assert beside.coming_margin_minor == alone.known_margin_minor > 0
