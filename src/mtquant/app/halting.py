"""Halts and releases from another process: a row in the journal that the bot takes up.

Where no bot runs, what a halt asks for is done from here, at the bot's terminal. Where the journal
cannot be used, whatever the reason, the file HALT beside it takes its place.
"""

from __future__ import annotations

import getpass
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mtquant.app.workspace import JOURNAL, LOCK, RUN, SUMMARY, read_run
from mtquant.model import (
    ConfigError,
    HaltError,
    HaltOrder,
    IntentAction,
    JournalError,
    JournalInUseError,
    MtquantError,
    OrderType,
    SystemClock,
    lots_from_units,
)
from mtquant.storage import (
    HALT_FILE,
    HALTING,
    MemoryJournal,
    SqliteJournal,
    lock_journal,
    owner_of,
    read_halt_file,
    write_halt_file,
)

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import FileLock

    from mtquant.app.demo import Halted
    from mtquant.model import Order, Position

_REMOVES: Final = 2
"""From this level on a halt removes orders, then positions."""
_REMOVES_POSITIONS: Final = 3
_REMOVES_ALL: Final = 4
_TURN_S: Final = 10.0
"""How long to wait until a bot takes up what removes something, or for the lock: the bot ends, or
another halt is done."""
_BACKTEST: Final = "backtest"
_RUNS: Final = (RUN, JOURNAL, LOCK)
"""One of them lies in any folder in which a bot runs or has run."""


def _user() -> str:
    """Return the name of the user; a kill switch must not fail because there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "an unnamed user"


def request(folder: Path, *, level: int, who: str, reason: str) -> str:
    """Put a halt (1 to 4) or a release (0) to a bot; return what to tell the person.

    A bot that runs takes it up before its next order. Where none runs, or it ends before, a halt
    that removes orders or positions is carried out from here. What is returned is on disk, and
    will be obeyed as long as the bot that it names runs.

    Raises:
        ConfigError: name or reason is empty, or no bot runs in the folder, or none any more, or
            the folder is that of a backtest.
        JournalError: it is to be resumed, and the journal cannot be used.
        HaltError: the halt is not on disk, or no bot runs and it could not be carried out; the
            message says which.
    """
    if not reason.strip():
        raise ConfigError("--reason must say why")
    if level == 0 and not who.strip():
        raise ConfigError("--who must name the person who lifts the halt")
    if (folder / SUMMARY).exists():
        raise ConfigError(f"{folder}: the run in this folder is finished; no bot will read a halt")
    if level == 0 and (folder / HALT_FILE).exists():
        raise ConfigError(f"{folder / HALT_FILE} is there and halts the bot: remove it first")
    if not any((folder / name).exists() for name in _RUNS):
        raise ConfigError(
            f"{folder}: no bot has run in this folder, and nothing was halted; --dir must name "
            f"the folder with the bot's {JOURNAL}"
        )
    if _is_of_backtest(folder):
        raise ConfigError(
            f"{folder}: the folder of a backtest, in which no bot reads a halt; nothing was halted"
        )
    order = HaltOrder(
        time_ms=SystemClock().now_ms(),
        level=level,
        who=_plain(who.strip() or _user()),
        reason=_plain(reason.strip()),
    )
    try:
        return _by_journal(folder, order)
    except JournalError as problem:
        if level == 0:
            raise
        return _by_file(folder, order, problem)


def _is_of_backtest(folder: Path) -> bool:
    """Tell whether a folder is that of a backtest, by the run in it.

    Who held the lock last says little: a backtest that is refused in the folder of a bot has been
    there too. Only where nothing else tells does it count.
    """
    try:
        return read_run(folder).get("kind") == _BACKTEST
    except ConfigError:
        holder = owner_of(folder / JOURNAL)
        is_named = holder is not None and holder.what == _BACKTEST
        return is_named and not (folder / JOURNAL).exists()


def _plain(text: str) -> str:
    """Return text that can be stored, whatever the console made of it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _asked(journal: SqliteJournal, order: HaltOrder) -> tuple[int, str]:
    """Write the request; return its number, and words that say so."""
    number = journal.request_halt(order.level, order.who, order.reason, order.time_ms)
    what = "resume" if order.level == 0 else f"halt level {order.level}"
    return number, f"request {number}: {what}, by {order.who}; "


