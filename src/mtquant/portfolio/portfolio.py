"""Our view of the account: positions, equity, drawdown, and what the server's day has lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mtquant.model import (
    AccountSnapshot,
    BotIdentity,
    BrokerView,
    Deal,
    DealEntry,
    DealKind,
    Position,
    ServerClock,
)
from mtquant.portfolio import rules
from mtquant.portfolio.cash import Cash

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """List what a new view of the broker brought, and the cash baseline if it was settled now."""

    opened: tuple[Deal, ...] = ()
    closed: tuple[Deal, ...] = ()
    other: tuple[Deal, ...] = ()
    settled_minor: int | None = None

    @property
    def deals(self) -> tuple[Deal, ...]:
        """Return all new deals in the broker's order."""
        every = (*self.opened, *self.closed, *self.other)
        return tuple(sorted(every, key=lambda deal: deal.deal_ticket))


_UNCHANGED = Changes()


class Portfolio:
    """Follow the broker's views. It never guesses: what a view does not say is not so."""

    def __init__(self, identity: BotIdentity, clock: ServerClock) -> None:
        self._identity = identity
        self.clock = clock
        self.account: AccountSnapshot | None = None
        self.positions: tuple[Position, ...] = ()
        self.peak_equity_minor = 0
        self.cash = Cash()
        self._seen: set[int] = set()
        self._day = (0, 0)  # begins (included) and ends (excluded), UTC ms
        self._day_net_minor = 0  # of the deals traded in it
        self._week_ms = 0  # begins, UTC ms
        self._week_net_minor = 0
        self._recent: list[Deal] = []

    @property
    def own_positions(self) -> tuple[Position, ...]:
        """Return the positions this bot opened."""
        return tuple(p for p in self.positions if self._identity.owns(p.intent_id))

    def is_own(self, intent_id: int) -> bool:
        """Tell whether a number is one of this bot's."""
        return self._identity.owns(intent_id)

    @property
    def drawdown(self) -> float:
        """Return the fall of equity from its highest seen value, as a positive fraction.

        Deposits and withdrawals move the highest value along.
        """
        if self.account is None or self.peak_equity_minor <= 0:
            return 0.0
        return max(0.0, 1 - self.account.own_equity_minor / self.peak_equity_minor)

    def restore(self, deals: Iterable[Deal], baseline_minor: int | None = None) -> None:
        """Take over the deals that an earlier process journalled: they are not new any more.

        `baseline_minor` is what they do not explain of the balance, None where nobody has settled.
        """
        known = sorted(deals, key=lambda deal: deal.deal_ticket)
        self._seen |= {deal.deal_ticket for deal in known}
        self.cash.restore(known, baseline_minor)
        self._recent = known
        self._day = (0, 0)

    def apply(self, view: BrokerView) -> Changes:
        """Take over a view and return the deals that are new."""
        by_ticket = {deal.deal_ticket: deal for deal in view.deals}
        # ticket by ticket: a difference of sets would go through all that was ever seen
        fresh = [by_ticket[ticket] for ticket in sorted(by_ticket) if ticket not in self._seen]
        self._seen.update(by_ticket)
        if self.account is not None:  # money paid in or out is neither gain nor drawdown
            paid = sum(deal.net_minor for deal in fresh if deal.kind is DealKind.BALANCE)
            self.peak_equity_minor = max(0, self.peak_equity_minor + paid)
        self.account = view.account
        self.positions = view.positions
        self.peak_equity_minor = max(self.peak_equity_minor, view.account.own_equity_minor)
        self._remember(fresh, view.server_ms)
        changes = _sorted_out(fresh)
        if self.cash.apply(fresh, view.account.balance_minor, view.time_ms):
            return replace(changes, settled_minor=self.cash.baseline_minor)
        return changes

    def day_start_ms(self, now_ms: int) -> int:
        """Return the server's last midnight, UTC milliseconds."""
        if self._day[0] <= now_ms < self._day[1]:
            return self._day[0]
        return self.clock.day_start_ms(now_ms)

    def day_start_balance_minor(self, now_ms: int) -> int:
        """Return the balance at the server's last midnight, balance operations since added.

        A deposit or withdrawal is no profit or loss.
        """
        if self.account is None:
            return 0
        if not self._day[0] <= now_ms < self._day[1]:
            start_ms = self.clock.day_start_ms(now_ms)
            return self.account.balance_minor - _traded_minor(self._recent, start_ms)
        return self.account.balance_minor - self._day_net_minor

    def day_loss_minor(self, now_ms: int) -> int:
        """Return how far equity stands below the day's starting balance, 0 when above."""
        if self.account is None:
            return 0
        start_minor = self.day_start_balance_minor(now_ms)
        return rules.day_loss_minor(start_minor, self.account.own_equity_minor)

    def week_start_balance_minor(self, now_ms: int) -> int:
        """Return the balance at the begin of the server's week, balance operations since added."""
        if self.account is None:
            return 0
        if self._day[0] <= now_ms < self._day[1]:
            return self.account.balance_minor - self._week_net_minor
        start_ms = self.clock.week_start_ms(now_ms)
        return self.account.balance_minor - _traded_minor(self._recent, start_ms)

    def week_loss_minor(self, now_ms: int) -> int:
        """Return how far equity stands below the week's starting balance, 0 when above."""
        if self.account is None:
            return 0
        start_minor = self.week_start_balance_minor(now_ms)
        return rules.day_loss_minor(start_minor, self.account.own_equity_minor)

    def _remember(self, fresh: list[Deal], now_ms: int) -> None:
        if not self._day[0] <= now_ms < self._day[1]:
            start_ms = self.clock.day_start_ms(now_ms)
            self._day = (start_ms, self.clock.next_midnight_ms(now_ms))
            self._week_ms = self.clock.week_start_ms(now_ms)
            self._recent = [deal for deal in self._recent if deal.time_ms >= self._week_ms]
            self._day_net_minor = _traded_minor(self._recent, start_ms)
            self._week_net_minor = _traded_minor(self._recent, self._week_ms)
        recent = [deal for deal in fresh if deal.time_ms >= self._week_ms]
        self._recent += recent
        self._day_net_minor += _traded_minor(recent, self._day[0])
        self._week_net_minor += _traded_minor(recent, self._week_ms)


def _traded_minor(deals: Iterable[Deal], start_ms: int) -> int:
    """Return what trades since a time have added to the balance, minor units."""
    traded = (d for d in deals if d.time_ms >= start_ms and d.kind is DealKind.TRADE)
    return sum(deal.net_minor for deal in traded)


def _sorted_out(fresh: list[Deal]) -> Changes:
    if not fresh:
        return _UNCHANGED
    trades = [deal for deal in fresh if deal.kind is DealKind.TRADE]
    return Changes(
        opened=tuple(deal for deal in trades if deal.entry is DealEntry.IN),
        closed=tuple(deal for deal in trades if deal.entry is not DealEntry.IN),
        other=tuple(deal for deal in fresh if deal.kind is not DealKind.TRADE),
    )
