"""Watchers must not stop trading: a subscriber that fails is switched off, loudly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.observe import get_logger

if TYPE_CHECKING:
    from mtquant.model import Publish
    from mtquant.observe import Subscriber


def guarded(subscriber: Subscriber, name: str) -> Subscriber:
    """Return a subscriber that never raises.

    After its first failure (a full disk, a defect) it is logged with its traceback and not called
    again; the journal, which trading depends on, is not a subscriber.
    """
    alive = [True]

    def publish(event: Publish) -> None:
        if not alive[0]:
            return
        try:
            subscriber(event)
        except Exception:  # noqa: BLE001 - whatever it was, trading goes on
            alive[0] = False
            get_logger(__name__).exception(
                "subscriber_failed", subscriber=name, observed=event.name
            )

    return publish
