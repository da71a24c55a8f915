"""A market of several symbols: going straight to a moment is like playing all that comes before."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from plays import Records, whole

from mtquant.exchange import (
    AccountSpec,
    BarFeed,
    Feed,
    InstrumentSpec,
    Market,
    OrderRequest,
    TickFeed,
    TickModel,
    VenueSpec,
)
from mtquant.model import (
    Bars,
    Expiration,
    Filling,
    GtcMode,
    OrderType,
    Side,
    SwapMode,
    Ticks,
    Timeframe,
    make_bars,
)
from mtquant.terminal.simulated import SimulatedServer

STARTS_MS = (
    1_489_608_000_000,  # Wednesday, 2017-03-15, 20:00 UTC, before the night of triple swaps
    1_490_385_600_000,  # Friday, 2017-03-24, 20:00 UTC, before the clock is set forward
    1_509_134_400_000,  # Friday, 2017-10-27, 20:00 UTC, before it is set back
)
PAIRS = ("EURUSD", "GBPUSD", "USDJPY")
TIMEFRAMES = (Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.H4)
HOUR_MS = 3_600_000
UNITS = 1_000_000


@dataclass(frozen=True)
class World:
    """What is played, and the moments at which somebody looks."""

    venue: VenueSpec
    seed: int
    model: TickModel
    kinds: tuple[Timeframe | None, ...]  # of each pair: None for ticks
    start_ms: int
    moments: tuple[int, ...]
    jobs: tuple[tuple[str, int, str], ...]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a market of up to three symbols and what somebody does there."""
    gtc = draw(st.sampled_from(GtcMode))
    sessions = draw(st.sampled_from([None, ("", *("01:05-23:55",) * 5, "")]))
    specs = {
        pair: InstrumentSpec(
            digits=3 if pair.endswith("JPY") else 5,
            contract_size=100_000,
            base_currency=pair[:3],
            profit_currency=pair[3:],
            gtc_mode=gtc,
            sessions=sessions,
            swap_mode=SwapMode.POINTS,
            swap_long_points=-3.0,
            swap_short_points=1.0,
        )
        for pair in PAIRS[: draw(st.integers(1, 3))]
    }
    more = draw(st.sampled_from([(), (AccountSpec(login=2, deposit=500.0, leverage=30),)]))
    clock = draw(st.sampled_from(["eet_eu", "utc"]))
    venue = VenueSpec(server_clock=clock, more_accounts=more, instruments=specs)
    start_ms = draw(st.sampled_from(STARTS_MS))
    waits = draw(st.lists(st.integers(1, 20 * HOUR_MS), min_size=1, max_size=7))
    whole_seconds = draw(st.booleans())
    moments = start_ms + np.cumsum([w - w % 1000 * whole_seconds for w in waits])
    jobs = st.tuples(
        st.sampled_from(list(specs)),
        st.sampled_from([account.login for account in venue.accounts]),
        st.sampled_from(["none", "none", "buy", "close", "day", "gtc", "dated", "cancel"]),
    )
    others = [draw(st.sampled_from([None, *TIMEFRAMES])) for _ in specs]
    return World(
        venue=venue,
        seed=draw(st.integers(0, 10**6)),
        model=draw(st.sampled_from(TickModel)),
        kinds=(draw(st.sampled_from(TIMEFRAMES)), *others[1:]),
        start_ms=start_ms,
        moments=tuple(int(one) for one in moments),
        jobs=tuple(draw(jobs) for _ in waits),
    )


def bars(pair: str, timeframe: Timeframe, start_ms: int, chance: np.random.Generator) -> Bars:
    count = 4 * 24 * HOUR_MS // timeframe.duration_ms
    times = start_ms + np.arange(count) * timeframe.duration_ms
    kept = chance.random(count) > chance.choice([0.0, 0.1, 0.6])
    kept[0] = True
    count = int(kept.sum())
    close = 110_000 + np.cumsum(chance.integers(-40, 41, count))
    opened = np.concatenate([[110_000], close[:-1]]) + chance.integers(-9, 10, count)
    return make_bars(
        symbol=pair,
        timeframe=timeframe,
        digits=3 if pair.endswith("JPY") else 5,
        time_ms=times[kept],
        open=opened,
        high=np.maximum(opened, close) + chance.integers(0, 20, count),
        low=np.minimum(opened, close) - chance.integers(0, 20, count),
        close=close,
        spread=chance.integers(0, 20, count),
        tick_volume=chance.integers(1, 60, count),
    )


