"""`mtquant risk`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mtquant.app.commands.options import config_option, data_option, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATH: Any = click.Path(path_type=Path)


@click.group("risk")
def command() -> None:
    """Show limits, ask them about an order, replay a backtest with others."""


@command.command("show")
@click.option("--config", "config_path", type=_PATH, help="Those of a configuration file.")
@click.option("--preset", help="A shipped set of limits.")
@click.option("--file", "file_path", type=_PATH, help="A file such as config/risk-limits.yaml.")
@click.option("--prop", help="Rules of a prop firm: a shipped set or a file.")
@click.option("--dir", "folder", type=_PATH, help="A bot's folder: what it remembers of losses.")
@click.option("--list", "wants_list", is_flag=True, help="Name presets and prop firms' rules.")
@json_option
def show(
    as_json: bool,  # noqa: FBT001 - click passes it by name
    **options: Any,
) -> None:
    """Show the limits, section by section, with what enforces each; or what there is."""
    asked = [(name, value) for name, value in options.items() if value]
    if len(asked) > 1:
        raise click.UsageError("give one of --config, --preset, --file, --prop, --dir and --list")
    lines, facts = _shown(*(asked or [("wants_list", True)])[0])
    _say(lines, facts, as_json=as_json)


@command.command("explain")
@config_option
@click.option("--symbol", required=True, help="Symbol of the venue.")
@click.option("--side", type=click.Choice(("buy", "sell"), case_sensitive=False), required=True)
@click.option("--lots", type=click.FloatRange(min=0, min_open=True), help="The sizer's, left out.")
@click.option(
    "--price",
    type=click.FloatRange(min=0, min_open=True),
    help="The entry; left out, the data's at that moment.",
)
@click.option(
    "--stop", "stop_distance_points", type=click.IntRange(min=1), help="Distance in points."
)
@click.option(
    "--target", "target_distance_points", type=click.IntRange(min=1), help="Distance in points."
)
@click.option(
    "--equity", type=float, help="What is there now, money; left out, the deposit less the loss."
)
@click.option("--loss", type=click.FloatRange(min=0), default=0.0, help="Lost today.")
@click.option(
    "--positions", type=click.IntRange(min=0, max=1000), default=0, help="Held, like the order."
)
@click.option(
    "--hold",
    "holds",
    multiple=True,
    metavar="POSITION",
    help="Held beside them, such as 'GBPUSD buy 0.5 at 1.25 stop 300'; can be repeated.",
)
@click.option("--spread", "spread_points", type=click.IntRange(min=0), help="In points.")
@click.option("--at", metavar="MOMENT", help="UTC, such as 2017-03-01T12:00; now, left out.")
@click.option("--atr", "atr_points", type=click.FloatRange(min=0), help="For sizing by it, points.")
@click.option(
    "--volatility",
    "annual_volatility_fraction",
    type=click.FloatRange(min=0),
    help="Of a year, 0.08 for 8 %, for sizing by it.",
)
@json_option
def explain(
    config_path: Path | None,
    side: str,
    at: str | None,
    holds: tuple[str, ...],
    as_json: bool,  # noqa: FBT001 - click passes it by name
    **numbers: Any,
) -> None:
    """Ask every rule and the sizer about an order that is not sent."""
    from mtquant.app.config import load_config
    from mtquant.app.risk.explaining import explain as explained
    from mtquant.app.risk.explaining import explanation_lines
    from mtquant.app.risk.held import Held
    from mtquant.app.risk.hypothesis import Hypothesis
    from mtquant.app.sweep.periods import parse_moment
    from mtquant.model import Side, SystemClock

    at_ms = SystemClock().now_ms() if at is None else parse_moment(at)
    held = tuple(Held.parse(one) for one in holds)
    asked = Hypothesis(side=Side[side.upper()], at_ms=at_ms, held=held, **numbers)
    found = explained(load_config(config_path), asked)
    _say(explanation_lines(found), found.to_dict(), as_json=as_json)


@command.command("simulate")
@config_option
@data_option
@click.option("--preset", "presets", multiple=True, help="A shipped set; can be repeated.")
@click.option("--file", "paths", multiple=True, type=_PATH, help="A file; can be repeated.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A key over the others' limits."
)
@click.option("--prop", help="Rules of a prop firm: would each run have passed?")
@click.option("--phase", help="A phase of them; the first, left out.")
@json_option
def simulate(  # noqa: PLR0917 - click passes them by name
    config_path: Path | None,
    data: Path | None,
    presets: tuple[str, ...],
    paths: tuple[Path, ...],
    settings: tuple[str, ...],
    prop: str | None,
    phase: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Run a backtest with its own limits and with others, side by side.

    \b
      mtquant risk simulate --preset conservative --preset plan-a
      mtquant risk simulate --set max_daily_loss_fraction=2% --set max_positions=3
    """  # noqa: D301 - click's mark for lines to keep
    from mtquant.app.config import load_config
    from mtquant.app.risk.choosing import make_variants
    from mtquant.app.risk.simulating import simulate as simulated
    from mtquant.app.risk.simulating import simulation_lines

    variants = make_variants(load_config(config_path, data=data), presets, paths, settings)
    tell = lambda line: click.echo(line, err=True)  # noqa: E731 - one line for people
    runs = simulated(variants, prop=prop, phase=phase, tell=tell)
    facts = {"runs": [run.to_dict() for run in runs]}
    _say(simulation_lines(runs), facts, as_json=as_json)


def _shown(kind: str, value: Any) -> tuple[Sequence[str], dict[str, Any]]:
    """Return what is asked for, for people and as JSON values."""
    from mtquant.app.risk import showing

    if kind == "wants_list":
        return showing.choices_lines(), showing.choices_facts()
    if kind == "folder":
        from mtquant.app.risk.remembering import memory_lines, remembered

        memory = remembered(value)
        return memory_lines(memory), memory.to_dict()
    if kind == "prop":
        from mtquant.app.prop_rules import load_prop_rules
        from mtquant.app.risk.prop_showing import prop_facts, prop_lines

        rules = load_prop_rules(value)
        return prop_lines(rules, value), prop_facts(rules, value)
    if kind == "config_path":
        return _of_config(value)
    from mtquant.app.risk_limits import load_risk_preset, read_risk_limits

    if kind == "preset":
        limits, source = load_risk_preset(value), f"the preset {value}"
    else:
        limits, source = read_risk_limits(value), str(value)
    return showing.limits_lines(limits, source), showing.limits_facts(limits, source)


def _of_config(path: Path) -> tuple[Sequence[str], dict[str, Any]]:
    """Return the limits of a configuration; what a run would refuse is refused here, too."""
    from mtquant.app.config import load_config
    from mtquant.app.risk import showing
    from mtquant.app.risk.prop_showing import unkept_facts, unkept_lines
    from mtquant.app.risk_wiring import chosen_rules, require_risk_parts

    loaded = load_config(path)
    require_risk_parts(loaded.config, loaded.folder)
    limits, rules = loaded.config.risk, chosen_rules(loaded.config, loaded.folder)
    lines, facts = showing.limits_lines(limits, str(path)), showing.limits_facts(limits, str(path))
    if rules is None:
        return lines, facts
    has_calendar = limits.news_calendar is not None
    return (
        [*lines, *unkept_lines(rules, has_calendar=has_calendar)],
        {**facts, "prop_not_kept": unkept_facts(rules, has_calendar=has_calendar)},
    )


def _say(lines: Sequence[str], facts: dict[str, Any], *, as_json: bool) -> None:
    for line in [json.dumps(facts, indent=2)] if as_json else lines:
        click.echo(line)
