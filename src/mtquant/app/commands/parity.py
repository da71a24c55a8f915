"""`mtquant parity`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mtquant.app.commands.options import config_option, data_option, json_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command("parity")
@config_option
@data_option
@click.option("--seed", type=click.IntRange(min=0), help="Draws the slippage, and where to cut.")
@click.option(
    "--bars",
    type=click.IntRange(min=2),
    help="Play the first N bars; default: all, and the live runner 20,000.",
)
@json_option
def command(
    config_path: Path | None,
    data: Path | None,
    seed: int | None,
    bars: int | None,
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> int:
    """Play a configuration live, as a backtest and by the kernel, and compare all they did.

    Orders, deals and account are compared to the point and the minor unit; the first difference is
    shown with its reasons. The exit code is 0 where all are equal, else 1.
    """
    from mtquant.app.parity import ParityOptions, check_parity
    from mtquant.app.parity.show import facts_of, show_parity

    options = ParityOptions(config=config_path, data=data, seed=seed, bars=bars)
    found = check_parity(options, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(facts_of(found), indent=2))
    else:
        show_parity(found)
    return 0 if found.is_equal else 1