def ticks(pair: str, start_ms: int, chance: np.random.Generator) -> Ticks:
    count = 300
    steps = chance.choice([0, 1, 1000, 60_000, 2 * HOUR_MS], count)
    bid = (110_000 + np.cumsum(chance.integers(-20, 21, count))).astype(np.int32)
    return Ticks(
        symbol=pair,
        digits=3 if pair.endswith("JPY") else 5,
        time_ms=(start_ms + int(chance.integers(-HOUR_MS, HOUR_MS)) + np.cumsum(steps)),
        bid=bid,
        ask=bid + chance.integers(0, 9, count).astype(np.int32),
    )


def market_of(world: World) -> Market:
    chance = np.random.default_rng(world.seed)
    feeds: list[Feed] = []
    for pair, kind in zip(world.venue.instruments, world.kinds, strict=True):
        if kind is None:
            feeds.append(TickFeed(world.venue, ticks(pair, world.start_ms, chance)))
            continue
        made = bars(pair, kind, world.start_ms, chance)
        slippage = chance.integers(-2, 3, (len(made), 2)).astype(np.int32)
        feeds.append(BarFeed(world.venue, made, slippage, world.model))
    return Market(world.venue, feeds[0], feeds[1:])


def request_of(server: SimulatedServer, job: tuple[str, int, str]) -> OrderRequest | None:
    symbol, login, kind = job
    book = server.market.books[login]
    quote = book.quote(symbol)
    if quote is None or kind == "none":
        return None
    base = OrderRequest(symbol=symbol, side=Side.BUY, units=UNITS, filling=Filling.IOC)
    if kind == "buy":
        return replace(base, stop=quote.bid_points - 150, target=quote.bid_points + 150)
    expiration = {"day": Expiration.DAY, "dated": Expiration.SPECIFIED}.get(kind, Expiration.GTC)
    return replace(
        base,
        order_type=OrderType.LIMIT,
        price=quote.ask_points - 60,
        filling=Filling.RETURN,
        expiration=expiration,
        expires_ms=server.now_ms // 1000 * 1000 + 5 * HOUR_MS if kind == "dated" else 0,
    )


def act(server: SimulatedServer, job: tuple[str, int, str]) -> None:
    symbol, login, kind = job
    book = server.market.books[login]
    server.touch()
    if kind in {"close", "cancel"}:
        for position in [p for p in book.open_positions if p.symbol == symbol]:
            order = OrderRequest(
                symbol=symbol,
                side=Side(-position.side),
                units=position.units,
                filling=Filling.IOC,
                position_ticket=position.ticket,
            )
            server.execute(order, login)
        return
    request = request_of(server, job)
    if request:
        server.execute(request, login)


def point_by_point(market: Market, moment_ms: int) -> None:
    """Go to a moment as the market does while somebody holds something."""
    while (upcoming := market.next_ms()) is not None and upcoming <= moment_ms:
        market._play(upcoming)
    market.wait_until(moment_ms)


def photograph(market: Market) -> tuple:
    books = market.books.values()
    quotes = [[book.quote(symbol) for symbol in market.venue.instruments] for book in books]
    held = [tuple(tuple(one) if isinstance(one, list) else one for one in whole(b)) for b in books]
    return market.now_ms, market.next_ms(), quotes, held


def play(world: World, go_to, log: Records | None = None) -> tuple[list[tuple], SimulatedServer]:
    server = SimulatedServer(market_of(world), log)
    seen = []
    for moment_ms, job in zip(world.moments, world.jobs, strict=True):
        go_to(server, moment_ms)
        assert server.now_ms <= max(moment_ms, seen[-1][0] if seen else server.now_ms)
        act(server, job)
        seen.append(photograph(server.market))
    return seen, server


@settings(max_examples=150)
@given(worlds())
def test_going_straight_to_a_moment_is_like_playing_all_before_it(world: World):
    straight, _ = play(world, lambda server, ms: server.wait_until(ms))
    played, _ = play(world, lambda server, ms: point_by_point(server.market, ms))

    assert straight == played


@settings(max_examples=40)
@given(worlds())
def test_a_server_stands_after_every_record_where_its_log_leads(world: World):
    log = Records()
    lengths: list[int] = []

    def go(server: SimulatedServer, moment_ms: int) -> None:
        lengths.append(len(log.new))
        server.wait_until(moment_ms)

    seen, _ = play(world, go, log)

    for length, photographed in zip([*lengths[1:], None], seen, strict=True):
        again = SimulatedServer(market_of(world), Records(log.new[:length]))
        assert photograph(again.market) == photographed
