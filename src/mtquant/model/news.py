"""Economic news: when it comes, whose currency it moves, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Impact(Enum):
    """Say how strongly news is expected to move prices; a higher value is more."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsEvent:
    """Hold one release: its time (UTC ms), the currency it concerns, its impact and its title."""

    time_ms: int
    currency: str
    impact: Impact
    title: str
