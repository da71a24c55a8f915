"""The market of a face stands at a moment and follows a clock, whoever calls."""

from pathlib import Path
from typing import Any

import pytest
from worlds import bars_of

from mtquant.app.config import load_config
from mtquant.app.face import _LOCKS, FaceOptions, open_face, options_from
from mtquant.data import save_bars
from mtquant.model import ConfigError, DataError, ManualClock
from mtquant.terminal import simulated
from mtquant.terminal.simulated import load_scenario

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
    clock = ManualClock(0)
    open_at(clock, folder=tmp_path, at="2017-06-01T12:00").Buy("EURUSD", 0.1)
    _LOCKS.pop().release()
    again = open_at(clock, folder=tmp_path)
    assert again.positions_total() == 1
    assert again.symbol_info_tick("EURUSD").time == NOON_S
    _LOCKS.pop().release()
    back = open_at(clock, folder=tmp_path, at="2017-05-01T12:00")
    assert back.symbol_info_tick("EURUSD").time == NOON_S
    _LOCKS.pop().release()
    ahead = open_at(clock, folder=tmp_path, at="2017-06-02T12:00")
    assert ahead.symbol_info_tick("EURUSD").time == NOON_S + 86_400
    _LOCKS.pop().release()


def shipped_folder() -> Path:
    return Path(simulated.__file__).with_name("scenarios")


def scenario(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    return path


def test_faults_begin_with_the_script_and_go_on_with_its_folder(tmp_path: Path):
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
    _LOCKS.pop().release()

    again = open_at(clock, folder=tmp_path, faults=path)
    assert again.positions_total() == 1
    clock.set_ms(2 * HOUR_MS)
    owned = [one for one in again.positions_get() if one.reason == again.POSITION_REASON_EXPERT]
    assert len(owned) == 2
    assert again.history_deals_get(0, 2**31 - 1)[-1].profit == 5
    assert again.Buy("EURUSD", 0.1).retcode == 10009
    _LOCKS.pop().release()
    with pytest.raises(DataError, match="another venue, data or seed"):
        open_at(clock, folder=tmp_path)


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


FRIDAY_MS = 1_717_794_000_000  # 2024-06-07 21:00 UTC: Saturday 00:00 of the server
SCENARIO = "majors-and-gold-hedging"


def ask_of(face: Any, symbol: str = "EURUSD") -> dict[str, Any]:
    return {
        "action": face.TRADE_ACTION_DEAL,
        "symbol": symbol,
        "volume": 0.1,
        "type": face.ORDER_TYPE_BUY,
        "price": face.symbol_info_tick(symbol).ask,
        "deviation": 500,
    }


def test_a_made_up_market_stands_at_the_present():
    clock = ManualClock(FRIDAY_MS - HOUR_MS)
    face = open_at(clock, scenario=SCENARIO)
    server_s = (FRIDAY_MS - HOUR_MS) // 1000 + 3 * 3600

    assert 0 <= server_s - face.symbol_info_tick("EURUSD").time < 60
    minutes = face.copy_rates_from_pos("GBPJPY", face.TIMEFRAME_M1, 0, 20_000)
    assert len(minutes) == 20_000
    assert minutes["time"][-1] == server_s - server_s % 60
    clock.set_ms(FRIDAY_MS - HOUR_MS + 5_000)
    assert face.symbol_info_tick("EURUSD").time <= server_s + 5


def test_on_a_weekend_its_clock_goes_on_and_its_market_is_closed():
    clock = ManualClock(FRIDAY_MS - HOUR_MS)
    face = open_at(clock, scenario=SCENARIO)
    assert face.order_send(ask_of(face)).retcode == 10009
    clock.set_ms(FRIDAY_MS + 30 * HOUR_MS)

    assert face.order_send(ask_of(face)).retcode == 10018
    assert face.symbol_info_tick("EURUSD").time < FRIDAY_MS // 1000 + 3 * 3600
    clock.set_ms(FRIDAY_MS + 49 * HOUR_MS)
    assert face.order_send(ask_of(face)).retcode == 10009


def test_a_made_up_market_goes_on_while_nobody_looks(tmp_path: Path):
    folder = tmp_path / "account"
    clock = ManualClock(FRIDAY_MS - 100 * HOUR_MS)
    first = open_at(clock, scenario=SCENARIO, folder=folder)
    ticket = first.order_send(ask_of(first) | {"sl": 0.5}).order
    bars = first.copy_rates_from_pos("EURUSD", first.TIMEFRAME_H1, 1, 50)
    _LOCKS.pop().release()
    clock.set_ms(FRIDAY_MS - 2 * HOUR_MS)
    second = open_at(clock, scenario=SCENARIO, folder=folder)

    assert [one.ticket for one in second.positions_get()] == [ticket]
    assert second.positions_get()[0].swap != 0.0
    server_s = FRIDAY_MS // 1000 + 3600
    assert 0 <= server_s - second.symbol_info_tick("EURUSD").time < 60
    again = second.copy_rates_from("EURUSD", second.TIMEFRAME_H1, int(bars["time"][-1]), 50)
    assert again.tolist() == bars.tolist()


def test_a_scenario_of_another_day_is_another_server(tmp_path: Path):
    folder = tmp_path / "account"
    open_at(ManualClock(FRIDAY_MS), scenario=SCENARIO, folder=folder)
    _LOCKS.pop().release()

    with pytest.raises(DataError, match="another venue, data or seed"):
        open_face(FaceOptions(scenario="netting-fx", folder=folder), ManualClock(FRIDAY_MS))


def test_a_recorded_scenario_has_its_own_time():
    clock = ManualClock(FRIDAY_MS)
    face = open_at(clock, scenario="eurusd-demo")

    assert face.symbol_info_tick("EURUSD").time == NOON_S
    with pytest.raises(ConfigError, match="at: 2030-01-01 is not in the data"):
        open_face(FaceOptions(scenario="eurusd-demo", at="2030-01-01"), clock)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scenario": "eurusd-dem"}, "did you mean 'eurusd-demo'"),
        ({"scenario": "eurusd-demo", "config": Path("x.yaml")}, "a scenario or a configuration"),
        ({"scenario": SCENARIO, "at": "noon"}, "at: 'noon' is no moment"),
    ],
)
def test_a_scenario_that_cannot_be_opened_is_refused(options: dict[str, Any], said: str):
    with pytest.raises(ConfigError, match=said):
        open_face(FaceOptions(**options), ManualClock(FRIDAY_MS))


