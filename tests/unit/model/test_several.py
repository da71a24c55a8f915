"""Several sentences or rules in one field, and out of it again."""

from hypothesis import given
from hypothesis import strategies as st

from mtquant.model.several import reasons_in, reasons_text, rules_in, rules_text

sentence = st.text(st.characters(exclude_characters="|"), min_size=1).filter(
    lambda text: text == text.strip()
)
name = st.from_regex(r"[a-z_]{1,20}", fullmatch=True)


@given(st.lists(sentence))
def test_sentences_come_out_as_they_went_in(sentences: list[str]) -> None:
    assert reasons_in({"reasons": reasons_text(sentences)}) == sentences


@given(st.lists(name))
def test_rules_come_out_as_they_went_in(rules: list[str]) -> None:
    assert rules_in({"rules": rules_text(rules)}) == rules


def test_what_an_observation_does_not_have_is_nothing() -> None:
    assert reasons_in({}) == reasons_in({"passed": "a"}) == rules_in({}) == []
    assert reasons_in({"passed": "a: 1 | b: 2"}, "passed") == ["a: 1", "b: 2"]
