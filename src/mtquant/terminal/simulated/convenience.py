"""The module's own helpers for market orders: Buy, Sell, Close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.terminal import constants as mt5

if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES: Final = 10
_DEVIATION: Final = 10
_AGAIN: Final = (mt5.TRADE_RETCODE_REQUOTE, mt5.TRADE_RETCODE_PRICE_OFF)


class Convenience:
    """Buy, sell and close at the market through the module's functions."""

    def __init__(
        self,
        symbol_info_tick: Callable[..., Any],
        positions_get: Callable[..., Any],
        order_send: Callable[..., Any],
    ) -> None:
        self._tick = symbol_info_tick
        self._positions = positions_get
        self._send = order_send

    def functions(self) -> tuple[Callable[..., Any], ...]:
        """Return Buy, Sell, Close and _RawOrder."""
        return self.buy, self.sell, self.close, self.raw_order

    def raw_order(  # noqa: PLR0917 - the module's signature
        self,
        order_type: int,
        symbol: str,
        volume: float,
        price: float,
        comment: str | None = None,
        ticket: int | None = None,
    ) -> Any:
        """Send a market order; return its OrderSendResult."""
        request: dict[str, Any] = {
            "action": mt5.TRADE_ACTION_DEAL,
            "type": order_type,
            "symbol": symbol,
            "volume": volume,
            "price": price,
            "deviation": _DEVIATION,
        }
        if comment is not None:
            request["comment"] = comment
        if ticket is not None:
            request["position"] = ticket
        return self._send(request)

    def buy(
        self,
        symbol: str,
        volume: float,
        price: float | None = None,
        *,
        comment: str | None = None,
        ticket: int | None = None,
    ) -> Any:
        """Buy at a price, or at the current ask; return the OrderSendResult."""
        return self._trade(mt5.ORDER_TYPE_BUY, symbol, volume, price, (comment, ticket))

    def sell(
        self,
        symbol: str,
        volume: float,
        price: float | None = None,
        *,
        comment: str | None = None,
        ticket: int | None = None,
    ) -> Any:
        """Sell at a price, or at the current bid; return the OrderSendResult."""
        return self._trade(mt5.ORDER_TYPE_SELL, symbol, volume, price, (comment, ticket))

    def close(
        self, symbol: str, *, comment: str | None = None, ticket: int | None = None
    ) -> bool | str | None:
        """Close the positions of a symbol, or one of them: True, "Partially", False or None."""
        chosen = {"symbol": symbol} if ticket is None else {"ticket": ticket}
        positions = self._positions(**chosen)
        if positions is None:
            return None
        done = 0
        for position in positions:
            is_long = position.type == mt5.POSITION_TYPE_BUY
            kind = mt5.ORDER_TYPE_SELL if is_long else mt5.ORDER_TYPE_BUY
            details = (comment, position.ticket)
            result = self._trade(kind, symbol, position.volume, None, details)
            if result is None:
                return None
            done += result.retcode == mt5.TRADE_RETCODE_DONE
        if done and done == len(positions):
            return True
        return "Partially" if done else False

    def _trade(
        self,
        kind: int,
        symbol: str,
        volume: float,
        price: float | None,
        details: tuple[str | None, int | None],
    ) -> Any:
        if price is not None:
            return self.raw_order(kind, symbol, volume, price, *details)
        result = None
        for _ in range(_TRIES):
            tick = self._tick(symbol)
            if tick is None:
                return None
            current = tick.ask if kind == mt5.ORDER_TYPE_BUY else tick.bid
            result = self.raw_order(kind, symbol, volume, current, *details)
            if result is None or result.retcode not in _AGAIN:
                break
        return result
