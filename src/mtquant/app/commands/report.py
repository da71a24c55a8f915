"""`mtquant report`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("mtquant-demo"))
def command(folder: Path) -> int:
    """Write FOLDER/report.html again, from the run's journal (FOLDER: ./mtquant-demo)."""
    from mtquant.app.results import rebuild_report

    click.echo(str(rebuild_report(folder)))
    return 0
