"""`mtquant backtest`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mtquant.app.commands.options import config_option, data_option, summary_json_option


@click.command("backtest")
@config_option
@data_option
@click.option("--seed", type=click.IntRange(min=0), help="Draws the slippage.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for report and summary.")
@click.option(
    "--event-driven", is_flag=True, help="Step the engine event by event: slower, the same trades."
)
@summary_json_option
def command(  # noqa: PLR0917 - click passes all by name
    config_path: Path | None,
    data: Path | None,
    seed: int | None,
    out: Path | None,
    event_driven: bool,  # noqa: FBT001 - click passes it by name
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> int:
    """Run a configuration over its data with the market rules of the embedded terminal.

    The same trades, to the point and the cent, as the live runner makes on the terminal.
    """
    from mtquant.app.backtest import BacktestOptions, run_backtest_command

    options = BacktestOptions(
        config=config_path, data=data, seed=seed, out=out, event_driven=event_driven
    )
    results = run_backtest_command(options, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(results.summary, indent=2))
    else:
        from mtquant.app.screen import show_results

        show_results(results)
    return 0
