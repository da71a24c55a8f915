"""Account, terminal and symbols as the module's structures; what is not simulated is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mtquant.model import Instrument, StopOutMode, lots_from_units, money_from_minor
from mtquant.terminal.simulated.vocabulary import (
    ACCOUNT_KINDS,
    CALC_MODES,
    EXECUTION_MODES,
    EXPIRATION_BITS,
    FILLING_BITS,
    GTC_MODES,
    MARGIN_MODES,
    ORDER_BITS,
    STOP_LOSS_BIT,
    STOP_OUT_MODES,
    SWAP_MODES,
    TAKE_PROFIT_BIT,
    TRADE_MODES,
)
from mtquant.terminal.structs import AccountInfo, SymbolInfo, TerminalInfo

if TYPE_CHECKING:
    from mtquant.exchange import AccountSpec, Book
    from mtquant.terminal.sequence import StructSequence
    from mtquant.terminal.simulated.connecting import Logon, TerminalOptions

BUILD: Final = 5000


def filled(struct: type[StructSequence], values: dict[str, Any]) -> Any:
    """Build a structure from the fields that matter; the others are 0."""
    return struct(values.get(name, 0.0) for name in struct.__match_args__)


def account_face(logon: Logon) -> Any:
    """Return an AccountInfo; `margin_level` is in percent, 0 without margin."""
    book = logon.book
    account, spec, venue = book.account(), book.account_spec, book.venue
    digits, credit = account.currency_digits, book.credit_minor
    level = account.margin_level
    floating = account.equity_minor - account.balance_minor - credit
    call, stop_out = _margin_levels(spec)
    values = {
        "login": spec.login,
        "trade_mode": ACCOUNT_KINDS[spec.kind],
        "leverage": spec.leverage,
        "limit_orders": spec.limit_orders,
        "margin_so_mode": STOP_OUT_MODES[spec.stop_out_mode],
        "trade_allowed": spec.trade_allowed and not logon.is_investor,
        "trade_expert": spec.experts_allowed,
        "margin_mode": MARGIN_MODES[spec.margin_mode],
        "currency_digits": digits,
        "fifo_close": spec.fifo_close,
        "balance": money_from_minor(account.balance_minor, digits),
        "credit": money_from_minor(credit, digits),
        "profit": money_from_minor(floating, digits),
        "equity": money_from_minor(account.equity_minor, digits),
        "margin": money_from_minor(account.margin_minor, digits),
        "margin_free": money_from_minor(account.free_margin_minor, digits),
        "margin_level": 100 * level if level is not None else 0.0,
        "margin_so_call": call,
        "margin_so_so": stop_out,
        "name": spec.name,
        "server": venue.server,
        "currency": spec.currency,
        "company": venue.company,
    }
    return filled(AccountInfo, values)


def _margin_levels(spec: AccountSpec) -> tuple[float, float]:
    if spec.stop_out_mode is StopOutMode.MONEY:
        return spec.margin_call_money, spec.stop_out_money
    return spec.margin_call_percent, spec.stop_out_percent


def terminal_face(company: str, options: TerminalOptions) -> Any:
    """Return a TerminalInfo."""
    values = {
        "community_account": False,
        "community_connection": False,
        "connected": True,
        "dlls_allowed": False,
        "trade_allowed": options.autotrading,
        "tradeapi_disabled": not options.python_trading,
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
    return filled(TerminalInfo, values)


def symbol_face(book: Book, symbol: str, *, is_shown: bool) -> Any:
    """Return a SymbolInfo; a hidden symbol has no prices."""
    instrument = book.venue.instrument(symbol)
    depth = book.venue.instruments[symbol].depth_points
    triple = instrument.triple_swap_weekday
    values = (
        _EMPTY
        | _money_of(book, instrument)
        | _trading_of(instrument)
        | _prices_of(book, instrument, is_shown=is_shown)
        | {
            "select": is_shown,
            "visible": is_shown,
            "digits": instrument.digits,
            "spread_float": True,
            "ticks_bookdepth": len(depth) or 1,
            "swap_mode": SWAP_MODES[instrument.swap_mode],
            "swap_rollover3days": 7 if triple is None else triple,
            "swap_long": instrument.swap_long,
            "swap_short": instrument.swap_short,
            "point": instrument.point,
            "currency_base": instrument.base_currency,
            "currency_profit": instrument.profit_currency,
            "currency_margin": instrument.margin_currency,
            "description": instrument.description,
            "name": symbol,
            "path": f"Simulated\\{symbol}",
        }
    )
    return filled(SymbolInfo, values)


def _prices_of(book: Book, instrument: Instrument, *, is_shown: bool) -> dict[str, Any]:
    quote = book.quote(instrument.symbol) if is_shown else None
    if quote is None:
        return {"bid": 0.0, "ask": 0.0, "spread": 0, "time": 0}
    scale = 10**instrument.digits
    return {
        "bid": quote.bid_points / scale,
        "ask": quote.ask_points / scale,
        "spread": quote.ask_points - quote.bid_points,
        "time": book.venue.clock.to_server_ms(quote.time_ms) // 1000,
    }


def _trading_of(instrument: Instrument) -> dict[str, Any]:
    return {
        "trade_mode": TRADE_MODES[instrument.trade_mode],
        "trade_exemode": EXECUTION_MODES[instrument.execution_mode],
        "trade_stops_level": instrument.stops_level_points,
        "trade_freeze_level": instrument.freeze_level_points,
        "filling_mode": sum(FILLING_BITS.get(one, 0) for one in set(instrument.fillings)),
        "expiration_mode": sum(EXPIRATION_BITS[one] for one in set(instrument.expirations)),
        "order_mode": _order_mask(instrument),
        "order_gtc_mode": GTC_MODES[instrument.gtc_mode],
        "volume_min": lots_from_units(instrument.volume_min_units),
        "volume_max": lots_from_units(instrument.volume_max_units),
        "volume_step": lots_from_units(instrument.volume_step_units),
        "volume_limit": lots_from_units(instrument.volume_limit_units),
    }


def _order_mask(instrument: Instrument) -> int:
    mask = sum(ORDER_BITS[one] for one in set(instrument.order_types))
    mask += STOP_LOSS_BIT * instrument.stop_loss_allowed
    return mask + TAKE_PROFIT_BIT * instrument.take_profit_allowed


def _money_of(book: Book, instrument: Instrument) -> dict[str, Any]:
    gain_value, loss_value = book.tick_values(instrument.symbol)
    return {
        "trade_calc_mode": CALC_MODES[instrument.calculation_mode],
        "trade_contract_size": instrument.contract_size,
        "trade_face_value": instrument.face_value,
        "trade_accrued_interest": instrument.accrued_interest,
        "session_price_settlement": instrument.settlement_points / 10**instrument.digits,
        "margin_hedged": instrument.margin_hedged_contract,
        "margin_hedged_use_leg": instrument.margin_uses_leg,
        "margin_initial": instrument.margin_initial,
        "margin_maintenance": instrument.margin_maintenance,
        "trade_tick_size": instrument.tick_size,
        "trade_tick_value": gain_value,
        "trade_tick_value_profit": gain_value,
        "trade_tick_value_loss": loss_value,
    }


_INTS = (
    "chart_mode session_deals session_buy_orders session_sell_orders volume volumehigh volumelow "
    "start_time expiration_time option_mode option_right"
)
_TEXTS = "basis category bank exchange formula isin page"
_EMPTY: Final[dict[str, Any]] = (
    dict.fromkeys(_INTS.split(), 0) | dict.fromkeys(_TEXTS.split(), "") | {"custom": False}
)
