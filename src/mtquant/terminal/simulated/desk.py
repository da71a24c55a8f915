"""Trade requests carried out: checked by the terminal, executed by the server, answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtquant.exchange import OrderRequest, Progress
from mtquant.model import OrderType
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import results
from mtquant.terminal.simulated.asking import Asking, NotSentError
from mtquant.terminal.simulated.retcodes import RETCODES

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtquant.exchange import Execution, Request
    from mtquant.terminal.sequence import StructSequence
    from mtquant.terminal.simulated.connecting import Logon
    from mtquant.terminal.simulated.server import SimulatedServer


class RequestDesk:
    """Check the trade requests of a terminal and have a server carry them out.

    `autotrading` is the terminal's button: when it is off, no request leaves the terminal.
    """

    def __init__(
        self, server: SimulatedServer, is_shown: Callable[[str], bool], *, autotrading: bool
    ) -> None:
        self._server = server
        self._is_shown = is_shown
        self._autotrading = autotrading
        self._request_id = 0

    def check(self, request: StructSequence, logon: Logon) -> Any:
        """Return an OrderCheckResult: what trading hours and the count of requests do not tell."""
        margin = logon.book.margin_minor
        try:
            wanted = self._read(request, logon)
        except NotSentError as problem:
            return results.checked(request, logon.book, problem.code, margin)
        refusal = logon.book.check(wanted)
        if logon.is_investor:
            code = mt5.TRADE_RETCODE_TRADE_DISABLED
        elif refusal is not None:
            code = RETCODES[refusal]
        else:
            code, margin = 0, logon.book.margin_after(wanted)
        return results.checked(request, logon.book, code, margin)

    def send(self, request: StructSequence, logon: Logon) -> Any:
        """Return an OrderSendResult; what was sent has a request_id, what was not has 0."""
        try:
            wanted = self._read(request, logon)
        except NotSentError as problem:
            return results.refused(request, problem.code, 0)
        code = self._server.take_answer()
        if code == mt5.TRADE_RETCODE_CONNECTION:
            return results.refused(request, code, 0)
        self._request_id += 1
        if logon.is_investor:
            code = mt5.TRADE_RETCODE_TRADE_DISABLED
        if code:
            return results.refused(request, code, self._request_id)
        done = self._server.execute(wanted, logon.book.account_spec.login)
        return self._answered(request, wanted, done, logon)

    def _read(self, request: StructSequence, logon: Logon) -> Request:
        if not self._autotrading:
            raise NotSentError(mt5.TRADE_RETCODE_CLIENT_DISABLES_AT)
        return Asking(logon.book, self._is_shown).read(request)

    def _answered(
        self, request: StructSequence, wanted: Request, done: Execution, logon: Logon
    ) -> Any:
        number = self._request_id
        if done.refusal is None:
            code = _progress_code(wanted, done)
            return results.executed(request, wanted, done, (code, number), logon.book)
        code = RETCODES[done.refusal]
        if code == mt5.TRADE_RETCODE_REQUOTE:
            return results.requoted(request, code, number, logon.book)
        return results.refused(request, code, number, done.order_ticket)


def _progress_code(wanted: Request, done: Execution) -> int:
    if done.progress is Progress.PARTIAL:
        return mt5.TRADE_RETCODE_DONE_PARTIAL
    is_market = isinstance(wanted, OrderRequest) and wanted.order_type is OrderType.MARKET
    if done.progress is Progress.PLACED and is_market:
        return mt5.TRADE_RETCODE_PLACED
    return mt5.TRADE_RETCODE_DONE
