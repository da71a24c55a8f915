"""What is said of an error that a strategy raises."""

from __future__ import annotations

from mtquant.research.sweep.reasons import one_line


def reason_of(error: BaseException) -> str:
    r"""Return the class of an error and the first line of what it says.

    >>> reason_of(ValueError("no such bar\nat row 7"))
    'ValueError: no such bar'
    """
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a strategy may raise anything, also what cannot be told
        text = ""
    name = type(error).__name__
    return one_line(f"{name}: {text.lstrip()}" if text.strip() else name)
