"""`mtquant journal why`: one number, one story, with all that belongs to it and nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from journal_rows import a_deal, sending_row
from worlds import DirectClient, LiveRun, Scripted, World, bars_of, stop_and_target, trailing

from mtquant.app.journal.refused import list_refused, refused_lines
from mtquant.app.journal.story import Story, find_decision, find_story
from mtquant.app.journal.telling import story_lines
from mtquant.model import (
    BotIdentity,
    ConfigError,
    Deal,
    DealEntry,
    DealKind,
    Direction,
    HaltOrder,
    IntentAction,
    IntentState,
    JournalError,
    Publish,
    Reason,
    Side,
)
from mtquant.risk import RiskLimits
from mtquant.storage import SqliteJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONG, SHORT = Direction.LONG, Direction.SHORT
US = BotIdentity()
QUIET = [110_000] * 12
FALLING = [110_000, 110_000, 110_000, 109_900, 109_500, *[109_500] * 4]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with closing(SqliteJournal.open(tmp_path / "journal.sqlite")) as opened:
        yield opened


def played(
    journal: SqliteJournal, script: list[Direction | None], closes: list[int], **options: Any
) -> LiveRun:
    """Play a market with a journal in a file."""
    names = ("wrap", "on_step")
    hooks = {name: options.pop(name) for name in names if name in options}
    world = World(bars=bars_of(closes), strategy=lambda: Scripted(script), **options)
    run = world.live(journal=journal, client=DirectClient, **hooks)
    journal.flush()
    return run


def told(journal: SqliteJournal, number: int) -> str:
    """Return a story as one text, wrapped nowhere."""
    return "\n".join(story_lines(find_story(journal, number), 10_000))


def labels(text: str) -> list[str]:
    """Return the labels of a story, in order; lines without a time have them, too."""
    lines = text.splitlines()[2:]
    words = [line[21:].split("  ")[0] for line in lines]
    return [word.strip() for word in words]


class Replaced:
    """Be the terminal, with another `order_send` and perhaps another `last_error`."""

    def __init__(self, terminal: Any, **replaced: Any) -> None:
        self._terminal, self._replaced = terminal, replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._terminal, name)


def requoting(times: int, *, after: int = 0) -> Callable[[Any, Any], Any]:
    """Return a wrapper that requotes so many sends after the first ones."""

    def wrap(terminal: Any, _server: Any) -> Any:
        sent: list[Any] = []

        def order_send(order: dict[str, Any]) -> Any:
            sent.append(order)
            if after < len(sent) <= after + times:
                return SimpleNamespace(
                    retcode=10004, comment="no", order=0, deal=0, volume=0.0, price=0.0
                )
            return terminal.order_send(order)

        return Replaced(terminal, order_send=order_send)

    return wrap


def at_bar(bar: int, act: Callable[[LiveRun], None]) -> Callable[[LiveRun], None]:
    def on_step(run: LiveRun) -> None:
        if (run.market.bar, run.market.step) == (bar, 1):
            act(run)

    return on_step


# ---------------------------------------------------------------------- what bots live through


def test_an_entry_that_its_stop_loss_ends_is_told_from_the_signal_to_the_result(
    journal: SqliteJournal,
) -> None:
    played(journal, [None, LONG], FALLING)
    (opened,) = journal.intents()

    text = told(journal, opened.order_ticket)

    assert labels(text) == [
        "signal", "risk", *[""] * 16, "size", "intent", "state", "request", "reply", "state",
        "deal", "deal", "result",
    ]  # fmt: skip
    assert "LONG: no reason given (scripted, EURUSD, H1 bar of 2017-01-01 23:00:00)" in text
    assert "approved, 16 rules are met" in text
    assert "halt: level 0 (limit level 0)" in text
    assert "risk 1.00% = 100.00 USD, stop 200 points" in text
    assert f"{opened.intent_id}: open BUY 0.50 lots EURUSD at 1.10010, stop loss 1.09810" in text
    assert "confirmed, 10009 Request executed: retcode 10009" in text
    assert "by its stop loss; profit -100.00 USD, commission -1.75 USD" in text
    assert "was closed by its stop loss; net of all its deals -103.50 USD" in text


def test_every_number_of_a_position_leads_to_the_same_story(journal: SqliteJournal) -> None:
    played(journal, [None, LONG], FALLING)
    (opened,) = journal.intents()
    deals = [deal for deal in journal.deals() if deal.kind is DealKind.TRADE]
    numbers = [opened.intent_id, *(d.deal_ticket for d in deals), *(d.order_ticket for d in deals)]

    stories = [find_story(journal, number) for number in numbers]

    assert len({story.rows for story in stories}) == 1
    assert {story.position_ticket for story in stories} == {opened.order_ticket}
    assert [s.known_as for s in stories] == ["intent", "deal", "deal", "position", "order"]
    assert f"({opened.intent_id} is its intent)" in told(journal, opened.intent_id)


def test_a_reversal_stands_in_the_stories_of_both_positions(journal: SqliteJournal) -> None:
    played(journal, [None, LONG, None, SHORT], QUIET)
    first, close, second = journal.intents()

    before, after = told(journal, first.order_ticket), told(journal, second.order_ticket)

    assert f"{close.intent_id}: close position {first.order_ticket}, BUY" in before
    assert "close is let pass" in before
    assert f"also     the same signal made the intent {second.intent_id}: open SELL" in before
    assert "was closed by the bot; net" in before
    assert (
        f"the same signal made the intent {close.intent_id}: close BUY EURUSD of position "
        f"{first.order_ticket}; reversal"
    ) in after
    assert "is open as far as the journal knows: SELL" in after
    assert f"intent   {close.intent_id}: close" not in after
    assert find_story(journal, close.order_ticket).position_ticket == first.order_ticket


def test_both_attempts_of_an_entry_that_was_refused_twice_are_told(journal: SqliteJournal) -> None:
    played(journal, [None, LONG], QUIET, wrap=requoting(2))
    first, second = journal.intents()

    text = told(journal, first.intent_id)

    assert text == told(journal, second.intent_id).replace(
        str(second.intent_id), str(first.intent_id), 1
    )
    assert text.startswith(f"intent {first.intent_id} of test in EURUSD, without a position")
    assert f"{second.intent_id}, attempt 2: open BUY" in text
    assert text.count("reprice, 10004") == 2
    assert text.count("REJECTED; 10004") == 2
    assert (
        f"no deal came of it: {first.intent_id} REJECTED, {second.intent_id} REJECTED"
        in text.splitlines()[-1]
    )


def test_the_first_attempt_stands_in_the_story_of_what_the_second_opened(
    journal: SqliteJournal,
) -> None:
    played(journal, [None, LONG], QUIET, wrap=requoting(1))
    first, second = journal.intents()

    text = told(journal, second.order_ticket)

    assert text.index(f"{first.intent_id}: open") < text.index(f"{second.intent_id}, attempt 2")


def test_a_halt_that_closed_the_position_is_named_with_who_asked(journal: SqliteJournal) -> None:
    def ask(run: LiveRun) -> None:
        run.journal.request_halt(3, "ann", "out of here", run.now_ms())

    played(journal, [None, LONG], QUIET, on_step=at_bar(5, ask))
    opened, close = journal.intents()

    text = told(journal, opened.order_ticket)

    halted = text.index("level 3 by ann: out of here")
    assert halted < text.index(f"{close.intent_id}: close position")


def test_a_halt_that_closed_what_somebody_else_had_opened_is_told(journal: SqliteJournal) -> None:
    def buy(run: LiveRun) -> None:
        order = {"action": 1, "symbol": "EURUSD", "volume": 0.1, "type": 0, "magic": 77}
        assert run.terminal.order_send(order).retcode == 10009

    def ask(run: LiveRun) -> None:
        run.journal.request_halt(4, "bob", "everything", run.now_ms())

    def on_step(run: LiveRun) -> None:
        at_bar(2, buy)(run)
        at_bar(4, ask)(run)

    played(journal, [None] * 12, QUIET, on_step=on_step)
    (close,) = journal.intents()

    story = find_story(journal, close.intent.position_ticket)
    text = "\n".join(story_lines(story, 10_000))

    assert [row.kind for row in story.rows][:2] == ["deal", "halt"]
    assert "level 4 by bob: everything" in text
    assert "by another program" in text.splitlines()[2]
    assert "halt" in labels(text)


def test_an_order_that_was_given_up_and_came_late_says_so(journal: SqliteJournal) -> None:
    held: list[Callable[[], Any]] = []

    def wrap(terminal: Any, _server: Any) -> Any:
        failed = [False]

        def order_send(order: dict[str, Any]) -> Any:
            failed[0] = not held
            if held:
                return terminal.order_send(order)
            held.append(lambda: terminal.order_send(order))
            return None

        def last_error() -> Any:
            return (-10005, "IPC timeout") if failed[0] else terminal.last_error()

        return Replaced(terminal, order_send=order_send, last_error=last_error)

    script = [None, LONG, *[None] * 14, LONG]  # the second one after the reserve of the first
    arrives = at_bar(18, lambda _run: held[0]())
    played(journal, script, 2 * QUIET, wrap=wrap, on_step=arrives)
    late, _, cut = journal.intents()

    text = told(journal, late.order_ticket)

    order = ["UNKNOWN; ", "NOTSENT; not found", "LATE, order", "came too late"]
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)
    assert "given up before, adopted now; seen after all" in text
    assert f"{cut.intent_id}: close position {late.order_ticket}" in text


def test_a_lost_stop_and_its_return_are_told(journal: SqliteJournal) -> None:
    def strip(run: LiveRun) -> None:
        (position,) = run.market.book.positions()
        ticket = position.position_ticket
        assert run.terminal.order_send({"action": 6, "symbol": "EURUSD", "position": ticket})

    played(journal, [None, LONG], QUIET, on_step=at_bar(4, strip))
    opened, _ = journal.intents()

    text = told(journal, opened.order_ticket)

    assert f"stop lost  position {opened.order_ticket} stands without its stop: modify" in text
    assert "stop loss 1.09810, take profit none: stop loss was gone" in text


def test_moved_stops_are_one_line_each(journal: SqliteJournal) -> None:
    rising = [110_000, 110_000, *range(110_100, 110_600, 100)]
    exits = lambda: [stop_and_target(stop_points=300), trailing(atr_period=1, distance_atr=1.0)]  # noqa: E731
    played(journal, [None, LONG], rising, exits=exits)
    opened, *moves = journal.intents()

    text = told(journal, opened.order_ticket)

    assert moves
    assert labels(text).count("stop") == len(moves)
    assert labels(text).count("request") == 1


def test_a_stop_that_was_hit_while_the_link_was_away_stands_between_its_loss_and_return(
    journal: SqliteJournal,
) -> None:
    times = bars_of(FALLING).time_ms
    outages = [(int(times[4]) + 1, int(times[7]))]
    played(journal, [None, LONG], FALLING, outages=outages)
    (opened,) = journal.intents()

    text = told(journal, opened.order_ticket)

    assert labels(text)[-4:] == ["link", "deal", "link", "result"]
    assert "1 closed meanwhile" in text


@pytest.mark.parametrize("magic", [0, 77])
def test_a_position_that_another_program_closed_ends_so(journal: SqliteJournal, magic: int) -> None:
    def close(run: LiveRun) -> None:
        (position,) = run.market.book.positions()
        order = {"action": 1, "symbol": "EURUSD", "volume": 0.5, "type": 1, "magic": magic}
        answer = run.terminal.order_send(order | {"position": position.position_ticket})
        assert answer.retcode == 10009

    played(journal, [None, LONG], QUIET, on_step=at_bar(5, close))
    (opened,) = journal.intents()

    story = find_story(journal, opened.order_ticket)

    assert [row.kind for row in story.rows][-1] == "deal"
    assert "was closed by another program" in "\n".join(story_lines(story, 10_000))


def test_a_broker_that_disables_trading_is_told_with_the_halt_that_follows(
    journal: SqliteJournal,
) -> None:
    def wrap(terminal: Any, _server: Any) -> Any:
        return Replaced(
            terminal, order_send=lambda _order: None, last_error=lambda: (-8, "disabled")
        )

    played(journal, [None, LONG], QUIET, wrap=wrap)
    (row,) = journal.intents()

    assert labels(told(journal, row.intent_id))[-3:] == ["state", "halt", "result"]


# ---------------------------------------------------------------------- made-up journals


def deal(number: int, order: int, position: int, **changes: Any) -> Deal:
    usual = {"order_ticket": order, "position_ticket": position, "reason": Reason.CLIENT}
    return a_deal(number, **(usual | changes))


def test_a_halt_from_before_the_story_is_told_if_its_closing_obeyed_it(
    journal: SqliteJournal,
) -> None:
    for level, who in ((3, "ann"), (0, "ann"), (1, "eve"), (3, "bob"), (2, "eve")):
        journal.record_halt(HaltOrder(time_ms=1, level=level, who=who, reason="x"))
    journal.record_deals([deal(5, 6, 7), deal(8, 9, 10)])
    flatten = {"action": IntentAction.CLOSE, "signal_id": "halt"}
    journal.record_sending(sending_row(1, **flatten, position_ticket=7))
    journal.record_sending(sending_row(2, **flatten, position_ticket=10, trigger="other"))

    story = find_story(journal, 7)

    assert [row.kind for row in story.rows] == ["halt", "deal", "intent"]
    assert "level 3 by bob: x" in told(journal, 7)


def test_a_deal_that_was_seen_later_than_it_happened_says_so(journal: SqliteJournal) -> None:
    row = sending_row(1)
    journal.record_sending(row)
    journal.record_intents([row.moved(IntentState.DONE, 100, order_ticket=7)])
    journal.record_deals([deal(5, 7, 7), deal(6, 8, 7, time_ms=101, side=Side.SELL)])

    text = told(journal, 7)

    assert text.count("no money moved; seen later than that") == 1


def test_a_deal_without_any_intent_is_by_a_program_whichever(journal: SqliteJournal) -> None:
    journal.record_deals([deal(5, 6, 7, reason=Reason.EXPERT)])

    assert "opens position 7, by a program;" in told(journal, 7)


def test_requests_that_disagree_about_the_digits_leave_prices_in_points(
    journal: SqliteJournal,
) -> None:
    requests = ('{"price": 1.1}', '{"price": 11.0}', "no JSON", "[1]")
    for number, request in enumerate(requests, 1):
        journal.record_sending(sending_row(number, price_points=110_000, signal_id="s"))
        fields = {"intent_id": number, "request": request, "reply": "", "detail": "", "outcome": ""}
        journal.note(Publish(name="order_answered", time_ms=1, correlation_id="s", fields=fields))
    journal.flush()

    for number in (1, 2, 3, 4):
        price = {1: "1.10000", 2: "11.0000"}.get(number, "110000 points")
        assert f"{number}: open BUY 0.10 lots EURUSD at {price}," in told(journal, number)
        assert f"request  {('price 1.1', 'price 11.0', 'no JSON', '[1]')[number - 1]}" in told(
            journal, number
        )


def test_a_number_that_nobody_knows_is_refused_with_what_was_looked_at(
    journal: SqliteJournal,
) -> None:
    journal.record_sending(sending_row(1))
    journal.record_deals([deal(5, 6, 7)])

    for unknown in (99, 0, -1, 10**30):
        with pytest.raises(ConfigError, match=rf"^{unknown}: not in this journal") as refused:
            find_story(journal, unknown)
        assert "1 intents" in str(refused.value)
        assert "1 deals" in str(refused.value)


def test_a_number_that_a_position_and_another_ones_deal_have_is_said_to_be_both(
    journal: SqliteJournal,
) -> None:
    journal.record_deals([deal(7, 6, 20), deal(8, 7, 7)])

    story = find_story(journal, 7)

    assert story.position_ticket == 7
    assert [one.deal_ticket for one in story.deals] == [8]
    assert story.also == ("deal of position 20",)
    assert "7 is also the number of the deal of position 20" in told(journal, 7)


def test_strategies_that_decided_at_one_bar_do_not_get_into_each_others_stories(
    journal: SqliteJournal,
) -> None:
    same = {"trigger": "bar:0", "signal_id": "bar:0", "action": IntentAction.CLOSE}
    journal.record_sending(sending_row(1, **same, position_ticket=70))
    journal.record_sending(sending_row(2, **same, position_ticket=80, strategy_id="b"))
    repeated = {"trigger": "bar:0", "action": "close"}
    journal.note(
        Publish(name="decision_repeated", time_ms=1, correlation_id="bar:0", fields=repeated)
    )
    journal.flush()

    story = find_story(journal, 70)

    assert [(row.kind, row.intent_id) for row in story.rows] == [("intent", 1)]


def test_money_and_prices_that_nobody_explained_stay_points_and_minor_units(
    journal: SqliteJournal,
) -> None:
    journal.record_deals([deal(5, 6, 7, profit_minor=-12)])

    text = told(journal, 7)

    assert "BUY 0.10 lots at 110000 points opens position 7, by hand" in text
    assert "profit -12 minor units" in text


def test_a_balance_operation_is_a_story_of_its_own(journal: SqliteJournal) -> None:
    deposit = {"kind": DealKind.BALANCE, "side": None, "volume_units": 0, "profit_minor": 5}
    journal.record_deals([deal(5, 0, 0, **deposit), deal(6, 0, 0, **deposit)])

    story = find_story(journal, 5)

    assert [one.deal_ticket for one in story.deals] == [5]
    assert "5: balance, 5 minor units" in told(journal, 5)


def test_words_that_would_move_the_cursor_are_written_out(journal: SqliteJournal) -> None:
    nasty = "\x1b[2J\x07gone\r\n\u202eevil"
    row = sending_row(1, reason=nasty)
    journal.record_sending(row)
    journal.record_intents([replace(row.moved(IntentState.REJECTED, 2), detail=nasty)])
    journal.note(Publish(name=nasty, time_ms=1, correlation_id="bar:1", fields={"a": nasty}))
    journal.flush()

    text = told(journal, 1)

    assert text.replace("\n", "").isprintable()
    assert text.count(r"\x1b[2J\x07gone\r\n\u202eevil") == 4


def test_a_note_that_no_bot_has_written_is_named(journal: SqliteJournal) -> None:
    journal.record_sending(sending_row(1))
    journal.note(
        Publish(name="order_approved", time_ms=1, correlation_id="bar:1", fields={"intent_id": 1})
    )
    journal.flush()

    with pytest.raises(JournalError, match="log row 3 is not what a bot writes"):
        told(journal, 1)


def test_a_row_that_is_no_observation_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(SqliteJournal.open(path)) as journal:
        journal.record_sending(sending_row(1))
        journal.note(Publish(name="link_lost", time_ms=1, correlation_id="bar:1"))
        journal.flush()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update log set body = '{}' where sequence = 3")

    with (
        closing(SqliteJournal.attach(path)) as journal,
        pytest.raises(JournalError, match="log row 3: this is no observation"),
    ):
        find_story(journal, 1)


def test_a_story_is_json_with_the_rows_of_the_log(journal: SqliteJournal) -> None:
    journal.record_sending(sending_row(1))
    journal.record_deals([deal(5, 6, 7, intent_id=1)])

    found: Story = find_story(journal, 1)
    facts = found.to_dict()

    assert [row["record"] for row in facts["rows"]] == [row.record() for row in found.rows]
    assert [row["hash"] for row in facts["rows"]] == [
        row.hash for row in journal.log() if row.intent_id == 1 and row.kind == "intent"
    ]


# ---------------------------------------------------------------------- decisions and refusals


def test_a_refused_decision_tells_its_order_every_reason_and_every_rule_it_met(journal):
    limits = RiskLimits(max_spread_points=3, min_reward_risk=1.0)
    run = played(journal, [None, LONG], QUIET, limits=limits)
    (note,) = run.named("order_refused")
    story = find_decision(journal, note.correlation_id)

    lines = story_lines(story, 10_000)
    text = "\n".join(lines)
    assert lines[0] == f"decision {note.correlation_id}"
    price = note.fields["price_points"]
    assert f"refused: BUY 0.50 lots EURUSD at {price} points" in text
    assert f"stop loss {note.fields['stop_loss_points']}" in text
    assert str(note.fields["explanation"]) in text
    assert "not met: max_spread: 10 points (limit 3 points)" in text
    assert "not met: min_reward_risk: no target (limit at least 1)" in text
    assert "  reconciled: done (limit after reconciliation)" in text
    assert story.to_dict()["number"] == note.correlation_id


def test_a_decision_that_traded_tells_its_intents_and_deals(journal):
    run = played(journal, [None, LONG], QUIET)
    name = run.named("order_approved")[0].correlation_id
    story = find_decision(journal, name)

    assert [row.intent_id for row in story.intents] == [US.intent_id(1)]
    assert [deal.entry for deal in story.deals] == [DealEntry.IN]
    assert "filled" in "\n".join(story_lines(story, 200))


def test_a_decision_whose_intent_could_not_be_journalled_says_that_it_was_not_sent(journal):
    """The observation waits, and is written when the journal can be written again."""
    row = sending_row(1)
    fields = {"intent_id": 1, "action": "open", "side": "BUY", "volume_units": 10_000_000}
    words = {"reason": "r", "explanation": "", "passed": ""}
    journal.note(
        Publish(
            name="order_approved", time_ms=1, correlation_id="bar:1", fields={**fields, **words}
        )
    )
    journal._connection.execute("pragma busy_timeout = 1")
    file = journal._connection.execute("pragma database_list").fetchone()[2]
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(JournalError, match="locked"):
            journal.record_sending(row)
        other.execute("rollback")
    journal.flush()

    story = find_decision(journal, "bar:1")

    assert story.intents == ()
    assert story_lines(story, 200)[0] == "decision bar:1"
    assert story_lines(story, 200)[-1].endswith(
        "  risk  approved, but it could not be journalled: not sent"
    )


def test_an_order_that_was_to_be_canceled_is_known_by_its_number(journal):
    cancel = {"action": IntentAction.CANCEL, "order_ticket": 77, "volume_units": 1_000_000}
    journal.record_sending(sending_row(1, **cancel))
    journal.record_sending(sending_row(2))

    story = find_story(journal, 77)

    assert (story.known_as, [row.intent_id for row in story.intents]) == ("order", [1])
    assert "cancel order 77" in told(journal, 77)


def test_an_id_that_no_decision_has_is_refused(journal):
    with pytest.raises(ConfigError, match=r"'s:X': no decision of this journal has this id"):
        find_decision(journal, "s:X")


def test_where_nothing_was_refused_the_listing_says_so(tmp_path: Path, journal):
    played(journal, [None, LONG], QUIET)

    assert refused_lines(list_refused(tmp_path, limit=20)) == ["No entry was refused."]


def test_refused_entries_are_listed_and_counted_by_rule(tmp_path: Path, journal):
    limits = RiskLimits(max_spread_points=3)
    run = played(journal, [None, LONG, None, LONG], QUIET, limits=limits)
    names = [note.correlation_id for note in run.named("order_refused")]
    assert len(names) == 2

    every = list_refused(tmp_path, limit=20)
    assert (every.by_rule, every.matching) == ({"max_spread": 2}, 2)
    assert [one["correlation_id"] for one in every.to_dict()["refused"]] == names
    newest = list_refused(tmp_path, limit=1)
    assert [row.correlation_id for row in newest.rows] == names[1:]
    lines = refused_lines(newest)
    assert lines[0] == "2 refused, by max_spread 2"
    assert "the newest 1 of 2" in "\n".join(lines)
    for wanted in ({"rule": "halt"}, {"symbol": "GBPUSD"}):
        nothing = list_refused(tmp_path, limit=20, **wanted)
        assert refused_lines(nothing) == ["No entry was refused like that."]
