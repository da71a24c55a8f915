"""How old a quote is, when the clocks differ and when nothing is known yet."""

from hypothesis import given
from hypothesis import strategies as st

from mtquant.broker.quote_age import QuoteAges
from mtquant.model import Quote

MINUTE = 60_000


def quote(time_ms: int, symbol: str = "EURUSD") -> Quote:
    return Quote(symbol=symbol, time_ms=time_ms, bid_points=1, ask_points=2)


def test_the_first_quote_is_as_old_as_the_clocks_say() -> None:
    assert QuoteAges().see(quote(1_000), 5_000) == 4_000


def test_a_first_quote_from_the_future_is_no_fresher_than_one_from_the_past() -> None:
    assert QuoteAges().see(quote(10 * MINUTE), 0) == 10 * MINUTE


def test_after_two_quotes_the_clocks_are_still_believed() -> None:
    ages = QuoteAges()
    ages.see(quote(0), 120_000)

    assert ages.see(quote(1_000), 180_000) == 179_000  # an old one, or a clock that is ahead


def test_nothing_is_known_of_the_servers_clock_before_the_first_quote() -> None:
    assert QuoteAges().lead_ms(5 * MINUTE) == 0


def test_the_server_is_no_earlier_than_its_newest_quote() -> None:
    ages = QuoteAges()
    ages.see(quote(2 * MINUTE), MINUTE)

    assert ages.lead_ms(MINUTE) == -MINUTE
    ages.see(quote(4 * MINUTE, "USDJPY"), MINUTE)
    assert ages.lead_ms(MINUTE) == -3 * MINUTE


def test_an_old_first_quote_tells_nothing_of_the_clocks() -> None:
    ages = QuoteAges()
    ages.see(quote(0), 3 * MINUTE)

    assert ages.lead_ms(3 * MINUTE) == 0


def test_a_clock_that_was_put_right_is_believed_again() -> None:
    ages = QuoteAges()
    ages.see(quote(10 * MINUTE), 0)
    ages.see(quote(10 * MINUTE, "USDJPY"), 0)
    assert ages.lead_ms(MINUTE) == -10 * MINUTE

    assert ages.lead_ms(11 * MINUTE) == 0  # by the clock alone,
    ages.see(quote(11 * MINUTE), 11 * MINUTE)
    assert ages.lead_ms(11 * MINUTE) == 0  # and by a quote, although the other stands still


def test_a_first_quote_from_far_in_the_future_is_not_believed_beyond_a_quarter_of_an_hour() -> None:
    ages = QuoteAges()
    ages.see(quote(120 * MINUTE), 0)

    assert ages.lead_ms(0) == -15 * MINUTE


def test_what_our_clock_went_on_by_is_no_error_of_the_servers() -> None:
    ages = QuoteAges()
    ages.see(quote(2 * MINUTE), 12 * MINUTE, 11 * MINUTE)

    assert ages.lead_ms(12 * MINUTE) == 10 * MINUTE


def test_a_quote_that_does_not_change_ages() -> None:
    ages = QuoteAges()
    ages.see(quote(0), 0)
    ages.see(quote(1_000), 1_000)

    assert ages.see(quote(1_000), 91_000) == 90_000
    assert ages.age_ms("EURUSD", 92_000) == 91_000


@given(skew_ms=st.integers(-10 * MINUTE, 10 * MINUTE))
def test_clocks_that_differ_make_no_quote_older(skew_ms: int) -> None:
    ages = QuoteAges()
    for time_ms in range(0, 10_000, 1_000):
        age_ms = ages.see(quote(time_ms), time_ms + skew_ms)

    assert age_ms == 0


def test_a_quote_that_was_old_when_it_came_is_old() -> None:
    ages = QuoteAges()
    for time_ms in (0, 1_000, 2_000, 3_000):
        ages.see(quote(time_ms), time_ms)

    assert ages.see(quote(60_000), 180_000) == 120_000  # after a lost link: the last one of it


def test_quotes_that_all_come_hours_late_are_old_and_the_clocks_are_not_to_blame() -> None:
    ages = QuoteAges()
    for time_ms in range(0, 10_000, 1_000):
        age_ms = ages.see(quote(time_ms), time_ms + 120 * MINUTE)

    assert age_ms == 105 * MINUTE


def test_the_quotes_of_one_symbol_tell_about_the_clock_of_all() -> None:
    ages = QuoteAges()
    for time_ms in (-2_000, -1_000, 0, 1_000):
        ages.see(quote(time_ms), time_ms + MINUTE)

    assert ages.see(quote(1_000, "USDJPY"), 1_000 + MINUTE) == 0
    assert ages.see(quote(1_000, "GBPUSD"), 11_000 + MINUTE) == 10_000


def test_a_clock_that_was_set_anew_is_learnt() -> None:
    ages = QuoteAges()
    found = []
    for number in range(80):
        jump_ms = 10 * MINUTE if number >= 40 else 0
        found.append(ages.see(quote(number * 1_000), number * 1_000 + jump_ms))

    assert max(found[1:40]) == 0
    assert found[40] == 10 * MINUTE
    assert found[-1] == 0


def test_a_clock_that_leapt_ahead_and_was_put_right_makes_nothing_old() -> None:
    ages = QuoteAges()
    for number in range(80):
        added_ms = 60 * MINUTE if number >= 40 else 0  # what time went on by meanwhile
        now_ms = number * 1_000 + (60 * MINUTE if number >= 20 else 0)
        age_ms = ages.see(quote(number * 1_000), now_ms, added_ms)

    assert age_ms == 0
    assert ages.lead_ms(now_ms) == 60 * MINUTE


def test_a_clock_that_was_set_back_makes_nothing_old() -> None:
    ages = QuoteAges()
    for number in range(40):
        back_ms = 10 * MINUTE if number >= 20 else 0
        age_ms = ages.see(quote(number * 1_000), number * 1_000 - back_ms)

    assert age_ms == 0
