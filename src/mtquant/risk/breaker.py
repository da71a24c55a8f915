"""The circuit breaker: a ladder of losses that rises by itself and falls on a person's word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from mtquant.model import CircuitBreakerError, Jsonable, Position, ServerClock
from mtquant.risk.ladder import (
    LEVELS,
    BreakerReport,
    BreakerReset,
    BreakerSpec,
    BreakerStep,
    CircuitBreakerStatus,
)
from mtquant.risk.windows import LOSS_WINDOWS, LossWindows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MINUTE_MS: Final = 60_000
_PREFIX: Final = "windows."  # of the windows' own keys in a stored state
_STARTS: Final = {"day": "the day's start", "week": "the week's start", "peak": "the peak"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Latch(Jsonable):
    """Hold the level and the last rise: what neither recovery nor restart may undo."""

    level: int
    triggered_ms: int
    window: str
    reason: str
    closes_worst: bool

    def __post_init__(self) -> None:
        if self.level not in (0, *LEVELS):
            raise ValueError(f"level must be 0, 1, 2 or 3, was {self.level}")
        if self.level and self.window not in LOSS_WINDOWS:
            raise ValueError(
                f"window must be one of {', '.join(LOSS_WINDOWS)}, was {self.window!r}"
            )


_NORMAL: Final = _Latch(level=0, triggered_ms=0, window="", reason="", closes_worst=False)


class CircuitBreaker:
    """Hold a latched level from 0 (normal) to 3 (halt), driven by the losses of the windows.

    Only a reset by a named person takes the level down: neither a recovery, a new day, a deposit
    nor a restart does. Whoever uses it stores `state()` before acting on a step, so that a crash
    in between forgets nothing: `has_to_close_worst` and `has_to_flatten` are still true after it.
    """

    def __init__(self, spec: BreakerSpec, clock: ServerClock) -> None:
        self.spec = spec
        self._clock = clock
        self._windows = LossWindows(clock, spec.basis)
        self._latch = _NORMAL

    @property
    def level(self) -> int:
        """Return the level, 0 to 3."""
        return self._latch.level

    @property
    def status(self) -> CircuitBreakerStatus:
        """Return the level's name."""
        return CircuitBreakerStatus(self.level)

    @property
    def scale(self) -> float:
        """Return what is left of a volume at this level, a factor from 1.0 to 0.0.

        At level 1 it is for new volume. Level 2 opens nothing: there it is how much of what is
        held may stay.
        """
        return self.spec.scale(self.level)

    @property
    def can_open(self) -> bool:
        """Tell whether positions may be opened: at levels 0 and 1."""
        return self.level < 2

    @property
    def can_increase(self) -> bool:
        """Tell whether positions may be added to: at levels 0 and 1, for it is new risk too."""
        return self.level < 2

    @property
    def can_reduce(self) -> bool:
        """Tell whether positions may be made smaller, closed or protected: always."""
        return True

    @property
    def has_to_close_worst(self) -> bool:
        """Tell whether the worst position is still to be closed, after a rise to level 2.

        True until `worst_was_closed`; at level 3 everything is flattened instead.
        """
        return self._latch.closes_worst

    @property
    def has_to_flatten(self) -> bool:
        """Tell whether no position of ours may stay: at level 3."""
        return self.level == 3

    @property
    def can_reset_ms(self) -> int | None:
        """Return from when on (UTC ms) a person may reset, None where nothing is to be reset."""
        if self.level == 0:
            return None
        return self._latch.triggered_ms + self.spec.cool_down_minutes * _MINUTE_MS

    @property
    def windows(self) -> LossWindows:
        """Return what is lost since the day's and the week's start and from the peak."""
        return self._windows

    def observe(
        self, now_ms: int, equity_minor: int, balance_minor: int, paid_minor: int = 0
    ) -> BreakerStep | None:
        """Take in what the account is worth; return a step if the level rises, else None.

        A loss that passes several levels at once is one step to the highest. The step is returned,
        not acted on: store `state()`, then act.

        Args:
            now_ms: the broker's time, UTC ms.
            equity_minor: equity without credit, minor units.
            balance_minor: balance, minor units.
            paid_minor: money paid in (positive) or out (negative) since the last observation. It
                changes no loss, but what is left of the account to hold the loss against. It has
                to be in the values of this observation and in none before.
        """
        self._windows.observe(now_ms, equity_minor, balance_minor, paid_minor)
        window = max(self.spec.windows, key=self._windows.loss_fraction)  # the first of equals
        level = self.spec.level_of(self._windows.loss_fraction(window))
        if level <= self.level:
            return None
        step = self._step(level, window, now_ms)
        self._latch = _Latch(
            level=level,
            triggered_ms=now_ms,
            window=window,
            reason=step.reason,
            closes_worst=level == 2,
        )
        return step

    def worst_was_closed(self) -> None:
        """Take note that the worst position is closed, or that there is none to close."""
        self._latch = replace(self._latch, closes_worst=False)

    def reset(self, now_ms: int, who: str, reason: str) -> BreakerReset:
        """Go back to level 0 on a named person's word, and return the record of it.

        Day, week and peak all begin anew at `now_ms` with the last value observed: if one of them
        went on, the loss that was looked at would trip the breaker again at once. Day and week
        still end with the server's.

        Raises:
            CircuitBreakerError: nobody is named, no reason is given, the level is 0 already, or
                the cool-down is not over; then the message says when it is, and the detail
                `can_reset_ms` holds it.
        """
        for key, text in (("who", who), ("reason", reason)):
            if not text.strip():
                raise CircuitBreakerError(f"{key}: a reset needs a person and a reason, was empty")
        can_reset_ms = self.can_reset_ms
        if can_reset_ms is None:
            raise CircuitBreakerError("the circuit breaker is at level 0: nothing is to be reset")
        if now_ms < can_reset_ms:
            whole_minute_ms = -(-can_reset_ms // _MINUTE_MS) * _MINUTE_MS
            raise CircuitBreakerError(
                f"the circuit breaker rose to level {self.level} at "
                f"{self._clock.text(self._latch.triggered_ms)}; it can be reset from "
                f"{self._clock.text(whole_minute_ms)} on (server time)",
                can_reset_ms=can_reset_ms,
            )
        record = BreakerReset(from_level=self.level, who=who, reason=reason, now_ms=now_ms)
        self._latch = _NORMAL
        self._windows.begin_anew(now_ms)
        return record

    def report(self, now_ms: int) -> BreakerReport:
        """Return the state for people; `now_ms` is the broker's time, UTC ms."""
        can_reset_ms = self.can_reset_ms
        is_up = can_reset_ms is not None
        latch = self._latch
        seen = LOSS_WINDOWS if self._windows.has_begun else ()
        return BreakerReport(
            status=self.status,
            triggered_ms=latch.triggered_ms if is_up else None,
            trigger_level=latch.level if is_up else None,
            minutes_since_trigger=(now_ms - latch.triggered_ms) / _MINUTE_MS if is_up else None,
            can_reset=can_reset_ms is not None and now_ms >= can_reset_ms,
            can_reset_ms=can_reset_ms,
            can_open=self.can_open,
            can_increase=self.can_increase,
            can_reduce=self.can_reduce,
            scale=self.scale,
            window=latch.window if is_up else None,
            reason=latch.reason if is_up else None,
            windows=tuple(self._windows.window(name) for name in seen),
        )

    def state(self) -> dict[str, int | str]:
        """Return what `restore` needs to go on exactly, as JSON scalars.

        It changes with every observation. What an older one lacks is what was seen since: a
        restart from it keeps the level, and may know a lower peak.
        """
        windows = {_PREFIX + key: value for key, value in self._windows.state().items()}
        return self._latch.to_dict() | windows

    def restore(self, state: Mapping[str, int | str]) -> None:
        """Take over what `state` returned, in this process or an earlier one.

        Raises:
            DataError: a key is unknown or missing, or its value means nothing. Nothing has changed
                then.
        """
        latch = _Latch.from_dict({k: v for k, v in state.items() if not k.startswith(_PREFIX)})
        self._windows.restore(
            {k.removeprefix(_PREFIX): v for k, v in state.items() if k.startswith(_PREFIX)}
        )
        self._latch = latch

    def _step(self, level: int, window: str, now_ms: int) -> BreakerStep:
        lost, limit_fraction = self._windows.window(window), self.spec.limit_fraction(level)
        return BreakerStep(
            from_level=self.level,
            level=level,
            window=window,
            loss_fraction=lost.loss_fraction,
            loss_minor=lost.loss_minor,
            start_minor=lost.start_minor,
            limit_fraction=limit_fraction,
            now_ms=now_ms,
            reason=f"{self.spec.basis.value} is {lost.loss_fraction:.2%} below {_STARTS[window]}; "
            f"level {level} begins at {limit_fraction:.2%}",
        )


def worst_position(positions: Sequence[Position]) -> Position | None:
    """Return the position with the largest floating loss, swap included, None of no positions.

    Of equals it is the oldest, the one with the lowest ticket. Where all are in profit it is the
    one with the least: closing it still reduces what is at risk.
    """
    return min(
        positions,
        key=lambda position: (
            position.profit_minor + position.swap_minor,
            position.position_ticket,
        ),
        default=None,
    )
