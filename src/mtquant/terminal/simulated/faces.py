"""Our words as the module's structures: times in the server's epoch seconds, prices as floats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.model import (
    AccountSnapshot,
    CalculationMode,
    Deal,
    DealEntry,
    DealKind,
    Instrument,
    MarginMode,
    Order,
    OrderState,
    Position,
    Quote,
    Reason,
    ServerClock,
    Side,
    SwapMode,
    lots_from_units,
    money_from_minor,
)
from mtquant.terminal import constants as mt5
from mtquant.terminal.structs import (
    AccountInfo,
    BookInfo,
    SymbolInfo,
    TerminalInfo,
    Tick,
    TradeDeal,
    TradeOrder,
    TradePosition,
)

if TYPE_CHECKING:
    from mtquant.exchange import Book, VenueSpec
    from mtquant.model import Instrument
    from mtquant.terminal.sequence import StructSequence

FILLING_MASK: Final = 3  # FOK and IOC
ORDER_MASK: Final = 1 | 16 | 32  # market orders, stop loss, take profit
BUILD: Final = 5000

CALC_MODES: Final = {
    CalculationMode.FOREX: mt5.SYMBOL_CALC_MODE_FOREX,
    CalculationMode.FOREX_NO_LEVERAGE: mt5.SYMBOL_CALC_MODE_FOREX_NO_LEVERAGE,
    CalculationMode.CFD: mt5.SYMBOL_CALC_MODE_CFD,
    CalculationMode.CFD_LEVERAGE: mt5.SYMBOL_CALC_MODE_CFDLEVERAGE,
    CalculationMode.CFD_INDEX: mt5.SYMBOL_CALC_MODE_CFDINDEX,
    CalculationMode.FUTURES: mt5.SYMBOL_CALC_MODE_FUTURES,
    CalculationMode.EXCH_STOCKS: mt5.SYMBOL_CALC_MODE_EXCH_STOCKS,
    CalculationMode.EXCH_FUTURES: mt5.SYMBOL_CALC_MODE_EXCH_FUTURES,
    CalculationMode.EXCH_FUTURES_FORTS: mt5.SYMBOL_CALC_MODE_EXCH_OPTIONS,  # both are 34
    CalculationMode.EXCH_BONDS: mt5.SYMBOL_CALC_MODE_EXCH_BONDS,
    CalculationMode.EXCH_STOCKS_MOEX: mt5.SYMBOL_CALC_MODE_EXCH_STOCKS_MOEX,
    CalculationMode.EXCH_BONDS_MOEX: mt5.SYMBOL_CALC_MODE_EXCH_BONDS_MOEX,
    CalculationMode.SERV_COLLATERAL: mt5.SYMBOL_CALC_MODE_SERV_COLLATERAL,
}
_SWAP_MODES: Final = {
    SwapMode.DISABLED: mt5.SYMBOL_SWAP_MODE_DISABLED,
    SwapMode.POINTS: mt5.SYMBOL_SWAP_MODE_POINTS,
    SwapMode.BASE_CURRENCY: mt5.SYMBOL_SWAP_MODE_CURRENCY_SYMBOL,
    SwapMode.MARGIN_CURRENCY: mt5.SYMBOL_SWAP_MODE_CURRENCY_MARGIN,
    SwapMode.DEPOSIT_CURRENCY: mt5.SYMBOL_SWAP_MODE_CURRENCY_DEPOSIT,
    SwapMode.INTEREST_CURRENT: mt5.SYMBOL_SWAP_MODE_INTEREST_CURRENT,
    SwapMode.INTEREST_OPEN: mt5.SYMBOL_SWAP_MODE_INTEREST_OPEN,
    SwapMode.REOPEN_CURRENT: mt5.SYMBOL_SWAP_MODE_REOPEN_CURRENT,
    SwapMode.REOPEN_BID: mt5.SYMBOL_SWAP_MODE_REOPEN_BID,
}
_ORDER_STATES: Final = {
    OrderState.CREATED: mt5.ORDER_STATE_STARTED,
    OrderState.SUBMITTED: mt5.ORDER_STATE_STARTED,
    OrderState.PLACED: mt5.ORDER_STATE_PLACED,
    OrderState.CANCELED: mt5.ORDER_STATE_CANCELED,
    OrderState.PARTIALLY_FILLED: mt5.ORDER_STATE_PARTIAL,
    OrderState.FILLED: mt5.ORDER_STATE_FILLED,
    OrderState.REJECTED: mt5.ORDER_STATE_REJECTED,
    OrderState.EXPIRED: mt5.ORDER_STATE_EXPIRED,
}
_ENTRIES: Final = {
    DealEntry.IN: mt5.DEAL_ENTRY_IN,
    DealEntry.OUT: mt5.DEAL_ENTRY_OUT,
    DealEntry.INOUT: mt5.DEAL_ENTRY_INOUT,
    DealEntry.OUT_BY: mt5.DEAL_ENTRY_OUT_BY,
}
_REASONS: Final = {
    Reason.CLIENT: mt5.DEAL_REASON_CLIENT,
    Reason.EXPERT: mt5.DEAL_REASON_EXPERT,
    Reason.STOP_LOSS: mt5.DEAL_REASON_SL,
    Reason.TAKE_PROFIT: mt5.DEAL_REASON_TP,
    Reason.STOP_OUT: mt5.DEAL_REASON_SO,
}


def filled(struct: type[StructSequence], values: dict[str, Any], empty: dict[str, Any]) -> Any:
    """Build a structure from the fields that matter; the others take their empty value."""
    return struct(values.get(name, empty.get(name, 0.0)) for name in struct.__match_args__)


def tick_face(quote: Quote, clock: ServerClock, digits: int) -> Any:
    """Return a Tick."""
    server_ms = clock.to_server_ms(quote.time_ms)
    flags = mt5.TICK_FLAG_BID | mt5.TICK_FLAG_ASK
    bid, ask = quote.bid_points / 10**digits, quote.ask_points / 10**digits
    return Tick((server_ms // 1000, bid, ask, 0.0, 0, server_ms, flags, 0.0))


def depth_face(quote: Quote, instrument: Instrument) -> Any:
    """Return the one level of market depth there is: the ask, then the bid."""
    volume = lots_from_units(instrument.volume_max_units)
    levels = ((mt5.BOOK_TYPE_SELL, quote.ask_points), (mt5.BOOK_TYPE_BUY, quote.bid_points))
    scale = 10**instrument.digits
    return tuple(BookInfo((kind, price / scale, int(volume), volume)) for kind, price in levels)


def deal_face(deal: Deal, clock: ServerClock, digits: int, money_digits: int) -> Any:
    """Return a TradeDeal."""
    server_ms = clock.to_server_ms(deal.time_ms)
    kind = mt5.DEAL_TYPE_BALANCE if deal.kind is DealKind.BALANCE else _side(deal.side)
    money = [
        money_from_minor(amount, money_digits)
        for amount in (deal.commission_minor, deal.swap_minor, deal.profit_minor, deal.fee_minor)
    ]
    return TradeDeal(
        (
            deal.deal_ticket,
            deal.order_ticket,
            server_ms // 1000,
            server_ms,
            kind,
            _ENTRIES[deal.entry],
            deal.intent_id,
            deal.position_ticket,
            _REASONS[deal.reason],
            lots_from_units(deal.volume_units),
            deal.price_points / 10**digits,
            *money,
            deal.symbol,
            deal.comment,
            "",
        )
    )


def order_face(order: Order, clock: ServerClock, digits: int) -> Any:
    """Return a TradeOrder of the history."""
    setup, done = clock.to_server_ms(order.setup_ms), clock.to_server_ms(order.done_ms)
    values = {
        "ticket": order.order_ticket,
        "time_setup": setup // 1000,
        "time_setup_msc": setup,
        "time_done": done // 1000,
        "time_done_msc": done,
        "type": _side(order.side),
        "type_filling": mt5.ORDER_FILLING_FOK,
        "type_time": mt5.ORDER_TIME_GTC,
        "state": _ORDER_STATES[order.state],
        "magic": order.intent_id,
        "position_id": order.position_ticket,
        "reason": _REASONS[order.reason],
        "volume_initial": lots_from_units(order.volume_units),
        "volume_current": lots_from_units(order.volume_units - order.filled_units),
        "price_current": order.price_points / 10**digits,
        "symbol": order.symbol,
        "comment": order.comment,
    }
    return filled(TradeOrder, values, _ORDER_EMPTY)


def position_face(position: Position, clock: ServerClock, updated_ms: int) -> Any:
    """Return a TradePosition."""
    opened, updated = clock.to_server_ms(position.open_ms), clock.to_server_ms(updated_ms)
    scale = 10**position.digits
    return TradePosition(
        (
            position.position_ticket,
            opened // 1000,
            opened,
            updated // 1000,
            updated,
            mt5.POSITION_TYPE_BUY if position.side is Side.BUY else mt5.POSITION_TYPE_SELL,
            position.intent_id,
            position.position_ticket,
            mt5.POSITION_REASON_EXPERT,
            position.volume,
            position.open_price,
            (position.stop_loss_points or 0) / scale,
            (position.take_profit_points or 0) / scale,
            position.current_price,
            money_from_minor(position.swap_minor, position.money_digits),
            money_from_minor(position.profit_minor, position.money_digits),
            position.symbol,
            position.comment,
            "",
        )
    )


def account_face(account: AccountSnapshot, venue: VenueSpec) -> Any:
    """Return an AccountInfo; `margin_level` is in percent, 0 without margin."""
    digits = account.currency_digits
    level = account.margin_level
    hedging = account.margin_mode is MarginMode.HEDGING
    values = {
        "login": account.login,
        "trade_mode": mt5.ACCOUNT_TRADE_MODE_DEMO,
        "leverage": account.leverage,
        "limit_orders": 0,
        "margin_so_mode": mt5.ACCOUNT_STOPOUT_MODE_PERCENT,
        "trade_allowed": account.trade_allowed,
        "trade_expert": True,
        "margin_mode": mt5.ACCOUNT_MARGIN_MODE_RETAIL_HEDGING
        if hedging
        else mt5.ACCOUNT_MARGIN_MODE_RETAIL_NETTING,
        "currency_digits": digits,
        "fifo_close": False,
        "balance": money_from_minor(account.balance_minor, digits),
        "profit": money_from_minor(account.equity_minor - account.balance_minor, digits),
        "equity": money_from_minor(account.equity_minor, digits),
        "margin": money_from_minor(account.margin_minor, digits),
        "margin_free": money_from_minor(account.free_margin_minor, digits),
        "margin_level": 100 * level if level is not None else 0.0,
        "margin_so_call": venue.account.margin_call_percent,
        "margin_so_so": venue.account.stop_out_percent,
        "name": "Demo Trader",
        "server": venue.server,
        "currency": account.currency,
        "company": venue.company,
    }
    return filled(AccountInfo, values, {})


def terminal_face(company: str, *, connected: bool) -> Any:
    """Return a TerminalInfo."""
    values = {
        "community_account": False,
        "community_connection": False,
        "connected": connected,
        "dlls_allowed": False,
        "trade_allowed": True,
        "tradeapi_disabled": False,
        "email_enabled": False,
        "ftp_enabled": False,
        "notifications_enabled": False,
        "mqid": False,
        "build": BUILD,
        "maxbars": 100_000_000,
        "codepage": 0,
        "ping_last": 0,
        "company": company,
        "name": "mtquant simulated terminal",
        "language": "English",
        "path": "",
        "data_path": "",
        "commondata_path": "",
    }
    return filled(TerminalInfo, values, {})


def symbol_face(book: Book, symbol: str, *, selected: bool) -> Any:
    """Return a SymbolInfo."""
    instrument = book.venue.instrument(symbol)
    quote = book.quote(symbol)
    digits, scale = instrument.digits, 10**instrument.digits
    bid, ask = (quote.bid_points, quote.ask_points) if quote else (0, 0)
    server_ms = book.venue.clock.to_server_ms(quote.time_ms) if quote else 0
    triple = instrument.triple_swap_weekday
    values = (
        _SYMBOL_EMPTY
        | _money_of(book, instrument)
        | {
            "select": selected,
            "visible": selected,
            "time": server_ms // 1000,
            "digits": digits,
            "spread": ask - bid,
            "spread_float": True,
            "ticks_bookdepth": 1,
            "trade_calc_mode": CALC_MODES[instrument.calculation_mode],
            "trade_mode": mt5.SYMBOL_TRADE_MODE_FULL,
            "trade_stops_level": instrument.stops_level_points,
            "trade_freeze_level": instrument.freeze_level_points,
            "trade_exemode": mt5.SYMBOL_TRADE_EXECUTION_MARKET,
            "swap_mode": _SWAP_MODES[instrument.swap_mode],
            "swap_rollover3days": 7 if triple is None else triple,
            "expiration_mode": 1,
            "filling_mode": FILLING_MASK,
            "order_mode": ORDER_MASK,
            "bid": bid / scale,
            "ask": ask / scale,
            "point": instrument.point,
            "trade_tick_size": instrument.tick_size,
            "trade_contract_size": instrument.contract_size,
            "volume_min": lots_from_units(instrument.volume_min_units),
            "volume_max": lots_from_units(instrument.volume_max_units),
            "volume_step": lots_from_units(instrument.volume_step_units),
            "swap_long": instrument.swap_long,
            "swap_short": instrument.swap_short,
            "currency_base": instrument.base_currency,
            "currency_profit": instrument.profit_currency,
            "currency_margin": instrument.margin_currency,
            "description": instrument.description,
            "name": symbol,
            "path": f"Simulated\\{symbol}",
        }
    )
    return filled(SymbolInfo, values, {})


def _money_of(book: Book, instrument: Instrument) -> dict[str, Any]:
    gain_value, loss_value = book.tick_values(instrument.symbol)
    return {
        "trade_face_value": instrument.face_value,
        "trade_accrued_interest": instrument.accrued_interest,
        "session_price_settlement": instrument.settlement_points / 10**instrument.digits,
        "margin_hedged": instrument.margin_hedged_contract,
        "margin_hedged_use_leg": instrument.margin_uses_leg,
        "margin_initial": instrument.margin_initial,
        "margin_maintenance": instrument.margin_maintenance,
        "trade_tick_value": gain_value,
        "trade_tick_value_profit": gain_value,
        "trade_tick_value_loss": loss_value,
    }


def _side(side: Side | None) -> int:
    return mt5.ORDER_TYPE_SELL if side is Side.SELL else mt5.ORDER_TYPE_BUY


_ORDER_EMPTY: Final[dict[str, Any]] = {
    "time_expiration": 0,
    "position_by_id": 0,
    "external_id": "",
}
_SYMBOL_INTS = (
    "chart_mode session_deals session_buy_orders session_sell_orders volume volumehigh volumelow "
    "start_time expiration_time order_gtc_mode option_mode option_right"
)
_SYMBOL_TEXTS = "basis category bank exchange formula isin page"
_SYMBOL_EMPTY: Final[dict[str, Any]] = (
    dict.fromkeys(_SYMBOL_INTS.split(), 0)
    | dict.fromkeys(_SYMBOL_TEXTS.split(), "")
    | {"custom": False, "margin_hedged_use_leg": False}
)
