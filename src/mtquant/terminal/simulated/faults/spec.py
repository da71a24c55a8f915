"""Faults as people write them down: what, when, how long, how often."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from mtquant.data import read_yaml
from mtquant.model import ConfigError, Side
from mtquant.model.reading import nearest, read
from mtquant.terminal.simulated.faults.kinds import (
    CODES,
    ERRORS,
    KEYS,
    FaultKind,
    Only,
    Shape,
)
from mtquant.terminal.simulated.faults.latency import Latency
from mtquant.terminal.simulated.module import NAMED
from mtquant.terminal.simulated.parsing import FORMATS, NO_ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FUNCTIONS: Final = frozenset({*NO_ARGUMENTS, *FORMATS, *NAMED}) - {"last_error", "shutdown"}
_WHENS: Final = ("at", "after_ms", "nth", "chance_fraction")
_LEAST: Final = {  # of the whole numbers
    "after_ms": 0,
    "nth": 1,
    "for_ms": 0,
    "times": 0,
    "delay_ms": 1,
    "ticks": 0,
    "positions_ticks": -1,
    "orders_ticks": -1,
    "history_ticks": -1,
    "account_ticks": -1,
    "points": 1,
    "length": -1,
    "login": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSpec:
    """Describe one fault; each kind takes some of the keys.

    When: `at` a time of the server's clock, `after_ms` of the market, with the `nth` trade request
    (or call of `function`), or by chance. A fault without any strikes at the first occasion.
    `for_ms` 0 means to the end; `times` 0 means once, or as often as possible within `for_ms`.
    """

    kind: FaultKind
    at: str | None = None
    after_ms: int | None = None
    nth: int | None = None
    chance_fraction: float | None = None
    for_ms: int = 0
    times: int = 0
    only: Only = Only.ANY
    function: str = ""
    error: int = -10005
    delay_ms: int = 1000
    code: int = 0
    executed: bool = False
    filled_fraction: float = 0.5
    closed_fraction: float = 1.0
    ticks: int = 1
    positions_ticks: int = -1
    orders_ticks: int = -1
    history_ticks: int = -1
    account_ticks: int = -1
    symbol: str = ""
    login: int = 0
    shape: Shape = Shape.FAR
    points: int = 1000
    length: int = -1
    text: str | None = None
    side: Side = Side.BUY
    volume: float = 0.0
    amount: float = 0.0

    def __post_init__(self) -> None:
        """Refuse keys of another kind and values that mean nothing.

        Raises:
            ConfigError: the message begins with the key and says what would be right.
        """
        self._require_keys()
        self._require_time()
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"{name}: must be at least {least}, was {value}")
        self._require_words()
        self._require_amounts()

    def _require_keys(self) -> None:
        allowed = KEYS[self.kind]
        for one in fields(self):
            if one.name not in allowed and getattr(self, one.name) != one.default:
                keys = sorted(allowed - {"kind"})
                raise ConfigError(
                    f"{one.name}: no key of {self.kind.name.lower()}; {nearest(one.name, keys)}"
                )

    def _require_time(self) -> None:
        given = [name for name in _WHENS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ConfigError(f"{given[1]}: give one of {', '.join(_WHENS)}, not {given[0]} too")
        if self.at is None:
            return
        try:
            moment = datetime.fromisoformat(self.at)
        except ValueError as error:
            raise ConfigError(
                f"at: {self.at!r} is no time of the server's clock, such as '2017-06-01T12:00'"
            ) from error
        if moment.tzinfo is not None:
            raise ConfigError(f"at: the server's clock has no zone; leave it out of {self.at!r}")

    def _require_words(self) -> None:
        if self.function and self.function not in FUNCTIONS:
            raise ConfigError(f"function: {self.function!r}; {nearest(self.function, _NAMES)}")
        if self.kind is FaultKind.NO_ANSWER and not self.function:
            raise ConfigError("function: name the function that answers None")
        if self.error not in ERRORS:
            raise ConfigError(f"error: {self.error} is not one of {_listed(ERRORS)}")
        if self.code and self.code not in CODES:
            raise ConfigError(f"code: {self.code} is not one of {_listed(CODES)}")

    def _require_amounts(self) -> None:
        if not 0 < self.filled_fraction < 1:
            raise ConfigError(
                f"filled_fraction: must be between 0 and 1, was {self.filled_fraction}"
            )
        if self.closed_fraction <= 0:
            raise ConfigError("closed_fraction: must be above 0")
        if self.volume < 0:
            raise ConfigError(f"volume: must not be negative, was {self.volume}")
        if self.kind is FaultKind.BALANCE and not self.amount:
            raise ConfigError("amount: state the money, negative for a withdrawal")
        if self.kind is FaultKind.COMMENT and self.text is None and self.length < 0:
            raise ConfigError("length: state how many characters stay, or the text instead")

    def lag_of(self, part: str) -> int:
        """Return by how many ticks a part of the terminal's view lags."""
        own: int = getattr(self, f"{part}_ticks")
        return self.ticks if own < 0 else own


