"""`mtquant demo`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mtquant.app.commands.folder import DEFAULT_FOLDER
from mtquant.app.commands.options import summary_json_option


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder for report, journal and events.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Configuration to run instead of the shipped one.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Draws slippage and the outage's moment.")
@click.option("--no-outage", is_flag=True, help="Leave the scripted loss of the link out.")
@summary_json_option
def command(
    out: Path,
    config: Path | None,
    seed: int | None,
    no_outage: bool,  # noqa: FBT001 - click passes it by name
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> int:
    """Run the bot on the embedded terminal over a year of real EURUSD prices.

    The terminal, its market and its account live in this process and on your disk: nothing is
    traded anywhere. An unfinished run in the folder is continued, a finished one is replaced.
    """
    from mtquant.app.demo import DemoOptions, run_demo
    from mtquant.app.screen import DemoScreen

    options = DemoOptions(out=out, config=config, seed=seed, outage=not no_outage)
    screen = DemoScreen(quiet=as_json)
    with screen:
        outcome = run_demo(
            options,
            subscriber=screen.on_event,
            on_progress=screen.on_progress,
            on_plan=screen.on_plan,
        )
    if outcome.results is None:
        screen.show_stopped(outcome.stopped_ms)
        return 130
    if as_json:
        click.echo(json.dumps(outcome.results.summary, indent=2))
    else:
        screen.show_results(outcome.results)
    return 0
