"""`mtquant parity`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("parity")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration file; the demo's when left out.",
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Bars (.npz or .parquet) to use instead."
)
@click.option("--seed", type=click.IntRange(min=0), help="Draws the slippage, and where to cut.")
@click.option(
    "--bars",
    type=click.IntRange(min=2),
    help="Play the first N bars; default: all, and the live runner 20,000.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
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
