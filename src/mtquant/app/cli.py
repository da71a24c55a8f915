"""The command line. Commands are loaded when they are called: help stays quick."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Final

import click

from mtquant import __version__

_COMMANDS: Final = {
    "demo": "Run the bot on the embedded terminal over a year of real prices.",
    "backtest": "Run a configuration over its data, as fast as it goes.",
    "sweep": "Run a configuration with many parameters and rank them.",
    "parity": "Play a configuration in every way and compare, to the point and the cent.",
    "bars": "Keep bars in a store: import, list, export, check, remove.",
    "report": "Write the report of a finished or stopped run again.",
    "halt": "Tell the bot of a folder to stop opening positions, or to close them.",
    "journal": "Look into a bot's journal: show, verify, why, export.",
    "resume": "Lift a halt; a person answers for it by name.",
    "risk": "Show limits, ask them about an order, replay a backtest with others.",
    "terminal": "Run any script that imports MetaTrader5 on the embedded terminal.",
}


class LazyGroup(click.Group):
    """Know the commands by name and one line of help; import them when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it in
        """Return the names."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click hands it in
        """Return a command, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"mtquant.app.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click hands it in
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an unknown one is answered with the nearest name."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, _COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mtquant")
def cli() -> None:
    """Algorithmic trading for MetaTrader 5, on any operating system."""


def main() -> int:
    """Run the command line; known errors and the system's become one line and exit code 1."""
    gc.set_threshold(100_000)  # imports make few cycles and many objects: a tenth of the start
    for stream in (sys.stdout, sys.stderr):  # a redirected Windows console knows few characters
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        result = cli.main(standalone_mode=False)
        _flush()
    except click.exceptions.Abort:
        return 130
    except KeyboardInterrupt:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        from mtquant.model.errors import MtquantError

        if not isinstance(error, MtquantError | OSError):
            raise
        return _refuse(error)
    return result if isinstance(result, int) else 0


def _flush() -> None:
    """Write what waits for standard output, while it can still be said that this fails."""
    if sys.stdout is not None:
        with suppress(BrokenPipeError):  # a reader that has enough
            sys.stdout.flush()


def _refuse(error: Exception) -> int:
    """Say in one line what went wrong; return the exit code."""
    from mtquant.app.plain_text import shown

    said = _words_of(error) if isinstance(error, OSError) else str(error)
    with suppress(OSError):  # the device of the output may be the one that is full
        click.echo(f"error: {shown(' '.join(said.split()))}", err=True)
    return 1


def _words_of(error: OSError) -> str:
    """Return what the system said, behind the path that it is about."""
    cause = error.strerror or str(error) or type(error).__name__
    about = [one for one in (error.filename, error.filename2) if isinstance(one, str | bytes)]
    if about:
        return f"{' -> '.join(map(os.fsdecode, about))}: {cause}"
    return f"standard output: {cause}" if _is_output_lost() else cause


def _is_output_lost() -> bool:
    """Tell whether standard output takes nothing; then nobody tries again at the very end."""
    try:
        _flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
