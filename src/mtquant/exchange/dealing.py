"""How a venue deals in an instrument: what a symbol's own properties do not tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FillPrice(Enum):
    """Say at which price an order the market has passed is filled: its own or the market's."""

    LEVEL = "level"
    MARKET = "market"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealing:
    """Hold how orders of one instrument are carried out.

    `depth` lists, from the best price on, (points away from it, units there) of either side; empty
    means any volume at the best price. What a tick's orders take is back with the next tick.
    """

    limit_fill: FillPrice = FillPrice.LEVEL
    target_fill: FillPrice = FillPrice.MARKET
    requotes: bool = True
    real_accounts_only: bool = False
    swap_skips_holidays: bool = False
    depth: tuple[tuple[int, int], ...] = ()
