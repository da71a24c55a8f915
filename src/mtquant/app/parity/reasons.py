"""Why a way of playing did what it did around a bar, in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from mtquant.app.parity.words import moment, price
from mtquant.engine.kernels import Played, Said, layout
from mtquant.strategy import DIRECTIONS

if TYPE_CHECKING:
    from mtquant.model import Bars, Publish

_TELLING: Final = frozenset(
    {
        "signal_raised",
        "signal_missed",
        "order_approved",
        "order_refused",
        "entry_dropped",
        "intent_resolved",
        "position_opened",
        "position_closed",
        "link_lost",
        "halt_raised",
    }
)
_BY: Final = {
    layout.BY_BOT: "the bot",
    layout.BY_STOP: "stop loss",
    layout.BY_TARGET: "take profit",
    layout.BY_STOP_OUT: "stop-out",
}


class Reasons(Protocol):
    """Tell why things happened in a bar."""

    def around(self, bars: Bars, bar: int) -> tuple[str, ...]:
        """Return what led to the deals of a bar: what was decided at its opening, and in it."""
        ...


class Notes:
    """Keep the observations that an engine publishes."""

    def __init__(self) -> None:
        self._notes: list[Publish] = []

    def add(self, event: Publish) -> None:
        """Keep an observation, if it says why something was done."""
        if event.name in _TELLING:
            self._notes.append(event)

    def around(self, bars: Bars, bar: int) -> tuple[str, ...]:
        """Return the observations from the bar before on to the end of the bar."""
        first_ms = int(bars.time_ms[max(0, bar - 1)])
        end_ms = int(bars.time_ms[bar + 1]) if bar + 1 < len(bars) else None
        return tuple(
            _line(note)
            for note in self._notes
            if note.time_ms >= first_ms and (end_ms is None or note.time_ms < end_ms)
        )


class KernelRows:
    """Read the rows that a kernel has written, and what the strategy said."""

    def __init__(self, played: Played, said: Said) -> None:
        self._deals, self._said = played.deals, said

    def around(self, bars: Bars, bar: int) -> tuple[str, ...]:
        """Return what the strategy said at the close before the bar, and the rows of the bar."""
        lines = [self._opinion(bars, bar - 1)] if bar > 0 else []
        for number, row in enumerate(self._deals.tolist()):
            if row[layout.DEAL_BAR] == bar:
                lines.append(_row_line(number, row, bars.digits))
        return tuple(lines)

    def _opinion(self, bars: Bars, bar: int) -> str:
        direction = DIRECTIONS.get(int(self._said.directions[bar]))
        says = "nothing" if direction is None else direction.name
        strengths = self._said.strengths
        weight = "" if strengths is None else f", strength {strengths[bar]:g}"
        return f"{moment(int(bars.time_ms[bar]))} bar {bar}: the strategy says {says}{weight}"


def _line(note: Publish) -> str:
    fields = " ".join(
        f"{name}={value}" for name, value in note.fields.items() if value not in (None, "")
    )
    return f"{moment(note.time_ms)} {note.name} {fields}"


def _row_line(number: int, row: list[int], digits: int) -> str:
    kind = "out" if row[layout.ENTRY_KIND] else "in"
    level = f"level {price(row[layout.LEVEL], digits)}"
    if row[layout.REASON] == layout.BY_STOP_OUT:
        level = f"equity {row[layout.LEVEL]}, margin {row[layout.SO_MARGIN]} minor units"
    asked = row[layout.ASKED]
    return (
        f"{moment(row[layout.TIME_MS])} row {number}: {kind}, reason {_BY[row[layout.REASON]]}, "
        f"{level if row[layout.LEVEL] else 'no level'}, "
        f"asked {price(asked, digits) if asked else 'no price'}, "
        f"filled {price(row[layout.PRICE], digits)}"
    )
