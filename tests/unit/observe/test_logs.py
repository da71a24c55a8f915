"""Logs: one JSON line an event, correlation ids from the context, no secret anywhere."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from mtquant.broker import MT5Client
from mtquant.model import ConfigError, ManualClock, Publish
from mtquant.observe import (
    LogSubscriber,
    fan_out,
    get_logger,
    mask_secrets,
    register_secret,
    setup_logger,
)
from mtquant.observe import logs as machinery

SECRET = "k4narienvogel-Ünique"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    before = set(machinery._secrets)
    yield
    machinery._secrets.clear()
    machinery._secrets.update(before)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "bot.log"
    close = setup_logger(log_file=path, console=False, level="DEBUG")
    yield path
    close()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@dataclass
class Holder:
    key: str


def test_every_event_is_one_line_of_json_with_its_fields(file: Path):
    get_logger("mtquant.test").info("order_sent", symbol="EURUSD", volume=0.1, text="a\nb\x1b[31m")
    logging.getLogger("library").warning("it %s", "happened")
    first, second = lines(file)

    assert (first["event"], first["level"], first["logger"]) == (
        "order_sent",
        "info",
        "mtquant.test",
    )
    assert (first["symbol"], first["volume"], first["text"]) == ("EURUSD", 0.1, "a\nb\x1b[31m")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"], second["logger"]) == (
        "it happened",
        "warning",
        "library",
    )


@pytest.mark.parametrize(
    "value",
    [10**30, -(2**70), float("nan"), "\ud800", {1: {2: 3}}, {(1, 2): 3}, {1, 2}, object(), b"\xff"],
    ids=lambda value: type(value).__name__,
)
def test_no_value_breaks_a_line(file: Path, value: object):
    get_logger("mtquant.test").info("event", value=value)

    assert lines(file)[0]["event"] == "event"


@pytest.mark.parametrize(
    "name", ["password", "Password", "api_key", "apikey", "token", "client_secret", "credentials"]
)
def test_a_field_is_masked_by_its_name_however_deep(name: str):
    event = mask_secrets(None, "", {name: "x", "config": [{"server": "s", name: {"a": 1}}]})

    assert event == {name: "***", "config": [{"server": "s", name: "***"}]}


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"login with {SECRET} failed",
        [SECRET],
        ({"a": SECRET},),
        {SECRET: 1},
        {SECRET},
        ValueError(SECRET),
        Holder(SECRET),
        Path(SECRET),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_registered_secret_is_masked_wherever_it_stands(file: Path, value: object):
    register_secret(SECRET)
    get_logger("mtquant.test").info(f"event {SECRET}", value=value)
    logging.getLogger("library").warning("%s", value)

    assert SECRET not in file.read_text(encoding="utf-8")
    assert len(lines(file)) == 2
    assert "***" in json.dumps(lines(file)[0]["value"])


def test_a_secret_in_an_exception_is_masked_in_both_kinds_of_log(file: Path):
    register_secret(SECRET)
    problem = RuntimeError(f"refused {SECRET}")
    for logger in (get_logger("mtquant.test"), logging.getLogger("library")):
        logger.error("failed", exc_info=problem)
    text = file.read_text(encoding="utf-8")

    assert SECRET not in text
    assert [("RuntimeError: refused ***" in str(line)) for line in lines(file)] == [True, True]


def test_a_secret_that_is_part_of_another_leaves_no_rest():
    register_secret("abcd")
    register_secret("abcdefgh")

    assert mask_secrets(None, "", {"event": "xabcdefghx abcd"}) == {"event": "x***x ***"}


def test_a_number_can_be_a_secret_and_three_letters_cannot():
    register_secret("123456789")
    register_secret("abc")

    assert mask_secrets(None, "", {"a": 123456789, "b": 12, "c": "abc"}) == {
        "a": "***",
        "b": 12,
        "c": "abc",
    }


def test_the_console_is_masked_and_short(capsys: pytest.CaptureFixture[str]):
    register_secret(SECRET)
    close = setup_logger(level="info")
    get_logger("mtquant.test").info("order_sent", symbol="EURUSD", holder=Holder(SECRET))
    get_logger("mtquant.test").debug("not_kept")
    close()
    text = capsys.readouterr().err

    assert "order_sent" in text
    assert "symbol=EURUSD" in text
    assert SECRET not in text
    assert "not_kept" not in text


def test_lines_carry_the_correlation_id_of_their_context(file: Path):
    logger = get_logger("mtquant.test")

    async def decide(name: str) -> None:
        structlog.contextvars.bind_contextvars(correlation_id=name)
        await asyncio.sleep(0)
        logger.info("decided", which=name)
        logging.getLogger("library").info("did", extra={})

    async def both() -> None:
        await asyncio.gather(decide("a"), decide("b"))

    asyncio.run(both())
    logger.info("outside")
    found = [line for line in lines(file) if line["logger"] != "asyncio"]

    assert sorted(line["correlation_id"] for line in found[:4]) == ["a", "a", "b", "b"]
    decided = [line for line in found if "which" in line]
    assert all(line["correlation_id"] == line["which"] for line in decided)
    assert "correlation_id" not in found[4]


def test_the_owner_thread_of_a_terminal_logs_in_the_caller_s_context(file: Path):
    session: Any = object()
    client = MT5Client(session, ManualClock())
    structlog.contextvars.bind_contextvars(correlation_id="decision-1")
    asyncio.run(client.run(lambda: get_logger("mtquant.test").info("sent")))
    client.close()

    [sent] = [line for line in lines(file) if line["event"] == "sent"]
    assert sent["correlation_id"] == "decision-1"


def test_setting_up_again_replaces_only_our_own_handlers(tmp_path: Path):
    root = logging.getLogger()
    theirs = logging.NullHandler()
    root.addHandler(theirs)
    level, handlers = root.level, list(root.handlers)
    first = setup_logger(log_file=tmp_path / "a.log", console=False)
    second = setup_logger(log_file=tmp_path / "b.log", console=False, level="WARNING")
    get_logger("mtquant.test").warning("event")
    second()
    first()

    assert (tmp_path / "a.log").read_text() == ""
    assert len(lines(tmp_path / "b.log")) == 1
    assert root.handlers == handlers
    root.removeHandler(theirs)
    root.setLevel(level)


def test_wrong_settings_are_refused_before_anything_is_changed(tmp_path: Path):
    handlers = list(logging.getLogger().handlers)

    with pytest.raises(ConfigError, match="log level 'LOUD' is not one of DEBUG, INFO"):
        setup_logger(level="LOUD")
    with pytest.raises(ConfigError, match="the log cannot be written"):
        setup_logger(log_file=tmp_path / "missing" / "bot.log", console=False)
    assert logging.getLogger().handlers == handlers


def note(name: str, **fields: Any) -> Publish:
    return Publish(name=name, time_ms=5, correlation_id="c", fields=fields)


@pytest.mark.parametrize(
    "name",
    [
        "breaker_rose",
        "breaker_reset",
        "breaker_stays",
        "drawdown_reset",
        "prop_rule_met",
        "prop_rules_not_kept",
    ],
)
def test_what_losses_lead_to_is_a_warning(file: Path, name: str):
    LogSubscriber()(Publish(name=name, time_ms=1, correlation_id="breaker", fields={"level": 2}))

    (line,) = lines(file)
    assert (line["event"], line["level"]) == (name, "warning")


def test_observations_are_logged_at_the_level_a_person_needs(file: Path):
    subscriber = LogSubscriber()
    for event in (
        note("link_lost", detail="away"),
        note("order_approved", stop=None),
        note("position_closed", while_away=True),
        note("position_closed", while_away=False),
    ):
        subscriber(event)
    found = lines(file)

    assert [line["level"] for line in found] == ["warning", "debug", "warning", "debug"]
    assert found[0]["correlation_id"] == "c"
    assert found[0]["time_ms"] == 5
    assert "stop" not in found[1]


def test_every_subscriber_gets_every_observation_in_order():
    seen: list[tuple[str, str]] = []
    publish = fan_out(
        [lambda event: seen.append(("a", event.name)), lambda event: seen.append(("b", event.name))]
    )
    publish(note("one"))
    publish(note("two"))

    assert seen == [("a", "one"), ("b", "one"), ("a", "two"), ("b", "two")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_log_without_room_is_told_in_one_line_and_ends_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    close = setup_logger(log_file=Path("/dev/full"), console=False)

    for _ in range(3):
        get_logger("mtquant.test").warning("link_lost")
    close()

    assert capsys.readouterr().err == (
        "the log /dev/full cannot be written (No space left on device)\n"
    )
