"""Whatever a trader does, books follow their rules at every tick and come back from the log."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plays import Player, venues

from mtquant.exchange import VenueSpec

SEEDS = st.integers(0, 2**32)
ROUGH = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=80, **ROUGH)
@given(venues(), SEEDS)
def test_a_trader_s_book_follows_its_rules_at_every_tick(venue: VenueSpec, seed: int):
    Player(venue, seed).play(25)


@pytest.mark.slow
@settings(max_examples=4_000, **ROUGH)
@given(venues(), SEEDS)
def test_a_hundred_thousand_requests_of_traders(venue: VenueSpec, seed: int):
    Player(venue, seed).play(25)
