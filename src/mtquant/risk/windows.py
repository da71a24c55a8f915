"""What was lost since the day's and the week's start, and from the highest value seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from mtquant.model import ConfigError, DataError, Jsonable, ServerClock

if TYPE_CHECKING:
    from collections.abc import Mapping

LOSS_WINDOWS: Final = ("day", "week", "peak")
"""The windows over which losses are measured."""

_FIELDS: Final = tuple(
    f"{name}_{what}" for name in LOSS_WINDOWS for what in ("begin_ms", "start_minor")
)
_KEYS: Final = ("latest_ms", "value_minor", *_FIELDS)


class LossBasis(Enum):
    """Say what is measured: with floating profit and loss (equity) or without (balance)."""

    EQUITY = "equity"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWindow(Jsonable):
    """Tell of one window: since when (UTC ms) its start value holds, and what is lost of it.

    Money in minor units. `loss_fraction` is loss / start; it passes 1.0 when more than all is lost.
    """

    window: str
    begin_ms: int
    start_minor: int
    loss_minor: int
    loss_fraction: float


class LossWindows:
    """Follow one value of an account over the server's day, its week, and from its peak.

    Days begin at the server's midnight, weeks at its Monday 00:00; both follow its summer time. A
    window begins there, or later if the first look at the account, or `begin_anew`, came later.
    The peak's start is the highest value seen, its begin the moment at which it was seen.

    Nobody looks at the very moment a day begins. Its start is the larger of the last value before
    and the first one after: a loss between the two belongs to one of the days, and only so does a
    window see it; the smaller one would hide it from both.

    Time that goes back (a clock set back) moves no window: it counts as the latest time seen.
    """

    def __init__(self, clock: ServerClock, basis: LossBasis = LossBasis.EQUITY) -> None:
        self._clock = clock
        self._basis = basis
        self._latest_ms = 0
        self._value_minor = 0
        self._begin_ms: dict[str, int] = {}
        self._start_minor: dict[str, int] = {}

    @property
    def has_begun(self) -> bool:
        """Tell whether anything was observed yet, by this process or by one before it."""
        return bool(self._start_minor)

    def observe(
        self, now_ms: int, equity_minor: int, balance_minor: int, paid_minor: int = 0
    ) -> None:
        """Take in what the account is worth now.

        Args:
            now_ms: the broker's time, UTC ms.
            equity_minor: equity without credit, minor units.
            balance_minor: balance, minor units.
            paid_minor: money paid in (positive) or out (negative) since the last observation. It
                moves every start value along and is never profit or loss, so it has to be in
                this observation's value and in none before: a deal that shows later than its
                money looks like a profit first. With the first observation it says nothing, for
                the start holds it already.
        """
        value_minor = equity_minor if self._basis is LossBasis.EQUITY else balance_minor
        if not self.has_begun:
            self._begin_ms = dict.fromkeys(LOSS_WINDOWS, now_ms)
            self._start_minor = dict.fromkeys(LOSS_WINDOWS, value_minor)
            self._take(now_ms, value_minor)
            return
        now_ms = max(now_ms, self._latest_ms)
        for name in LOSS_WINDOWS:
            self._start_minor[name] += paid_minor
        if now_ms >= self._clock.next_midnight_ms(self._latest_ms):
            self._turn(now_ms, max(self._value_minor + paid_minor, value_minor))
        if value_minor > self._start_minor["peak"]:
            self._begin_ms["peak"] = now_ms
            self._start_minor["peak"] = value_minor
        self._take(now_ms, value_minor)

    def begin_anew(self, now_ms: int) -> None:
        """Let all three windows begin at `now_ms` (UTC ms) with the last value observed.

        Day and week still end with the server's day and week. Without an observation yet, the
        first one begins them.
        """
        now_ms = max(now_ms, self._latest_ms)
        self._begin_ms = dict.fromkeys(self._begin_ms, now_ms)
        self._start_minor = dict.fromkeys(self._start_minor, self._value_minor)
        self._take(now_ms, self._value_minor)

    def begin_ms(self, window: str) -> int:
        """Return since when a window's start holds (UTC ms), 0 before the first observation."""
        return self._begin_ms.get(window, 0)

    def start_minor(self, window: str) -> int:
        """Return a window's start, minor units, 0 before the first observation."""
        return self._start_minor.get(window, 0)

    def loss_minor(self, window: str) -> int:
        """Return how far the value stands below a window's start, minor units; 0 when above.

        Raises:
            ConfigError: `window` is not one of `LOSS_WINDOWS`.
            DataError: nothing was observed yet.
        """
        if window not in LOSS_WINDOWS:
            raise ConfigError(f"window: {window!r} is not one of {', '.join(LOSS_WINDOWS)}")
        if not self.has_begun:
            raise DataError(f"window: the {window} has no start before the first observation")
        return max(0, self._start_minor[window] - self._value_minor)

    def loss_fraction(self, window: str) -> float:
        """Return the loss as a fraction of the window's start value, 0.0 when nothing is lost.

        A start of zero or less has no fractions: any loss then counts as the whole, 1.0.

        Raises:
            ConfigError: `window` is not one of `LOSS_WINDOWS`.
            DataError: nothing was observed yet.
        """
        loss_minor = self.loss_minor(window)
        if loss_minor == 0:
            return 0.0
        start_minor = self._start_minor[window]
        return loss_minor / start_minor if start_minor > 0 else 1.0

    def window(self, window: str) -> LossWindow:
        """Return all there is to tell of one window.

        Raises:
            ConfigError: `window` is not one of `LOSS_WINDOWS`.
            DataError: nothing was observed yet.
        """
        loss_fraction = self.loss_fraction(window)
        return LossWindow(
            window=window,
            begin_ms=self._begin_ms[window],
            start_minor=self._start_minor[window],
            loss_minor=self.loss_minor(window),
            loss_fraction=loss_fraction,
        )

    def state(self) -> dict[str, int | str]:
        """Return what `restore` needs to go on exactly, as JSON scalars; empty before the first."""
        if not self.has_begun:
            return {}
        state: dict[str, int | str] = {
            "latest_ms": self._latest_ms,
            "value_minor": self._value_minor,
        }
        for name in LOSS_WINDOWS:
            state[f"{name}_begin_ms"] = self._begin_ms[name]
            state[f"{name}_start_minor"] = self._start_minor[name]
        return state

    def restore(self, state: Mapping[str, int | str]) -> None:
        """Take over what `state` returned, in this process or an earlier one.

        Start values that were measured on the other basis are kept: a change of the basis forgets
        nothing, and the next observation is held against them.

        Raises:
            DataError: a key is unknown or missing, or its value is no whole number. Nothing has
                changed then.
        """
        numbers = _numbers(state)
        if not numbers:
            self._begin_ms, self._start_minor = {}, {}
            return
        self._begin_ms = {name: numbers[f"{name}_begin_ms"] for name in LOSS_WINDOWS}
        self._start_minor = {name: numbers[f"{name}_start_minor"] for name in LOSS_WINDOWS}
        self._take(numbers["latest_ms"], numbers["value_minor"])

    def _take(self, now_ms: int, value_minor: int) -> None:
        self._latest_ms = now_ms
        self._value_minor = value_minor

    def _turn(self, now_ms: int, start_minor: int) -> None:
        """Begin a new day, and a new week if one has begun since the last observation."""
        self._begin_ms["day"] = self._clock.day_start_ms(now_ms)
        self._start_minor["day"] = start_minor
        week_ms = self._clock.week_start_ms(now_ms)
        if week_ms > self._latest_ms:
            self._begin_ms["week"] = week_ms
            self._start_minor["week"] = start_minor


def _numbers(state: Mapping[str, int | str]) -> dict[str, int]:
    """Return the whole numbers of a state of windows, all of them or none."""
    for key in state:
        if key not in _KEYS:
            raise DataError(f"{key}: no key of a loss window; known: {', '.join(_KEYS)}")
    numbers: dict[str, int] = {}
    for key in _KEYS if state else ():
        value = state.get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise DataError(f"{key}: a loss window needs a whole number here, was {value!r}")
        numbers[key] = value
    return numbers
