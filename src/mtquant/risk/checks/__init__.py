"""The checks of orders: pure functions that return plain results."""

from typing import Final

from mtquant.risk.checks.account import ACCOUNT
from mtquant.risk.checks.moves import MOVES
from mtquant.risk.checks.pace import PACE
from mtquant.risk.checks.price import PRICE
from mtquant.risk.checks.rule import Result, Rule
from mtquant.risk.checks.size import SIZE
from mtquant.risk.checks.standing import STANDING

ENTRY_RULES: Final[tuple[Rule, ...]] = (*STANDING, *PRICE, *SIZE, *PACE, *ACCOUNT)
"""What an opening order must pass, as far as the limits switch it on."""

MOVE_RULES: Final[tuple[Rule, ...]] = MOVES
"""What a change of a position's levels must pass, whatever the limits."""

__all__ = ["ENTRY_RULES", "MOVE_RULES", "Result", "Rule"]
