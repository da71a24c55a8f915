"""The limits that a person sets, in the six sections of `config/risk-limits.yaml`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from enum import Enum
from typing import Any, Final

from mtquant.model import ConfigError
from mtquant.model.reading import nearest
from mtquant.model.sensible import Sensible, Unit
from mtquant.risk.classes import AssetClass
from mtquant.risk.hours import open_spans
from mtquant.risk.ladder import LOSS, BreakerSpec
from mtquant.risk.sizing import SizingSpec

SECTIONS: Final = ("position", "portfolio", "losses", "breaker", "strategy", "pre_trade")
"""How the file of limits is divided."""


class OnCorrelation(Enum):
    """Name what is done about an entry that moves together with what is held."""

    WARN = "warn"
    REDUCE = "reduce"
    REJECT = "reject"


class Directions(Enum):
    """Name which entries are allowed at all."""

    BOTH = "both"
    LONG_ONLY = "long_only"
    SHORT_ONLY = "short_only"
    CLOSE_ONLY = "close_only"


def _in(
    section: str,
    *,
    sensible: Sensible | None = None,
    least: float | None = None,
    above: float | None = None,
) -> dict[str, Any]:
    """Return what is said about a field.

    Args:
        section: one of `SECTIONS`.
        sensible: what anybody may mean by it, for numbers that are mistaken for percentages.
        least: the smallest value.
        above: what the value has to be more than.
    """
    said = {"section": section, "least": least, "above": above}
    return said if sensible is None else said | {"sensible": sensible}


def _times(least: float, most: float) -> Sensible:
    return Sensible(least, most, Unit.TIMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class PropChoice:
    """Name the rules of a prop firm and the account's size, and how far from them to stop.

    `rules` is a shipped set or a file, `phase` one of its phases (empty: all rules apply);
    `initial_deposit` is money of the account's currency, and so is `highest_balance`: the highest
    value that a trailing floor has followed, needed where an account was traded before the bot came
    to it. `buffer_fraction` of each allowance is kept free.
    """

    rules: str
    initial_deposit: float
    phase: str = ""
    highest_balance: float | None = None
    buffer_fraction: float = field(default=0.1, metadata={"sensible": Sensible(0.005, 0.99)})

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ConfigError: the message names the key, the value and what would be right.
        """
        if self.initial_deposit <= 0:
            raise ConfigError(f"initial_deposit must be above 0, was {self.initial_deposit:g}")
        highest = self.highest_balance
        if highest is not None and highest < self.initial_deposit:
            raise ConfigError(
                f"highest_balance must be at least the initial_deposit, {self.initial_deposit:g}, "
                f"was {highest:g}"
            )
        if not 0 <= self.buffer_fraction < 1:
            raise ConfigError(
                f"buffer_fraction must be at least 0 and below 1, was {self.buffer_fraction:g}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits:
    """Hold the limits of one bot; None switches a limit off.

    Fractions are of equity (risk, margin) or of what a window began with (losses). An exposure
    ratio is the value of positions ÷ equity, both in the account's currency: 1.5 is one and a half
    times the account. Entries are counted for each strategy, sent ones, whatever became of them:
    over the last 60 seconds, since the server's midnight, and on one side without one on the other;
    after too many of the last a person must look and resume.
    """

    risk_per_trade_fraction: float = field(
        default=0.01, metadata=_in("position", sensible=Sensible(0.0005, 0.1))
    )
    sizing: SizingSpec = field(default=SizingSpec(), metadata=_in("position"))
    max_position_exposure_ratio: float | None = field(
        default=None, metadata=_in("position", sensible=_times(0.01, 30))
    )
    max_daily_volume_fraction: float | None = field(
        default=None, metadata=_in("position", sensible=Sensible(0.001, 1))
    )
    average_daily_lots: Mapping[str, float] = field(default_factory=dict, metadata=_in("position"))
    min_order_lots: float | None = field(default=None, metadata=_in("position", least=0))

    max_positions: int = field(default=1, metadata=_in("portfolio", least=1))
    max_gross_exposure_ratio: float | None = field(
        default=None, metadata=_in("portfolio", sensible=_times(0.1, 100))
    )
    max_net_exposure_ratio: float | None = field(
        default=None, metadata=_in("portfolio", sensible=_times(0.05, 100))
    )
    max_symbol_exposure_ratio: float | None = field(
        default=None, metadata=_in("portfolio", sensible=_times(0.02, 50))
    )
    max_class_exposure_ratio: float | None = field(
        default=None, metadata=_in("portfolio", sensible=_times(0.05, 100))
    )
    max_currency_exposure_ratio: float | None = field(
        default=None, metadata=_in("portfolio", sensible=_times(0.05, 100))
    )
    asset_classes: Mapping[str, str] = field(default_factory=dict, metadata=_in("portfolio"))
    max_correlation: float | None = field(
        default=None, metadata=_in("portfolio", sensible=Sensible(0.05, 1))
    )
    on_correlation: OnCorrelation = field(default=OnCorrelation.REJECT, metadata=_in("portfolio"))
    correlation_bars: int = field(default=100, metadata=_in("portfolio", least=30))

    max_daily_loss_fraction: float = field(default=0.05, metadata=_in("losses", sensible=LOSS))
    max_weekly_loss_fraction: float | None = field(
        default=None, metadata=_in("losses", sensible=LOSS)
    )
    max_drawdown_fraction: float | None = field(default=None, metadata=_in("losses", sensible=LOSS))
    prop: PropChoice | None = field(default=None, metadata=_in("losses"))

    breaker: BreakerSpec | None = field(default=None, metadata=_in("breaker"))

    max_entries_per_minute: int = field(default=60, metadata=_in("strategy", least=1))
    max_entries_per_day: int | None = field(default=None, metadata=_in("strategy", least=1))
    max_entries_in_a_row: int | None = field(default=None, metadata=_in("strategy", least=1))
    max_holding_hours: float | None = field(default=None, metadata=_in("strategy", above=0))
    cool_down_after_loss_minutes: float | None = field(
        default=None, metadata=_in("strategy", least=0)
    )

    max_spread_points: int = field(default=50, metadata=_in("pre_trade", least=0))
    max_quote_age_s: int = field(default=60, metadata=_in("pre_trade", least=1))
    price_band_fraction: float | None = field(
        default=0.10, metadata=_in("pre_trade", sensible=Sensible(0.0005, 0.5))
    )
    max_slippage_points: int | None = field(default=None, metadata=_in("pre_trade", least=0))
    min_reward_risk: float | None = field(default=None, metadata=_in("pre_trade", least=0))
    min_account_equity: float | None = field(default=None, metadata=_in("pre_trade", least=0))
    min_margin_level_percent: float | None = field(
        default=None, metadata=_in("pre_trade", sensible=Sensible(50, 4000, Unit.PERCENT))
    )
    max_leverage: Mapping[str, float] = field(
        default_factory=dict, metadata=_in("pre_trade", sensible=Sensible(1, 3000, Unit.LEVERAGE))
    )
    directions: Directions = field(default=Directions.BOTH, metadata=_in("pre_trade"))
    fifo_no_hedge: bool = field(default=False, metadata=_in("pre_trade"))
    pattern_day_trader: bool = field(default=False, metadata=_in("pre_trade"))
    trading_hours: tuple[str, ...] = field(default=(), metadata=_in("pre_trade"))
    news_calendar: str | None = field(default=None, metadata=_in("pre_trade"))
    news_minutes_before: float = field(default=5.0, metadata=_in("pre_trade", least=0))
    news_minutes_after: float = field(default=5.0, metadata=_in("pre_trade", least=0))

    def __post_init__(self) -> None:
        """Refuse limits that do not limit.

        Raises:
            ConfigError: the message names the key, the value and what would be right.
        """
        risk = self.risk_per_trade_fraction
        if not 0 < risk <= 0.1:
            raise ConfigError(
                f"risk_per_trade_fraction: {risk:g} would risk {risk:.0%} of equity on one trade; "
                "use more than 0 and at most 0.1 (for half a percent write 0.005 or '0.5%')"
            )
        for one in fields(self):
            self._require_in_range(one, getattr(self, one.name))
        self._require_classes()
        open_spans(self.trading_hours)

    def _require_in_range(self, one: Field[Any], value: Any) -> None:
        least, name = one.metadata["least"], one.name
        if least is not None and value is not None and not value >= least:
            unmet = "must not be negative" if least == 0 else f"must be at least {least}"
            raise ConfigError(f"{name} {unmet}, was {value:g}")
        above = one.metadata["above"]
        if above is not None and value is not None and not value > above:
            raise ConfigError(f"{name} must be above {above}, was {value:g}")
        if not isinstance(value, float):
            return
        if name.endswith("_loss_fraction") and not 0 < value < 1:
            raise ConfigError(f"{name} must lie between 0 and 1, was {value:g}")
        if "sensible" in one.metadata and not 0 < value < math.inf:
            raise ConfigError(f"{name} must be above 0, was {value:g}")

    def _require_classes(self) -> None:
        known = [one.value for one in AssetClass]
        named = [("asset_classes", symbol, one) for symbol, one in self.asset_classes.items()]
        named += [("max_leverage", one, one) for one in self.max_leverage]
        for where, key, one in named:
            if one not in known:
                raise ConfigError(
                    f"{where}.{key}: {one!r} is no asset class; {_nearest_class(one, known)}"
                )
        for where, numbers in (
            ("max_leverage", self.max_leverage),
            ("average_daily_lots", self.average_daily_lots),
        ):
            for key, number in numbers.items():
                if not 0 < number < math.inf:
                    raise ConfigError(f"{where}.{key} must be above 0, was {number:g}")

    @property
    def needs_exposure(self) -> bool:
        """Tell whether a limit looks at what positions are worth."""
        ratios = (
            self.max_gross_exposure_ratio,
            self.max_net_exposure_ratio,
            self.max_symbol_exposure_ratio,
            self.max_class_exposure_ratio,
            self.max_currency_exposure_ratio,
        )
        return any(one is not None for one in ratios) or bool(self.max_leverage)


def _nearest_class(name: str, known: list[str]) -> str:
    """Return a hint for a class that is no name of one: `forex` may be any of forex."""
    finer = [one for one in known if one.startswith(f"{name}_")]
    return f"did you mean {' or '.join(map(repr, finer))}?" if finer else nearest(name, known)


def in_sections(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the keys of limits that may be written in sections, all on one level.

    Raises:
        ConfigError: a key stands twice or in the wrong section; the message names the right one.
    """
    homes = {one.name: one.metadata["section"] for one in fields(RiskLimits)}
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        is_section = name in SECTIONS and (name not in homes or _is_section_of(value, homes, name))
        keys = value if is_section else {name: value}
        if not isinstance(keys, Mapping):
            raise ConfigError(f"{where}.{name}: expected a section, got {value!r}")
        for key, one in keys.items():
            if is_section and homes.get(key, name) != name:
                raise ConfigError(
                    f"{where}.{name}.{key}: this key belongs to the section {homes[key]!r}"
                )
            if key in flat:
                raise ConfigError(f"{where}: {key} stands twice")
            flat[key] = one
    return flat


def _is_section_of(value: Any, homes: Mapping[str, str], name: str) -> bool:
    """Tell a section from the key of its name, such as `breaker: {breaker: ...}`."""
    return isinstance(value, Mapping) and any(homes.get(key) == name for key in value)
