"""The symbol map translates both ways and never guesses."""

from pathlib import Path

import pytest
import yaml

from mtquant.broker import SymbolMapper
from mtquant.model import ConfigError, SymbolNotFoundError

SHIPPED = [
    (symbol, broker, name)
    for symbol in SymbolMapper().get_all_standard_symbols()
    for broker, name in SymbolMapper().get_symbol_metadata(symbol)["names"].items()
]
GOOD = {
    "brokers": {"acme": {"name": "Acme"}},
    "symbols": {"EURUSD": {"kind": "forex", "names": {"acme": "EURUSD.a"}}},
}


def written(path: Path, content: object) -> Path:
    file = path / "symbols.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return file


@pytest.mark.parametrize(("symbol", "broker", "name"), SHIPPED)
def test_every_shipped_name_translates_both_ways(symbol: str, broker: str, name: str):
    mapper = SymbolMapper()

    assert mapper.to_broker_symbol(symbol, broker) == name
    assert mapper.to_standard_symbol(name, broker) == symbol
    assert mapper.validate_symbol(symbol)


def test_an_unknown_name_is_answered_with_the_nearest():
    mapper = SymbolMapper()

    with pytest.raises(SymbolNotFoundError, match="did you mean 'EURUSD'"):
        mapper.to_broker_symbol("EURUSDX", "oanda")
    with pytest.raises(ConfigError, match="did you mean 'oanda'"):
        mapper.to_broker_symbol("EURUSD", "oandaa")
    with pytest.raises(SymbolNotFoundError, match=r"add symbols\.USOIL\.names\.oanda"):
        mapper.to_broker_symbol("USOIL", "oanda")
    with pytest.raises(SymbolNotFoundError, match="'EURUSD' at oanda"):
        mapper.to_standard_symbol("EURUSD", "oanda")
    assert not mapper.validate_symbol("eurusd")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a section"),
        ("[1, 2]", "expected a section"),
        ("a: [", "not valid YAML"),
        ("brokers: {}\nbrokers: {}\n", "'brokers' stands twice"),
        ("symbols: {A: {kind: x, names: {}}, A: {kind: y, names: {}}}", "'A' stands twice"),
        ("[" * 5000, "not valid YAML"),
        ({"symbls": {}}, "did you mean 'symbols'"),
        (
            {"brokers": {}, "symbols": {"A": {"kind": "x", "names": {"acme": "A"}}}},
            "symbols.A.names.acme: no such broker",
        ),
        (
            GOOD | {"symbols": {s: {"kind": "x", "names": {"acme": "SAME"}} for s in "AB"}},
            "'SAME' already stands for A",
        ),
        (
            GOOD | {"symbols": {"A": {"kind": "x", "names": {"acme": ""}}}},
            "the name is empty",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_file_is_refused_in_one_line_and_the_old_map_stays(
    tmp_path: Path, content: object, message: str
):
    mapper = SymbolMapper(written(tmp_path, GOOD))
    written(tmp_path, content)

    with pytest.raises(ConfigError) as caught:
        mapper.reload()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert mapper.to_broker_symbol("EURUSD", "acme") == "EURUSD.a"


def test_a_reload_takes_the_new_file(tmp_path: Path):
    mapper = SymbolMapper(written(tmp_path, GOOD))
    changed = {"EURUSD": {"kind": "forex", "names": {"acme": "EURUSD.b"}}}
    written(tmp_path, GOOD | {"symbols": changed})
    mapper.reload()

    assert mapper.to_broker_symbol("EURUSD", "acme") == "EURUSD.b"


def test_a_file_that_cannot_be_read_is_a_configuration_error(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        SymbolMapper(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ConfigError, match="not UTF-8"):
        SymbolMapper(tmp_path / "binary.yaml")
