"""The way of a trade request to the server, on which it may be late, lost or answered wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mtquant.exchange import (
    CancelRequest,
    ChangeRequest,
    CloseByRequest,
    Execution,
    OrderRequest,
    Request,
    Scarcity,
)
from mtquant.model import OrderType
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated.arguments import BadArgumentError
from mtquant.terminal.simulated.asking import NotSentError
from mtquant.terminal.simulated.faults.alarms import Alarm
from mtquant.terminal.simulated.faults.kinds import DRAWN_CODES, ERRORS, FaultKind

if TYPE_CHECKING:
    from mtquant.terminal.simulated.faults.director import Faults
    from mtquant.terminal.simulated.server import SimulatedServer

_ACTIONS: Final = {
    ChangeRequest: mt5.TRADE_ACTION_MODIFY,
    CancelRequest: mt5.TRADE_ACTION_REMOVE,
    CloseByRequest: mt5.TRADE_ACTION_CLOSE_BY,
}


class FaultyRoute:
    """Take trade requests to a server as a scenario lets them through."""

    def __init__(self, server: SimulatedServer, faults: Faults) -> None:
        self._server = server
        self._faults = faults

    def __call__(self, request: Request, login: int) -> Execution | int:
        """Bring a request to the account of a login.

        Raises:
            BadArgumentError: no answer comes back; with the last error.
            NotSentError: the terminal does not send it.
        """
        faults = self._faults
        struck, alarm = faults.meeting(request, _action(request))
        if faults.counts_requests:
            faults.note_sent(struck)
            self._server.note_sent(struck)
            self._wait(faults.requests)
        if faults.on(FaultKind.SERVER_LOSS):
            raise NotSentError(mt5.TRADE_RETCODE_CONNECTION)
        if alarm is None:
            return self._server.execute(request, login)
        return _STRIKES[alarm.spec.kind](self, alarm, request, login)

    def lose_request(self, alarm: Alarm, _request: Request, _login: int) -> int:
        """Answer nothing; nothing arrives."""
        raise _no_answer(alarm)

    def lose_reply(self, alarm: Alarm, request: Request, login: int) -> int:
        """Carry the request out, and answer nothing."""
        self._server.execute(request, login)
        raise _no_answer(alarm)

    def be_late(self, alarm: Alarm, request: Request, login: int) -> int:
        """Answer nothing, and carry the request out some time later."""
        due_ms = self._server.now_ms + alarm.spec.delay_ms
        self._server.execute_later(request, login, due_ms)
        raise _no_answer(alarm)

    def answer(self, alarm: Alarm, request: Request, login: int) -> int:
        """Answer a return code, whether or not the request is carried out."""
        spec = alarm.spec
        if spec.executed:
            self._server.execute(request, login)
        drawn = DRAWN_CODES[alarm.pick(self._faults.requests, len(DRAWN_CODES))]
        code: int = _CODES.get(spec.kind) or spec.code or drawn
        if code == mt5.TRADE_RETCODE_CONNECTION and not spec.executed:
            raise NotSentError(code)
        return code

    def place(self, _alarm: Alarm, request: Request, login: int) -> Execution:
        """Let an order at the market wait for the next tick."""
        if isinstance(request, OrderRequest) and request.order_type is OrderType.MARKET:
            self._server.run_short(Scarcity(symbol=request.symbol, units=0, waits=True), login)
        return self._server.execute(request, login)

    def fill_in_part(self, alarm: Alarm, request: Request, login: int) -> Execution:
        """Let the market have a part of the volume only."""
        if isinstance(request, OrderRequest) and request.order_type is OrderType.MARKET:
            instrument = self._server.market.venue.instrument(request.symbol)
            part = instrument.floor_units(int(request.units * alarm.spec.filled_fraction))
            if part:
                self._server.run_short(Scarcity(symbol=request.symbol, units=part), login)
        return self._server.execute(request, login)

    def _wait(self, number: int) -> None:
        """Let the market play on until the request has arrived."""
        latency = self._faults.scenario.latency
        if not latency.is_any:
            return
        chance = self._faults.chance
        draws = chance.draw("latency", number), chance.draw("latency again", number)
        self._server.wait_until(self._server.now_ms + latency.delay_ms(*draws))


def _action(request: Request) -> int:
    if isinstance(request, OrderRequest):
        is_market = request.order_type is OrderType.MARKET
        return mt5.TRADE_ACTION_DEAL if is_market else mt5.TRADE_ACTION_PENDING
    return _ACTIONS.get(type(request), mt5.TRADE_ACTION_SLTP)


def _no_answer(alarm: Alarm) -> BadArgumentError:
    return BadArgumentError(ERRORS[alarm.spec.error], code=alarm.spec.error)


_CODES: Final = {
    FaultKind.TIMEOUT: mt5.TRADE_RETCODE_TIMEOUT,
    FaultKind.NO_CONNECTION: mt5.TRADE_RETCODE_CONNECTION,
    FaultKind.REQUOTE: mt5.TRADE_RETCODE_REQUOTE,
}
_Strike = Callable[[FaultyRoute, Alarm, Request, int], Execution | int]
_STRIKES: Final[dict[FaultKind, _Strike]] = {
    FaultKind.LOST_REQUEST: FaultyRoute.lose_request,
    FaultKind.LOST_REPLY: FaultyRoute.lose_reply,
    FaultKind.LATE: FaultyRoute.be_late,
    FaultKind.TIMEOUT: FaultyRoute.answer,
    FaultKind.NO_CONNECTION: FaultyRoute.answer,
    FaultKind.ANSWER: FaultyRoute.answer,
    FaultKind.REQUOTE: FaultyRoute.answer,
    FaultKind.PLACED: FaultyRoute.place,
    FaultKind.PARTIAL: FaultyRoute.fill_in_part,
}
