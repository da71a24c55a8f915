"""Logging, set up once: JSON lines in a file, short lines on the console, secrets masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
import structlog

if TYPE_CHECKING:
    from pathlib import Path

_SECRET_NAMES: Final = re.compile(
    r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE
)
_MASK: Final = "***"
_secrets: set[str] = set()

EventDict = MutableMapping[str, Any]


def register_secret(value: str) -> None:
    """Remember a secret: wherever it appears in a log line from now on, it is masked."""
    if len(value) >= 4:
        _secrets.add(value)


def mask_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Mask values by the name of their field, and registered secrets wherever they stand."""
    for key, value in event.items():
        if _SECRET_NAMES.search(key):
            event[key] = _MASK
        elif isinstance(value, str):
            event[key] = _masked_text(value)
    return event


def setup_logger(
    *, level: str = "INFO", log_file: Path | None = None, console: bool = True
) -> Callable[[], None]:
    """Send every log line to the console (stderr) and, as JSON, to a file.

    Args:
        level: lowest level that is kept.
        log_file: JSON lines go here, none when absent.
        console: whether short lines go to stderr.

    Returns:
        A function that closes what was opened.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handlers: list[logging.Handler] = []
    if console:
        colors = sys.stderr.isatty()
        renderer = structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0)
        handlers.append(_formatted(logging.StreamHandler(sys.stderr), renderer, shared))
    if log_file is not None:
        to_file = logging.FileHandler(log_file, encoding="utf-8", delay=True)
        handlers.append(_formatted(to_file, _json_line, shared))
    root = logging.getLogger()
    for old in list(root.handlers):
        if getattr(old, "is_mtquant", False):
            root.removeHandler(old)
    for handler in handlers:
        handler.is_mtquant = True  # type: ignore[attr-defined]  # our mark, to replace only our own
        root.addHandler(handler)
    root.setLevel(level.upper())

    def close() -> None:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()

    return close


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines carry the bound correlation id and are masked."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))


def _formatted(handler: logging.Handler, renderer: Any, shared: list[Any]) -> logging.Handler:
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    return handler


def _json_line(_logger: object, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def _masked_text(text: str) -> str:
    for secret in _secrets:
        text = text.replace(secret, _MASK)
    return text
