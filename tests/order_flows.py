"""Random markets and random requests of every kind, drawn for property tests of the book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from mtquant.exchange import (
    AccountSpec,
    Book,
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    Execution,
    FillPrice,
    InstrumentSpec,
    Market,
    OrderRequest,
    StopsRequest,
    VenueSpec,
)
from mtquant.model import (
    AccountKind,
    Bars,
    CalculationMode,
    CommissionEntry,
    ExecutionMode,
    Expiration,
    Filling,
    GtcMode,
    MarginMode,
    OrderType,
    Reason,
    Side,
    StopOutMode,
    SwapMode,
    Timeframe,
    TradeMode,
    make_bars,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MONDAY_MS = 1_483_308_000_000  # 2017-01-01 22:00 UTC, Monday 00:00 of an EET server
HOUR_MS = 3_600_000
STEP = 1_000_000  # 0.01 lot
PENDING = (OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)

Chance = np.random.Generator

INSTRUMENTS: dict[str, tuple[int, dict[str, Any]]] = {
    "EURUSD": (110_000, {"digits": 5, "contract_size": 100_000.0, "base_currency": "EUR"}),
    "USDJPY": (
        110_000,
        {
            "digits": 3,
            "contract_size": 100_000.0,
            "base_currency": "USD",
            "profit_currency": "JPY",
        },
    ),
    "XAUUSD": (
        180_000,
        {
            "digits": 2,
            "contract_size": 100.0,
            "base_currency": "XAU",
            "calculation_mode": CalculationMode.CFD_LEVERAGE,
        },
    ),
    "RTS": (
        73_640,
        {
            "digits": 0,
            "contract_size": 1.0,
            "base_currency": "USD",
            "calculation_mode": CalculationMode.EXCH_FUTURES_FORTS,
            "margin_initial": 7665.41,
            "margin_initial_short": 7739.59,
            "settlement_price": 73638.0,
            "tick_value": 1.0,
        },
    ),
    "BOND": (
        98_000,
        {
            "digits": 3,
            "contract_size": 10.0,
            "base_currency": "USD",
            "calculation_mode": CalculationMode.EXCH_BONDS,
            "face_value": 1000.0,
            "accrued_interest": 3.5,
        },
    ),
    "FIXED": (
        25_000,
        {
            "digits": 2,
            "contract_size": 50.0,
            "base_currency": "USD",
            "calculation_mode": CalculationMode.CFD,
            "margin_initial": 1000.0,
            "margin_maintenance": 500.0,
            "margin_hedged_contract": 500.0,
        },
    ),
}
WEEKS = (
    None,
    ("00:00-24:00",) * 7,
    ("", *("01:05-11:00, 13:00-22:30",) * 5, ""),
    ("", *("09:00-18:00",) * 5, ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Hold a market and what is asked of it: (point of the path, seed of a request), in order."""

    symbol: str
    venue: VenueSpec
    bars: Bars
    slippage: np.ndarray
    size: int
    jobs: tuple[tuple[int, int], ...]

    def market(self) -> Market:
        """Return a market that has played nothing."""
        return Market.of_bars(self.venue, self.bars, self.slippage)

    @property
    def has_gap(self) -> bool:
        """Tell whether a bar opens outside the range of the one before."""
        before = slice(0, -1)
        opened = self.bars.open[1:]
        above, below = opened > self.bars.high[before], opened < self.bars.low[before]
        return bool(np.any(above | below))


@st.composite
def flows(draw: st.DrawFn, *, max_jobs: int = 32) -> Flow:
    """Draw a market, an account and requests; one seed each, so that requests can be dropped."""
    seed = draw(st.integers(0, 2**32 - 1))
    seeds = draw(st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=max_jobs))
    return make_flow(seed, seeds)


def make_flow(seed: int, seeds: list[int]) -> Flow:
    """Return the flow of some seeds: of the world, and of each request."""
    chance = np.random.default_rng(seed)
    symbol = pick(chance, tuple(INSTRUMENTS))
    size = pick(chance, (2, 30, 250))
    bars = random_bars(chance, symbol, size)
    points = sorted(int(one) for one in chance.integers(0, 4 * len(bars), len(seeds)))
    return Flow(
        symbol=symbol,
        venue=random_venue(chance, symbol, bars),
        bars=bars,
        slippage=chance.integers(-4, 9, (len(bars), 2)).astype(np.int32),
        size=size,
        jobs=tuple(zip(points, seeds, strict=True)),
    )


def pick(chance: Chance, choices: tuple[Any, ...]) -> Any:
    """Return one of several things."""
    return choices[int(chance.integers(len(choices)))]


