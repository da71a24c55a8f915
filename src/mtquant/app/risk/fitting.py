"""Limits that are slips: one contradicts another, or the venue has no such symbol or volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtquant.model import ConfigError
from mtquant.model.reading import nearest
from mtquant.risk.coherence import require_coherent

if TYPE_CHECKING:
    from mtquant.exchange import VenueSpec
    from mtquant.risk import RiskLimits


def require_fitting(limits: RiskLimits, venue: VenueSpec) -> None:
    """Refuse limits that contradict each other or the venue, or name symbols it does not have.

    Raises:
        ConfigError: the message names the key, the value and what would be right.
    """
    try:
        require_coherent(limits)
    except ConfigError as error:
        raise ConfigError(f"risk.{error}") from error
    known = list(venue.instruments)
    for key, named in (
        ("average_daily_lots", limits.average_daily_lots),
        ("asset_classes", limits.asset_classes),
    ):
        for symbol in named:
            if symbol not in known:
                raise ConfigError(
                    f"risk.{key}.{symbol}: the venue has no such symbol; {nearest(symbol, known)}"
                )
    least = min(one.volume_min_lots for one in venue.instruments.values())
    for key, lots in (("max_lots", limits.sizing.max_lots), ("lots", limits.sizing.lots)):
        if lots is not None and lots < least:
            raise ConfigError(
                f"risk.sizing.{key} ({lots:g}) is less than volume_min_lots ({least:g}), the "
                f"smallest volume of the venue: nothing could be opened; raise sizing.{key}"
            )
