"""Market Watch: the symbols that a terminal shows, and those whose depth it follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MarketWatch:
    """Remember what a terminal shows; hidden symbols have no prices in it."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._shown = set(symbols)
        self._depths: set[str] = set()

    def shows(self, symbol: str) -> bool:
        """Tell whether a symbol is shown."""
        return symbol in self._shown

    def show(self, symbol: str) -> None:
        """Show a symbol."""
        self._shown.add(symbol)

    def hide(self, symbol: str) -> bool:
        """Hide a symbol; one whose depth is followed stays, and the answer is False."""
        if symbol in self._depths:
            return False
        self._shown.discard(symbol)
        return True

    def follows_depth(self, symbol: str) -> bool:
        """Tell whether the depth of a symbol is followed."""
        return symbol in self._depths

    def follow_depth(self, symbol: str) -> None:
        """Follow the depth of a symbol."""
        self._depths.add(symbol)

    def leave_depth(self, symbol: str) -> None:
        """Follow the depth of a symbol no more."""
        self._depths.discard(symbol)
