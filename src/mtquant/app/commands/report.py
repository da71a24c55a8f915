"""`mtquant report`."""

from __future__ import annotations

from pathlib import Path

import click

from mtquant.app.commands.folder import DEFAULT_FOLDER


@click.command("report")
@click.argument("folder", type=click.Path(path_type=Path), default=DEFAULT_FOLDER)
def command(folder: Path) -> int:
    """Write FOLDER/report.html again, from the run's journal (FOLDER: ./mtquant-demo)."""
    from mtquant.app.results import rebuild_report

    click.echo(str(rebuild_report(folder)))
    return 0
