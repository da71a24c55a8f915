"""What a deal costs at a venue: commission by several models, and a fee beside it."""

from __future__ import annotations

from dataclasses import dataclass

from mtquant.exchange import rules
from mtquant.model import CommissionEntry, DealEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """Hold the costs of deals; money in minor units of the account currency."""

    per_lot_minor: float = 0.0
    percent: float = 0.0
    per_deal_minor: float = 0.0
    minimum_minor: float = 0.0
    entry: CommissionEntry = CommissionEntry.BOTH
    fee_per_lot_minor: float = 0.0

    def of(self, units: int, value_minor: float, entry: DealEntry) -> int:
        """Return the commission of one deal (negative = charged).

        Args:
            units: volume, 1e-8 lots.
            value_minor: what the volume is worth at its price.
            entry: of the deal, which the filter lets through or not.
        """
        pays = CommissionEntry.IN if entry is DealEntry.IN else CommissionEntry.OUT
        if self.entry not in {CommissionEntry.BOTH, pays}:
            return 0
        return rules.commission_minor(
            units,
            self.per_lot_minor,
            value_minor,
            self.percent,
            self.per_deal_minor,
            self.minimum_minor,
        )

    def fee(self, units: int) -> int:
        """Return the fee of one deal (negative = charged); no filter applies to it."""
        return rules.commission_minor(units, self.fee_per_lot_minor)
