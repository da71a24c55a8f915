"""`mtquant resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mtquant.app.commands.folder import bot_folder

if TYPE_CHECKING:
    from pathlib import Path


@click.command("resume")
@click.option("--who", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why, for the journal.")
@bot_folder
def command(who: str, reason: str, folder: Path) -> int:
    """Lift a halt: the bot may open positions again."""
    from mtquant.app.halting import request

    click.echo(request(folder, level=0, who=who, reason=reason))
    return 0
