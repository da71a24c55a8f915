"""The catalogue's entries load strictly, name their sources and can be traded."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from mtquant.data import parse_yaml
from mtquant.data.catalogue import Entry, catalogued_symbols, entry, instrument_specs
from mtquant.exchange import AccountSpec, Book, InstrumentSpec, VenueSpec
from mtquant.model import ConfigError, Side, SwapMode
from mtquant.model.reading import read

NOON_MS = 1_767_614_400_000  # Monday, 2026-01-05, 12:00 UTC
WANTED = (
    *("EURUSD", "GBPUSD", "USDJPY", "USDCHF", "AUDUSD", "NZDUSD", "USDCAD", "EURJPY", "GBPJPY"),
    *("EURCAD", "XAUUSD", "XAGUSD", "US500", "NAS100", "US30", "GER40", "USOIL", "BTCUSD"),
    "ETHUSD",
)
PRICES = {"EURUSD": 1.14, "GBPUSD": 1.33, "USDJPY": 150.0, "USDCHF": 0.83, "USDCAD": 1.38}
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "data.md"


def text_of(symbol: str) -> str:
    return (files("mtquant.data") / "catalogue" / f"{symbol}.yaml").read_text(encoding="utf-8")


def changed(symbol: str, **keys) -> Entry:
    return read(Entry, {**parse_yaml(text_of(symbol), symbol), **keys}, symbol)


def venue_of(currency: str) -> VenueSpec:
    return VenueSpec(
        account=AccountSpec(currency=currency),
        instruments=instrument_specs(WANTED, account_currency=currency),
    )


@pytest.mark.parametrize("symbol", catalogued_symbols())
def test_every_entry_says_where_it_is_from_and_stands_under_its_name(symbol: str):
    found = entry(symbol)

    assert found.symbol == symbol
    assert found.source
    assert found.date
    assert found.spread.source
    assert found.specification.description
    assert found.specification.sessions is not None


@pytest.mark.parametrize("symbol", catalogued_symbols())
def test_every_field_of_an_unverified_entry_is_an_assumption(symbol: str):
    found = entry(symbol)
    stated = set(parse_yaml(text_of(symbol), symbol)["specification"]) - {"description"}

    assert set(found.assumed) <= stated
    if found.evidence.value == "U":
        assert set(found.assumed) == stated


@pytest.mark.parametrize("symbol", catalogued_symbols())
def test_the_usual_spread_lies_among_those_of_the_hours(symbol: str):
    hours = entry(symbol).spread.by_hour_points

    assert min(hours) <= entry(symbol).specification.spread_points <= max(hours)


def test_printed_facts_are_kept():
    gold, euro, ether = (entry(one) for one in ("XAUUSD", "EURUSD", "ETHUSD"))

    assert (gold.server, gold.specification.swap_long_points) == ("FTMO-Demo", -83.0)
    assert (gold.spread.by_hour_points[1], gold.spread.by_hour_points[17]) == (21, 15)
    assert (euro.specification.volume_max_lots, euro.specification.swap_short_points) == (500, -1.0)
    assert ether.specification.swap_mode is SwapMode.INTEREST_OPEN
    assert (ether.specification.contract_size, ether.specification.swap_long) == (100, -25)


def test_specifications_come_in_the_order_asked_for():
    specs = instrument_specs(("US500", "EURUSD"))

    assert list(specs) == ["US500", "EURUSD"]
    assert all(isinstance(one, InstrumentSpec) for one in specs.values())


@pytest.mark.parametrize(("currency", "added"), [("USD", 0), ("EUR", 4)])
def test_a_venue_of_everything_serves_accounts_in_dollars_and_euros(currency: str, added: int):
    venue = venue_of(currency)

    assert list(venue.instruments)[:19] == list(WANTED)
    assert len(venue.instruments) == 19 + added


def test_a_single_symbol_brings_the_pairs_that_convert_its_money():
    assert list(instrument_specs(("GER40",), account_currency="USD")) == ["GER40", "EURUSD"]
    assert list(instrument_specs(("GBPJPY",), account_currency="EUR")) == [
        *("GBPJPY", "EURJPY", "EURGBP"),
    ]


def test_an_account_that_nothing_converts_to_is_refused_by_the_venue():
    with pytest.raises(ConfigError, match="currency conversion"):
        venue_of("PLN")


@pytest.mark.parametrize("symbol", WANTED)
def test_every_instrument_is_traded_in_a_book(symbol: str):
    venue = venue_of("USD")
    book = Book(venue, NOON_MS)
    for name, price in ({symbol: 100.0} | PRICES).items():
        instrument = venue.instrument(name)
        bid = instrument.points(price)
        book.show(name, bid, bid + venue.instruments[name].spread_points, NOON_MS)
    units = venue.instrument(symbol).volume_min_units
    quote = book.quote(symbol)

    done = book.open_market(symbol, Side.BUY, units, price=quote.ask_points)

    assert done.refusal is None
    assert book.margin_minor > 0
    assert book.close_market(done.order_ticket, units, price=quote.bid_points).refusal is None
    assert book.balance_minor <= 1_000_000  # the spread at least, in cents


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("XAUUSB", "symbol 'XAUUSB' is not in the catalogue; did you mean 'XAUUSD'?"),
        ("", "symbol '' is not in the catalogue; known: AUDUSD, BTCUSD"),
        ("../sample/metadata", "is not in the catalogue"),
    ],
)
def test_an_unknown_symbol_is_refused_with_the_nearest_one(symbol: str, message: str):
    with pytest.raises(ConfigError, match=re.escape(message)):
        instrument_specs((symbol,))


def test_a_symbol_that_stands_twice_is_refused():
    with pytest.raises(ConfigError, match="symbols: EURUSD stand more than once"):
        instrument_specs(("EURUSD", "XAUUSD", "EURUSD"))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"evidence": "rumour"}, "EURUSD.evidence: 'rumour' is not one of printed, own_page"),
        ({"sauce": "x"}, "EURUSD.sauce: unknown key; did you mean 'source'?"),
        ({"assumed": ["digit"]}, "assumed: 'digit': did you mean 'digits'?"),
        (
            {"spread": {"by_hour_points": [1] * 23, "evidence": "used", "source": "", "date": ""}},
            "EURUSD.spread.by_hour_points must be 24 spreads, none negative",
        ),
        ({"specification": {"digits": 5}}, "EURUSD.specification.contract_size: this key is"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_key(keys: dict, message: str):
    with pytest.raises(ConfigError, match=re.escape(message)):
        changed("EURUSD", **keys)


def test_the_reference_lists_every_symbol_with_its_evidence():
    lines = {
        f"| {found.symbol} | {found.server or '–'} | {found.date} "
        f"| {found.evidence.value} | {found.spread.evidence.value} |"
        for found in map(entry, catalogued_symbols())
    }

    assert lines <= set(REFERENCE.read_text(encoding="utf-8").splitlines())
