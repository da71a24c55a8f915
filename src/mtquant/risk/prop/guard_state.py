"""What a guard remembers beside its floors, and how it is written and read back strictly."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from mtquant.model import ConfigError
from mtquant.risk.prop.kinds import PropStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtquant.risk.prop.spec import DailyLoss, DayRule, MaxLoss, PropRules

State = dict[str, int | str | list[int] | list[int | str] | None]
Failure = tuple[str, int, int, int]  # rule, UTC ms, value and limit in minor units
BOOKED: Final = "booked"
"""The key of deals that no look has seen yet; left out where there are none."""
DOUBTFUL: Final = "doubtful"
"""The key of those that may be of the time before joining; left out likewise."""
JOINED: Final = "joined"
"""The key of `Joined`; left out where the account was followed from its begin."""
_MAY_MISS: Final = frozenset({BOOKED, DOUBTFUL, JOINED})

_WORDS: Final = ("level", "note")  # of a rule: they move no floor


@dataclass(slots=True, kw_only=True)
class Joined:
    """Hold when a guard has joined (UTC ms), and what it knows of that day's begin (minor units).

    `opening_minor` is the balance at the reset, `paid_minor` the money paid in or out since.
    """

    time_ms: int
    opening_minor: int
    paid_minor: int = 0


@dataclass(slots=True, kw_only=True)
class GuardMemory:
    """Hold the last observation (UTC ms, minor units), its day's reset, and what it led to."""

    balance_minor: int
    equity_minor: int
    time_ms: int | None = None
    day_ms: int = 0
    status: PropStatus = PropStatus.OK
    failure: Failure | None = None
    joined: Joined | None = None


def floors_fingerprint(rules: PropRules) -> str:
    """Return a short hash of what the floors depend on: another one, another guard."""
    parts = [_numbers(rule) for rule in (rules.day, rules.daily_loss, rules.max_loss)]
    return sha256(repr(parts).encode()).hexdigest()[:16]


def written_memory(memory: GuardMemory) -> State:
    """Return a memory as JSON scalars."""
    failure: list[int | str] = list(memory.failure or ())
    joined: State = {} if memory.joined is None else {JOINED: list(astuple(memory.joined))}
    return {
        "balance_minor": memory.balance_minor,
        "equity_minor": memory.equity_minor,
        "time_ms": memory.time_ms,
        "day_ms": memory.day_ms,
        "status": memory.status.name,
        "failure": failure,
        **joined,
    }


def read_memory(
    state: Mapping[str, object], like: State
) -> tuple[GuardMemory, dict[str, list[int]]]:
    """Return the memory and the lists of whole numbers of a state, checked against a fresh one.

    Raises:
        ConfigError: a key is missing or unknown, or a value is of the wrong kind or length.
    """
    odd = sorted((set(state) ^ set(like)) - _MAY_MISS)
    if odd:
        raise ConfigError(f"{odd[0]}: the state must have the keys {', '.join(like)}")
    lists = {
        name: _whole_numbers(state, name)
        for name, value in like.items()
        if isinstance(value, list) and name not in {"failure", *_MAY_MISS}
    }
    for name in ("daily_loss", "max_loss"):
        if name in lists and len(lists[name]) != len(_listed(like, name)):
            raise ConfigError(f"{name}: expected {len(_listed(like, name))} numbers")
    for name in (BOOKED, DOUBTFUL):
        lists[name] = _whole_numbers(state, name) if name in state else []
        if len(lists[name]) % 2:
            raise ConfigError(f"{name}: expected times and amounts in turn")
    if len({len(rows) for name, rows in lists.items() if name.startswith("days_")}) > 1:
        raise ConfigError("days_ms: the lists of the days must have one length")
    memory = GuardMemory(
        balance_minor=_whole_number(state, "balance_minor"),
        equity_minor=_whole_number(state, "equity_minor"),
        time_ms=None if state["time_ms"] is None else _whole_number(state, "time_ms"),
        day_ms=_whole_number(state, "day_ms"),
        status=_status(state["status"]),
        failure=_failure(state),
        joined=_joined(state),
    )
    return memory, lists


def _numbers(rule: DayRule | DailyLoss | MaxLoss | None) -> list[object]:
    if rule is None:
        return []
    values = [getattr(rule, one.name) for one in fields(rule) if one.name not in _WORDS]
    return [value.name if isinstance(value, Enum) else value for value in values]


def _status(name: object) -> PropStatus:
    if not isinstance(name, str) or name not in PropStatus.__members__:
        known = ", ".join(PropStatus.__members__)
        raise ConfigError(f"status: {name!r} is not one of {known}")
    return PropStatus[name]


def _failure(state: Mapping[str, object]) -> Failure | None:
    parts = _listed(state, "failure")
    if not parts:
        return None
    if len(parts) != 4 or not isinstance(parts[0], str):
        raise ConfigError(f"failure: expected rule, time, value and limit, was {parts!r}")
    time_ms, value_minor, limit_minor = _whole_numbers({"failure": parts[1:]}, "failure")
    return parts[0], time_ms, value_minor, limit_minor


def _joined(state: Mapping[str, object]) -> Joined | None:
    if JOINED not in state:
        return None
    numbers = _whole_numbers(state, JOINED)
    if len(numbers) != 3:
        raise ConfigError(f"{JOINED}: expected time, opening and paid, was {numbers!r}")
    time_ms, opening_minor, paid_minor = numbers
    return Joined(time_ms=time_ms, opening_minor=opening_minor, paid_minor=paid_minor)


def _listed(state: Mapping[str, object], key: str) -> list[object]:
    found = state[key]
    if not isinstance(found, list):
        raise ConfigError(f"{key}: expected a list, was {found!r}")
    return found


def _whole_numbers(state: Mapping[str, object], key: str) -> list[int]:
    return [_whole_number({key: one}, key) for one in _listed(state, key)]


def _whole_number(state: Mapping[str, object], key: str) -> int:
    found = state[key]
    if isinstance(found, bool) or not isinstance(found, int):
        raise ConfigError(f"{key}: expected a whole number, was {found!r}")
    return found
