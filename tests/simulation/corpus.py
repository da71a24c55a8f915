"""The seeds that once failed, and those that still do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simulation.checks import KNOWN, NOT_YET
from simulation.schedule import Seed

CORPUS = Path(__file__).with_name("corpus.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Hold a seed; `breaks` names the check that it still breaks, empty for none."""

    seed: Seed
    breaks: str = ""

    @property
    def reason(self) -> str:
        """Return why it breaks its check."""
        if self.breaks in NOT_YET:
            return NOT_YET[self.breaks]
        return " or ".join(one.reason for one in KNOWN if one.check == self.breaks)


def read_corpus() -> list[Kept]:
    """Return the kept seeds in the order of the file."""
    lines = [line.partition("#")[0].split() for line in CORPUS.read_text("utf-8").splitlines()]
    return [Kept(seed=Seed.read(words[0]), breaks="".join(words[1:])) for words in lines if words]


def keep(seed: Seed) -> None:
    """Add a seed to the corpus, once."""
    if seed not in {kept.seed for kept in read_corpus()}:
        with CORPUS.open("a", encoding="utf-8") as file:
            file.write(f"{seed}\n")
