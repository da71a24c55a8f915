"""The asynchronous face of a broker session: one owner thread, reads repeated, trades never."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from mtquant.model import (
    AccountSnapshot,
    BarRow,
    BrokerView,
    Clock,
    ExecutionResult,
    IntentRow,
    MtquantError,
    Position,
    Quote,
    RetryableError,
    Timeframe,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.broker.session import BrokerSession

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthStatus:
    """Say whether the terminal answers, how fast, and what is wrong if it does not."""

    is_connected: bool
    latency_ms: float
    last_check_ms: int
    error: str | None = None


class MT5Client:
    """Use a session from asyncio. Every call runs on the one thread that owns the terminal.

    Reads are repeated with exponential backoff while nothing could have happened; `send` is not.
    """

    def __init__(
        self, session: BrokerSession, clock: Clock, *, attempts: int = 3, backoff_s: float = 0.2
    ) -> None:
        self._session = session
        self._clock = clock
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._owner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="terminal")

    @property
    def session(self) -> BrokerSession:
        """Return the session; use it inside `run` only."""
        return self._session

    async def run(self, work: Callable[[], T]) -> T:
        """Run a piece of work on the owner thread, in the caller's context; return its result."""
        context = copy_context()  # log lines of the owner thread carry the caller's correlation id
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._owner, lambda: context.run(work))

    async def connect(self) -> AccountSnapshot:
        """Connect and log in."""
        return await self._read(self._session.connect)

    async def disconnect(self) -> None:
        """Disconnect; the client can connect again."""
        await self.run(self._session.disconnect)

    def close(self) -> None:
        """Give the owner thread back, after what it is doing."""
        self._owner.shutdown(wait=True)

    async def health_check(self) -> HealthStatus:
        """Ask the terminal for a sign of life; never raises, whatever is wrong with the link."""
        started = asyncio.get_running_loop().time()
        error: str | None = None
        try:
            connected = await self.run(self._session.is_connected)
            if connected:
                await self.run(self._session.account)
        except (MtquantError, OSError, RuntimeError, ValueError) as problem:
            connected, error = False, str(problem)
        latency_ms = (asyncio.get_running_loop().time() - started) * 1000
        return HealthStatus(
            is_connected=connected,
            latency_ms=latency_ms,
            last_check_ms=self._clock.now_ms(),
            error=error if connected or error else "the terminal has no link to its server",
        )

    async def symbols(self) -> list[str]:
        """Return the broker's names of everything it offers."""
        return await self._read(self._session.symbols)

    async def bars(self, symbol: str, timeframe: Timeframe, count: int) -> list[BarRow]:
        """Return up to `count` closed bars of a standard symbol, oldest first."""
        return await self._read(lambda: self._session.closed_bars(symbol, timeframe, count))

    async def quote(self, symbol: str) -> Quote:
        """Return the latest quote of a standard symbol."""
        return await self._read(lambda: self._session.quote(symbol))

    async def account(self) -> AccountSnapshot:
        """Return the account."""
        return await self._read(self._session.account)

    async def positions(self) -> tuple[Position, ...]:
        """Return the open positions."""
        return await self._read(self._session.positions)

    async def view(self) -> BrokerView:
        """Return one consistent reading of the broker; its news are not told a second time."""
        return await self._read(self._session.view)

    async def send(self, row: IntentRow) -> ExecutionResult:
        """Send a journalled intent, exactly once."""
        return await self.run(lambda: self._session.send(row))

    async def _read(self, work: Callable[[], T]) -> T:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(RetryableError),
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential(multiplier=self._backoff_s),
            reraise=True,
        )
        answer: T = await retrying(self.run, work)
        return answer
