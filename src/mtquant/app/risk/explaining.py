"""`mtquant risk explain`: what the gate and the sizer say to a hypothetical order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mtquant.app.plain_text import aligned, lots_text, money_text, price_text, shown, utc_text
from mtquant.app.risk.hypothesis import Hypothesis, Stand
from mtquant.model import UNITS_PER_LOT, OrderIntent, units_from_lots
from mtquant.risk import Refusal, Refused, RiskEngine, Sizing, largest_units

if TYPE_CHECKING:
    from mtquant.app.config import LoadedConfig
    from mtquant.risk import Result

_AT_LEAST: Final = frozenset(
    {"min_order", "min_reward_risk", "min_equity", "min_margin_level", "cool_down"}
)
_SCALES: Final = {"min_order": UNITS_PER_LOT}
"""What a limit is multiplied by to be in its value's unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Hold what one rule says, in words.

    `of_limit` is the value ÷ its limit, None where they are no numbers; `is_least` tells that the
    limit is the least that passes, not the most.
    """

    passes: bool
    refusal: Refusal
    of_limit: float | None
    is_least: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        one = self.refusal
        return {
            "rule": one.rule,
            "passes": self.passes,
            "value": one.value,
            "limit": one.limit,
            "of_limit": self.of_limit,
            "limit_is": "least" if self.is_least else "most",
            "remedy": one.remedy,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Hold the verdict on a hypothetical order, rule by rule, its size and what would pass.

    `largest_units` is the largest volume that passes every rule, 0 where none does; then
    `objections` name the rules that refuse the smallest volume, too.
    """

    stand: Stand
    units: int
    size: Sizing | Refusal
    findings: tuple[Finding, ...]
    largest_units: int
    objections: tuple[str, ...]

    @property
    def refused(self) -> list[Finding]:
        """Return what does not pass."""
        return [one for one in self.findings if not one.passes]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; volumes in 1e-8 lots, prices in points, money in minor."""
        return {
            **self.stand.to_dict(),
            "volume_units": self.units,
            "passes": not self.refused,
            "size": _size_facts(self.size),
            "rules": [one.to_dict() for one in self.findings],
            "largest_volume_units": self.largest_units,
            "refuse_every_volume": list(self.objections),
        }


def explain(loaded: LoadedConfig, asked: Hypothesis) -> Explanation:
    """Return what the gate says to an order; without a volume the sizer's is judged.

    Where the sizer has none either, the rules are looked at with the smallest volume.

    Raises:
        ConfigError: the venue does not trade the symbol, or the limits need what is not there.
    """
    stand = Stand.of(loaded, asked)
    size = stand.size()
    units = stand.instrument.volume_min_units
    if asked.lots is not None:
        units = units_from_lots(asked.lots)
    elif isinstance(size, Sizing):
        units = size.volume_units
    stand = stand.holding(units)
    gate = RiskEngine(loaded.config.risk)
    largest, objections = _largest(gate, stand)
    return Explanation(
        stand=stand,
        units=units,
        size=stand.size(),
        findings=_findings(gate, stand, stand.intent(units)),
        largest_units=largest,
        objections=objections,
    )


def explanation_lines(found: Explanation) -> list[str]:
    """Return it for people."""
    size, digits = found.size, found.stand.instrument.digits
    rows = [("", "rule", "value", "limit", "how far"), *map(_cells, found.findings)]
    sized = (
        f"{lots_text(size.volume_units)} lots: {size.explanation}"
        if isinstance(size, Sizing)
        else f"none: {size}"
    )
    return [
        "A hypothetical order on a hypothetical account; nothing is sent.",
        f"order: {_order_words(found, digits)}",
        f"account: {_account_words(found.stand)}",
        f"size by {found.stand.method}: {sized}",
        "",
        *aligned(rows),
        "",
        *_verdict(found),
    ]


def _size_facts(size: Sizing | Refusal) -> dict[str, Any]:
    if isinstance(size, Sizing):
        told = {"volume_units": size.volume_units, "risk_minor": size.risk_minor}
        return {**told, "explanation": size.explanation, "refusal": None}
    return {"volume_units": 0, "risk_minor": 0, "explanation": "", "refusal": str(size)}


def _findings(gate: RiskEngine, stand: Stand, intent: OrderIntent) -> tuple[Finding, ...]:
    verdict = gate.decide(intent, stand.view(intent))
    found = verdict.findings  # None only for what reduces risk
    told, results = ([], ()) if found is None else (found.told(), found.results)
    return tuple(
        Finding(
            passes=passes,
            refusal=refusal,
            of_limit=_of_limit(refusal.rule, result),
            is_least=refusal.rule in _AT_LEAST,
        )
        for (passes, refusal), result in zip(told, results, strict=True)
    )


def _of_limit(rule: str, result: Result) -> float | None:
    """Return value ÷ limit of a bare result, None where they are no numbers."""
    _, value, limit = result
    if rule == "price_band" and limit:
        reference, band = limit
        return abs(value - reference) / (reference * band) if band > 0 else None
    if isinstance(value, tuple):
        value = value[0]
    if isinstance(limit, tuple) and limit:
        limit = limit[0]
    if not _is_number(value) or not _is_number(limit) or not limit > 0:
        return None
    ratio = float(value / (limit * _SCALES.get(rule, 1)))
    return ratio if math.isfinite(ratio) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _largest(gate: RiskEngine, stand: Stand) -> tuple[int, tuple[str, ...]]:
    """Return the largest volume that passes, or 0 and the rules that refuse the smallest."""
    refused: dict[int, tuple[str, ...]] = {}

    def passes(units: int) -> bool:
        refused[units] = _refused_by(gate, stand, units)
        return not refused[units]

    least_units = units_from_lots(gate.limits.min_order_lots or 0)
    largest = largest_units(stand.instrument, passes, least_units)
    return largest, () if largest else refused[min(refused)]


def _refused_by(gate: RiskEngine, stand: Stand, units: int) -> tuple[str, ...]:
    intent = stand.intent(units)
    verdict = gate.decide(intent, stand.view(intent))
    if not isinstance(verdict, Refused):
        return ()
    return tuple(one.rule for one in verdict.refusals)


def _cells(one: Finding) -> tuple[str, ...]:
    far = ""
    if one.of_limit is not None:
        far = f"{one.of_limit:.0%} of the {'least' if one.is_least else 'most'}"
    refusal = one.refusal
    mark = "pass" if one.passes else "FAIL"
    return mark, refusal.rule, shown(refusal.value), shown(refusal.limit), far


def _order_words(found: Explanation, digits: int) -> str:
    stand, asked = found.stand, found.stand.asked
    words = [
        (
            f"{asked.side.name} {asked.symbol} {lots_text(found.units)} lots "
            f"at {price_text(stand.entry_points, digits)}"
        )
    ]
    for name, level in (("stop", stand.stop_points), ("target", stand.target_points)):
        told = "no " + name if level is None else f"{name} {price_text(level, digits)}"
        away = "" if level is None else f" ({abs(level - stand.entry_points)} points)"
        words.append(told + away)
    return ", ".join((*words, f"spread {stand.quote.spread_points} points"))


def _account_words(stand: Stand) -> str:
    account, asked = stand.account, stand.asked
    money = (account.currency, account.currency_digits)
    parts = [f"{asked.positions} held of {asked.symbol}, like the order"] if asked.positions else []
    parts += [
        f"held {one.side.name} {one.symbol} {lots_text(one.volume_units)} lots at "
        f"{price_text(one.open_points, one.digits)}"
        for one in stand.positions[asked.positions :]
    ]
    held = ", ".join(parts) or "nothing held"
    lost = f", {money_text(stand.loss_minor, money)} lost today" if stand.loss_minor else ""
    return (
        f"equity {money_text(account.equity_minor, money)}{lost}, {held}, "
        f"at {utc_text(asked.at_ms)} UTC"
    )


def _verdict(found: Explanation) -> list[str]:
    refused, rules = found.refused, len(found.findings)
    lines = [f"It passes all {rules} rules."]
    if refused:
        lines = [f"Refused by {len(refused)} of {rules} rules:"]
        lines += [f"  {one.refusal}" for one in refused]
    if found.objections:
        lines.append(f"What would pass: no volume; refused by {', '.join(found.objections)}.")
    else:
        most = lots_text(found.largest_units)
        lines.append(f"What would pass: up to {most} lots at this price and stop.")
    return lines