def random_bars(chance: Chance, symbol: str, size: int) -> Bars:
    """Return bars that open away from the last close in most draws; some bars are missing."""
    price, facts = INSTRUMENTS[symbol]
    timeframe = pick(chance, (Timeframe.M30, Timeframe.H1, Timeframe.H4))
    count = int(chance.integers(4, 13))
    gap = chance.integers(-6 * size, 6 * size + 1, count) * (chance.random(count) < 0.35)
    gap *= chance.random() < 0.75
    close = price + np.cumsum(chance.integers(-size, size + 1, count) + gap)
    opened = np.concatenate([close[:1], close[:-1] + gap[1:]])
    wicks = chance.integers(0, size + 1, (2, count))
    missing = np.cumsum((chance.random(count) < 0.15) * chance.integers(1, 30, count))
    start = int(chance.integers(0, 5 * 24)) * HOUR_MS  # some go on into the weekend
    times = MONDAY_MS + start + (np.arange(count) + missing) * timeframe.duration_ms
    return make_bars(
        symbol=symbol,
        timeframe=timeframe,
        digits=facts["digits"],
        time_ms=times,
        open=opened,
        high=np.maximum(opened, close) + wicks[0],
        low=np.minimum(opened, close) - wicks[1],
        close=close,
        spread=chance.choice([0, 3, 10, 60], count),
    )


# ---------------------------------------------------------------------- venues


