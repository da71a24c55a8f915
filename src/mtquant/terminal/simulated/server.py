"""The server side: a market, an account, and a memory that outlives its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.model import DataError, Side
from mtquant.terminal.simulated.log import MemoryLog, ServerLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.exchange import Execution, Market

Outage = tuple[int, int]  # UTC ms: from (included), to (excluded)

_LEVELS: Final = {"stop": int, "target": int}
_WORDS: Final = {"magic": int, "comment": str}
_SHAPES: Final[dict[str, dict[str, type]]] = {
    "open": {"symbol": str, "side": str, "units": int, **_LEVELS, **_WORDS},
    "close": {"ticket": int, "units": int, **_WORDS},
    "modify": {"ticket": int, **_LEVELS},
}


class SimulatedServer:
    """Run the market in lock-step and execute requests on its book.

    Everything that reaches it is logged before it is answered; given the log of an earlier process
    it stands where that process left it.
    """

    def __init__(
        self,
        market: Market,
        log: ServerLog | None = None,
        outages: Sequence[Outage] = (),
    ) -> None:
        self.market = market
        self.book = market.book
        self._log = MemoryLog() if log is None else log
        self._logged_ms = -1
        self._outages = tuple(outages)
        self._replay()
        self._was_restored = self.market.step >= 0
        if not self._was_restored:
            self.market.advance()

    @property
    def now_ms(self) -> int:
        """Return the server's time, UTC milliseconds."""
        return self.market.now_ms

    @property
    def is_reachable(self) -> bool:
        """Tell whether clients get through now."""
        return not any(start <= self.now_ms < end for start, end in self._outages)

    @property
    def was_restored(self) -> bool:
        """Tell whether the log of an earlier process said where the market stands."""
        return self._was_restored

    def next_ms(self) -> int | None:
        """Return when the next tick comes, None at the end of the data."""
        return self.market.next_ms()

    def step(self) -> bool:
        """Let the next tick come; return False when there is none."""
        return self.market.advance()

    def touch(self) -> None:
        """Note the time before a client is told anything."""
        if self._logged_ms != self.now_ms:
            self._log.write({"t": self.now_ms})
            self._logged_ms = self.now_ms

    def open_market(
        self,
        symbol: str,
        side: Side,
        units: int,
        *,
        stop: int = 0,
        target: int = 0,
        magic: int = 0,
        comment: str = "",
    ) -> Execution:
        """Open a position at the market; levels are points, 0 = none."""
        request = {"symbol": symbol, "side": side.name, "units": units, "stop": stop}
        request |= {"target": target, "magic": magic, "comment": comment}
        return self._execute({"t": self.now_ms, "open": request})

    def close_market(self, ticket: int, units: int, magic: int, comment: str) -> Execution:
        """Close a position, wholly or in part."""
        request = {"ticket": ticket, "units": units, "magic": magic, "comment": comment}
        return self._execute({"t": self.now_ms, "close": request})

    def modify_stops(self, ticket: int, stop: int, target: int) -> Execution:
        """Replace a position's protective levels."""
        request = {"ticket": ticket, "stop": stop, "target": target}
        return self._execute({"t": self.now_ms, "modify": request})

    def _execute(self, record: dict[str, Any]) -> Execution:
        self._log.write(record)
        self._logged_ms = self.now_ms
        return self._apply(record)

    def _apply(self, record: dict[str, Any]) -> Execution:
        if "open" in record:
            details = dict(record["open"])
            side = Side[details.pop("side")]
            return self.book.open_market(
                details.pop("symbol"), side, details.pop("units"), **details
            )
        if "close" in record:
            details = dict(record["close"])
            return self.book.close_market(details.pop("ticket"), details.pop("units"), **details)
        return self.book.modify_stops(**record["modify"])

    def _replay(self) -> None:
        for record in self._log.records():
            _require_shape(record)
            while (upcoming := self.market.next_ms()) is not None and upcoming <= record["t"]:
                self.market.advance()
            if self.now_ms != record["t"] or self.market.step < 0:
                raise DataError(
                    f"the server's log speaks of {record['t']}, which is no tick of this market"
                )
            self._logged_ms = self.now_ms
            if len(record) > 1:
                self._apply(record)


def _require_shape(record: dict[str, Any]) -> None:
    """Refuse a record that this server never writes."""
    kinds = [kind for kind in record if kind != "t"]
    shapes = [_SHAPES.get(kind) for kind in kinds]
    if type(record.get("t")) is not int or len(kinds) > 1 or None in shapes:
        raise DataError(f"the server's log is damaged: {record!r:.80}")
    for kind, shape in zip(kinds, shapes, strict=True):
        request = record[kind]
        found = (
            {name: type(value) for name, value in request.items()}
            if isinstance(request, dict)
            else None
        )
        if found != shape or request.get("side", "BUY") not in Side.__members__:
            raise DataError(f"the server's log is damaged: {record!r:.80}")
