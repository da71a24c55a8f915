"""Intent numbers: one per intent, below 2^53, and telling whose they are.

Layout (52 bits): namespace 8 | bot 12 | sequence 32. The number is sent as MetaTrader's magic.
"""

from __future__ import annotations

from dataclasses import dataclass

_BOT_BITS, _SEQUENCE_BITS = 12, 32
NAMESPACE = 0xA7


@dataclass(frozen=True, slots=True, kw_only=True)
class BotIdentity:
    """Name one bot on an account: its intents are recognised by their number."""

    bot: int = 1
    namespace: int = NAMESPACE

    def __post_init__(self) -> None:
        """Refuse numbers that do not fit their bits.

        Raises:
            ValueError: `bot` or `namespace` is out of range.
        """
        if not 0 <= self.bot < 1 << _BOT_BITS:
            raise ValueError(f"bot must be 0 to {(1 << _BOT_BITS) - 1}, was {self.bot}")
        if not 0 < self.namespace < 1 << 8:
            raise ValueError(f"namespace must be 1 to 255, was {self.namespace}")

    def intent_id(self, sequence: int) -> int:
        """Return the number of this bot's intent `sequence`.

        >>> BotIdentity(bot=1).owns(BotIdentity(bot=1).intent_id(7))
        True

        Raises:
            ValueError: the sequence is used up.
        """
        if not 0 < sequence < 1 << _SEQUENCE_BITS:
            raise ValueError(f"intent sequence must be 1 to 2^32 - 1, was {sequence}")
        prefix = (self.namespace << _BOT_BITS) | self.bot
        return (prefix << _SEQUENCE_BITS) | sequence

    def owns(self, intent_id: int) -> bool:
        """Tell whether an intent number belongs to this bot."""
        return intent_id >> _SEQUENCE_BITS == (self.namespace << _BOT_BITS) | self.bot

    @staticmethod
    def sequence_of(intent_id: int) -> int:
        """Return the sequence part of an intent number."""
        return intent_id & ((1 << _SEQUENCE_BITS) - 1)
