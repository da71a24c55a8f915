"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration file; the demo's when left out.",
)
data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="Bars (.npz or .parquet) to use instead."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, nothing else."
)
summary_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the summary as JSON, nothing else."
)
