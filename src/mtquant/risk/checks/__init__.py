"""The checks of an opening order: pure functions that return plain results."""

from typing import Final

from mtquant.risk.checks.account import ACCOUNT
from mtquant.risk.checks.pace import PACE
from mtquant.risk.checks.price import PRICE
from mtquant.risk.checks.rule import Result, Rule
from mtquant.risk.checks.size import SIZE
from mtquant.risk.checks.standing import STANDING

ENTRY_RULES: Final[tuple[Rule, ...]] = (*STANDING, *PRICE, *SIZE, *PACE, *ACCOUNT)
"""What an opening order must pass, as far as the limits switch it on."""

__all__ = ["ENTRY_RULES", "Result", "Rule"]
