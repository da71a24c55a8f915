"""How the module's functions answer: a failure is None or False and a last_error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from mtquant.terminal.simulated.arguments import BadArgumentError

SUCCESS: Final = (1, "Success")
NO_CONNECTION: Final = (-10004, "No IPC connection")


class Answering(Protocol):
    """Be something with a connection and a last error."""

    def begin(self, name: str) -> bool:
        """Clear the last error; if the function of this name fails, note why; return False."""
        ...

    def refuse(self, error: tuple[int, str]) -> bool:
        """Note an error and return False."""
        ...


P = ParamSpec("P")
Answer = TypeVar("Answer")
Failure = TypeVar("Failure")
Owner = TypeVar("Owner", bound=Answering)
Method = Callable[Concatenate[Owner, P], Answer]


def answers(
    failure: Failure,
) -> Callable[[Method[Owner, P, Answer]], Method[Owner, P, Answer | Failure]]:
    """Make a function of the module: without a link, or for bad arguments, it answers `failure`.

    Like the module's own, it sets last_error and does not raise; a wrong number of unnamed
    arguments is such a failure too.
    """

    def decorate(method: Method[Owner, P, Answer]) -> Method[Owner, P, Answer | Failure]:
        code: Any = method
        name = method.__name__
        unnamed = code.__code__.co_posonlyargcount - 1
        least = unnamed - len(code.__defaults__ or ())

        @wraps(method)
        def call(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> Answer | Failure:
            if not self.begin(name):
                return failure
            try:
                if kwargs or unnamed <= 0 or least <= len(args) <= unnamed:
                    return method(self, *args, **kwargs)
                self.refuse(BadArgumentError().error)
            except BadArgumentError as problem:
                self.refuse(problem.error)
            return failure

        return call

    return decorate
