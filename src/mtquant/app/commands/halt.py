"""`mtquant halt`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mtquant.app.commands.folder import bot_folder

if TYPE_CHECKING:
    from pathlib import Path


@click.command("halt")
@click.option(
    "--level",
    type=click.IntRange(1, 4),
    default=1,
    show_default=True,
    help="1 no entries; 2 also no pending orders; 3 also close the bot's positions; "
    "4 close every position of the account.",
)
@click.option("--reason", required=True, help="Why, for the journal.")
@click.option("--who", default="", help="Who asks; your user name when left out.")
@bot_folder
def command(level: int, reason: str, who: str, folder: Path) -> int:
    """Tell a bot to stop opening positions; it obeys before its next order.

    Works from another shell while the bot runs. The halt survives restarts; only `resume` lifts it.
    """
    from mtquant.app.halting import request

    click.echo(request(folder, level=level, who=who, reason=reason))
    return 0