def random_venue(chance: Chance, symbol: str, bars: Bars) -> VenueSpec:
    """Return a venue of one instrument with a USD account."""
    facts = {"profit_currency": "USD"} | INSTRUMENTS[symbol][1]
    for change in (costs, dealing, hours, limits):
        facts |= change(chance)
    if chance.random() < 0.15:
        server_days = range(bars.time_ms[0] // 86_400_000, bars.time_ms[-1] // 86_400_000 + 2)
        day = pick(chance, tuple(server_days))
        facts["holidays"] = (str(np.datetime64(int(day), "D")),)
        facts["swap_skips_holidays"] = bool(chance.integers(2))
    return VenueSpec(
        account=random_account(chance),
        server_clock=pick(chance, ("utc", "eet_eu")),
        instruments={symbol: InstrumentSpec(**facts)},
    )


def random_account(chance: Chance) -> AccountSpec:
    """Return an account of any kind, poor or rich."""
    margin_mode = pick(chance, (MarginMode.HEDGING, *MarginMode))
    is_hedging = margin_mode is MarginMode.HEDGING
    return AccountSpec(
        kind=pick(chance, (AccountKind.DEMO, AccountKind.REAL)),
        deposit=pick(chance, (500.0, 5_000.0, 50_000.0, 50_000.0)),
        credit=pick(chance, (0.0, 0.0, 250.5)),
        leverage=pick(chance, (1, 30, 500)),
        margin_mode=margin_mode,
        stop_out_mode=pick(chance, tuple(StopOutMode)),
        stop_out_percent=pick(chance, (20.0, 50.0, 100.0)),
        margin_call_money=1_000.0,
        stop_out_money=pick(chance, (0.0, 200.0, 900.0)),
        stops_out_hedged=bool(chance.integers(2)),
        converts_by_deal=bool(chance.integers(2)),
        fifo_close=is_hedging and chance.random() < 0.2,
        hedging_prohibited=is_hedging and chance.random() < 0.2,
        limit_orders=pick(chance, (0, 0, 2)),
        limit_positions=pick(chance, (0, 0, 0, 2)),
        limit_requests_per_minute=pick(chance, (0, 0, 0, 2)),
    )


def costs(chance: Chance) -> dict[str, Any]:
    """Return commission, fee and swap."""
    swap_mode = pick(chance, (SwapMode.DISABLED, SwapMode.POINTS, SwapMode.INTEREST_CURRENT))
    swaps: dict[str, Any] = {"swap_mode": swap_mode}
    if swap_mode is SwapMode.POINTS:
        swaps |= {"swap_long_points": pick(chance, (-6.3, -90.0)), "swap_short_points": 1.5}
    elif swap_mode is SwapMode.INTEREST_CURRENT:
        swaps |= {"swap_long": -2.5, "swap_short": 0.5}
    return swaps | {
        "profit_digits": pick(chance, (0, 2)),
        "commission_per_lot": pick(chance, (0.0, 3.5)),
        "commission_percent": pick(chance, (0.0, 0.0, 0.01)),
        "commission_minimum": pick(chance, (0.0, 0.0, 1.0)),
        "commission_entry": pick(chance, tuple(CommissionEntry)),
        "fee_per_lot": pick(chance, (0.0, 0.7)),
        "margin_pending_rates": pick(chance, ((0.0,) * 6, (1.0,) * 6, (0.5, 1, 0, 0, 2, 0))),
        "margin_rates": pick(chance, ((1.0, 1.0, 0.0, 0.0), (2.0, 1.5, 0.5, 1.0))),
        "margin_uses_leg": bool(chance.integers(2)),
    }


def dealing(chance: Chance) -> dict[str, Any]:
    """Return how orders are carried out."""
    has_depth = chance.random() < 0.3
    return {
        "execution_mode": pick(chance, tuple(ExecutionMode)),
        "fillings": pick(chance, (tuple(Filling), (Filling.FOK, Filling.IOC, Filling.BOC))),
        "requotes": bool(chance.integers(2)),
        "limit_fill": pick(chance, tuple(FillPrice)),
        "target_fill": pick(chance, tuple(FillPrice)),
        "depth_points": (0, 2, 9) if has_depth else (),
        "depth_lots": (0.03, 0.05, pick(chance, (0.1, 2.0))) if has_depth else (),
    }


def hours(chance: Chance) -> dict[str, Any]:
    """Return sessions and how long orders live."""
    return {
        "sessions": pick(chance, (None, None, *WEEKS)),
        "gtc_mode": pick(chance, (GtcMode.GTC, GtcMode.GTC, *GtcMode)),
        "expirations": pick(chance, (*(tuple(Expiration),) * 5, (Expiration.DAY,))),
    }


def limits(chance: Chance) -> dict[str, Any]:
    """Return volumes, distances and directions that are allowed."""
    usual = (TradeMode.FULL,) * 24
    return {
        "volume_max_lots": pick(chance, (500.0, 500.0, 0.3)),
        "volume_limit_lots": pick(chance, (0.0, 0.0, 0.5)),
        "stops_level_points": pick(chance, (0, 0, 4)),
        "freeze_level_points": pick(chance, (0, 0, 4)),
        "tick_size_points": pick(chance, (*(1,) * 9, 5)),
        "trade_mode": pick(chance, (*usual, *TradeMode)),
    }


# ---------------------------------------------------------------------- requests


@dataclass(frozen=True, slots=True)
class Trader:
    """Ask a book for one thing; most requests are sensible, many are not."""

    book: Book
    symbol: str
    size: int
    chance: Chance

    def ask(self) -> Execution | None:
        """Make one request; return the answer, None for operations on money."""
        kinds: tuple[tuple[float, Callable[[], Execution | None]], ...] = (
            (0.28, self.market_order),
            (0.32, self.pending_order),
            (0.10, self.close),
            (0.08, self.stops),
            (0.07, self.change),
            (0.03, self.cancel),
            (0.09, self.close_by),
            (0.03, self.money),
        )
        dice = float(self.chance.random())
        for weight, make in kinds:
            dice -= weight
            if dice < 0:
                return make()
        return self.market_order()

    def market_order(self) -> Execution:
        """Buy or sell now."""
        side = pick(self.chance, tuple(Side))
        price = self.price(side.value)
        exit_ = self.price(-side.value)
        return self.book.send(
            OrderRequest(
                symbol=self.symbol,
                side=side,
                units=self.units(),
                price=price + pick(self.chance, (0, 0, 0, 3, -3)),
                deviation=pick(self.chance, (0, 10, 100)),
                stop=self.maybe(exit_, -side.value),
                target=self.maybe(exit_, side.value),
                filling=self.market_filling(),
                magic=int(self.chance.integers(5)),
                reason=pick(self.chance, (Reason.EXPERT, Reason.CLIENT)),
            )
        )

    def pending_order(self) -> Execution:
        """Place an order that waits, now and then on the wrong side."""
        order_type, side = pick(self.chance, PENDING), pick(self.chance, tuple(Side))
        price, stop_limit = self.levels(order_type, side.value)
        base = stop_limit or price
        expiration = pick(self.chance, (Expiration.GTC, *Expiration))
        return self.book.send(
            OrderRequest(
                symbol=self.symbol,
                side=side,
                units=self.units(),
                order_type=order_type,
                price=price,
                stop_limit=stop_limit,
                stop=self.maybe(base, -side.value),
                target=self.maybe(base, side.value),
                filling=pick(self.chance, (Filling.RETURN, *Filling)),
                expiration=expiration,
                expires_ms=self.expires_ms(),
            )
        )

    def close(self) -> Execution | None:
        """Close all or part of a position by its ticket."""
        if not self.book.open_positions:
            return self.market_order()
        closing = {one.position_ticket for one in self.book.live_orders}
        positions = tuple(self.book.open_positions)
        known = tuple(one for one in positions if one.ticket in closing)
        position = pick(self.chance, known or positions)
        units = position.units
        part = pick(self.chance, (units, units, units, STEP, units // 2, units + STEP))
        return self.book.send(
            OrderRequest(
                symbol=self.symbol,
                side=Side(-position.side),
                units=part,
                price=self.price(-position.side),
                deviation=100,
                position_ticket=position.ticket,
                filling=self.market_filling(),
                magic=9,
            )
        )

    def stops(self) -> Execution:
        """Replace the levels of a position."""
        if not self.book.open_positions:
            return self.market_order()
        position = pick(self.chance, tuple(self.book.open_positions))
        at = self.price(-position.side)
        names_symbol = self.book.account_spec.is_netting and self.chance.random() < 0.5
        return self.book.send(
            StopsRequest(
                symbol=self.symbol,
                position_ticket=0 if names_symbol else position.ticket,
                stop=self.maybe(at, -position.side),
                target=self.maybe(at, position.side),
            )
        )

    def change(self) -> Execution:
        """Give a waiting order other levels."""
        if not self.book.live_orders:
            return self.pending_order()
        order = pick(self.chance, tuple(self.book.live_orders))
        price, stop_limit = self.levels(order.order_type, order.side)
        return self.book.send(
            ChangeRequest(
                order_ticket=order.ticket,
                price=price,
                stop_limit=stop_limit,
                stop=self.maybe(stop_limit or price, -order.side),
                target=self.maybe(stop_limit or price, order.side),
                expiration=pick(self.chance, tuple(Expiration)),
                expires_ms=self.expires_ms(),
            )
        )

    def cancel(self) -> Execution:
        """Cancel an order, sometimes one that is none."""
        tickets = (7, *(one.ticket for one in self.book.live_orders))
        return self.book.send(CancelRequest(order_ticket=pick(self.chance, tickets[-2:])))

    def close_by(self) -> Execution:
        """Close two positions by each other, opposite ones if there are any."""
        tickets = [one.ticket for one in self.book.open_positions]
        buys = tuple(one.ticket for one in self.book.open_positions if one.side > 0)
        sells = tuple(one.ticket for one in self.book.open_positions if one.side < 0)
        if not (buys and sells) and self.chance.random() < 0.9:
            return self.market_order()
        if not (buys and sells):
            return self.book.send(
                CloseByRequest(position_ticket=(tickets or [1])[0], by_ticket=(tickets or [2])[-1])
            )
        pair = pick(self.chance, buys), pick(self.chance, sells)
        first, second = pair if self.chance.random() < 0.5 else pair[::-1]
        return self.book.send(CloseByRequest(position_ticket=first, by_ticket=second, magic=3))

    def money(self) -> None:
        """Pay in or out, give or take credit."""
        amount = int(self.chance.integers(-40_000, 60_000))
        if self.chance.random() < 0.5:
            self.book.deposit(amount, self.book.now_ms, "deposit")
        else:
            self.book.grant_credit(amount, self.book.now_ms, "credit")

    # what requests are made of

    def price(self, side: int) -> int:
        """Return the price at which a side trades now."""
        quote = self.book.quote(self.symbol)
        assert quote is not None
        return quote.ask_points if side > 0 else quote.bid_points

    def units(self) -> int:
        """Return a volume; a few are impossible."""
        return STEP * pick(self.chance, (1, 2, 2, 5, 5, 5, 10, 10, 10, 25, 25, 40, 40, 300))

    def distance(self) -> int:
        """Return a distance that the market covers now and then."""
        return int(self.chance.integers(1, 3 * self.size + 2))

    def maybe(self, at: int, way: int) -> int:
        """Return a level on one side of a price, or none."""
        dice = self.chance.random()
        if dice < 0.35:
            return 0
        return at + (way if dice < 0.95 else -way) * self.distance()

    def levels(self, order_type: OrderType, side: int) -> tuple[int, int]:
        """Return price and stop-limit price of an order, mostly on its proper side."""
        way = -side if order_type is OrderType.LIMIT else side
        if self.chance.random() < 0.12:
            way = -way
        price = self.price(side) + way * self.distance()
        if order_type is not OrderType.STOP_LIMIT:
            return price, 0
        return price, price - side * pick(self.chance, (0, 1, self.distance()))

    def expires_ms(self) -> int:
        """Return a time from an hour ago to two days ahead."""
        return self.book.now_ms + int(self.chance.integers(-1, 48)) * HOUR_MS // 2

    def market_filling(self) -> Filling:
        """Return a filling that market orders may have."""
        return pick(self.chance, (Filling.FOK, Filling.FOK, Filling.IOC, Filling.RETURN))


def ask(book: Book, flow: Flow, seed: int) -> Execution | None:
    """Ask a book for what a seed says."""
    return Trader(book, flow.symbol, flow.size, np.random.default_rng(seed)).ask()


def play(flow: Flow, market: Market) -> None:
    """Play a flow to its end."""
    left = list(flow.jobs)
    for point in range(4 * len(flow.bars)):
        market.advance()
        while left and left[0][0] == point:
            ask(market.book, flow, left.pop(0)[1])


def played(flow: Flow) -> Book:
    """Return the book after a flow."""
    market = flow.market()
    play(flow, market)
    return market.book
