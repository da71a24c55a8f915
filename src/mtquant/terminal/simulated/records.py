"""What the server's log holds: a time, and mostly a request of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mtquant.exchange import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    OrderRequest,
    Request,
    StopsRequest,
)
from mtquant.model import DataError, Jsonable


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


Task = Request | BalanceOperation | CreditOperation
_KINDS: Final[dict[str, type[Task]]] = {
    "order": OrderRequest,
    "stops": StopsRequest,
    "change": ChangeRequest,
    "cancel": CancelRequest,
    "close_by": CloseByRequest,
    "deposit": BalanceOperation,
    "credit": CreditOperation,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def record_of(time_ms: int, login: int, task: Task) -> dict[str, Any]:
    """Return the record of a task that an account is given."""
    return {"t": time_ms, "account": login, _NAMES[type(task)]: task.to_dict()}


def read_record(record: dict[str, Any]) -> tuple[int, int, Task | None]:
    """Return time, login and task of a record; a bare clock step has no task.

    Raises:
        DataError: no server writes such a record.
    """
    time_ms, login = record.get("t"), record.get("account")
    names = [name for name in record if name not in {"t", "account"}]
    if type(time_ms) is int and not names and "account" not in record:
        return time_ms, 0, None
    kind = _KINDS.get(names[0]) if len(names) == 1 else None
    if type(time_ms) is not int or type(login) is not int or kind is None:
        raise damaged(record)
    try:
        task = kind.from_dict(record[names[0]])
    except DataError as error:
        raise damaged(record) from error
    if task.to_dict() != record[names[0]]:  # a field that took its default
        raise damaged(record)
    return time_ms, login, task


def damaged(record: dict[str, Any]) -> DataError:
    """Return the error for a record that no server writes."""
    return DataError(f"the server's log is damaged: {record!r:.80}")
