"""MetaTrader's words in, ours out: times become UTC milliseconds, prices whole points."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from mtquant.model import (
    AccountSnapshot,
    BarRow,
    CalculationMode,
    DataError,
    Deal,
    DealEntry,
    DealKind,
    Expiration,
    Filling,
    Instrument,
    IntentAction,
    IntentRow,
    MarginMode,
    Order,
    OrderState,
    OrderType,
    Position,
    Quote,
    Reason,
    ServerClock,
    Side,
    SwapMode,
    SymbolNotFoundError,
    TradeMode,
    lots_from_units,
    minor_from_money,
    round_half_away,
    units_from_lots,
)
from mtquant.terminal import constants as mt5

_CALC_MODES: Final = {
    mt5.SYMBOL_CALC_MODE_FOREX: CalculationMode.FOREX,
    mt5.SYMBOL_CALC_MODE_FOREX_NO_LEVERAGE: CalculationMode.FOREX_NO_LEVERAGE,
    mt5.SYMBOL_CALC_MODE_CFD: CalculationMode.CFD,
    mt5.SYMBOL_CALC_MODE_CFDLEVERAGE: CalculationMode.CFD_LEVERAGE,
}
_TRADE_MODES: Final = {
    mt5.SYMBOL_TRADE_MODE_DISABLED: TradeMode.DISABLED,
    mt5.SYMBOL_TRADE_MODE_LONGONLY: TradeMode.LONG_ONLY,
    mt5.SYMBOL_TRADE_MODE_SHORTONLY: TradeMode.SHORT_ONLY,
    mt5.SYMBOL_TRADE_MODE_CLOSEONLY: TradeMode.CLOSE_ONLY,
    mt5.SYMBOL_TRADE_MODE_FULL: TradeMode.FULL,
}
_CASH: Final = {mt5.DEAL_TYPE_CREDIT: DealKind.CREDIT}
_MARGIN_MODES: Final = {
    mt5.ACCOUNT_MARGIN_MODE_RETAIL_NETTING: MarginMode.NETTING,
    mt5.ACCOUNT_MARGIN_MODE_EXCHANGE: MarginMode.EXCHANGE,
    mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING: MarginMode.HEDGING,
}
_ENTRIES: Final = {
    mt5.DEAL_ENTRY_IN: DealEntry.IN,
    mt5.DEAL_ENTRY_OUT: DealEntry.OUT,
    mt5.DEAL_ENTRY_INOUT: DealEntry.INOUT,
    mt5.DEAL_ENTRY_OUT_BY: DealEntry.OUT_BY,
}
_REASONS: Final = {
    mt5.DEAL_REASON_EXPERT: Reason.EXPERT,
    mt5.DEAL_REASON_SL: Reason.STOP_LOSS,
    mt5.DEAL_REASON_TP: Reason.TAKE_PROFIT,
    mt5.DEAL_REASON_SO: Reason.STOP_OUT,
}
_STATES: Final = {
    mt5.ORDER_STATE_STARTED: OrderState.SUBMITTED,
    mt5.ORDER_STATE_PLACED: OrderState.PLACED,
    mt5.ORDER_STATE_CANCELED: OrderState.CANCELED,
    mt5.ORDER_STATE_PARTIAL: OrderState.PARTIALLY_FILLED,
    mt5.ORDER_STATE_FILLED: OrderState.FILLED,
    mt5.ORDER_STATE_REJECTED: OrderState.REJECTED,
    mt5.ORDER_STATE_EXPIRED: OrderState.EXPIRED,
    mt5.ORDER_STATE_REQUEST_ADD: OrderState.SUBMITTED,
    mt5.ORDER_STATE_REQUEST_MODIFY: OrderState.PLACED,
    mt5.ORDER_STATE_REQUEST_CANCEL: OrderState.PLACED,
}
_ORDER_TYPES: Final = {
    mt5.ORDER_TYPE_BUY: (Side.BUY, OrderType.MARKET),
    mt5.ORDER_TYPE_SELL: (Side.SELL, OrderType.MARKET),
    mt5.ORDER_TYPE_BUY_LIMIT: (Side.BUY, OrderType.LIMIT),
    mt5.ORDER_TYPE_SELL_LIMIT: (Side.SELL, OrderType.LIMIT),
    mt5.ORDER_TYPE_BUY_STOP: (Side.BUY, OrderType.STOP),
    mt5.ORDER_TYPE_SELL_STOP: (Side.SELL, OrderType.STOP),
    mt5.ORDER_TYPE_BUY_STOP_LIMIT: (Side.BUY, OrderType.STOP_LIMIT),
    mt5.ORDER_TYPE_SELL_STOP_LIMIT: (Side.SELL, OrderType.STOP_LIMIT),
    mt5.ORDER_TYPE_CLOSE_BY: (Side.BUY, OrderType.CLOSE_BY),  # two positions: it has no side
}
_FILLINGS: Final = {
    mt5.ORDER_FILLING_FOK: Filling.FOK,
    mt5.ORDER_FILLING_IOC: Filling.IOC,
    mt5.ORDER_FILLING_RETURN: Filling.RETURN,
    mt5.ORDER_FILLING_BOC: Filling.BOC,
}
_EXPIRATIONS: Final = {
    mt5.ORDER_TIME_GTC: Expiration.GTC,
    mt5.ORDER_TIME_DAY: Expiration.DAY,
    mt5.ORDER_TIME_SPECIFIED: Expiration.SPECIFIED,
    mt5.ORDER_TIME_SPECIFIED_DAY: Expiration.SPECIFIED_DAY,
}
_FOK_FLAG, _IOC_FLAG = 1, 2
_COMMENT_LIMIT = 16
_REPLY = (
    "retcode",
    "deal",
    "order",
    "volume",
    "price",
    "bid",
    "ask",
    "comment",
    "request_id",
    "retcode_external",
)
_NOT_IN_COMMENTS: Final = re.compile("[^a-z0-9]")
_UNKNOWN_DIGITS = 8


def instrument_from(info: Any, symbol: str) -> Instrument:
    """Return the instrument of a SymbolInfo, under its standard name.

    Raises:
        SymbolNotFoundError: its profit and margin formulas are not among ours.
        DataError: the broker states rules that contradict themselves.
    """
    mode = _CALC_MODES.get(info.trade_calc_mode)
    if mode is None:
        raise SymbolNotFoundError(
            f"{symbol}: calculation mode {info.trade_calc_mode} is not supported in this version"
        )
    try:
        return _instrument(info, symbol, mode)
    except ValueError as error:
        raise DataError(f"{symbol}: the broker's rules cannot be used: {error}") from error


def trade_mode_from(info: Any) -> TradeMode:
    """Return what a SymbolInfo says may be done with the symbol."""
    return _TRADE_MODES[info.trade_mode]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignInstrument(Instrument):
    """Describe a symbol that we do not trade: nothing is computed with it.

    So its rules may contradict themselves, and its name is as long as the broker's. A largest
    volume of 0 is not known.
    """

    def __post_init__(self) -> None:
        """Refuse nothing."""


def foreign_instrument(info: Any | None, symbol: str) -> ForeignInstrument:
    """Return what is needed to describe and close somebody else's orders and positions.

    Their symbol may be of any kind, or be gone from the broker (None).
    """
    if info is None:
        return ForeignInstrument(
            symbol=symbol,
            digits=_UNKNOWN_DIGITS,
            contract_size=1.0,
            base_currency="",
            profit_currency="",
            margin_currency="",
            volume_max_units=0,
        )
    most = info.volume_max
    return ForeignInstrument(
        symbol=symbol,
        digits=min(info.digits, _UNKNOWN_DIGITS),
        contract_size=info.trade_contract_size or 1.0,
        base_currency=info.currency_base,
        profit_currency=info.currency_profit,
        margin_currency=info.currency_margin,
        volume_max_units=units_from_lots(most) if math.isfinite(most) and most > 0 else 0,
    )


def _instrument(info: Any, symbol: str, mode: CalculationMode) -> Instrument:
    points_swap = info.swap_mode == mt5.SYMBOL_SWAP_MODE_POINTS
    triple = info.swap_rollover3days
    return Instrument(
        symbol=symbol,
        digits=info.digits,
        contract_size=info.trade_contract_size,
        base_currency=info.currency_base,
        profit_currency=info.currency_profit,
        margin_currency=info.currency_margin,
        calculation_mode=mode,
        tick_size_points=max(1, round_half_away(info.trade_tick_size * 10**info.digits)),
        volume_min_units=units_from_lots(info.volume_min),
        volume_max_units=units_from_lots(info.volume_max),
        volume_step_units=units_from_lots(info.volume_step),
        stops_level_points=info.trade_stops_level,
        freeze_level_points=info.trade_freeze_level,
        margin_hedged_contract=info.margin_hedged,
        swap_mode=SwapMode.POINTS if points_swap else SwapMode.DISABLED,
        swap_long=info.swap_long,
        swap_short=info.swap_short,
        triple_swap_weekday=triple if 0 <= triple <= 6 else None,
        trade_mode=trade_mode_from(info),
        description=info.description,
    )


def account_from(info: Any, time_ms: int) -> AccountSnapshot:
    """Return the account of an AccountInfo, money in minor units."""
    digits = info.currency_digits
    return AccountSnapshot(
        login=info.login,
        server=info.server,
        currency=info.currency,
        currency_digits=digits,
        leverage=info.leverage,
        margin_mode=_MARGIN_MODES[info.margin_mode],
        is_demo=info.trade_mode == mt5.ACCOUNT_TRADE_MODE_DEMO,
        trade_allowed=info.trade_allowed,
        balance_minor=minor_from_money(info.balance, digits),
        equity_minor=minor_from_money(info.equity, digits),
        margin_minor=minor_from_money(info.margin, digits),
        time_ms=time_ms,
        credit_minor=minor_from_money(info.credit, digits),
    )


def quote_from(tick: Any, instrument: Instrument, clock: ServerClock) -> Quote:
    """Return the quote of a Tick."""
    return Quote(
        symbol=instrument.symbol,
        time_ms=clock.to_utc_ms(tick.time_msc),
        bid_points=instrument.points(tick.bid),
        ask_points=instrument.points(tick.ask),
    )


def position_from(
    found: Any, instrument: Instrument, clock: ServerClock, time_ms: int, money_digits: int
) -> Position:
    """Return the position of a TradePosition."""
    opened = round_half_away(found.price_open * 10 ** (instrument.digits + 3))
    return Position(
        position_ticket=found.ticket,
        symbol=instrument.symbol,
        side=Side.BUY if found.type == mt5.POSITION_TYPE_BUY else Side.SELL,
        volume_units=units_from_lots(found.volume),
        open_points=opened // 1000,
        open_thousandths=opened % 1000,
        identifier=found.identifier,
        open_ms=clock.to_utc_ms(found.time_msc),
        current_points=instrument.points(found.price_current),
        current_ms=time_ms,
        stop_loss_points=instrument.points(found.sl) or None,
        take_profit_points=instrument.points(found.tp) or None,
        profit_minor=minor_from_money(found.profit, money_digits),
        swap_minor=minor_from_money(found.swap, money_digits),
        digits=instrument.digits,
        contract_size=instrument.contract_size,
        largest_order_units=instrument.volume_max_units,
        money_digits=money_digits,
        intent_id=found.magic,
        comment=found.comment,
        reason=Reason.EXPERT if found.reason == mt5.POSITION_REASON_EXPERT else Reason.CLIENT,
    )


def order_from(found: Any, instrument: Instrument, clock: ServerClock) -> Order:
    """Return the order of a TradeOrder."""
    side, order_type = _ORDER_TYPES[found.type]
    initial = units_from_lots(found.volume_initial)
    return Order(
        order_ticket=found.ticket,
        symbol=instrument.symbol,
        side=side,
        order_type=order_type,
        state=_STATES[found.state],
        volume_units=initial,
        filled_units=initial - units_from_lots(found.volume_current),
        price_points=instrument.points(found.price_open or found.price_current),
        stop_loss_points=instrument.points(found.sl) or None,
        take_profit_points=instrument.points(found.tp) or None,
        position_ticket=found.position_id,
        intent_id=found.magic,
        comment=found.comment,
        reason=_REASONS.get(found.reason, Reason.CLIENT),
        setup_ms=clock.to_utc_ms(found.time_setup_msc),
        done_ms=clock.to_utc_ms(found.time_done_msc) if found.time_done_msc else 0,
        stop_limit_points=instrument.points(found.price_stoplimit),
        current_points=instrument.points(found.price_current),
        filling=_FILLINGS.get(found.type_filling, Filling.FOK),
        expiration=_EXPIRATIONS.get(found.type_time, Expiration.GTC),
        expires_ms=clock.to_utc_ms(found.time_expiration * 1000) if found.time_expiration else 0,
        position_by_ticket=found.position_by_id,
    )


def deal_from(
    found: Any, instrument: Instrument | None, clock: ServerClock, money_digits: int
) -> Deal:
    """Return the deal of a TradeDeal; a balance operation has no instrument."""
    is_trade = found.type in (mt5.DEAL_TYPE_BUY, mt5.DEAL_TYPE_SELL)
    side = Side.BUY if found.type == mt5.DEAL_TYPE_BUY else Side.SELL
    return Deal(
        deal_ticket=found.ticket,
        order_ticket=found.order,
        position_ticket=found.position_id,
        time_ms=clock.to_utc_ms(found.time_msc),
        symbol=instrument.symbol if instrument else found.symbol,
        kind=DealKind.TRADE if is_trade else _CASH.get(found.type, DealKind.BALANCE),
        side=side if is_trade else None,
        entry=_ENTRIES[found.entry],
        volume_units=units_from_lots(found.volume),
        price_points=instrument.points(found.price) if instrument else 0,
        profit_minor=minor_from_money(found.profit, money_digits),
        commission_minor=minor_from_money(found.commission, money_digits),
        swap_minor=minor_from_money(found.swap, money_digits),
        fee_minor=minor_from_money(found.fee, money_digits),
        reason=_REASONS.get(found.reason, Reason.CLIENT),
        intent_id=found.magic,
        comment=found.comment,
    )


def bar_from(row: Any, instrument: Instrument, clock: ServerClock) -> BarRow:
    """Return one closed bar of a rates array."""
    return BarRow(
        time_ms=clock.to_utc_ms(int(row["time"]) * 1000),
        open=instrument.points(float(row["open"])),
        high=instrument.points(float(row["high"])),
        low=instrument.points(float(row["low"])),
        close=instrument.points(float(row["close"])),
        spread=int(row["spread"]),
        tick_volume=int(row["tick_volume"]),
    )


def filling_for(filling_mask: int) -> int:
    """Return an ORDER_FILLING_* value that a symbol's filling mask allows for market orders."""
    if filling_mask & _FOK_FLAG:
        return mt5.ORDER_FILLING_FOK
    if filling_mask & _IOC_FLAG:
        return mt5.ORDER_FILLING_IOC
    return mt5.ORDER_FILLING_RETURN


