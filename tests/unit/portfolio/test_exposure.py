"""Exposure is summed with its sign for symbols and currencies, by size for classes and caps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from journal_rows import sending_row
from worlds import make_venue

from mtquant.exchange import Terms
from mtquant.model import IntentState, Position, Side
from mtquant.portfolio.exposure import Exposure, ExposureBook, Valuer


def valuer(symbol: str, currency: str = "USD", kind: str = "forex", cap: float = 0.0) -> Valuer:
    terms = Terms.of(make_venue(symbol=symbol, currency=currency), symbol)
    return Valuer(terms=terms, asset_class=kind, leverage_cap=cap, leverage_class=kind)


def position(symbol: str = "EURUSD", side: Side = Side.BUY, **changes) -> Position:
    usual = {
        "position_ticket": 1,
        "symbol": symbol,
        "side": side,
        "volume_units": 10_000_000,
        "open_points": 90_000,
        "open_ms": 0,
        "current_points": 100_000,
        "current_ms": 0,
        "stop_loss_points": None,
        "take_profit_points": None,
        "profit_minor": 0,
        "swap_minor": 0,
        "digits": 5,
        "contract_size": 100_000.0,
        "intent_id": 0,
    }
    return Position(**(usual | changes))


@pytest.fixture
def book() -> ExposureBook:
    return ExposureBook(
        {"EURUSD": valuer("EURUSD", cap=30.0), "GBPUSD": valuer("GBPUSD", kind="other")}
    )


def test_a_long_pair_is_long_of_its_base_and_short_of_what_it_is_paid_in(book):
    found = book.sum([position()], [])

    assert found.gross_minor == found.net_minor == pytest.approx(1_000_000)
    assert found.by_symbol == {"EURUSD": pytest.approx(1_000_000)}
    assert found.by_class == {"forex": pytest.approx(1_000_000)}
    assert found.by_currency == {
        "EUR": pytest.approx(1_000_000),
        "USD": pytest.approx(-1_000_000),
    }
    assert found.at_caps_minor == pytest.approx(1_000_000 / 30)
    assert found.unknown == ()


def test_a_short_pair_is_the_reverse_and_sizes_stay_sizes(book):
    found = book.sum([position(side=Side.SELL)], [])

    assert found.gross_minor == pytest.approx(1_000_000)
    assert found.net_minor == pytest.approx(-1_000_000)
    assert found.by_symbol["EURUSD"] == pytest.approx(-1_000_000)
    assert found.by_class["forex"] == pytest.approx(1_000_000)
    assert found.by_currency == {
        "EUR": pytest.approx(-1_000_000),
        "USD": pytest.approx(1_000_000),
    }


def test_a_hedge_doubles_the_gross_and_takes_away_the_net(book):
    found = book.sum([position(), position(side=Side.SELL, position_ticket=2)], [])

    assert found.gross_minor == found.by_class["forex"] == pytest.approx(2_000_000)
    assert found.at_caps_minor == pytest.approx(2_000_000 / 30)
    assert found.net_minor == found.by_symbol["EURUSD"] == pytest.approx(0)
    assert found.by_currency == {"EUR": pytest.approx(0), "USD": pytest.approx(0)}


def test_several_symbols_meet_in_the_currency_they_share(book):
    found = book.sum([position(), position("GBPUSD", volume_units=20_000_000)], [])

    assert found.by_symbol == {
        "EURUSD": pytest.approx(1_000_000),
        "GBPUSD": pytest.approx(2_000_000),
    }
    assert found.by_class == {
        "forex": pytest.approx(1_000_000),
        "other": pytest.approx(2_000_000),
    }
    assert found.by_currency["USD"] == pytest.approx(-3_000_000)
    assert found.at_caps_minor == pytest.approx(1_000_000 / 30)
    assert found.uncapped == {"GBPUSD": "other"}


def test_a_cfd_counts_once_in_the_currency_it_is_paid_in():
    terms = Terms.of(
        make_venue(symbol="EURUSD", base_currency="USD", profit_currency="USD"), "EURUSD"
    )
    found = ExposureBook({"EURUSD": Valuer(terms=terms, asset_class="index")}).sum(
        [position(), position()], []
    )

    assert found.by_currency == {"USD": pytest.approx(2_000_000)}
    assert found.by_symbol == {"EURUSD": pytest.approx(2_000_000)}


def test_a_value_is_converted_into_the_account_currency():
    in_euro = valuer("EURUSD", currency="EUR")

    assert in_euro.value_minor(10_000_000, 100_000) == pytest.approx(1_000_000)
    assert in_euro.value_minor(10_000_000, 200_000) == pytest.approx(1_000_000)  # of 10,000 EUR


def test_a_symbol_that_nobody_values_is_named_once_and_the_others_still_count(book):
    strangers = [position("OILX"), position("DAX"), position("OILX"), position()]
    found = book.sum(strangers, [])

    assert found.unknown == ("OILX", "DAX")
    assert found.gross_minor == pytest.approx(1_000_000)


def test_a_position_without_a_price_of_now_counts_at_its_opening_price(book):
    found = book.sum([position(current_points=0)], [])

    assert found.gross_minor == pytest.approx(900_000)


def test_entries_on_their_way_count_at_the_price_they_expect(book):
    coming = [
        sending_row(1, price_points=100_000),
        sending_row(2, price_points=100_000, side=Side.SELL, symbol="GBPUSD"),
    ]
    found = book.sum([], coming)

    assert found.gross_minor == pytest.approx(2_000_000)
    assert found.net_minor == pytest.approx(0)
    assert found.by_symbol == {
        "EURUSD": pytest.approx(1_000_000),
        "GBPUSD": pytest.approx(-1_000_000),
    }


def test_an_entry_that_its_position_shows_counts_once(book):
    row = sending_row(7, price_points=100_000)
    done = row.moved(IntentState.DONE, 1)

    assert book.sum([position(intent_id=7)], [row]).gross_minor == pytest.approx(1_000_000)
    half = position(intent_id=7, volume_units=5_000_000)
    assert book.sum([half], [done]).gross_minor == pytest.approx(500_000)  # the rest was closed


def test_of_an_entry_that_is_still_being_filled_the_rest_counts_too(book):
    row = sending_row(7, price_points=110_000, side=Side.SELL)
    part = position(intent_id=7, side=Side.SELL, volume_units=4_000_000)
    found = book.sum([part], [row])

    assert found.gross_minor == pytest.approx(400_000 + 660_000)
    assert found.net_minor == pytest.approx(-1_060_000)
    parts = [part, replace(part, volume_units=5_999_999), position(intent_id=8)]
    assert book.sum(parts[:2], [row]).gross_minor == pytest.approx(999_999.9 + 0.11)
    assert book.sum(parts, [row]).gross_minor == pytest.approx(2_000_000)


def test_what_is_on_its_way_is_told_apart_by_side(book):
    coming = [
        sending_row(1, price_points=100_000),
        sending_row(2, price_points=100_000),
        sending_row(3, price_points=100_000, side=Side.SELL),
    ]
    found = book.sum([position()], coming)

    assert {name: round(value) for name, value in found.coming.items()} == {
        ("net", 1): 2_000_000,
        ("net", -1): -1_000_000,
        ("symbol EURUSD", 1): 2_000_000,
        ("symbol EURUSD", -1): -1_000_000,
        ("currency EUR", 1): 2_000_000,
        ("currency EUR", -1): -1_000_000,
        ("currency USD", 1): 1_000_000,
        ("currency USD", -1): -2_000_000,
    }
    assert found.net_minor == pytest.approx(2_000_000)
    assert found.without_coming("net", found.net_minor, -1) == pytest.approx(3_000_000)
    assert found.without_coming("net", found.net_minor, 1) == pytest.approx(0)
    assert found.without_coming("symbol OILX", 5.0, 1) == 5.0
    assert book.sum([position()], []).coming == {}


def test_of_a_cfd_on_its_way_its_currency_counts_once():
    terms = Terms.of(
        make_venue(symbol="EURUSD", base_currency="USD", profit_currency="USD"), "EURUSD"
    )
    book = ExposureBook({"EURUSD": Valuer(terms=terms, asset_class="index")})
    found = book.sum([], [sending_row(1, price_points=100_000)])

    assert found.coming["currency USD", 1] == pytest.approx(1_000_000)
    assert ("currency USD", -1) not in found.coming


def test_an_entry_without_a_price_or_a_known_symbol_is_not_counted(book):
    coming = [sending_row(1), sending_row(2, symbol="OILX", price_points=100_000)]

    found = book.sum([], coming)
    assert (found.gross_minor, found.by_symbol, found.unknown) == (0, {}, ())


def test_sums_of_nothing_are_nothing(book):
    found = book.sum([], [])

    assert (found.gross_minor, found.net_minor, found.at_caps_minor) == (0, 0, 0)
    assert (found.by_symbol, found.by_class, found.by_currency) == ({}, {}, {})
    assert Exposure().by_symbol is not Exposure().by_symbol


def test_a_book_keeps_its_valuers_whatever_becomes_of_the_callers():
    mine = {"EURUSD": valuer("EURUSD")}
    book = ExposureBook(mine)
    mine.clear()

    assert replace(book.valuers["EURUSD"], leverage_cap=1.0).leverage_cap == 1.0
