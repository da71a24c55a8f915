"""What a story tells beside itself: how many digits its prices have, which money it is, the end."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.journal.story import fields_of
from mtquant.app.plain_text import lots_text, money_text, price_text
from mtquant.model import Deal, DealEntry, DealKind, Reason, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mtquant.app.journal.story import Story

_LEVELS: Final = {"price": "price_points", "sl": "stop_loss_points", "tp": "take_profit_points"}
_MOST_DIGITS: Final = 10
_CAUSES: Final = {
    Reason.STOP_LOSS: "its stop loss",
    Reason.TAKE_PROFIT: "its take profit",
    Reason.STOP_OUT: "a stop-out",
    Reason.CLIENT: "hand",
}
_SIZED: Final = re.compile(r"risk [0-9.]+% = [0-9]+(?:\.([0-9]+))? (\w+), stop ")


@dataclass(frozen=True, slots=True)
class Facts:
    """Write prices and money as far as the story says how.

    The journal holds whole points and minor units. A request says the same price as a number, and
    the sizing says a sum in the account's currency: these give digits and currency. Where neither
    does, points and minor units are what is written.
    """

    digits: dict[str, int]
    currency: tuple[str, int] | None
    orders: frozenset[int]

    @classmethod
    def of(cls, story: Story) -> Facts:
        """Return what the rows of a story say."""
        intents = {row.intent_id: row.intent for row in story.intents}
        digits: dict[str, set[int]] = {}
        currency: set[tuple[str, int]] = set()
        for row in story.rows:
            fields = fields_of(row) if row.kind == "note" else {}
            intent = intents.get(fields.get("intent_id", 0))
            if intent is not None and fields.get("request"):
                found = digits.setdefault(intent.symbol, set())
                found |= set(_digits_of(fields["request"], intent.to_dict()))
            sized = _SIZED.match(str(fields.get("explanation", "")))
            if sized:
                currency.add((sized[2], len(sized[1] or "")))
        agreed = {symbol: next(iter(said)) for symbol, said in digits.items() if len(said) == 1}
        orders = frozenset(row.order_ticket for row in story.intents) - {0}
        return cls(agreed, next(iter(currency)) if len(currency) == 1 else None, orders)

    def cause(self, deal: Deal) -> str:
        """Return who made a deal; of all programs, the intents tell that of the bot only."""
        if deal.reason is not Reason.EXPERT:
            return _CAUSES[deal.reason]
        if deal.order_ticket in self.orders:
            return "the bot"
        return "another program" if self.orders else "a program"

    def price(self, points: int | None, symbol: str) -> str:
        """Return a price for people."""
        return price_text(points, self.digits.get(symbol))

    def money(self, minor: int) -> str:
        """Return an amount of money for people."""
        return money_text(minor, self.currency)


def _digits_of(request: str, intent: dict[str, Any]) -> Iterator[int]:
    """Yield for each price of a request how many digits make it the points of its intent."""
    try:
        sent = json.loads(request)
    except ValueError:
        return
    for name, of_intent in _LEVELS.items():
        price, points = (sent.get(name) if isinstance(sent, dict) else None), intent[of_intent]
        if isinstance(price, int | float) and points:
            for digits in range(_MOST_DIGITS):
                if f"{price:.{digits}f}" == price_text(points, digits):
                    yield digits


def result_of(story: Story, facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield how a story stands at its end."""
    trades = [deal for deal in story.deals if deal.kind is DealKind.TRADE]
    if not trades:
        states = ", ".join(f"{row.intent_id} {row.state.name}" for row in story.intents)
        if states:
            yield "result", f"no deal came of it: {states}"
        return
    for ticket in dict.fromkeys(deal.position_ticket for deal in trades):
        yield "result", _end_of(ticket, [d for d in trades if d.position_ticket == ticket], facts)


def _end_of(ticket: int, deals: Iterable[Deal], facts: Facts) -> str:
    held: Counter[Side] = Counter()
    net_minor, ended_by = 0, ""
    for deal in deals:
        if deal.side is not None:
            held[deal.side] += deal.volume_units
        net_minor += deal.net_minor
        if deal.entry is not DealEntry.IN:
            ended_by = facts.cause(deal)
    left = held[Side.BUY] - held[Side.SELL]
    money = facts.money(net_minor)
    if left == 0:
        return f"position {ticket} was closed by {ended_by}; net of all its deals {money}"
    side = Side.BUY if left > 0 else Side.SELL
    return (
        f"position {ticket} is open as far as the journal knows: {side.name} "
        f"{lots_text(abs(left))} lots; net of its deals so far {money}"
    )
