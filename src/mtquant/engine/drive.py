"""The one loop that carries out commands, shared by every runner.

It is a generator: it yields each command and is sent the event that the world answers with, so the
same order of things holds in an asynchronous and a synchronous runner.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from mtquant.engine.engine import Engine
    from mtquant.model import Command, Event


def drive(engine: Engine, commands: Iterable[Command]) -> Generator[Command, Event | None, None]:
    """Yield commands, first in, first out; what an event that is sent back asks for is queued."""
    queue = deque(commands)
    while queue:
        event = yield queue.popleft()
        if event is not None:
            queue.extend(engine.step(event))
