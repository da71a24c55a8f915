"""Where a person's data lie when no folder is named."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "MTQUANT_DATA"


def data_folder(
    environment: Mapping[str, str] | None = None, *, platform: str = sys.platform
) -> Path:
    """Return the folder that MTQUANT_DATA names, or the place that the system has for user data."""
    known = os.environ if environment is None else environment
    named = known.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    if platform == "win32":
        local = known.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
    elif platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        shared = Path(known.get("XDG_DATA_HOME", ""))  # to be ignored unless it is absolute
        base = shared if shared.is_absolute() else Path.home() / ".local" / "share"
    return base / "mtquant"


def bars_folder() -> Path:
    """Return the folder of the store of bars."""
    return data_folder() / "bars"
