"""Running somebody's script with the embedded terminal as its MetaTrader5 module."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mtquant.app.face import FaceOptions, open_face
from mtquant.model import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_script(
    target: str, arguments: Sequence[str], options: FaceOptions, *, is_module: bool
) -> None:
    """Run a file, or a module as `python -m` does; what it raises goes through.

    What the system refuses a script ends the process as it would end Python.

    Raises:
        ConfigError: there is no such file, or an option cannot be used.
    """
    if not is_module and not Path(target).is_file():
        raise ConfigError(f"{target}: there is no such file; for a module write -m {target}")
    sys.modules["MetaTrader5"] = open_face(options)
    sys.argv = [target, *arguments]
    try:
        if is_module:
            sys.path.insert(0, str(Path.cwd()))
            runpy.run_module(target, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, str(Path(target).resolve().parent))
            runpy.run_path(target, run_name="__main__")
    except BrokenPipeError:
        raise
    except OSError:  # the command line would make one line of it: a script's has to say where
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
