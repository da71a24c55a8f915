"""The market of a face stands at a moment and follows a clock, whoever calls."""

from pathlib import Path
from typing import Any

import pytest

from mtquant.app.face import FaceOptions, open_face, options_from
from mtquant.model import ConfigError, DataError, ManualClock
from mtquant.terminal import simulated

NOON_S = 1_496_329_200  # 2017-06-01 15:00 of the server, 12:00 UTC
HOUR_MS = 3_600_000


def open_at(clock: ManualClock, **options: Any) -> Any:
    face = open_face(FaceOptions(**options), clock)
    assert face.initialize()
    return face


def test_the_clock_goes_by_the_factor_and_only_when_somebody_calls():
    clock = ManualClock(5_000)
    face = open_at(clock, factor=2.0)
    assert face.symbol_info_tick("EURUSD").time == NOON_S

    clock.set_ms(5_000 + HOUR_MS // 6 - 1)
    assert face.symbol_info_tick("EURUSD").time == NOON_S
    clock.set_ms(5_000 + HOUR_MS // 6)
    assert face.symbol_info_tick("EURUSD").time == NOON_S + 1200
    clock.set_ms(5_000 + 10 * HOUR_MS)
    assert face.symbol_info_tick("EURUSD").time == NOON_S + 20 * 3600
    assert len(face.copy_rates_range("EURUSD", face.TIMEFRAME_H1, NOON_S, 2**31 - 1)) == 21


def test_a_stop_between_two_calls_works_at_its_own_time():
    clock = ManualClock(0)
    face = open_at(clock)
    bought = face.Buy("EURUSD", 0.1)
    request = {"action": face.TRADE_ACTION_SLTP, "symbol": "EURUSD", "position": bought.order}
    assert face.order_send(request | {"sl": 1.1200, "tp": 1.1300}).retcode == 10009
    clock.set_ms(30 * 24 * HOUR_MS)

    assert face.positions_get() == ()
    closed = face.history_deals_get(position=bought.order)[-1]
    assert closed.reason in {face.DEAL_REASON_SL, face.DEAL_REASON_TP}
    assert NOON_S < closed.time < NOON_S + 10 * 86_400


def test_at_the_end_of_the_data_the_market_stands_still():
    clock = ManualClock(0)
    face = open_at(clock, at="2017-12-28T10:00+02:00")
    clock.set_ms(900 * 24 * HOUR_MS)
    last = face.symbol_info_tick("EURUSD")
    clock.set_ms(901 * 24 * HOUR_MS)

    assert face.symbol_info_tick("EURUSD") == last
    assert face.Buy("EURUSD", 0.1) is not None


def test_a_folder_goes_on_where_it_was_left_and_may_be_sent_ahead(tmp_path: Path):
    from mtquant.app import face as module

    clock = ManualClock(0)
    open_at(clock, folder=tmp_path, at="2017-06-01T12:00").Buy("EURUSD", 0.1)
    module._LOCKS.pop().release()
    again = open_at(clock, folder=tmp_path)
    assert again.positions_total() == 1
    assert again.symbol_info_tick("EURUSD").time == NOON_S
    module._LOCKS.pop().release()
    back = open_at(clock, folder=tmp_path, at="2017-05-01T12:00")
    assert back.symbol_info_tick("EURUSD").time == NOON_S
    module._LOCKS.pop().release()
    ahead = open_at(clock, folder=tmp_path, at="2017-06-02T12:00")
    assert ahead.symbol_info_tick("EURUSD").time == NOON_S + 86_400
    module._LOCKS.pop().release()


def shipped_folder() -> Path:
    return Path(simulated.__file__).with_name("scenarios")


def scenario(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    return path


def test_faults_begin_with_the_script_and_go_on_with_its_folder(tmp_path: Path):
    from mtquant.app import face as module

    path = scenario(
        tmp_path,
        """
        faults:
          - {kind: lost_reply, nth: 1}
          - {kind: late, nth: 2, delay_ms: 3600000}
          - {kind: balance, after_ms: 7200000, amount: 5}
          - {kind: no_answer, function: orders_get}
        rates: {manual_trade_fraction: 0.01}
        """,
    )
    clock = ManualClock(0)
    face = open_at(clock, folder=tmp_path, faults=path)
    before = len(face.history_deals_get(0, NOON_S + 600))
    assert face.orders_get() is None
    assert [face.Buy("EURUSD", 0.1) for _ in range(2)] == [None, None]
    assert (before, face.positions_total()) == (1, 1)
    module._LOCKS.pop().release()

    again = open_at(clock, folder=tmp_path, faults=path)
    assert again.positions_total() == 1
    clock.set_ms(2 * HOUR_MS)
    owned = [one for one in again.positions_get() if one.reason == again.POSITION_REASON_EXPERT]
    assert len(owned) == 2
    assert again.history_deals_get(0, 2**31 - 1)[-1].profit == 5
    assert again.Buy("EURUSD", 0.1).retcode == 10009
    module._LOCKS.pop().release()
    with pytest.raises(DataError, match="another venue, data or seed"):
        open_at(clock, folder=tmp_path)
    module._LOCKS.pop().release()


def test_a_scenario_of_a_market_may_state_faults(tmp_path: Path):
    text = (shipped_folder() / "eurusd-demo.yaml").read_text(encoding="utf-8")
    path = tmp_path / "market.yaml"
    path.write_text(text + "faults: {faults: [{kind: lost_request}]}\n", encoding="utf-8")
    face = open_at(ManualClock(0), scenario=str(path))

    assert face.Buy("EURUSD", 0.1) is None
    assert face.last_error() == (-10005, "IPC timeout")
    assert face.Buy("EURUSD", 0.1).retcode == 10009
    path.write_text(text + "faults: {faults: [{kind: lost_reqest}]}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"faults\.faults\[0\]\.kind: 'lost_reqest' is not one"):
        open_at(ManualClock(0), scenario=str(path))


def test_a_typo_in_a_scenario_is_one_line_that_names_the_key(tmp_path: Path):
    path = scenario(tmp_path, "faults: [{kind: late, dealy_ms: 5}]")

    with pytest.raises(ConfigError, match=r"faults\[0\]\.dealy_ms: unknown key; did you mean 'de"):
        open_face(FaceOptions(faults=path), ManualClock(0))


def test_the_environment_says_what_the_options_say():
    environment = {"MTQUANT_AT": "2017-03-01", "MTQUANT_FACTOR": "60", "MTQUANT_DIR": "a"}
    found = options_from(environment | {"MTQUANT_CONFIG": ""})

    assert found == FaceOptions(at="2017-03-01", factor=60.0, folder=Path("a"))
    assert options_from({}) == FaceOptions()
    for wrong in ("fast", "-1", "nan", "inf"):
        with pytest.raises(ConfigError, match=r"(?i)factor must be"):
            options_from({"MTQUANT_FACTOR": wrong})
