"""`mtquant terminal`."""

from __future__ import annotations

from pathlib import Path

import click

from mtquant.app.commands.scenario import command as scenario


@click.group("terminal")
def command() -> None:
    """Run scripts that `import MetaTrader5` on the embedded terminal."""


@command.command("run", context_settings={"allow_interspersed_args": False})
@click.option(
    "--at", help="Where the market stands at first, UTC; default: 2017-06-01T12:00, or now."
)
@click.option(
    "--factor",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="How fast the market's clock goes; 0: it stands still.",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help="Keep the account in this folder; without, it ends with the script.",
)
@click.option("--config", type=click.Path(path_type=Path), help="Venue and data; default: shipped.")
@click.option(
    "--scenario",
    help="A shipped scenario or a .yaml file, instead of a configuration; see `scenario list`.",
)
@click.option("--faults", type=click.Path(path_type=Path), help="What goes wrong: a fault file.")
@click.option("-m", "is_module", is_flag=True, help="SCRIPT is a module, as for python -m.")
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(  # noqa: PLR0917 - click passes them by name
    at: str | None,
    factor: float,
    folder: Path | None,
    config: Path | None,
    scenario: str | None,
    faults: Path | None,
    is_module: bool,  # noqa: FBT001 - a flag
    script: str,
    arguments: tuple[str, ...],
) -> None:
    """Run SCRIPT with its ARGUMENTS; `import MetaTrader5` finds the embedded terminal.

    The market stands at a moment of its data and goes on with the computer's clock. Options of
    mtquant come before SCRIPT, those of the script behind it.
    """
    from mtquant.app.face import FaceOptions
    from mtquant.app.script import run_script

    options = FaceOptions(
        at=at, factor=factor, folder=folder, config=config, scenario=scenario, faults=faults
    )
    run_script(script, arguments, options, is_module=is_module)


@command.command("path")
def path() -> None:
    """Print a folder for PYTHONPATH: with it `import MetaTrader5` works in any process."""
    from mtquant.app.face import drop_in_folder

    click.echo(str(drop_in_folder()))


command.add_command(scenario)
