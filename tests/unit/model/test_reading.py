"""Configuration is read strictly: a refusal names the key, the value and what would be right."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from mtquant.model import ConfigError, Side, nearest, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    risk_fraction: float = 0.01
    max_positions: int = 1

    def __post_init__(self) -> None:
        if self.max_positions < 1:
            raise ValueError(f"max_positions must be at least 1, was {self.max_positions}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    name: str
    risk: Risk = field(default_factory=Risk)
    side: Side = Side.BUY
    volume: float = 0.1
    is_live: bool = False
    note: str | None = None
    levels: tuple[int, ...] = ()
    shares_fraction: tuple[float, ...] = ()
    bots: Mapping[str, Risk] = field(default_factory=dict)
    tags: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    anything: object = None


def test_a_full_dictionary_becomes_the_class():
    made = read(
        Config,
        {
            "name": "demo",
            "risk": {"risk_fraction": "0.5%", "max_positions": 3},
            "side": "sell",
            "volume": 1,
            "is_live": True,
            "note": None,
            "levels": [1, 2],
            "shares_fraction": ["25%", 0.75],
            "bots": {"a": {"max_positions": 2}},
            "tags": {"x": 1, "y": "z", "w": None},
            "anything": [1],
        },
    )

    assert made == Config(
        name="demo",
        risk=Risk(risk_fraction=0.005, max_positions=3),
        side=Side.SELL,
        volume=1.0,
        is_live=True,
        levels=(1, 2),
        shares_fraction=(0.25, 0.75),
        bots={"a": Risk(max_positions=2)},
        tags={"x": 1, "y": "z", "w": None},
        anything=[1],
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"nmae": "x"}, "nmae: unknown key; did you mean 'name'?"),
        ({"name": "x", "risk": {"max_position": 2}}, "risk.max_position: .*'max_positions'"),
        ({"name": "x", "zzzz": 2}, "zzzz: unknown key; known: anything, bots"),
        ({}, "name: this key is required"),
        (None, r"configuration: expected a section with keys \(name, risk"),
        ({"name": "x", "risk": 5}, r"risk: expected a section with keys \(risk_fraction, max_"),
        ({"name": "x", "risk": None}, "risk: expected a section"),
        ({"name": "x", "risk": {"risk_fraction": 5}}, "risk.risk_fraction: 5 is more than the who"),
        (
            {"name": "x", "risk": {"risk_fraction": "5"}},
            "expected a fraction such as 0.01, or '1%'",
        ),
        ({"name": "x", "risk": {"risk_fraction": "x%"}}, "expected a fraction"),
        ({"name": "x", "risk": {"risk_fraction": "nan%"}}, "expected a fraction"),
        ({"name": "x", "risk": {"risk_fraction": math.nan}}, "expected a fraction"),
        ({"name": "x", "risk": {"risk_fraction": math.inf}}, "more than the whole"),
        ({"name": "x", "risk": {"risk_fraction": "500%"}}, "more than the whole"),
        ({"name": "x", "risk": {"risk_fraction": -0.01}}, "must not be negative"),
        ({"name": "x", "risk": {"risk_fraction": True}}, "expected a fraction"),
        ({"name": "x", "risk": {"risk_fraction": 10**400}}, "more than the whole"),
        ({"name": "x", "shares_fraction": [5]}, r"shares_fraction\[0\]: 5 is more than the whole"),
        ({"name": "x", "risk": {"max_positions": 0}}, "risk.max_positions must be at least 1"),
        ({"name": "x", "risk": {"max_positions": 1.0}}, "expected a whole number, got 1.0"),
        ({"name": "x", "risk": {"max_positions": True}}, "expected a whole number"),
        ({"name": 5}, "name: expected text, got 5"),
        ({"name": "x", "side": "up"}, "side: 'up' is not one of buy, sell"),
        ({"name": "x", "side": 1}, "side: 1 is not one of buy, sell"),
        ({"name": "x", "volume": "1"}, "volume: expected a number, got '1'"),
        ({"name": "x", "volume": False}, "volume: expected a number"),
        ({"name": "x", "volume": math.nan}, "volume: expected a finite number"),
        ({"name": "x", "volume": -math.inf}, "volume: expected a finite number"),
        ({"name": "x", "volume": 10**400}, "volume: expected a finite number"),
        ({"name": "x", "volume": -(10**400)}, "volume: expected a finite number"),
        ({"name": "x", "is_live": "yes"}, "is_live: expected true or false"),
        ({"name": "x", "levels": 5}, "levels: expected a list, got 5"),
        ({"name": "x", "levels": [1, "2"]}, r"levels\[1\]: expected a whole number"),
        ({"name": "x", "bots": [1]}, "bots: expected a section"),
        ({"name": "x", "bots": {"a": 5}}, "bots.a: expected a section"),
        ({"name": "x", "note": 5}, "note: expected text"),
        ({"name": "x", "tags": {"a": [1]}}, "tags.a: expected one of str, int, float, bool"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_is_wrong(raw: object, message: str):
    with pytest.raises(ConfigError, match=message):
        read(Config, raw)


def test_a_section_read_on_its_own_names_its_place():
    with pytest.raises(ConfigError, match=r"bots.a.max_positions must be at least 1, was 0"):
        read(Risk, {"max_positions": 0}, "bots.a")


def test_a_refusal_at_the_top_has_no_place_to_name():
    with pytest.raises(ConfigError, match=r"^max_positions must be at least 1, was 0$"):
        read(Risk, {"max_positions": 0})


def test_a_word_near_a_known_one_is_pointed_out():
    assert nearest("EURUSB", ["EURUSD", "GBPUSD"]) == "did you mean 'EURUSD'?"
    assert nearest("gold", ["EURUSD", "GBPUSD"]) == "known: EURUSD, GBPUSD"