def reply_of(answer: Any) -> dict[str, Any]:
    """Return what an order_send answered, by the names of its fields, without the request."""
    return {name: getattr(answer, name, None) for name in _REPLY}


def request_from(
    row: IntentRow, broker_symbol: str, instrument: Instrument, filling: int
) -> dict[str, Any]:
    """Return the request dictionary of an intent: int and float exactly where the module asks.

    A close always names its position: without it the same request would open an opposite one.
    """
    intent = row.intent
    request: dict[str, Any] = {
        "symbol": broker_symbol,
        "magic": row.intent_id,
        "comment": _NOT_IN_COMMENTS.sub("", row.comment.lower())[:_COMMENT_LIMIT],
    }
    if intent.action is IntentAction.MODIFY:
        return request | {
            "action": mt5.TRADE_ACTION_SLTP,
            "position": intent.position_ticket,
            "sl": instrument.price(intent.stop_loss_points or 0),
            "tp": instrument.price(intent.take_profit_points or 0),
        }
    if intent.action is IntentAction.CANCEL:
        return request | {"action": mt5.TRADE_ACTION_REMOVE, "order": intent.order_ticket}
    side = intent.side if intent.action is IntentAction.OPEN else intent.side.opposite
    request |= {
        "action": mt5.TRADE_ACTION_DEAL,
        "type": mt5.ORDER_TYPE_BUY if side is Side.BUY else mt5.ORDER_TYPE_SELL,
        "volume": lots_from_units(intent.volume_units),
        "price": instrument.price(intent.price_points or 0),
        "deviation": intent.deviation_points,
        "type_filling": filling,
        "type_time": mt5.ORDER_TIME_GTC,
    }
    if intent.action is IntentAction.CLOSE:
        return request | {"position": intent.position_ticket}
    return request | {
        "sl": instrument.price(intent.stop_loss_points or 0),
        "tp": instrument.price(intent.take_profit_points or 0),
    }
