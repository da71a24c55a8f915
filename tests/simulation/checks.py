"""The invariants by name, which of them the core does not uphold yet, and what it is excused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CHECKS: Final = {
    "I1.send": "an intent is sent once",
    "I1.order": "an intent has at most one order at the broker",
    "I1.decision": "a decision opens once, or once more as a second attempt",
    "I2.send": "what is sent was journalled before, by the same process",
    "I2.order": "what reaches the server was journalled before",
    "I2.durable": "what was written when the power went is there afterwards, and nothing else is",
    "I3.positions": "no entry leaves while the server holds as many positions as allowed",
    "I3.symbol": "no entry leaves while the server holds a position of its strategy",
    "I3.volume": "an entry's volume is one that the instrument trades, and stays below its limit",
    "I3.risk": "what an entry loses at its stop is no more than the limit",
    "I3.entries": "no more entries are decided on in a minute or a day than the limits say",
    "I3.margin": "an entry's margin is free when it is decided on",
    "I3.level": "an entry leaves as much equity per margin as the limit says",
    "I3.gross": "what is held and an entry are worth no more of equity than the limit",
    "I3.held": "what is held of a symbol and an entry are worth no more of equity than the limit",
    "I3.breaker": "no entry leaves from the breaker's second level on, as it is journalled",
    "I3.prop": "no entry leaves while the rules of a prop firm forbid it, as it is journalled",
    "I3.cooled": "no entry is decided on too soon after a loss",
    "I4.cash": "balance is the sum of the deals, equity that and the floating profit",
    "I4.journal": "the journalled deals sum up to the balance",
    "I4.told": "no money is missed that deals explain",
    "I5.stop": "no own position stands without a stop loss",
    "I5.level": "a stop that is put back is no further away than the last one that the server had",
    "I5.again": "a stop is put back once, by any process; once more where no answer came",
    "I5.prompt": "a bare position that is seen is acted on in that look or the next",
    "I6.forward": "an intent moves forward only",
    "I6.unknown": "two entries of a symbol are never unresolved at once",
    "I6.blind": "nothing is believed of what a terminal shows without its server",
    "I6.quiet": "nothing is given up before the quiet time has passed, by the server's clock",
    "I6.seen": "no position is taken for gone that the server holds",
    "I7.open": "after the faults no outcome stays open",
    "I7.filled": "after the faults an intent's volume is that of its deals",
    "I7.positions": "after the faults the bot sees the server's positions",
    "I7.deals": "after the faults the journal has the server's deals",
    "I7.held": "after the faults no position is held longer than allowed while bars come",
    "I8.halt": "no entry leaves while a halt stands or is asked for",
    "I8.room": "no entry leaves while the journal's disk is full",
    "I8.taken": "after the faults every halt that was asked for has been taken up",
    "I8.flat": "after the faults a halt of level 3 or 4 has left no position",
    "I8.breaker": "a breaker at level 3 halts, and after the faults it has left no own position",
    "I8.cut": "what a loss demands is closed, and not said to be closed before",
    "I9.level": "the halt level is the journal's, also after a restart",
    "I9.breaker": "the breaker's level, its reason and day are the journal's, also after a restart",
    "I9.release": "the breaker never comes down without a person's word",
    "I9.cooldown": "the breaker never comes down before its cool-down is over",
    "I10.foreign": "positions of others are never touched",
    "I11.login": "no order leaves for another account",
    "I12.close": "a close reduces",
    "I12.kept": "a cut of losses leaves of each position what it was to keep",
    "I13.volume": "no more is sent or filled than was approved",
    "I14.spread": "no entry leaves with too wide a spread",
    "I14.age": "no entry leaves on a price that is older than a minute",
    "I14.price": "no entry leaves at a price that lies outside of the band around recent bids",
    "I14.hours": "no entry is decided on outside of the hours of the limits, by the server's clock",
    "I14.deviation": "orders ask for, and get, no more deviation than their maker says",
    "I14.deadline": "no entry leaves later than its deadline",
    "I14.bar": "no entry is decided on a bar that closed some bars ago",
    "I15.hash": "the same seed gives the same events",
    "I16.secret": "no password is told, journalled or sent",
    "end": "the process ends by kills, full disks and lost connections alone",
}
NOT_YET: Final[dict[str, str]] = {}
UPHELD: Final = frozenset(CHECKS) - frozenset(NOT_YET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Excuse a violation of a check that says these words, until the core upholds it."""

    check: str
    words: str
    reason: str


OF_CLOCK: Final = "; its clock's error explains it"
KNOWN: Final = (
    Known(
        check="I3.entries",
        words=OF_CLOCK,
        reason="minutes and days of the limits go by the clock of the bot's machine",
    ),
    Known(
        check="I9.cooldown",
        words=OF_CLOCK,
        reason="a new process knows the server's time by its machine's clock alone, until quotes "
        "have come at three times",
    ),
    Known(
        check="I14.age",
        words=OF_CLOCK,
        reason="until another quote comes nothing but the clocks tells how old the first one is",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Say which invariant broke, in which step, and how."""

    check: str
    step: int
    detail: str

    def __str__(self) -> str:
        return f"{self.check} in step {self.step}: {CHECKS[self.check]}; {self.detail}"


def excuse(violation: Violation) -> str:
    """Return why a violation is known, empty for one that is not."""
    for one in KNOWN:
        if one.check == violation.check and one.words in violation.detail:
            return one.reason
    return ""


def first_broken(violations: Iterable[Violation]) -> Violation | None:
    """Return the first violation that nothing excuses, None without one."""
    return next((one for one in violations if not excuse(one)), None)