PARTS: Final = ("positions", "orders", "history", "account")
_NAMES: Final = sorted(FUNCTIONS)


def _listed(codes: Any) -> str:
    return ", ".join(map(str, sorted(codes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """Say how likely faults are: per trade request, per tick, or (`no_answer`) per call.

    What lasts does so for `for_ms`; a late request comes `delay_ms` later, a lag is `ticks` long.
    """

    lost_request_fraction: float = 0.0
    lost_reply_fraction: float = 0.0
    late_fraction: float = 0.0
    timeout_fraction: float = 0.0
    timeout_executed_fraction: float = 0.0
    no_connection_fraction: float = 0.0
    no_connection_executed_fraction: float = 0.0
    answer_fraction: float = 0.0
    requote_fraction: float = 0.0
    placed_fraction: float = 0.0
    partial_fraction: float = 0.0
    link_loss_fraction: float = 0.0
    server_loss_fraction: float = 0.0
    cache_lag_fraction: float = 0.0
    torn_lag_fraction: float = 0.0
    autotrading_off_fraction: float = 0.0
    account_switch_fraction: float = 0.0
    stale_feed_fraction: float = 0.0
    spike_fraction: float = 0.0
    no_answer_fraction: float = 0.0
    comment_fraction: float = 0.0
    stripped_stop_fraction: float = 0.0
    manual_trade_fraction: float = 0.0
    manual_close_fraction: float = 0.0
    balance_fraction: float = 0.0
    for_ms: int = 60_000
    delay_ms: int = 1000
    ticks: int = 2
    amount: float = -1.0

    def __post_init__(self) -> None:
        """Refuse durations that are none.

        Raises:
            ConfigError: the message begins with the key.
        """
        for name in ("for_ms", "delay_ms", "ticks"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}: must be at least 1, was {getattr(self, name)}")
        if not self.amount:
            raise ConfigError("amount: state the money, negative for a withdrawal")

    def faults(self) -> tuple[FaultSpec, ...]:
        """Return a fault by chance for every rate that is not 0."""
        found: list[FaultSpec] = []
        for one in fields(self):
            name = one.name.removesuffix("_fraction")
            if name != one.name and getattr(self, one.name):
                found += self._drawn(name, getattr(self, one.name))
        return tuple(found)

    def _drawn(self, name: str, chance: float) -> list[FaultSpec]:
        facts = dict(_DRAWN.get(name, {}))
        kind: FaultKind = facts.pop("kind", None) or FaultKind[name.upper()]
        for key in ("for_ms", "delay_ms", "ticks", "amount"):
            if key in KEYS[kind] and kind not in _UNTIMED:
                facts.setdefault(key, getattr(self, key))
        functions = sorted(FUNCTIONS - {"initialize"}) if kind is FaultKind.NO_ANSWER else [""]
        return [
            FaultSpec(kind=kind, chance_fraction=chance, **facts | _function(function))
            for function in functions
        ]


def _function(name: str) -> dict[str, Any]:
    return {"function": name} if name else {}


_UNTIMED: Final = frozenset(
    kind for kind in FaultKind if "times" in KEYS[kind] and "delay_ms" not in KEYS[kind]
)
_DRAWN: Final[dict[str, Mapping[str, Any]]] = {
    "late": {"for_ms": 0},
    "timeout_executed": {"kind": FaultKind.TIMEOUT, "executed": True},
    "no_connection_executed": {"kind": FaultKind.NO_CONNECTION, "executed": True},
    "torn_lag": {"kind": FaultKind.CACHE_LAG, "orders_ticks": 0, "account_ticks": 1},
    "spike": {"shape": Shape.ANY},
    "comment": {"length": 4},
    "manual_close": {"closed_fraction": 0.5},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultScenario:
    """Hold all that goes wrong in a run, and the seed of what comes by chance."""

    seed: int = 1
    faults: tuple[FaultSpec, ...] = ()
    rates: FaultRates = field(default_factory=FaultRates)
    latency: Latency = field(default_factory=Latency)

    def __post_init__(self) -> None:
        """Refuse a seed that no generator takes.

        Raises:
            ConfigError: the seed is negative.
        """
        if self.seed < 0:
            raise ConfigError(f"seed: must not be negative, was {self.seed}")

    def all_faults(self) -> tuple[FaultSpec, ...]:
        """Return the listed faults and those by chance, in the order in which they are asked."""
        return self.faults + self.rates.faults()


def read_faults(raw: object, where: str = "") -> FaultScenario:
    """Return a scenario from the dictionary that a YAML file holds; `where` names the file.

    Raises:
        ConfigError: one line that names the key and says what would be right.
    """
    try:
        return read(FaultScenario, raw)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}" if where else str(error)) from error


def load_faults(path: Path) -> FaultScenario:
    """Read a scenario file.

    Raises:
        ConfigError: it cannot be read, or says something wrong; the message names file and key.
    """
    return read_faults(read_yaml(path), str(path))
