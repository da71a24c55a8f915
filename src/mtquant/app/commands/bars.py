"""`mtquant bars`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtquant.app.commands.options import json_option

if TYPE_CHECKING:
    from mtquant.data.store import BarsStore


def _named(_: click.Context, __: click.Parameter, folder: str | None) -> Path | None:
    """Refuse the empty name: it would be the current folder."""
    if folder == "":
        raise click.BadParameter("the name is empty; name a folder, or leave the option out")
    return None if folder is None else Path(folder)


_store_option = click.option(
    "--store",
    "folder",
    metavar="PATH",
    callback=_named,
    help="Folder of the bars; default: your data folder, see MTQUANT_DATA.",
)


@click.group("bars")
def command() -> None:
    """Keep bars in a store, where runs find them by key and open them at once."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--clock",
    default="utc",
    show_default=True,
    help="The clock of a Parquet file's times: utc, eet_eu, ny_plus_7, fixed:+2.",
)
@_store_option
@json_option
def import_(
    file: Path,
    clock: str,
    folder: Path | None,
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> None:
    """Put the bars of FILE (.npz or .parquet) into the store."""
    from mtquant.app.bars import facts_of, import_bars, import_lines

    entry = import_bars(file, clock, _opened(folder))
    _show(import_lines(entry), facts_of(entry), as_json=as_json)


@command.command("list")
@_store_option
@json_option
def list_(folder: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """List what is in the store."""
    from dataclasses import asdict

    from mtquant.app.bars import facts_of, list_lines

    store = _opened(folder)
    facts = {
        "store": str(store.folder),
        "entries": [facts_of(entry) for entry in store.entries()],
        "unreadable": [asdict(one) for one in store.unreadable()],
    }
    _show(list_lines(store), facts, as_json=as_json)


@command.command("export")
@click.argument("key")
@click.argument("file", type=click.Path(path_type=Path))
@_store_option
@json_option
def export(
    key: str,
    file: Path,
    folder: Path | None,
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> None:
    """Write the bars of KEY to FILE (.npz or .parquet); the first characters of a key will do."""
    from mtquant.app.bars import export_bars, facts_of

    entry = export_bars(key, file, _opened(folder))
    _show([f"{entry.rows:,} bars written to {file}"], facts_of(entry), as_json=as_json)


@command.command("check")
@click.argument("key")
@_store_option
@json_option
def check(key: str, folder: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Read the bars of KEY and compare them with what was put into the store."""
    from mtquant.app.bars import facts_of

    entry = _opened(folder).verify(key)
    _show([f"{entry.key}: all {entry.rows:,} bars are whole"], facts_of(entry), as_json=as_json)


@command.command("remove")
@click.argument("key")
@_store_option
@json_option
def remove(key: str, folder: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Remove the bars of KEY from the store."""
    whole = _opened(folder).remove(key)
    _show([f"{whole} removed"], {"key": whole}, as_json=as_json)


def _opened(folder: Path | None) -> BarsStore:
    from mtquant.app.data_folder import bars_folder
    from mtquant.data.store import BarsStore

    return BarsStore(folder or bars_folder())


def _show(lines: list[str], facts: dict[str, Any], *, as_json: bool) -> None:
    for line in [json.dumps(facts, indent=2)] if as_json else lines:
        click.echo(line)
