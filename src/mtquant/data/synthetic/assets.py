"""What the synthetic market is made of: assets, what moves them together, and their usual day.

An asset is a currency or a thing, valued in dollars (GER40: in euros). A symbol is an asset, or
the ratio of two. Levels are round and belong to no date; daily volatilities are long averages;
the days are what hourly volatility looks like in public bars of 2006 to 2018.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mtquant.model import ConfigError
from mtquant.model.reading import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY_MINUTES: Final = 1440
WEEK_MINUTES: Final = 7 * DAY_MINUTES
NUMERAIRE: Final = "USD"

# Daily volatility of a weekend (two closed days) and of a closed hour, against a whole day's.
_WEEKEND: Final = 0.3
_CLOSED_HOUR: Final = 0.05
_PULL_WEEKS: Final = {"crypto": 26.0, "energy": 78.0}  # what moves much is drawn back sooner


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Describe what an asset does: where it hovers, how much it moves a day, and with whom.

    `loadings` are its correlations with the drivers; what they leave is its own. `day` names its
    hours. `pull_weeks` is how long half of a distance to `level` takes to close.
    """

    level: float
    daily_volatility: float
    day: str
    ticks: float
    loadings: dict[str, float]
    pull_weeks: float

    @property
    def own_loading(self) -> float:
        """Return the part of the movement that no driver explains."""
        return math.sqrt(1.0 - sum(one**2 for one in self.loadings.values()))


def _asset(
    level: float, daily_volatility: float, day: str, ticks: float, **loadings: float
) -> Asset:
    return Asset(
        level=level,
        daily_volatility=daily_volatility,
        day=day,
        ticks=ticks,
        loadings=loadings,
        pull_weeks=_PULL_WEEKS.get(day, 104.0),
    )


DRIVERS: Final = ("dollar", "europe", "risk", "commodity", "metal", "wall_street", "crypto")
ASSETS: Final = {
    "EUR": _asset(1.14, 0.0052, "europe", 45, dollar=0.76, europe=0.46, risk=0.06),
    "GBP": _asset(1.33, 0.0056, "london", 50, dollar=0.66, europe=0.30, risk=0.14),
    "CHF": _asset(1.20, 0.0055, "europe", 40, dollar=0.70, europe=0.50, risk=-0.15),
    "JPY": _asset(1 / 150, 0.0047, "asia", 50, dollar=0.48, risk=-0.40, metal=0.20),
    "AUD": _asset(0.66, 0.0062, "asia", 40, dollar=0.62, risk=0.34, commodity=0.52),
    "NZD": _asset(0.60, 0.0066, "asia", 35, dollar=0.62, risk=0.30, commodity=0.52),
    "CAD": _asset(1 / 1.38, 0.0047, "america", 40, dollar=0.55, risk=0.25, commodity=0.35),
    "XAU": _asset(4000.0, 0.0088, "metal", 110, dollar=0.58, risk=-0.10, metal=0.70),
    "XAG": _asset(50.0, 0.0160, "metal", 60, dollar=0.45, risk=0.08, metal=0.75),
    "US500": _asset(6700.0, 0.0108, "wall_street", 90, risk=0.85, wall_street=0.45),
    "NAS100": _asset(25_000.0, 0.0130, "wall_street", 130, risk=0.80, wall_street=0.48),
    "US30": _asset(46_000.0, 0.0103, "wall_street", 100, risk=0.82, wall_street=0.46),
    "GER40": _asset(24_000.0, 0.0115, "frankfurt", 80, risk=0.68, europe=0.10),
    "USOIL": _asset(66.0, 0.0215, "energy", 60, risk=0.32, commodity=0.35, dollar=0.10),
    "BTC": _asset(100_000.0, 0.0400, "crypto", 150, crypto=0.91, risk=0.12),
    "ETH": _asset(3500.0, 0.0460, "crypto", 120, crypto=0.90, risk=0.12),
}