def _by_journal(folder: Path, order: HaltOrder) -> str:
    """Put a halt or a release to the bot by its journal.

    Raises:
        JournalError: the journal cannot be used.
        HaltError: it was not carried out.
    """
    path = folder / JOURNAL
    if not path.is_file():
        raise JournalError(f"{path}: there is no journal here")
    try:
        lock = _lock(path, order)
    except JournalInUseError:
        with closing(SqliteJournal.attach(path)) as journal:
            number, asked = _asked(journal, order)
            if not _is_halting(path):
                return f"{asked}{_by_bot(folder, order, number, journal)}"
        return f"{asked}{_after_another(folder, order)}"
    with closing(_opened(path, order, lock)) as journal:
        _, asked = _asked(journal, order)
        return f"{asked}{_without_bot(folder, order, journal)}"


def _by_bot(folder: Path, order: HaltOrder, number: int, journal: SqliteJournal) -> str:
    """Leave a request to the bot that runs; where it ends, carry out what it has left.

    Raises:
        JournalError: the journal cannot be used.
        HaltError: it was not carried out.
    """
    path = folder / JOURNAL
    if order.level < _REMOVES:
        standing = journal.halt_level()
        return f"the bot takes it up before its next order (level in force now: {standing})"
    try:
        lock = _lock_unless_taken(path, order, number, journal)
    except JournalInUseError as problem:
        if _is_halting(path):
            raise _undone_by(problem) from problem
        return (
            f"the bot that runs here ({owner_of(path) or 'owner unknown'}) has not taken it up yet "
            f"after {_TURN_S:g} s: it does so before its next order; should it end before, give "
            "the command again"
        )
    if lock is None:
        return f"the bot has taken it up (level in force now: {journal.halt_level()})"
    with closing(_opened(path, order, lock)) as own:
        if (folder / SUMMARY).exists():  # the bot has come to the end of its data
            if _is_waiting(own, number):
                raise HaltError("the run has finished meanwhile, without having taken it up")
            return "the bot has taken it up, and its run has finished"
        return _without_bot(folder, order, own)


def _lock_unless_taken(
    path: Path, order: HaltOrder, number: int, journal: SqliteJournal
) -> FileLock | None:
    """Wait until the bot takes a request up (None), or ends: then its lock is returned.

    Raises:
        JournalInUseError: it has done neither in time.
    """
    until_s = time.monotonic() + _TURN_S
    while True:
        try:
            return _lock(path, order)
        except JournalInUseError:
            if not _is_waiting(journal, number) and not _is_halting(path):
                return None
            if time.monotonic() > until_s:
                raise


def _is_waiting(journal: SqliteJournal, number: int) -> bool:
    return any(halt.request_id == number for halt in journal.pending_halts())


def _undone_by(problem: JournalInUseError) -> HaltError:
    return HaltError(f"the halt stands, but was not carried out ({problem})")


def _after_another(folder: Path, order: HaltOrder) -> str:
    """Wait until another halt is done, then carry this one out."""
    path = folder / JOURNAL
    try:
        lock = _lock(path, order, wait_s=_turn_s(order))
    except JournalInUseError as problem:
        if not _is_halting(path):
            return "the bot takes it up before its next order"
        if order.level < _REMOVES:
            return f"whatever starts here takes it up before its first order ({problem})"
        raise _undone_by(problem) from problem
    with closing(_opened(path, order, lock)) as journal:
        return _without_bot(folder, order, journal)


