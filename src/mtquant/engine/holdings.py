"""Whose a position is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mtquant.model import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtquant.engine.slot import StrategySlot
    from mtquant.execution import Desk
    from mtquant.model import Position
    from mtquant.portfolio import Portfolio


class Holdings:
    """Share the bot's positions out among its strategies."""

    def __init__(self, slots: Sequence[StrategySlot], desk: Desk, portfolio: Portfolio) -> None:
        self._slots, self._desk, self._portfolio = tuple(slots), desk, portfolio
        self._held: dict[str, tuple[Position, ...]] = {}  # by strategy

    def of(self, strategy_id: str) -> tuple[Position, ...]:
        """Return the positions of a strategy, as of the last reading."""
        return self._held.get(strategy_id, ())

    def update(self) -> None:
        """Share out what the last reading has shown.

        Of one that is shown larger than what deals have left of it, what is left.
        """
        held: dict[str, list[Position]] = {}
        for position in self._portfolio.own_positions:
            owner = self.owner(position)
            if owner is not None:
                held.setdefault(owner.strategy_id, []).append(self._rest(position))
        self._held = {name: tuple(positions) for name, positions in held.items()}

    def _rest(self, position: Position) -> Position:
        units = self._desk.left_units(position)
        if units in (0, position.volume_units):  # all of one that is closed is still shown
            return position
        return replace(position, volume_units=units)

    def owner(self, position: Position) -> StrategySlot | None:
        """Return whose a position of the bot is; one of a strategy that is gone is adopted."""
        row = self._desk.row(position.intent_id)
        slots = [slot for slot in self._slots if slot.symbol == position.symbol]
        for slot in slots:
            if row is not None and slot.strategy_id == row.intent.strategy_id:
                return slot
        return slots[0] if slots else None


def require_one_slot_a_symbol(symbols: Sequence[str]) -> None:
    """Refuse that strategies share a symbol: a netting account would mix their positions.

    Raises:
        ConfigError: the message names the symbol.
    """
    twice = [symbol for symbol in dict.fromkeys(symbols) if symbols.count(symbol) > 1]
    if twice:
        raise ConfigError(
            f"strategies: several trade {', '.join(twice)}, and a netting account holds one "
            "position a symbol; use a hedging account, or one strategy a symbol"
        )
