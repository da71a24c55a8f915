"""`mtquant terminal scenario`."""

from __future__ import annotations

import click


@click.group("scenario")
def command() -> None:
    """Look at the scenarios that the embedded terminal can play."""


@command.command("list")
def list_() -> None:
    """List the shipped scenarios."""
    from mtquant.terminal.simulated import load_scenario, shipped_scenarios

    for name in shipped_scenarios():
        click.echo(f"{name:26} {load_scenario(name).scenario.description}")


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Print scenario NAME, a shipped one or a .yaml file, as a start for your own."""
    from mtquant.terminal.simulated import load_scenario

    click.echo(load_scenario(name).text, nl=False)


@command.command("check")
@click.argument("name")
def check(name: str) -> None:
    """Read scenario NAME and its prices, and say what market that is."""
    from mtquant.app.scenario_check import scenario_lines

    for line in scenario_lines(name):
        click.echo(line)
