"""Tuples with named fields that behave like the official module's structures.

They are CPython struct sequences there: built from ONE sequence, read by index or name, without
the `_fields`, `_replace` and `_make` of a named tuple, and not picklable.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Iterable


class StructSequence(tuple[Any, ...]):
    """Be the base of all structures of the terminal's surface."""

    __slots__ = ()
    n_fields: ClassVar[int] = 0
    n_sequence_fields: ClassVar[int] = 0
    n_unnamed_fields: ClassVar[int] = 0
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, sequence: Iterable[Any]) -> Self:
        """Build the structure from one sequence that holds every field.

        Raises:
            TypeError: the sequence has too few or too many values.
        """
        values = tuple(sequence)
        if len(values) != cls.n_fields:
            raise TypeError(
                f"{cls.__name__}() takes a {cls.n_fields}-sequence ({len(values)}-sequence given)"
            )
        return super().__new__(cls, values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        pairs = zip(self.__match_args__, self, strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Any, ...]]]:
        # copies are made from this; pickle looks for the type in `builtins` and does not find it
        return type(self), (tuple(self),)

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self.__match_args__, self, strict=True))


def struct_type(name: str, doc: str, fields: tuple[str, ...]) -> type[StructSequence]:
    """Make a structure type with these fields, in this order."""
    members: dict[str, Any] = {field: property(itemgetter(i)) for i, field in enumerate(fields)}
    members |= {
        "__slots__": (),
        "__doc__": doc,
        "__module__": "builtins",
        "__match_args__": fields,
        "n_fields": len(fields),
        "n_sequence_fields": len(fields),
    }
    return type(name, (StructSequence,), members)
