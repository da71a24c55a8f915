"""Every return code and every missing answer has one class of what must happen next."""

import pytest

from mtquant.broker import error_from, outcome_of_none, outcome_of_retcode
from mtquant.model import (
    BrokerAPIError,
    BrokerConnectionError,
    BrokerTimeoutError,
    Outcome,
)

TABLE = {
    Outcome.CONFIRMED: (10009, 10010),
    Outcome.ACCEPTED: (10008,),
    Outcome.REPRICE: (10004, 10020, 10021),
    Outcome.REFUSED: (
        *(10006, 10007, 10013, 10014, 10015, 10016, 10018, 10019, 10022, 10024, 10029, 10030),
        *(10032, 10033, 10034, 10035, *range(10038, 10047)),
    ),
    Outcome.ALREADY: (10025, 10036),
    Outcome.DISABLED: (10017, 10026, 10027),
    Outcome.UNKNOWN: (10011, 10012, 10023, 10028, 10031, 10005, 10037, 10047, 0, -1, 1, 99999),
}


@pytest.mark.parametrize(
    ("code", "outcome"), [(code, outcome) for outcome, codes in TABLE.items() for code in codes]
)
def test_a_return_code_has_the_outcome_of_the_policy(code: int, outcome: Outcome):
    assert outcome_of_retcode(code) is outcome


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (-2, Outcome.REFUSED),
        (-8, Outcome.DISABLED),
        *[(code, Outcome.UNKNOWN) for code in (1, 0, -1, -3, -4, -6, *range(-10005, -9999))],
    ],
)
def test_no_answer_is_unknown_unless_nothing_was_sent(code: int, outcome: Outcome):
    assert outcome_of_none((code, "text")) is outcome


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *[(code, BrokerConnectionError) for code in (-10001, -10002, -10003, -10004)],
        (-10005, BrokerTimeoutError),
        *[(code, BrokerAPIError) for code in (-1, -2, -4, -6, -10000, 1, 0)],
    ],
)
def test_a_failed_read_becomes_the_error_of_its_code(code: int, kind: type):
    error = error_from((code, "some text"), call="positions_get", symbol="EURUSD")

    assert type(error) is kind
    assert str(error) == f"positions_get: some text ({code})"
    assert error.details == {"code": code, "symbol": "EURUSD"}
