"""Which rule goes by which key of the limits, and in which unit a key is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_EQUITY: Final = "x equity"
_SIZING: Final = "sizing"
_LADDER: Final = "circuit breaker"
_GUARD: Final = "prop guard"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """Say the unit of a key, the rules of the gate that look at it, and what else goes by it."""

    unit: str = ""
    rules: tuple[str, ...] = ()
    also: str = ""


def _of(unit: str, *rules: str, also: str = "") -> KeyFacts:
    return KeyFacts(unit=unit, rules=rules, also=also)


KEYS: Final[dict[str, KeyFacts]] = {
    "risk_per_trade_fraction": _of("of equity", also=_SIZING),
    "sizing": _of("", also=_SIZING),
    "max_position_exposure_ratio": _of(_EQUITY, "max_position_exposure"),
    "max_daily_volume_fraction": _of("of a day's volume", "max_daily_volume"),
    "average_daily_lots": _of("lots", "max_daily_volume"),
    "min_order_lots": _of("lots", "min_order"),
    "max_positions": _of("positions", "max_positions", also="late entries"),
    "max_gross_exposure_ratio": _of(_EQUITY, "max_gross_exposure"),
    "max_net_exposure_ratio": _of(_EQUITY, "max_net_exposure"),
    "max_symbol_exposure_ratio": _of(_EQUITY, "max_symbol_exposure"),
    "max_class_exposure_ratio": _of(_EQUITY, "max_class_exposure"),
    "max_currency_exposure_ratio": _of(_EQUITY, "max_currency_exposure"),
    "asset_classes": _of("", "max_class_exposure", "max_leverage"),
    "max_correlation": _of("correlation", "max_correlation", also=_SIZING),
    "on_correlation": _of("", "max_correlation", also=_SIZING),
    "correlation_bars": _of("bars", "max_correlation", also=_SIZING),
    "max_daily_loss_fraction": _of("of the day's start", "max_daily_loss"),
    "max_weekly_loss_fraction": _of("of the week's start", "max_weekly_loss"),
    "max_drawdown_fraction": _of("of the highest equity", "max_drawdown"),
    "prop": _of("", "prop_rules", also=f"{_GUARD}, exits before breaks"),
    "breaker": _of("", "breaker", also=f"{_LADDER}, {_SIZING}"),
    "max_entries_per_minute": _of("entries", "max_entries_per_minute"),
    "max_entries_per_day": _of("entries", "max_entries_per_day"),
    "max_entries_in_a_row": _of("entries", "max_entries_in_a_row"),
    "max_holding_hours": _of("hours", also="exit with the next bar"),
    "cool_down_after_loss_minutes": _of("minutes", "cool_down"),
    "max_spread_points": _of("points", "max_spread"),
    "max_quote_age_s": _of("seconds", "quote_age"),
    "price_band_fraction": _of("of the last close", "price_band"),
    "max_slippage_points": _of("points", "max_slippage"),
    "min_reward_risk": _of("reward ÷ risk", "min_reward_risk"),
    "min_account_equity": _of("money", "min_equity"),
    "min_margin_level_percent": _of("%", "min_margin_level"),
    "max_leverage": _of("times", "max_leverage"),
    "directions": _of("", "directions"),
    "fifo_no_hedge": _of("", "fifo_no_hedge"),
    "pattern_day_trader": _of("", "pattern_day_trader"),
    "trading_hours": _of("server time", "trading_hours"),
    "news_calendar": _of("", "news", also=_GUARD),
    "news_minutes_before": _of("minutes", "news"),
    "news_minutes_after": _of("minutes", "news"),
}
"""Of each field of `RiskLimits`, in its order."""

PARTS: Final[dict[str, str]] = {
    "sizing.lots": "lots",
    "sizing.max_lots": "lots",
    "sizing.equity_fraction": "of equity",
    "sizing.atr_multiplier": "x ATR",
    "sizing.win_rate_fraction": "of trades",
    "sizing.kelly_fraction": "of Kelly's stake",
    "sizing.annual_volatility_fraction": "a year",
    "breaker.level_1_fraction": "of a window's start",
    "breaker.level_2_fraction": "of a window's start",
    "breaker.level_3_fraction": "of a window's start",
    "breaker.level_1_scale": "of a volume",
    "breaker.level_2_scale": "of a volume",
    "breaker.cool_down_minutes": "minutes",
    "prop.initial_deposit": "money",
    "prop.highest_balance": "money",
    "prop.buffer_fraction": "of each allowance",
}
"""Units of the keys inside `sizing`, `breaker` and `prop`; others have none."""

WITHOUT_KEY: Final = (
    "halt",
    "reconciled",
    "unresolved_order",
    "trade_mode",
    "cash",
    "quote",
    "stop_loss",
    "take_profit",
    "volume",
    "free_margin",
    "value_known",
)
"""Rules that no key sets a limit for; the last one is looked at where exposure is limited."""
