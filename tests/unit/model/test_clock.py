"""A clock that only rises, whatever the clock behind it does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mtquant.model import OnwardClock


class Set:
    """Be a clock that anybody may set."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


def test_what_a_clock_is_set_back_by_an_onward_clock_goes_on_without() -> None:
    behind = Set()
    clock = OnwardClock(behind)
    behind.ms += 5_000
    assert clock.now_ms() == 1_005_000
    behind.ms -= 600_000

    assert clock.now_ms() == 1_005_000
    behind.ms += 2_000
    assert clock.now_ms() == 1_007_000


def test_what_a_clock_leaps_ahead_has_passed() -> None:
    behind = Set()
    clock = OnwardClock(behind)
    behind.ms += 3_600_000

    assert clock.now_ms() == 4_600_000


@given(st.lists(st.integers(-(10**7), 10**7), max_size=40))
def test_an_onward_clock_never_goes_back_and_counts_what_passes(steps: list[int]) -> None:
    behind = Set()
    clock, before = OnwardClock(behind), 1_000_000
    for step in steps:
        behind.ms += step
        assert clock.now_ms() - before == max(0, step)
        before = clock.now_ms()
