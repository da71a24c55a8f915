"""Several symbols, real ticks and tick models on one clock."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from mtquant.exchange import (
    BarFeed,
    Feed,
    InstrumentSpec,
    Market,
    OrderRequest,
    TickFeed,
    TickModel,
    VenueSpec,
)
from mtquant.model import Bars, ConfigError, OrderType, Side, Ticks, Timeframe, make_bars

NOON_MS = 1_483_358_400_000  # Monday, 2017-01-02, 12:00 UTC
HOUR_MS = 3_600_000
LOT = 100_000_000


def venue_of(*pairs: str) -> VenueSpec:
    def forex(pair: str) -> InstrumentSpec:
        return InstrumentSpec(
            digits=3 if pair.endswith("JPY") else 5,
            contract_size=100_000,
            base_currency=pair[:3],
            profit_currency=pair[3:],
        )

    return VenueSpec(instruments={pair: forex(pair) for pair in pairs}, server_clock="utc")


def hours(symbol: str, closes: Sequence[int], start_ms: int = NOON_MS, **more) -> Bars:
    close = np.array(closes)
    opened = np.concatenate([close[:1], close[:-1]])
    values = {
        "time_ms": start_ms + np.arange(len(close)) * HOUR_MS,
        "open": opened,
        "high": np.maximum(opened, close) + 20,
        "low": np.minimum(opened, close) - 20,
        "close": close,
        "spread": 10,
    }
    digits = 3 if symbol.endswith("JPY") else 5
    return make_bars(symbol=symbol, timeframe=Timeframe.H1, digits=digits, **(values | more))


def ticks(symbol: str, rows: Sequence[tuple[int, int, int]]) -> Ticks:
    times, bids, asks = (np.array(column) for column in zip(*rows, strict=True))
    return Ticks(
        symbol=symbol,
        digits=3 if symbol.endswith("JPY") else 5,
        time_ms=times.astype(np.int64),
        bid=bids.astype(np.int32),
        ask=asks.astype(np.int32),
    )


def test_symbols_are_played_in_the_order_of_time_and_then_of_their_listing():
    venue = venue_of("EURUSD", "USDJPY")
    moments = [(NOON_MS - 5, 110_000, 110_010), (NOON_MS, 110_001, 110_011)]
    moments.append((NOON_MS + 7, 110_002, 110_012))
    market = Market.of_bars(
        venue, hours("EURUSD", [110_000] * 2), others=[TickFeed(venue, ticks("USDJPY", moments))]
    )
    seen = []
    while market.advance():
        quotes = [market.book.quote(symbol) for symbol in ("EURUSD", "USDJPY")]
        seen.append((market.now_ms - NOON_MS, *[q and q.bid_points for q in quotes]))

    assert seen[:4] == [
        (-5, None, 110_000),
        (0, 110_000, 110_001),
        (7, 110_000, 110_002),
        (HOUR_MS // 3, 109_980, 110_002),
    ]
    assert market.next_ms() is None


def test_money_of_a_cross_converts_at_the_quotes_of_another_symbol():
    venue = venue_of("EURJPY", "USDJPY", "EURUSD")
    others: list[Feed] = [
        BarFeed(venue, hours("USDJPY", [111_377] * 3)),
        BarFeed(venue, hours("EURUSD", [109_900] * 3)),
    ]
    market = Market.of_bars(venue, hours("EURJPY", [120_000, 120_000, 120_310]), others=others)
    market.advance()
    ticket = market.book.open_market("EURJPY", Side.BUY, LOT // 10).order_ticket
    while market.advance():
        pass
    market.book.close_market(ticket, LOT // 10)

    gained = 10_000 * 300 // 1000  # yen: 300 points of a tenth of a lot
    assert market.book.ledger.deals[-1].profit_minor == round(gained * 100 * 10 / 111.387 / 10)
    with pytest.raises(ConfigError, match="quotes of EURUSD, USDJPY, and no prices"):
        Market.of_bars(venue, hours("EURJPY", [120_000]))


def test_a_tick_is_a_price_that_nothing_led_up_to():
    venue = venue_of("EURUSD", "USDJPY")
    rows = [(NOON_MS + i, bid, bid + 10) for i, bid in enumerate((110_000, 109_700, 110_050))]
    slippage = np.array([[1, 0], [0, 2], [0, 0]], dtype=np.int32)
    feed = TickFeed(venue, ticks("USDJPY", rows), slippage)
    market = Market.of_bars(venue, hours("EURUSD", [110_000]), others=[feed])
    market.advance()
    opened = market.book.open_market("USDJPY", Side.BUY, LOT // 10, stop=109_900)
    market.advance()

    assert opened.price_points == 110_011
    assert market.book.ledger.deals[-1].price_points == 109_698
    assert feed.played == 2


def path_of(bars: Bars, model: TickModel) -> list[tuple[int, int]]:
    feed = BarFeed(venue_of("EURUSD"), bars, model=model)
    return [point for row in range(len(bars)) for point in feed.points(row)]


def test_every_tick_refines_the_path_and_leaves_its_turns():
    bars = hours("EURUSD", [110_000, 110_100], tick_volume=500)
    coarse, fine = (path_of(bars, model) for model in (TickModel.OHLC, TickModel.EVERY_TICK))

    assert len(fine) == 2 * 12
    assert set(coarse) <= set(fine)
    assert [time for time, _ in fine] == sorted({time for time, _ in fine})
    legs = [bid for _, bid in fine[12:]]
    assert legs[0:4] == [110_000, 109_993, 109_986, 109_980]
    assert legs[3:9] == sorted(legs[3:9])


@pytest.mark.parametrize(
    ("volume", "closes", "count"),
    [(1, [110_000], 2), (2, [110_000], 2), (3, [110_000], 4), (7, [110_000], 8), (0, [1_000], 12)],
)
def test_a_bar_has_no_more_ticks_than_its_volume(volume: int, closes: list[int], count: int):
    flat = {"high": np.array(closes), "low": np.array(closes)} if volume < 3 else {}
    bars = hours("EURUSD", closes, tick_volume=volume, **flat)

    assert len(path_of(bars, TickModel.EVERY_TICK)) == count


def outcome(model: TickModel, chance: np.random.Generator) -> list[tuple]:
    closes = 110_000 + np.cumsum(chance.integers(-60, 61, 40))
    market = Market.of_bars(
        venue_of("EURUSD"), hours("EURUSD", closes, tick_volume=99), model=model
    )
    market.advance()
    for distance in (30, 70, 150):
        for side in (Side.BUY, Side.SELL):
            for kind in (OrderType.STOP, OrderType.LIMIT):
                away = side.value * distance * (1 if kind is OrderType.STOP else -1)
                price = 110_005 + away
                stop = price - side.value * 80
                market.book.send(
                    OrderRequest(
                        symbol="EURUSD",
                        side=side,
                        units=LOT // 10,
                        order_type=kind,
                        price=price,
                        stop=stop,
                        target=price + side.value * 120,
                    )
                )
    while market.advance():
        pass
    return [(d.order_ticket, d.price_points, d.profit_minor) for d in market.book.ledger.deals]


@pytest.mark.parametrize("seed", range(5))
def test_all_tick_models_of_a_bar_trade_alike(seed: int):
    usual, *others = (outcome(model, np.random.default_rng(seed)) for model in TickModel)

    assert len(usual) > 8
    assert others == [usual, usual]


def test_with_open_prices_clients_see_a_bar_once():
    market = Market.of_bars(
        venue_of("EURUSD"),
        hours("EURUSD", [110_000, 110_100, 110_200]),
        model=TickModel.OPEN_PRICES,
    )
    steps = []
    while market.advance():
        steps.append((market.bar, market.step))

    assert steps == [(0, 0), (1, 0), (2, 0)]
    assert market.shown()[-1] == 110_200


def test_the_clock_never_runs_ahead_to_the_next_opening():
    market = Market.of_bars(
        venue_of("EURUSD"), hours("EURUSD", [110_000, 110_100]), model=TickModel.OPEN_PRICES
    )
    market.wait_until(NOON_MS)
    market.wait_until(NOON_MS + HOUR_MS // 2)

    assert market.now_ms == NOON_MS + HOUR_MS // 2
    assert (market.bar, market.step) == (0, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda v: TickFeed(v, ticks("EURUSD", [(1, 0, 5)])), "bids must be positive"),
        (lambda v: TickFeed(v, ticks("EURUSD", [(1, 9, 5)])), "asks not below"),
        (lambda v: TickFeed(v, ticks("EURUSD", [(2, 5, 5), (1, 5, 5)])), "do not rise"),
        (
            lambda v: TickFeed(v, ticks("EURUSD", [(1, 5, 5)]), np.zeros((2, 2), np.int32)),
            r"of shape \(1, 2\), was \(2, 2\)",
        ),
        (lambda v: TickFeed(v, replace(ticks("EURUSD", [(1, 5, 5)]), digits=3)), "have 3 digits"),
        (
            lambda v: Market.of_bars(
                v, hours("EURUSD", [1_000]), others=[BarFeed(v, hours("EURUSD", [1_000]))]
            ),
            "each symbol needs one source",
        ),
    ],
)
def test_prices_that_cannot_be_played_are_refused(
    make: Callable[[VenueSpec], object], message: str
):
    with pytest.raises(ConfigError, match=message):
        make(venue_of("EURUSD"))


def test_a_market_of_ticks_alone_plays_and_has_no_bars_to_walk():
    venue = venue_of("EURUSD")
    rows = [(NOON_MS + 10 * i, 110_000 + i, 110_010 + i) for i in range(5)]
    market = Market(venue, TickFeed(venue, ticks("EURUSD", rows)))
    seen = 0
    while market.advance():
        seen += 1

    assert (seen, market.now_ms) == (5, NOON_MS + 40)
    with pytest.raises(ConfigError, match="EURUSD: it is played on ticks"):
        _ = market.bars
