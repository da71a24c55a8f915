"""Calls of a terminal that somebody else wrote: whatever goes wrong in one is a typed error."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mtquant.model import BrokerAPIError, BrokerConnectionError, MtquantError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def answering(call: str) -> Iterator[None]:
    """Answer what a read raises like one that fails: a broken pipe ends a call, not the bot.

    Nothing is known of what a terminal's module, or a bridge to one, may raise. Only reads belong
    in here: after a send nothing can be said.

    Raises:
        BrokerConnectionError: the operating system says that the terminal is away.
        BrokerAPIError: it raised anything else.
    """
    try:
        yield
    except MtquantError:
        raise
    except OSError as error:
        raise BrokerConnectionError(f"{call}: {type(error).__name__}: {error}") from error
    except Exception as error:
        raise BrokerAPIError(f"{call}: {type(error).__name__}: {error}") from error


@contextmanager
def readable(call: str) -> Iterator[None]:
    """Answer what no rule can read (NaN, an unknown code) like any other failed read.

    Raises:
        BrokerAPIError: it cannot be read.
    """
    try:
        yield
    except (ValueError, KeyError, OverflowError) as error:
        raise BrokerAPIError(f"{call}: the answer cannot be read ({error!r})") from error
