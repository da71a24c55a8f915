"""What happens to accounts by other hands: as requests that the server could have been sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.exchange import OrderRequest, StopsRequest
from mtquant.model import (
    ConfigError,
    ExecutionMode,
    Filling,
    Reason,
    Side,
    minor_from_money,
    units_from_lots,
)
from mtquant.terminal.simulated.faults.kinds import FaultKind
from mtquant.terminal.simulated.records import BalanceOperation

if TYPE_CHECKING:
    from mtquant.exchange import Book, Market, OpenPosition
    from mtquant.model import Instrument
    from mtquant.terminal.simulated.faults.spec import FaultSpec
    from mtquant.terminal.simulated.records import Assignment, Task

_FAR = 1_000_000  # points: a manual trade takes any price


def effect_of(spec: FaultSpec, market: Market) -> Assignment | None:
    """Return what a fault does to an account now, None where there is nothing to do it to."""
    login = spec.login or market.book.account_spec.login
    book = market.books[login]
    task = _task(spec, market, book)
    return None if task is None else (login, task)


def require_fit(spec: FaultSpec, market: Market) -> None:
    """Refuse a fault that names what the market does not have.

    Raises:
        ConfigError: the message begins with the key.
    """
    if spec.login and spec.login not in market.books:
        known = ", ".join(map(str, market.books))
        raise ConfigError(f"login: {spec.login} is no account of the venue; known: {known}")
    if spec.symbol and spec.symbol not in market.venue.instruments:
        known = ", ".join(market.venue.instruments)
        raise ConfigError(f"symbol: {spec.symbol!r} is no symbol of the venue; known: {known}")
    if spec.kind is FaultKind.ACCOUNT_SWITCH and len(market.books) < 2:
        raise ConfigError("kind: account_switch needs a venue with a second account")


def _task(spec: FaultSpec, market: Market, book: Book) -> Task | None:
    if spec.kind is FaultKind.BALANCE:
        amount = minor_from_money(spec.amount, book.account_spec.currency_digits)
        return BalanceOperation(amount_minor=amount, comment=spec.text or "")
    if spec.kind is FaultKind.MANUAL_TRADE:
        return _manual_trade(spec, book, spec.symbol or market.traded.symbol)
    held = [one for one in book.open_positions if spec.symbol in {"", one.symbol}]
    if spec.kind is FaultKind.STRIPPED_STOP:
        held = [one for one in held if one.stop]
    if not held:
        return None
    if spec.kind is FaultKind.STRIPPED_STOP:
        return StopsRequest(
            symbol=held[0].symbol, position_ticket=held[0].ticket, target=held[0].target
        )
    return _manual_close(spec, book, held[0])


def _manual_trade(spec: FaultSpec, book: Book, symbol: str) -> OrderRequest | None:
    instrument = book.venue.instrument(symbol)
    units = units_from_lots(spec.volume) if spec.volume else instrument.volume_min_units
    return _by_hand(book, symbol, spec.side, units, comment=spec.text or "")


def _manual_close(spec: FaultSpec, book: Book, position: OpenPosition) -> OrderRequest | None:
    units = position.units
    if spec.closed_fraction < 1:
        part = book.venue.instrument(position.symbol).floor_units(int(units * spec.closed_fraction))
        units = part or units
    side = Side(-position.side)
    return _by_hand(book, position.symbol, side, units, position_ticket=position.ticket)


def _by_hand(
    book: Book, symbol: str, side: Side, units: int, *, position_ticket: int = 0, comment: str = ""
) -> OrderRequest | None:
    quote = book.quote(symbol)
    if quote is None:
        return None
    return OrderRequest(
        symbol=symbol,
        side=side,
        units=units,
        price=quote.ask_points if side is Side.BUY else quote.bid_points,
        deviation=_FAR,
        filling=_filling(book.venue.instrument(symbol)),
        position_ticket=position_ticket,
        comment=comment,
        reason=Reason.CLIENT,
    )


def _filling(instrument: Instrument) -> Filling:
    if instrument.execution_mode is not ExecutionMode.MARKET:
        return Filling.RETURN
    return Filling.IOC if Filling.IOC in instrument.fillings else Filling.FOK
