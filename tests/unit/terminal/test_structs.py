"""Structures and constants are those of the official module, by name, order, number and manner."""

import copy
import json
import pickle
from pathlib import Path

import pytest
from terminals import deal, make_terminal

from mtquant.terminal import constants as mt5
from mtquant.terminal import structs

API = Path(__file__).resolve().parents[4] / "shared" / "spec" / "mt5_api.json"
KINDS = {"int": int, "float": float, "str": str, "bool": bool}


@pytest.fixture(scope="module")
def api() -> dict:
    if not API.is_file():
        pytest.skip(f"the description of the official module is not at {API}")
    return json.loads(API.read_text(encoding="utf-8"))


@pytest.mark.shared
def test_every_constant_has_the_official_number_and_none_is_missing(api: dict):
    official = {name: fact["value"] for name, fact in api["constants"].items()}
    ours = {name: value for name, value in vars(mt5).items() if name.isupper()}

    assert ours == official


@pytest.mark.shared
def test_every_structure_has_the_official_fields_in_their_order(api: dict):
    official = {
        name: (fact["doc"], tuple(field["name"] for field in fact["fields"]))
        for name, fact in api["structs"].items()
    }
    ours = {one.__name__: (one.__doc__, one.__match_args__) for one in structs.STRUCT_TYPES}

    assert ours == official


@pytest.mark.shared
def test_every_field_has_the_official_python_type(api: dict):
    terminal = make_terminal()
    answer = terminal.order_send(deal())
    history = terminal.history_orders_get(0, 2**31), terminal.history_deals_get(0, 2**31)
    answers = [
        answer,
        answer.request,
        terminal.order_check(deal()),
        terminal.account_info(),
        terminal.terminal_info(),
        terminal.symbol_info("EURUSD"),
        terminal.symbol_info_tick("EURUSD"),
        *terminal.positions_get(),
        *history[0],
        *history[1],
    ]
    for one in answers:
        for field in api["structs"][type(one).__name__]["fields"]:
            wanted = KINDS.get(field["pytype"])
            value = getattr(one, field["name"])
            assert wanted is None or type(value) is wanted, (type(one).__name__, field, value)


def test_a_structure_is_built_from_one_sequence_that_holds_every_field():
    made = structs.BookInfo(iter((1, 1.1, 5, 5.0)))

    assert made == (1, 1.1, 5, 5.0)
    assert (made.type, made.price, made[2]) == (1, 1.1, 5)
    with pytest.raises(TypeError, match="takes a 4-sequence"):
        structs.BookInfo((1, 2))
    with pytest.raises(TypeError):
        structs.BookInfo(1, 1.1, 5, 5.0)
    with pytest.raises(TypeError):
        structs.BookInfo(5)


@pytest.mark.parametrize("struct", structs.STRUCT_TYPES, ids=lambda one: one.__name__)
def test_a_structure_is_no_named_tuple(struct: type):
    made = struct(range(struct.n_fields))

    assert not any(hasattr(made, name) for name in ("_fields", "_replace", "_make", "__dict__"))
    assert struct.n_sequence_fields == struct.n_fields == len(struct.__match_args__)
    assert struct.n_unnamed_fields == 0
    assert struct.__module__ == "builtins"
    assert list(made._asdict()) == list(struct.__match_args__)
    assert repr(made).startswith(f"{struct.__name__}({struct.__match_args__[0]}=0, ")
    with pytest.raises(AttributeError):
        setattr(made, struct.__match_args__[0], 1)


def test_a_structure_cannot_be_pickled_but_copied():
    made = structs.BookInfo((1, 1.1, 5, 5.0))

    with pytest.raises(pickle.PicklingError):
        pickle.dumps(made)
    assert copy.deepcopy(made) == copy.copy(made) == made
    assert type(copy.copy(made)) is structs.BookInfo


def test_a_structure_matches_by_position():
    match structs.BookInfo((1, 1.1, 5, 5.0)):
        case structs.BookInfo(kind, price):
            assert (kind, price) == (1, 1.1)


def test_an_unknown_field_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'BookInfo' object has no attribute 'lots'"):
        _ = structs.BookInfo((1, 1.1, 5, 5.0)).lots
