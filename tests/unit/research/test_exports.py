"""What the package offers."""

from mtquant import research


def test_every_exported_name_exists_and_is_documented():
    for name in research.__all__:
        value = getattr(research, name)
        assert not callable(value) or value.__doc__, name


def test_exports_are_sorted():
    assert sorted(research.__all__) == research.__all__
