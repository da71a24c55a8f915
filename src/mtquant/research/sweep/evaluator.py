"""What a sweep asks of whoever runs its trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtquant.research.summary import Summary
    from mtquant.research.sweep.parameters import Value


class Evaluator(Protocol):
    """Run one combination over one window; every worker process has one of its own.

    Equal combinations give equal summaries, in whatever order and process they are run.
    """

    def check(self, combination: Mapping[str, Value]) -> None:
        """Refuse a combination that cannot be run, such as a slow average that is the faster.

        Raises:
            InputError: why; the combination counts as invalid and is not run.
        """
        ...

    def evaluate(self, combination: Mapping[str, Value], window: str) -> Summary:
        """Run a combination that `check` let pass, over the window of that name.

        Raises:
            EvaluationError: why this trial has no result; the sweep goes on with the others.
        """
        ...


class EvaluatorFactory(Protocol):
    """Make an evaluator; the factory is pickled and called once in every worker process."""

    def __call__(self) -> Evaluator:
        """Return a new evaluator."""
        ...