def test_a_damaged_note_of_the_moment_is_refused(tmp_path: Path):
    (tmp_path / "terminal").mkdir()
    (tmp_path / "terminal" / "opened.json").write_text('{"opened_ms": "x"}', encoding="utf-8")

    with pytest.raises(ConfigError, match=r"opened\.json: this note .* is damaged"):
        open_face(FaceOptions(scenario=SCENARIO, folder=tmp_path), ManualClock(FRIDAY_MS))


def test_the_demo_scenario_is_the_market_of_the_shipped_configuration():
    scenario, config = load_scenario("eurusd-demo").scenario, load_config().config

    assert scenario.venue == config.venue
    assert scenario.slippage == config.slippage
    assert scenario.prices["EURUSD"].sample == config.data.sample


def test_a_folder_that_went_far_ahead_is_found_again_where_it_was_left(tmp_path: Path):
    clock = ManualClock(FRIDAY_MS)
    open_at(clock, scenario=SCENARIO, folder=tmp_path)
    _LOCKS.pop().release()
    ahead = open_at(clock, scenario=SCENARIO, folder=tmp_path, at="2024-09-03T12:00")
    ticket = ahead.order_send(ask_of(ahead)).order
    last = ahead.symbol_info_tick("EURUSD")
    _LOCKS.pop().release()

    again = open_at(clock, scenario=SCENARIO, folder=tmp_path)
    assert again.positions_get()[0].ticket == ticket
    assert again.symbol_info_tick("EURUSD") == last
    _LOCKS.pop().release()


def test_a_folder_whose_prices_were_changed_is_refused_and_can_be_opened_again(tmp_path: Path):
    clock, file = ManualClock(FRIDAY_MS), tmp_path / "mine.npz"
    path = scenario(tmp_path, "symbols: [EURUSD]\nprices: {EURUSD: {bars: mine.npz}}\n")
    save_bars(bars_of([110_000, 110_100, 110_050]), file)
    open_at(clock, scenario=str(path), folder=tmp_path / "account").Buy("EURUSD", 0.1)
    _LOCKS.pop().release()

    save_bars(bars_of([110_000, 110_100, 110_051]), file)
    with pytest.raises(DataError, match="another venue, data or seed"):
        open_at(clock, scenario=str(path), folder=tmp_path / "account")
    save_bars(bars_of([110_000, 110_100, 110_050]), file)
    again = open_at(clock, scenario=str(path), folder=tmp_path / "account")
    assert again.positions_total() == 1
    _LOCKS.pop().release()


def test_a_process_killed_before_its_log_began_leaves_a_folder_that_opens(tmp_path: Path):
    clock = ManualClock(FRIDAY_MS - 100 * HOUR_MS)
    open_at(clock, scenario=SCENARIO, folder=tmp_path)
    _LOCKS.pop().release()
    (tmp_path / "terminal" / "server.jsonl").unlink()

    clock.set_ms(FRIDAY_MS - 50 * HOUR_MS)
    face = open_at(clock, scenario=SCENARIO, folder=tmp_path)
    assert face.order_send(ask_of(face)).retcode == 10009
    _LOCKS.pop().release()
