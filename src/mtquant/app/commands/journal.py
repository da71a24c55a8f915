"""`mtquant journal`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

from mtquant.app.commands.folder import bot_folder
from mtquant.app.commands.options import json_option

if TYPE_CHECKING:
    from collections.abc import Iterable

_STATES = ("new", "sending", "unknown", "done", "partial", "rejected", "notsent", "late")
_WIDTHS = (70, 120)
_MOST_DIGITS = 40  # no ticket has half of them, and thousands cannot be read at all


@click.group("journal")
def command() -> None:
    """Look into a bot's journal, running or dead; nothing in it is changed."""


@command.command("show")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many intents, the newest ones.",
)
@click.option("--symbol", default="", help="Intents of this symbol only.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(_STATES, case_sensitive=False),
    help="Intents in this state only; can be repeated.",
)
@click.option("--open", "only_open", is_flag=True, help="Only intents without an outcome yet.")
@bot_folder
@json_option
def show(  # noqa: PLR0917 - click passes them by name
    limit: int,
    symbol: str,
    states: tuple[str, ...],
    only_open: bool,  # noqa: FBT001
    folder: Path,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show the newest intents, halts and waiting requests."""
    from mtquant.app.journal.listing import list_intents, listing_lines

    wanted = {state.upper() for state in states}
    listing = list_intents(folder, limit=limit, symbol=symbol, states=wanted, only_open=only_open)
    _say(listing_lines(listing), listing.to_dict(), as_json=as_json)


@command.command("verify")
@click.option("--rows", type=click.IntRange(min=1), help="Number of rows of an earlier check.")
@click.option("--hash", "kept_hash", help="The last hash of that check.")
@bot_folder
@json_option
def verify(
    rows: int | None,
    kept_hash: str | None,
    folder: Path,
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> None:
    """Check that nothing was changed since it was written."""
    from mtquant.app.journal.checking import verify as checked

    if (rows is None) != (kept_hash is None):
        raise click.UsageError("--rows and --hash belong together: both are of one earlier check")
    kept = None if rows is None or kept_hash is None else (rows, kept_hash.strip())
    count, last = checked(folder, kept)
    said = f"{count} rows, last hash {last}; keep these two to prove later that nothing before"
    lines = [f"{said} was replaced"]
    if kept is not None:
        lines.append(f"row {kept[0]} is the one whose hash was kept")
    _say(lines, {"rows": count, "hash": last}, as_json=as_json)


@command.command("why")
@click.argument("number")
@bot_folder
@json_option
def why(number: str, folder: Path, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Tell the story of a position, order, deal, intent or decision.

    NUMBER is the number of any of them; a decision has an id that begins with the strategy's.
    """
    from mtquant.app.journal.opened import reading
    from mtquant.app.journal.story import find_decision, find_story
    from mtquant.app.journal.telling import story_lines
    from mtquant.model import ConfigError

    is_number = number.removeprefix("-").isdecimal()
    if is_number and len(number) > _MOST_DIGITS:
        raise ConfigError(
            f"{number[:_MOST_DIGITS]}…: a number of {len(number)} digits is no ticket"
        )
    with reading(folder) as journal:
        story = find_story(journal, int(number)) if is_number else find_decision(journal, number)
    narrow, wide = _WIDTHS
    width = min(max(get_terminal_size((100, 24)).columns, narrow), wide)
    _say(story_lines(story, width), story.to_dict(), as_json=as_json)


@command.command("refused")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many entries, the newest ones.",
)
@click.option("--symbol", default="", help="Entries of this symbol only.")
@click.option("--rule", default="", help="Entries that this rule refused only.")
@bot_folder
@json_option
def refused(
    limit: int,
    symbol: str,
    rule: str,
    folder: Path,
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> None:
    """Show the entries that were refused, and why."""
    from mtquant.app.journal.refused import list_refused, refused_lines

    listing = list_refused(folder, limit=limit, symbol=symbol, rule=rule)
    _say(refused_lines(listing), listing.to_dict(), as_json=as_json)


@command.command("export")
@click.option("--what", type=click.Choice(("intents", "deals", "log")), required=True)
@click.option("--format", "as_format", type=click.Choice(("csv", "jsonl")), required=True)
@click.option("--out", type=click.Path(path_type=Path), help="A new file; else standard output.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@bot_folder
@json_option
def export(  # noqa: PLR0917 - click passes them by name
    what: str,
    as_format: str,
    out: Path | None,
    force: bool,  # noqa: FBT001
    folder: Path,
    as_json: bool,  # noqa: FBT001
) -> int:
    """Write all intents, deals or rows of the log for another program."""
    from mtquant.app.journal.exporting import export as exported
    from mtquant.app.journal.exporting import write_export

    lines = exported(folder, what, as_format)
    if out is not None:
        write_export(out, lines, folder, force=force)
        _say([f"{what} written to {out}"], {"what": what, "file": str(out)}, as_json=as_json)
        return 0
    if as_json:
        raise click.UsageError("--json describes the file of --out; without it there is none")
    return _poured(lines)


def _poured(lines: Iterable[str]) -> int:
    """Write lines to standard output as they are; a reader that has enough is no error."""
    stream = sys.stdout.buffer  # a text stream would write ends of lines of its own
    try:
        for line in lines:
            stream.write(line.encode())
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(lines: list[str], facts: dict[str, Any], *, as_json: bool) -> None:
    for line in [json.dumps(facts, indent=2)] if as_json else lines:
        click.echo(line)
