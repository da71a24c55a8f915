"""Which figures of a summary a sweep keeps, what they are called and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mtquant.model import ConfigError
from mtquant.model.reading import nearest
from mtquant.research.words import NOTHING, number_text, percent_text, span_text

if TYPE_CHECKING:
    from mtquant.research.summary import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Describe a field of `Summary`: its label, its unit and how it is ranked.

    `unit` is money, fraction, ratio, count or duration (milliseconds). `center` is the value
    between good and bad, None where there is none.
    """

    name: str
    label: str
    unit: str
    is_lower_better: bool = False
    center: float | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether values are whole numbers."""
        return self.unit in {"count", "duration"}

    def text(self, value: float | None, digits: int = 2) -> str:
        """Return a value for people, without its currency; `digits` are those of money."""
        if value is None:
            return NOTHING
        if self.unit == "fraction":
            return percent_text(value)
        if self.unit == "duration":
            return span_text(int(value))
        return number_text(value, {"count": 0, "money": digits}.get(self.unit, 2))


def _figure(
    name: str,
    unit: str,
    label: str = "",
    *,
    is_lower_better: bool = False,
    center: float | None = None,
) -> Figure:
    label = label or name.replace("_", " ").capitalize()
    return Figure(name=name, label=label, unit=unit, is_lower_better=is_lower_better, center=center)


FIGURES: Final = {
    one.name: one
    for one in (
        _figure("net_profit", "money", center=0.0),
        _figure("return_fraction", "fraction", "Return", center=0.0),
        _figure("max_drawdown", "fraction", is_lower_better=True),
        _figure("drawdown_duration_ms", "duration", "Longest drawdown", is_lower_better=True),
        _figure("sharpe", "ratio", center=0.0),
        _figure("sortino", "ratio", center=0.0),
        _figure("profit_factor", "ratio", center=1.0),
        _figure("trades", "count"),
        _figure("win_rate", "fraction"),
        _figure("expectancy", "money", center=0.0),
        _figure("average_win", "money"),
        _figure("average_loss", "money"),
        _figure("commission", "money"),
        _figure("swap", "money", center=0.0),
        _figure("final_balance", "money"),
        _figure("final_equity", "money"),
        _figure("stop_losses", "count", is_lower_better=True),
        _figure("take_profits", "count"),
        _figure("stop_outs", "count", "Stop-outs", is_lower_better=True),
        _figure("open_positions", "count", is_lower_better=True),
    )
}


def figures_of(summary: Summary) -> list[float | int | None]:
    """Return the figures of a summary, in the order of `FIGURES`."""
    return [getattr(summary, name) for name in FIGURES]


def find_figure(name: str) -> Figure:
    """Return the figure of that name.

    Raises:
        ConfigError: there is none; the message has the nearest name.
    """
    if name not in FIGURES:
        raise ConfigError(f"{name}: there is no such figure; {nearest(name, list(FIGURES))}")
    return FIGURES[name]
