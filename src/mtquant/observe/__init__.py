"""Watching: subscribers to the engine's observations. Nothing below knows that they exist."""

from mtquant.observe.event_log import EventLog
from mtquant.observe.logs import get_logger, mask_secrets, register_secret, setup_logger
from mtquant.observe.subscribers import LogSubscriber, Subscriber, fan_out

__all__ = [
    "EventLog",
    "LogSubscriber",
    "Subscriber",
    "fan_out",
    "get_logger",
    "mask_secrets",
    "register_secret",
    "setup_logger",
]
