"""Trade requests carried out: checked by the terminal, executed by the server, answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mtquant.exchange import Execution, OrderRequest, Progress, Request
from mtquant.model import OrderType
from mtquant.terminal import constants as mt5
from mtquant.terminal.simulated import results
from mtquant.terminal.simulated.asking import Asking, NotSentError
from mtquant.terminal.simulated.retcodes import RETCODES

if TYPE_CHECKING:
    from mtquant.terminal.sequence import StructSequence
    from mtquant.terminal.simulated.connecting import Logon

Route = Callable[[Request, int], Execution | int]
"""Takes a request to the account of a login and brings back what was done, or a return code."""


class RequestDesk:
    """Check the trade requests of a terminal and have them carried out.

    `allows_trading` tells of the terminal's button: when it is off, no request leaves.
    """

    def __init__(
        self,
        route: Route,
        is_shown: Callable[[str], bool],
        allows_trading: Callable[[], bool],
    ) -> None:
        self._route = route
        self._is_shown = is_shown
        self._allows_trading = allows_trading
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
            if logon.is_investor:
                done: Execution | int = mt5.TRADE_RETCODE_TRADE_DISABLED
            else:
                done = self._route(wanted, logon.book.account_spec.login)
        except NotSentError as problem:
            return results.refused(request, problem.code, 0)
        self._request_id += 1
        if isinstance(done, int):
            return self._refused(request, done, logon)
        if done.refusal is not None:
            return self._refused(request, RETCODES[done.refusal], logon, done.order_ticket)
        numbers = _progress_code(wanted, done), self._request_id
        return results.executed(request, wanted, done, numbers, logon.book)

    def _read(self, request: StructSequence, logon: Logon) -> Request:
        if not self._allows_trading():
            raise NotSentError(mt5.TRADE_RETCODE_CLIENT_DISABLES_AT)
        return Asking(logon.book, self._is_shown).read(request)

    def _refused(self, request: StructSequence, code: int, logon: Logon, order: int = 0) -> Any:
        if code == mt5.TRADE_RETCODE_REQUOTE:
            return results.requoted(request, code, self._request_id, logon.book)
        return results.refused(request, code, self._request_id, order)


def _progress_code(wanted: Request, done: Execution) -> int:
    if done.progress is Progress.PARTIAL:
        return mt5.TRADE_RETCODE_DONE_PARTIAL
    is_market = isinstance(wanted, OrderRequest) and wanted.order_type is OrderType.MARKET
    if done.progress is Progress.PLACED and is_market:
        return mt5.TRADE_RETCODE_PLACED
    return mt5.TRADE_RETCODE_DONE
