"""The balance held against the deals, to the minor unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mtquant.model import Deal, DealKind, WatchedClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SETTLING_MS: Final = 60_000
"""How long balance and deals may tell different stories: a terminal shows one before the other."""

SETTLING_READINGS: Final = 5

LONGEST_MS: Final = 5 * SETTLING_MS
"""How long they may differ where new deals begin the wait anew: on a busy account it has no end."""

_OLD_MS: Final = 86_400_000
"""How old a deal is that is part of a history, not news."""


class Cash:
    """Hold that balance = baseline + Σ (profit + commission + swap + fee) of all deals.

    The baseline is what the deals that the terminal tells of do not explain, mostly nothing: some
    brokers cut histories. It is settled once, when it has been the same for a minute: a terminal
    takes its time to load a history. Until then the first reading's stands in for it. It stays, in
    later processes too; a person may settle it anew.
    """

    def __init__(self) -> None:
        self.difference_minor = 0
        self._told_minor = 0
        self._base_minor: int | None = None  # the baseline, or what stands in for it
        self._is_settled = False
        self._began_ms: int | None = None  # the first reading, by the watched clock
        self._longest = 0, 0  # for how long, without new deals, and what was unexplained
        self._accepted_until_ms = 0  # a person takes for right what lasts by then
        self._readings = 0  # that found the same difference, one after the other
        self._lasted_ms = 0  # between them
        self._watched = WatchedClock()
        self._since_ms = 0  # the first of them, by the watched clock
        self._known_minor = 0  # of the difference, what has had time to show
        self._is_restless = False  # has been waited for, and goes on changing
        self._clear_ms: int | None = None  # the newest reading without anything else, or the first

    @property
    def baseline_minor(self) -> int | None:
        """Return the baseline, None until it is settled."""
        return self._base_minor if self._is_settled else None

    def restore(self, deals: Iterable[Deal], baseline_minor: int | None) -> None:
        """Take over the deals of an earlier process, and its baseline."""
        self._told_minor = _sum_minor(deals)
        self._base_minor, self._is_settled = baseline_minor, baseline_minor is not None

    def apply(self, deals: Sequence[Deal], balance_minor: int, now_ms: int) -> bool:
        """Take in the balance and the new deals of a reading; tell whether a baseline was settled.

        Deals that come begin the wait anew: a balance that lags behind them lacks the same each
        time where they are alike. A difference is waited for no longer than `LONGEST_MS`, though.
        Times are UTC milliseconds.
        """
        self._told_minor += _sum_minor(deals)
        unexplained_minor = balance_minor - self._told_minor
        if self._base_minor is None:
            self._base_minor = unexplained_minor
        if not self._is_settled and any(now_ms - deal.time_ms > _OLD_MS for deal in deals):
            self._began_ms, self._longest = None, (0, 0)  # the history is still being loaded
        difference_minor = unexplained_minor - self._base_minor
        self._count(now_ms, is_same=not deals and difference_minor == self.difference_minor)
        self.difference_minor = difference_minor
        self._learn()
        if not self._is_settled:
            return self._settle_first()
        if now_ms < self._accepted_until_ms and self._can_settle:
            self._settle()
            return True
        return False

    def _settle_first(self) -> bool:
        """Settle the baseline once it has lasted; what has changed for too long is taken as it is.

        On a busy account new deals come all the time: there it is, after a while, what lasted
        longest between them, as soon as it is found again.
        """
        if self._began_ms is None:
            self._began_ms = self._now_ms
        unexplained_minor = (self._base_minor or 0) + self.difference_minor
        if self._lasted_ms > self._longest[0]:
            self._longest = self._lasted_ms, unexplained_minor
        is_old = self._now_ms - self._began_ms >= LONGEST_MS
        is_found = self._readings > 1 and unexplained_minor == self._longest[1]
        self._is_settled = self._has_lasted or (is_old and is_found)
        if self._is_settled:
            self._known_minor = self.difference_minor
        is_restless = self._is_restless and not self._is_settled
        self._settle()
        self._is_restless = is_restless
        return self._is_settled

    def _count(self, now_ms: int, *, is_same: bool) -> None:
        """Count a reading; one that found something else begins the wait anew."""
        watched_ms = self._watched.look(now_ms)
        if not is_same or not self._readings:
            self._readings, self._since_ms = 0, watched_ms
        self._readings += 1
        self._lasted_ms = watched_ms - self._since_ms

    def _learn(self) -> None:
        """Take a difference for known that has lasted, or has been waited for long enough."""
        if self._clear_ms is None:
            self._clear_ms = self._now_ms
        if not self.difference_minor or self._has_lasted:
            self._is_restless = False
        elif self._now_ms - self._clear_ms >= LONGEST_MS:
            self._is_restless = True
        if not self.difference_minor or self._has_lasted or self._is_restless:
            self._known_minor = self.difference_minor
        if self.difference_minor == self._known_minor:
            self._clear_ms = self._now_ms

    @property
    def _now_ms(self) -> int:
        return self._since_ms + self._lasted_ms

    @property
    def _has_lasted(self) -> bool:
        return self._lasted_ms >= SETTLING_MS and self._readings >= SETTLING_READINGS

    def accept(self, now_ms: int) -> bool:
        """Take the balance for right as it is; tell whether a baseline was settled now.

        What differs may not have lasted yet: then it is settled when it has, within ten minutes.
        """
        if self._can_settle:
            self._settle()
            return True
        if self.difference_minor:
            self._accepted_until_ms = now_ms + 10 * SETTLING_MS
        return False

    @property
    def _can_settle(self) -> bool:
        """Tell whether something is known to differ, and nothing may only be late."""
        return self._known_minor != 0 and not self.lags

    def _settle(self) -> None:
        """Take for right what the balance is known to differ."""
        self._base_minor = (self._base_minor or 0) + self._known_minor
        self.difference_minor -= self._known_minor
        self._known_minor, self._is_restless = 0, False
        self._accepted_until_ms = 0

    @property
    def is_watched(self) -> bool:
        """Tell whether something differs, or is to be settled: the broker is to be read again."""
        return not self._is_settled or self.difference_minor != 0

    @property
    def lacks_minor(self) -> int:
        """Return what the deals do not explain although it has had time to show, minor units."""
        return self._known_minor

    @property
    def lags(self) -> bool:
        """Tell whether balance and deals tell different stories, and one of them may be late."""
        return self.difference_minor != self._known_minor


def _sum_minor(deals: Iterable[Deal]) -> int:
    """Return what deals have added to the balance; credit is kept apart from it."""
    return sum(deal.net_minor for deal in deals if deal.kind is not DealKind.CREDIT)
