"""What a refusal says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Say which rule refuses, the value it saw, its limit, and what would pass."""

    rule: str
    value: str
    limit: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.rule}: {self.value} (limit {self.limit})"
        return f"{text}; {self.remedy}" if self.remedy else text
