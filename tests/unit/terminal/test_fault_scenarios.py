"""Scenarios: read strictly; the same seed gives the same history, also after kills."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import faulty_play
import pytest
import yaml
from faulty_play import RATES, Run, Watched, play_all, rates_of, scenario_of, state
from terminals import deal, make_server

from mtquant.model import ConfigError, DataError
from mtquant.terminal.simulated import FileLog
from mtquant.terminal.simulated.faults import (
    FaultKind,
    FaultRates,
    Faults,
    FaultScenario,
    FaultSpec,
    FaultyTerminal,
    Shape,
    load_faults,
    read_faults,
)
from mtquant.terminal.simulated.faults.chance import Chance
from mtquant.terminal.simulated.faults.kinds import KEYS

# ---------------------------------------------------------------- reading


def test_a_scenario_file_is_read(tmp_path: Path):
    path = tmp_path / "faults.yaml"
    path.write_text(
        """
        seed: 7
        faults:
          - {kind: lost_reply, nth: 3}
          - {kind: link_loss, at: '2017-01-02T01:00', for_ms: 60000}
          - {kind: spike, chance_fraction: 1%, shape: nan}
        rates: {late_fraction: 2%, delay_ms: 5000}
        latency: {at_least_ms: 20, at_most_ms: 80}
        """
    )

    scenario = load_faults(path)

    assert scenario.seed == 7
    assert scenario.faults[0] == FaultSpec(kind=FaultKind.LOST_REPLY, nth=3)
    assert scenario.faults[2].chance_fraction == pytest.approx(0.01)
    assert scenario.faults[2].shape is Shape.NAN
    (late,) = scenario.rates.faults()
    assert (late.kind, late.delay_ms, late.chance_fraction) == (FaultKind.LATE, 5000, 0.02)
    assert scenario.latency.at_most_ms == 80


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed: 1", "sed: unknown key; did you mean 'seed'?"),
        ("seed: -1", "seed: must not be negative, was -1"),
        ("faults: 5", "faults: expected a list, got 5"),
        ("faults: [{}]", "faults[0].kind: this key is required"),
        ("faults: [{kind: lost}]", "faults[0].kind: 'lost' is not one of lost_request, lost_reply"),
        (
            "faults: [{kind: timeout}, {kind: late, delay: 5}]",
            "faults[1].delay: unknown key; did you mean 'delay_ms'?",
        ),
        (
            "faults: [{kind: late, ticks: 5}]",
            "faults[0].ticks: no key of late; did you mean 'times'?",
        ),
        ("faults: [{kind: late, delay_ms: 0}]", "faults[0].delay_ms: must be at least 1, was 0"),
        ("faults: [{kind: late, nth: 0}]", "faults[0].nth: must be at least 1, was 0"),
        (
            "faults: [{kind: late, nth: 1, after_ms: 5}]",
            "faults[0].nth: give one of at, after_ms, nth, chance_fraction, not after_ms too",
        ),
        ("faults: [{kind: late, at: noon}]", "faults[0].at: 'noon' is no time of the server's"),
        ("faults: [{kind: late, at: '2017-01-02T01:00Z'}]", "faults[0].at: the server's clock has"),
        ("faults: [{kind: late, at: 2017-01-02T01:00:00}]", "faults[0].at: expected text, got"),
        ("faults: [{kind: late, error: -7}]", "faults[0].error: -7 is not one of -10005, -10004"),
        ("faults: [{kind: answer, code: 10009}]", "faults[0].code: 10009 is not one of 10004, 10"),
        ("faults: [{kind: answer, code: 10019.0}]", "faults[0].code: expected a whole number"),
        (
            "faults: [{kind: no_answer, function: position_get}]",
            "faults[0].function: 'position_get'; did you mean 'positions_get'?",
        ),
        ("faults: [{kind: no_answer}]", "faults[0].function: name the function that answers None"),
        (
            "faults: [{kind: partial, filled_fraction: 5}]",
            "faults[0].filled_fraction: 5 is more than the whole",
        ),
        (
            "faults: [{kind: partial, filled_fraction: 1}]",
            "faults[0].filled_fraction: must be between 0 and 1, was 1.0",
        ),
        ("faults: [{kind: manual_close, closed_fraction: 0}]", "faults[0].closed_fraction: must"),
        ("faults: [{kind: manual_trade, volume: -1}]", "faults[0].volume: must not be negative"),
        ("faults: [{kind: balance}]", "faults[0].amount: state the money"),
        ("faults: [{kind: comment}]", "faults[0].length: state how many characters stay"),
        (
            "faults: [{kind: spike, shape: round}]",
            "faults[0].shape: 'round' is not one of any, far",
        ),
        ("faults: [{kind: late, only: sltpp}]", "faults[0].only: 'sltpp' is not one of any, deal"),
        ("rates: {lost_request: 1%}", "rates.lost_request: unknown key; did you mean 'lost_reque"),
        ("rates: {late_fraction: 2}", "rates.late_fraction: 2 is more than the whole"),
        ("rates: {for_ms: 0}", "rates.for_ms: must be at least 1, was 0"),
        ("rates: {amount: 0}", "rates.amount: state the money"),
        ("latency: {at_most_ms: -1}", "latency.at_most_ms: must be at least 0, was -1"),
        ("latency: {at_least_ms: -1}", "latency.at_least_ms: must not be negative, was -1"),
        ("seed: 1\nseed: 2", "not valid YAML"),
        ("[]", "expected a section with keys"),
    ],
)
def test_a_wrong_scenario_is_refused_in_one_line_that_names_the_key(
    tmp_path: Path, text: str, message: str
):
    path = tmp_path / "faults.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as refused:
        load_faults(path)

    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "stale_feed", "symbol": "GBPUSD"}, r"faults\[0\]\.symbol: 'GBPUSD' is no symbol"),
        ({"kind": "balance", "amount": 5, "login": 9}, r"faults\[0\]\.login: 9 is no account"),
    ],
)
def test_a_scenario_that_does_not_fit_the_venue_is_refused(fault: dict[str, Any], message: str):
    with pytest.raises(ConfigError, match=message):
        make_server(faults=Faults(read_faults({"faults": [fault]})))


def test_an_account_switch_needs_a_second_account():
    with pytest.raises(ConfigError, match="second account"):
        make_server(faults=Faults(read_faults({"faults": [{"kind": "account_switch"}]})))


def test_every_kind_states_its_keys_and_has_a_rate():
    assert set(KEYS) == set(FaultKind)
    drawn = {one.kind for one in rates_of(0.5).faults()}
    assert drawn == set(FaultKind)
    assert all(
        KEYS[kind] <= set(FaultSpec.__match_args__) | set(FaultSpec.__slots__) for kind in KEYS
    )


def test_the_page_of_faults_lists_every_kind_and_key():
    page = (Path(__file__).parents[3] / "docs/reference/faults.md").read_text(encoding="utf-8")
    everywhere = {"kind", "at", "after_ms", "nth", "chance_fraction", "for_ms", "times", "only"}

    for kind, keys in KEYS.items():
        row = next(
            line for line in page.splitlines() if line.startswith(f"| `{kind.name.lower()}`")
        )
        for key in keys - everywhere - {"function"}:
            assert f"`{key}`" in row, (kind, key)


# ---------------------------------------------------------------- chance


def test_a_draw_depends_on_seed_name_and_counter_alone():
    forward, backward = Chance(3), Chance(3)
    counters = [0, 1, 511, 512, 5000]

    ahead = [forward.draw("a", n) for n in counters]
    [backward.draw("b", n) for n in counters]
    assert [backward.draw("a", n) for n in reversed(counters)] == ahead[::-1]
    assert ahead != [Chance(4).draw("a", n) for n in counters]
    assert ahead != [forward.draw("b", n) for n in counters]


def test_one_more_fault_shifts_no_other(tmp_path: Path):
    def struck(rates: dict[str, float]) -> list[bool]:
        faults = Faults(FaultScenario(rates=FaultRates(**rates)))
        late = next(one for one in faults.alarms if one.spec.kind is FaultKind.LATE)
        return [late.hits(number) for number in range(200)]

    alone = struck({"late_fraction": 0.2})
    assert 20 < sum(alone) < 60
    assert struck({"late_fraction": 0.2, "timeout_fraction": 0.3, "spike_fraction": 0.1}) == alone


# ---------------------------------------------------------------- the same bytes


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_processes_write_the_same_history(tmp_path: Path, seed: int):
    program = Path(faulty_play.__file__)
    written = []
    for name in ("first", "second"):
        path = tmp_path / name
        command = [sys.executable, str(program), str(path), str(seed)]
        subprocess.run(command, check=True, timeout=120)
        written.append((path / "log.jsonl").read_bytes() + (path / "seen.json").read_bytes())

    assert written[0] == written[1]
    assert b'"effects"' in written[0]
    assert b'"sent"' in written[0]


def test_another_seed_writes_another_history(tmp_path: Path):
    seen = [play_all(tmp_path / str(seed), scenario_of(seed)) for seed in (1, 2)]

    assert seen[0] != seen[1]


@pytest.mark.parametrize("seed", [1, 4])
def test_after_every_record_a_killed_server_comes_back_as_it_was(tmp_path: Path, seed: int):
    scenario = scenario_of(seed)
    play_all(tmp_path, scenario, turns=120)
    path = tmp_path / "log.jsonl"
    content = path.read_bytes()
    states = Watched.states
    kinds = {name for line in content.splitlines() for name in json.loads(line)}

    assert kinds >= {"due", "effects", "sent", "order"}
    assert len(states) > 60
    for size, expected in states.items():
        path.write_bytes(content[:size])
        log = FileLog(path, "print")
        assert state(Watched(path, log, Faults(scenario))) == expected, content[:size][-300:]
        log.close()


@pytest.mark.parametrize("seed", [1, 2, 5])
@pytest.mark.parametrize("killed_at", [20, 61])
def test_a_killed_run_goes_on_to_the_same_history(tmp_path: Path, seed: int, killed_at: int):
    scenario = replace(scenario_of(seed), rates=replace(RATES, no_answer_fraction=0.0))
    whole, parted = Run(tmp_path / "whole", scenario), Run(tmp_path / "parted", scenario)
    for number in range(110):
        if number == killed_at:
            whole.terminal.initialize(login=1000001)
            now_ms = parted.server.now_ms
            parted.close()
            parted = Run(tmp_path / "parted", scenario)
            parted.server.wait_until(now_ms)
            assert parted.server.now_ms == now_ms
            parted.terminal.initialize(login=1000001)
        for run in (whole, parted):
            run.turn(number)
    whole.close()
    parted.close()

    assert (tmp_path / "whole/log.jsonl").read_bytes() == (
        tmp_path / "parted/log.jsonl"
    ).read_bytes()


def test_a_request_that_was_under_way_at_a_kill_is_still_carried_out(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    scenario = read_faults({"faults": [{"kind": "late", "delay_ms": 3_600_000}]})
    log = FileLog(path, "print")
    faults = Faults(scenario)
    terminal = FaultyTerminal(make_server(log=log, faults=faults), faults)
    terminal.initialize()
    assert terminal.order_send(deal()) is None
    log.close()

    log = FileLog(path, "print")
    faults = Faults(scenario)
    server = make_server(log=log, faults=faults)
    terminal = FaultyTerminal(server, faults)
    terminal.initialize()
    assert terminal.positions_get() == ()
    for _ in range(4):
        server.step()
    assert len(terminal.positions_get()) == 1
    assert terminal.order_send(deal()).retcode == 10009  # it has struck already
    log.close()


@pytest.mark.parametrize(
    "record",
    [
        {"sent": -2},
        {"sent": True},
        {"sent": 0, "account": 1000001},
        {"effects": {}},
        {"effects": [5]},
        {"effects": [{"account": 5, "cancel": {"order_ticket": 1}}]},
        {"effects": [{"account": 1000001}]},
        {"account": 1000001, "due": 5, "cancel": {"order_ticket": 1}},
        {"account": 1000001, "due": "5", "cancel": {"order_ticket": 1}},
        {"due": 2**60},
    ],
    ids=str,
)
def test_a_record_of_faults_that_no_server_writes_is_refused(tmp_path: Path, record: dict):
    path = tmp_path / "log.jsonl"
    log = FileLog(path, "print")
    log.write({"t": make_server().now_ms} | record)
    log.close()
    log = FileLog(path, "print")

    with pytest.raises(DataError, match="server's log"):
        make_server(log=log)
    log.close()


def test_a_scenario_survives_the_way_to_yaml_and_back():
    raw = {"seed": 3, "faults": [{"kind": "cache_lag", "ticks": 3, "after_ms": 10}]}

    assert read_faults(yaml.safe_load(yaml.safe_dump(raw))) == read_faults(raw)