def _without_bot(folder: Path, order: HaltOrder, journal: SqliteJournal) -> str:
    """Carry out a halt that stands in the journal, if it removes anything."""
    if order.level < _REMOVES:
        return (
            "no bot runs here, the next one takes it up before its first order "
            f"(level in force now: {journal.halt_level()})"
        )
    try:
        return f"no bot runs here, so {_carried_out(folder, journal, order)}"
    except JournalError:
        raise
    except HaltError as undone:
        raise HaltError(f"the halt stands, but {undone}") from undone


def _by_file(folder: Path, order: HaltOrder, problem: JournalError) -> str:
    """Halt a bot whose journal cannot be used: by the file HALT, and at its terminal.

    Raises:
        HaltError: the file cannot be written, or what is to be removed could not be.
    """
    unwritten, is_kept = None, True
    try:
        level = write_halt_file(folder, order)  # the file may have asked for more before
        said = f"{problem}. The file {HALT_FILE} was written and asks for level {level}"
    except ConfigError as error:  # what can be removed is removed all the same
        found = read_halt_file(folder)
        held = 0 if found is None else found.level
        level, is_kept = max(order.level, held), held >= order.level  # as it stood there before
        stands = "it is not there" if found is None else f"it asks for level {held}"
        said = f"{problem}. {error}: {stands}, and nothing else keeps the halt"
        unwritten = error
    try:
        said = f"{said}; {_around_journal(folder, order, level, is_kept=is_kept)}"
    except HaltError as undone:
        raise HaltError(f"{said}; {undone}") from undone
    if unwritten is not None:
        raise HaltError(said) from unwritten
    return said


def _around_journal(folder: Path, order: HaltOrder, level: int, *, is_kept: bool) -> str:
    """Have a halt obeyed that the journal does not hold; say by whom.

    `level` is what the file asks for: where something is removed, it is removed up to there. The
    halt `is_kept` where the file asks for no less: a bot that runs or starts reads that.

    Raises:
        HaltError: nobody does what it asks for.
    """
    path = folder / JOURNAL
    try:
        lock = _lock(path, order, wait_s=_turn_s(order))
    except JournalInUseError as problem:
        if _is_halting(path):
            return _left_to_the_next(order, problem, is_kept=is_kept)
        holder = owner_of(path) or "owner unknown"
        if not is_kept:
            raise HaltError(
                f"the bot that runs here ({holder}) does not know of it: stop that bot, then give "
                "the command again"
            ) from problem
        return f"the bot that runs here ({holder}) reads it before its next order"
    except JournalError as problem:
        return _left_to_the_next(order, problem, is_kept=is_kept)
    try:
        if order.level < _REMOVES:
            return _to_be_looked_for(is_kept=is_kept)
        journal = MemoryJournal()  # the bot's own positions are known by their numbers
        journal.request_halt(level, order.who, order.reason, order.time_ms)
        return f"no bot runs here, so {_carried_out(folder, journal, replace(order, level=level))}"
    finally:
        lock.release()


def _to_be_looked_for(*, is_kept: bool) -> str:
    """Say that the next bot obeys a halt that removes nothing."""
    if not is_kept:
        raise HaltError(
            "no bot runs here, and the next one does not know of it: start none before this "
            "command has succeeded"
        )
    return "no bot runs here, and the next one looks for it before its first order"


def _left_to_the_next(order: HaltOrder, problem: JournalError, *, is_kept: bool) -> str:
    """Say that whoever comes next obeys; a halt that removes something is not done with that.

    Raises:
        HaltError: nobody who comes next knows of it, or something is to be removed.
    """
    if is_kept and order.level < _REMOVES:
        return f"whatever runs or starts here reads it before its next order ({problem})"
    said = [] if is_kept else ["whatever runs or starts here does not know of it"]
    if order.level >= _REMOVES:
        said.append("it was not carried out at the terminal")
    # for any other reason it would come to the same
    way_on = ": give the command again" if isinstance(problem, JournalInUseError) else ""
    raise HaltError(f"{' and '.join(said)} ({problem}){way_on}") from problem


