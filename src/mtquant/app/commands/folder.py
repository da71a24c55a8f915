"""Where a bot lives: the folder that the commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

DEFAULT_FOLDER: Final = Path("mtquant-demo")

bot_folder = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder of the bot.",
)
