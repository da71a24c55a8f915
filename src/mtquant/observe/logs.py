"""Logging, set up once: JSON lines in a file, short lines on the console, secrets masked."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
import structlog

from mtquant.model import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_SECRET_NAMES: Final = re.compile(
    r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE
)
_MASK: Final = "***"
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_secrets: set[str] = set()

EventDict = MutableMapping[str, Any]


def register_secret(value: str) -> None:
    """Remember a secret: wherever it appears in a log line from now on, it is masked."""
    if len(value) >= 4:
        _secrets.add(value)


def mask_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Mask values by the name of their field, and registered secrets wherever they stand."""
    for key, value in event.items():
        if not key.startswith("_"):  # of the logging machinery itself
            event[key] = masked({key: value})[key]
    return event


def masked(value: Any) -> Any:
    """Return a value without secrets, however deep they stand; containers come back plain."""
    if isinstance(value, str):
        return _masked_text(value)
    if isinstance(value, Mapping):
        return {
            _masked_text(str(key)): _MASK if _SECRET_NAMES.search(str(key)) else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item) for item in value]
    if value is None or isinstance(value, bool) or not _secrets:
        return value
    text = f"{value} {value!r}"  # an exception, bytes, a number: it will be shown as one of them
    return value if _masked_text(text) == text else _masked_text(str(value))


def json_line(event: Mapping[str, Any]) -> bytes:
    """Return one line of JSON, whatever the values are."""
    try:
        return orjson.dumps(event, default=str)
    except TypeError:  # beyond 64 bits, or text that is not Unicode
        return json.dumps(event, default=str, separators=(",", ":")).encode()


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

    Raises:
        ConfigError: there is no such level, or the file cannot be written.
    """
    if level.upper() not in _LEVELS:
        raise ConfigError(f"log level {level!r} is not one of {', '.join(_LEVELS)}")
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
        handlers.append(_formatted(_file_handler(log_file), _json_line, shared))
    return _installed(handlers, level.upper())


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines carry the bound correlation id and are masked."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))


def _installed(handlers: list[logging.Handler], level: str) -> Callable[[], None]:
    root = logging.getLogger()
    level_before = root.level
    for old in list(root.handlers):
        if getattr(old, "is_mtquant", False):
            root.removeHandler(old)
            old.close()
    for handler in handlers:
        handler.is_mtquant = True  # type: ignore[attr-defined]  # our mark, to replace only our own
        root.addHandler(handler)
    root.setLevel(level)

    def close() -> None:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level_before)

    return close


def _formatted(handler: logging.Handler, renderer: Any, shared: list[Any]) -> logging.Handler:
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    return handler


class _LogFile(logging.FileHandler):
    """Write a log that ends nothing: on a full disk it says so once, in one line."""

    _has_failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of the library
        problem = sys.exception()
        if not isinstance(problem, OSError):
            super().handleError(record)
        elif not self._has_failed:
            self._has_failed = True
            sys.stderr.write(
                f"the log {self.baseFilename} cannot be written ({problem.strerror})\n"
            )

    def close(self) -> None:
        with suppress(OSError):  # of what could not be written before
            super().close()


def _file_handler(path: Path) -> logging.FileHandler:
    try:
        return _LogFile(path, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: the log cannot be written ({error.strerror})") from error


def _json_line(_logger: object, _method: str, event: EventDict) -> str:
    return json_line(event).decode()


def _masked_text(text: str) -> str:
    for secret in sorted(_secrets, key=len, reverse=True):  # one may be part of another
        text = text.replace(secret, _MASK)
    return text
