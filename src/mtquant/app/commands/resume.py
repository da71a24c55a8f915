"""`mtquant resume`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("resume")
@click.option("--who", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why, for the journal.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("mtquant-demo"),
    show_default=True,
    help="Folder of the bot.",
)
def command(who: str, reason: str, folder: Path) -> int:
    """Lift a halt: the bot may open positions again."""
    from mtquant.app.halting import request

    click.echo(request(folder, level=0, who=who, reason=reason))
    return 0
