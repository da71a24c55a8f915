"""`mtquant sweep`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mtquant.app.sweep import Period

_PATH: Any = click.Path(path_type=Path)


@click.command("sweep")
@click.option("--config", type=_PATH, help="Configuration; default: the demo's.")
@click.option("--strategy", help="A shipped strategy or module:Class, instead of the configured.")
@click.option("--data", multiple=True, type=_PATH, help="Bars to use instead; can be repeated.")
@click.option("--grid", multiple=True, metavar="NAME=VALUES ...", help="What varies, and how.")
@click.option(
    "--random",
    "draws",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw N combinations instead.",
)
@click.option("--list", "list_file", type=_PATH, help="Combinations: a .csv or .jsonl file.")
@click.option("--from", "start", metavar="DAY", help="Leave out bars before this day (UTC).")
@click.option("--to", "end", metavar="DAY", help="Leave out bars from this day on (UTC).")
@click.option("--window", multiple=True, metavar="NAME=FROM..TO", help="A window; repeatable.")
@click.option("--by", default="sharpe", show_default=True, help="Which figure ranks the trials.")
@click.option("--min-trades", type=click.IntRange(min=0), default=0, help="Rank none with fewer.")
@click.option("--top", type=click.IntRange(min=0), default=10, show_default=True, help="Rows.")
@click.option("--map", "map_names", metavar="NAME,NAME", help="The parameters of the map.")
@click.option(
    "--out",
    type=_PATH,
    default=Path("mtquant-sweep"),
    show_default=True,
    help="Folder; a sweep that was stopped goes on in it.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), help="Processes; default: the cores, if it pays."
)
@click.option("--seed", type=click.IntRange(min=0), help="Draws slippage and --random.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Refuse more trials than this.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.argument("more", nargs=-1, metavar="[NAME=VALUES]...")
def command(  # noqa: PLR0917 - click passes them by name
    grid: tuple[str, ...],
    more: tuple[str, ...],
    start: str | None,
    end: str | None,
    window: tuple[str, ...],
    map_names: str | None,
    as_json: bool,  # noqa: FBT001 - click passes it by name
    **rest: Any,
) -> int:
    """Run a configuration with many parameters and rank what comes of them.

    \b
      mtquant sweep --grid fast=5:50:5 slow=20:200:20
      mtquant sweep --grid fast=5,8,13 exits.stop_loss_take_profit.stop_atr=1:4:0.5
      mtquant sweep --grid fast=5:50 slow=20:200 --random 100 --seed 7

    VALUES are start:stop:step, with the stop among them, or words with commas between them.
    Stopped by Ctrl-C or killed, the same command goes on where it stood.
    """  # noqa: D301 - click's mark for lines to keep
    from mtquant.app.sweep.screen import SweepScreen, show_sweep
    from mtquant.app.sweep.work import SweepOptions, run_sweep_command

    options = SweepOptions(
        grid=(*grid, *more),
        periods=_periods(start, end, window),
        map_names=tuple(map_names.split(",")) if map_names else (),
        **rest,
    )
    with SweepScreen(quiet=as_json) as screen:
        outcome = run_sweep_command(options, screen)
    if as_json:
        click.echo(json.dumps(outcome.facts, indent=2))
    else:
        show_sweep(outcome, options.top)
    return 0


def _periods(start: str | None, end: str | None, words: tuple[str, ...]) -> tuple[Period, ...]:
    from mtquant.app.sweep.periods import Period, parse_moment, parse_period
    from mtquant.model import ConfigError

    if start is None and end is None:
        return tuple(parse_period(word) for word in words)
    if words:
        raise ConfigError("--window has ends of its own: leave --from and --to out")
    return (
        Period(
            name=f"{start or ''}..{end or ''}",
            from_ms=None if start is None else parse_moment(start),
            to_ms=None if end is None else parse_moment(end),
        ),
    )
