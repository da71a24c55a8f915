"""Every return code can be seen on the embedded terminal, and the page that lists them is true."""

import runpy
from pathlib import Path

import pytest
from return_codes import CASES, Case

from mtquant.exchange import Refusal
from mtquant.terminal.simulated.retcodes import RETCODE_TEXTS, RETCODES

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "reference" / "return-codes.md"
SUCCESS = {10008, 10009, 10010}
MADE_AN_ORDER = {10006, 10041}
NEVER_SENT = {10013, 10021, 10027, 10031}  # by the calls of the table: the terminal says no itself


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.calls[-1].name}")
def test_a_return_code_comes_from_its_calls(case: Case):
    *before, answer = case.answers()

    assert answer.retcode == case.code
    assert answer.comment == RETCODE_TEXTS[case.code]
    assert {one.retcode for one in before} <= SUCCESS
    assert (answer.request_id == 0) == (case.code in NEVER_SENT)
    if case.code not in SUCCESS:
        assert (answer.deal, answer.volume, answer.price) == (0, 0.0, 0.0)
        assert answer.order == 0 or answer.retcode in MADE_AN_ORDER
    has_prices = case.code in {*SUCCESS, 10004}
    assert (answer.bid > 0) == (answer.ask > 0) == has_prices


def test_the_table_has_every_code_and_every_refusal_has_one():
    assert {case.code for case in CASES} == set(RETCODE_TEXTS)
    assert set(RETCODES) == set(Refusal)
    assert set(RETCODES.values()) <= set(RETCODE_TEXTS)
    assert len(RETCODE_TEXTS) == 41


def test_the_same_calls_are_answered_the_same():
    for case in CASES:
        assert case.answers() == case.answers()


def test_the_page_of_return_codes_is_written_from_the_table():
    page = runpy.run_path(str(ROOT / "scripts" / "make_return_codes.py"))["page"]

    assert PAGE.read_text(encoding="utf-8") == page(), "run scripts/make_return_codes.py"
