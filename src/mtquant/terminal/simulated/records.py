"""What the server's log holds: a time, and mostly a request of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mtquant.exchange import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    OrderRequest,
    Request,
    Scarcity,
    StopsRequest,
)
from mtquant.model import DataError, Jsonable

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceOperation(Jsonable):
    """Put money on an account, or take it off where negative; minor units."""

    amount_minor: int
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditOperation(Jsonable):
    """Grant an account credit, or take it back where negative; minor units."""

    amount_minor: int
    comment: str = ""


Task = Request | BalanceOperation | CreditOperation | Scarcity
Assignment = tuple[int, Task]  # the login of an account, and what it is given
_KINDS: Final[dict[str, type[Task]]] = {
    "order": OrderRequest,
    "stops": StopsRequest,
    "change": ChangeRequest,
    "cancel": CancelRequest,
    "close_by": CloseByRequest,
    "deposit": BalanceOperation,
    "credit": CreditOperation,
    "scarce": Scarcity,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Hold one record: what was done at a time.

    Tasks with a `due_ms` were only taken in; those of an `effects` record were due, or came from
    the market's side. `struck` is the number of the fault that met a trade request, -1 for none;
    None where the record is not about one.
    """

    time_ms: int
    tasks: tuple[Assignment, ...] = ()
    due_ms: int = 0
    is_effects: bool = False
    struck: int | None = None


def record_of(time_ms: int, login: int, task: Task) -> dict[str, Any]:
    """Return the record of a task that an account is given."""
    return {"t": time_ms, "account": login, _NAMES[type(task)]: task.to_dict()}


def late_record(time_ms: int, due_ms: int, login: int, task: Task) -> dict[str, Any]:
    """Return the record of a task that an account is given at a later time."""
    return record_of(time_ms, login, task) | {"due": due_ms}


def effects_record(time_ms: int, tasks: Iterable[Assignment]) -> dict[str, Any]:
    """Return the record of what a moment of the market brought by itself."""
    done = [{"account": login, _NAMES[type(task)]: task.to_dict()} for login, task in tasks]
    return {"t": time_ms, "effects": done}


def sent_record(time_ms: int, struck: int) -> dict[str, Any]:
    """Return the record of a trade request and the fault that met it, -1 for none."""
    return {"t": time_ms, "sent": struck}


def read_record(record: dict[str, Any]) -> Record:
    """Return what a record says; a bare clock step has no task.

    Raises:
        DataError: no server writes such a record.
    """
    time_ms = record.get("t")
    if type(time_ms) is not int:
        raise damaged(record)
    rest = {name: value for name, value in record.items() if name != "t"}
    if not rest:
        return Record(time_ms=time_ms)
    if set(rest) == {"sent"}:
        return Record(time_ms=time_ms, struck=_whole(rest["sent"], -1, record))
    if set(rest) == {"effects"}:
        return Record(time_ms=time_ms, tasks=_effects(rest["effects"], record), is_effects=True)
    due_ms = _whole(rest.pop("due"), time_ms + 1, record) if "due" in rest else 0
    return Record(time_ms=time_ms, tasks=(_assignment(rest, record),), due_ms=due_ms)


def damaged(record: dict[str, Any]) -> DataError:
    """Return the error for a record that no server writes."""
    return DataError(f"the server's log is damaged: {record!r:.80}")


def _effects(listed: Any, record: dict[str, Any]) -> tuple[Assignment, ...]:
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise damaged(record)
    return tuple(_assignment(one, record) for one in listed)


def _assignment(fields: dict[str, Any], record: dict[str, Any]) -> Assignment:
    login = fields.get("account")
    names = [name for name in fields if name != "account"]
    kind = _KINDS.get(names[0]) if len(names) == 1 else None
    if type(login) is not int or kind is None:
        raise damaged(record)
    try:
        task = kind.from_dict(fields[names[0]])
    except DataError as error:
        raise damaged(record) from error
    if task.to_dict() != fields[names[0]]:  # a field that took its default
        raise damaged(record)
    return login, task


def _whole(value: Any, least: int, record: dict[str, Any]) -> int:
    if type(value) is not int or value < least:
        raise damaged(record)
    return value