def _lock(path: Path, order: HaltOrder, wait_s: float = 0.0) -> FileLock:
    return lock_journal(path, owner=HALTING, now_ms=order.time_ms, wait_s=wait_s)


def _turn_s(order: HaltOrder) -> float:
    """Return how long it is worth to wait for the lock: only what removes something needs it."""
    return _TURN_S if order.level >= _REMOVES else 0.0


def _opened(path: Path, order: HaltOrder, lock: FileLock) -> SqliteJournal:
    return SqliteJournal.open(path, owner=HALTING, now_ms=order.time_ms, lock=lock)


def _is_halting(path: Path) -> bool:
    """Tell whether it is another halt that holds the lock, and no bot."""
    holder = owner_of(path)
    return holder is not None and holder.what == HALTING


def _carried_out(folder: Path, journal: SqliteJournal | MemoryJournal, order: HaltOrder) -> str:
    """Carry out the halts that are asked for; say what is left.

    Raises:
        JournalError: the journal cannot be written.
        HaltError: the terminal cannot be used, or something that the halt means is left.
    """
    from mtquant.app.demo import carry_out_halt  # only here is a terminal needed

    try:
        found = carry_out_halt(folder, journal)
    except JournalError:
        raise
    except Exception as problem:  # whatever it was: the halt stands, and that must be said
        way_on = "give the command again, or start the bot"
        if isinstance(problem, ConfigError):  # what the folder tells is too little: it stays so
            way_on = "start the bot"
        raise HaltError(
            f"it was not carried out at the terminal ({_named(problem)}): {way_on}"
        ) from problem
    level = max(order.level, found.engine.risk.halt_level)
    said = ["it was carried out at the terminal", *_standing(found)]
    entries = [row for row in found.engine.desk.in_flight if row.intent.action is IntentAction.OPEN]
    if entries or _meant_orders(found, level) or _meant_positions(found, level):
        said[0] = "not all of it was carried out at the terminal"
        raise HaltError(f"{'; '.join(said)}: give the command again, or start the bot")
    return "; ".join(said)


def _named(problem: Exception) -> str:
    """Return a problem in words; of a defect, or of another program's, its kind as well."""
    if isinstance(problem, (MtquantError, OSError)):
        return str(problem)
    return f"{type(problem).__name__}: {problem}"


def _standing(found: Halted) -> list[str]:
    """Say what stands on the account, whosever it is, and what is not known yet."""
    positions = [
        f"{one.symbol} {one.volume:g} lots, ticket {one.position_ticket}"
        for one in found.view.positions
    ]
    orders = [
        f"{one.symbol} {lots_from_units(one.volume_units):g} lots, ticket {one.order_ticket}"
        for one in _pending(found)
    ]
    said = ["no position stands on the account"]
    if positions:
        said[0] = f"{len(positions)} positions stand on the account: {', '.join(positions)}"
    if orders:
        said.append(f"{len(orders)} pending orders stand on the account: {', '.join(orders)}")
    in_flight = found.engine.desk.in_flight
    if in_flight:
        said.append(f"{len(in_flight)} orders have no known outcome yet")
    return said


def _pending(found: Halted) -> list[Order]:
    return [one for one in found.view.orders if one.order_type is not OrderType.MARKET]


def _meant_orders(found: Halted, level: int) -> list[Order]:
    """Return the pending orders that are left and should not be."""
    is_own = found.engine.portfolio.is_own
    return [one for one in _pending(found) if level >= _REMOVES_ALL or is_own(one.intent_id)]


def _meant_positions(found: Halted, level: int) -> list[Position]:
    """Return the positions that are left and should not be."""
    if level < _REMOVES_POSITIONS:
        return []
    is_own = found.engine.portfolio.is_own
    return [one for one in found.view.positions if level >= _REMOVES_ALL or is_own(one.intent_id)]