# Volatility of the hours from 17:00 in New York on.
_DAYS: Final = {
    "europe": (
        *(0.72, 0.55, 0.65, 0.78, 0.72, 0.64, 0.54, 0.56, 0.75, 1.10, 1.34, 1.20),
        *(1.07, 1.03, 1.15, 1.47, 1.38, 1.45, 1.22, 1.01, 0.97, 1.06, 0.78, 0.63),
    ),
    "london": (
        *(0.75, 0.52, 0.56, 0.68, 0.64, 0.55, 0.50, 0.50, 0.68, 1.10, 1.40, 1.42),
        *(1.25, 1.22, 1.27, 1.35, 1.38, 1.46, 1.22, 1.00, 0.94, 0.97, 0.74, 0.64),
    ),
    "asia": (
        *(0.80, 0.80, 1.00, 1.17, 1.06, 0.92, 0.82, 0.80, 0.88, 1.03, 1.06, 0.90),
        *(0.83, 0.80, 0.93, 1.20, 1.28, 1.30, 1.08, 1.00, 0.98, 1.09, 0.90, 0.70),
    ),
    "america": (
        *(0.62, 0.52, 0.58, 0.66, 0.62, 0.54, 0.50, 0.52, 0.66, 0.92, 1.06, 1.00),
        *(0.92, 0.95, 1.18, 1.58, 1.52, 1.58, 1.34, 1.10, 1.00, 1.06, 0.76, 0.60),
    ),
    "metal": (
        *(0.00, 0.68, 0.68, 0.95, 0.96, 0.70, 0.62, 0.62, 0.74, 0.94, 1.06, 0.92),
        *(0.86, 0.85, 0.98, 1.50, 1.58, 1.47, 1.20, 1.04, 1.05, 1.12, 0.90, 0.66),
    ),
    "wall_street": (
        *(0.00, 0.95, 0.72, 0.78, 0.74, 0.62, 0.58, 0.62, 0.60, 0.70, 0.78, 0.69),
        *(0.67, 0.69, 0.75, 0.88, 1.42, 1.54, 1.38, 1.26, 1.26, 1.50, 1.72, 1.02),
    ),
    "frankfurt": (
        *(0.00, 0.55, 0.50, 0.50, 0.45, 0.42, 0.40, 0.45, 0.62, 1.05, 1.80, 1.50),
        *(1.25, 1.12, 1.15, 1.45, 1.50, 1.58, 1.20, 0.85, 0.75, 0.80, 0.80, 0.55),
    ),
    "energy": (
        *(0.00, 0.60, 0.60, 0.70, 0.65, 0.55, 0.50, 0.55, 0.70, 0.92, 1.05, 1.00),
        *(0.95, 0.95, 1.04, 1.30, 1.60, 1.75, 1.55, 1.35, 1.25, 1.38, 0.90, 0.60),
    ),
    "crypto": (
        *(0.97, 1.05, 1.03, 1.00, 0.96, 0.95, 0.92, 0.92, 0.87, 0.91, 0.93, 0.96),
        *(0.95, 0.96, 1.00, 1.15, 1.07, 1.05, 1.07, 1.05, 1.01, 1.00, 1.03, 1.10),
    ),
}
# Full and half hours begin busily: the minutes of an hour against each other.
_FIRST_MINUTES: Final = {0: 1.40, 1: 1.17, 2: 1.07, 30: 1.40, 31: 1.08}

# Symbols that are no pair.
_ALONE: Final = ("US500", "NAS100", "US30", "GER40", "USOIL")


def legs(symbol: str) -> tuple[str, str]:
    """Return the assets whose ratio a symbol is; `USD` stands for one.

    >>> legs("EURJPY"), legs("USDCAD"), legs("US500")
    (('EUR', 'JPY'), ('USD', 'CAD'), ('US500', 'USD'))

    Raises:
        ConfigError: no such asset; the message names the nearest symbol.
    """
    if symbol in _ALONE:
        return symbol, NUMERAIRE
    upper, lower = symbol[:3], symbol[3:]
    known = {NUMERAIRE, *ASSETS}
    if len(symbol) == 6 and upper in known and lower in known and upper != lower:
        return upper, lower
    usual = [*_ALONE, *(_usual_name(asset) for asset in ASSETS if asset not in _ALONE)]
    raise ConfigError(f"symbols: {symbol!r} is not made up here; {nearest(symbol, usual)}")


def _usual_name(asset: str) -> str:
    return f"USD{asset}" if asset in {"JPY", "CHF", "CAD"} else f"{asset}USD"


def week_profile(day: str) -> NDArray[np.float64]:
    """Return the volatility of every minute of a week, float64[10080], from Sunday 17:00 New York.

    The mean square of an open day is one. Closed hours move a little, for the gap behind them.
    """
    curve, closes = _day_curve(day), _DAYS[day][0] == 0
    week = np.tile(curve / math.sqrt(float(np.mean(curve**2))), 7)
    if closes:
        is_closed = np.arange(WEEK_MINUTES) % DAY_MINUTES < 60
        week[is_closed] = _CLOSED_HOUR * math.sqrt(24)
    if day != "crypto":
        week[5 * DAY_MINUTES :] = _WEEKEND / math.sqrt(2)
    return week


def _day_curve(day: str) -> NDArray[np.float64]:
    """Return the minutes of a day, drawn through the middles of its hours; a closed one rests."""
    hours = np.array(_DAYS[day])
    minutes = np.arange(DAY_MINUTES)
    if hours[0]:
        around, middles = np.r_[hours[-1], hours, hours[0]], np.arange(-1, 25) * 60 + 29.5
    else:
        around, middles = hours[1:], np.arange(1, 24) * 60 + 29.5
    curve = np.interp(minutes, middles, around)
    curve *= np.array([_FIRST_MINUTES.get(one % 60, 0.97) for one in minutes.tolist()])
    return curve * (minutes >= 60) if not hours[0] else curve
