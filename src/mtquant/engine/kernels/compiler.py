"""Compiled forms of the kernels, by numba where the extra `fast` is installed.

numba keeps compiled code on disk, and does not notice when a function that a kernel *calls* has
changed. So the folder is named after a hash of all sources that may be in it.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from functools import cache
from hashlib import sha256
from importlib import import_module, metadata
from importlib.util import find_spec
from inspect import getmembers, isfunction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

CACHE_VARIABLE: Final = "MTQUANT_KERNEL_CACHE"
_ROOM: Final = 4
"""How many folders of other versions stay beside the one in use."""

_RULES: Final = (
    "mtquant.model.numbers",
    "mtquant.exchange.rules.calm",
    "mtquant.exchange.rules.convert",
    "mtquant.exchange.rules.costs",
    "mtquant.exchange.rules.fill",
    "mtquant.exchange.rules.margin",
    "mtquant.exchange.rules.modes",
    "mtquant.exchange.rules.path",
    "mtquant.exchange.rules.pending",
    "mtquant.exchange.rules.profit",
    "mtquant.exchange.rules.trigger",
    "mtquant.strategy.exits.rules",
    "mtquant.portfolio.rules",
    "mtquant.risk.rules",
    "mtquant.risk.sizing.rules",
)
_KERNELS: Final = (
    "mtquant.engine.kernels.layout",
    "mtquant.engine.kernels.search",
    "mtquant.engine.kernels.money",
    "mtquant.engine.kernels.orders",
    "mtquant.engine.kernels.quotes",
    "mtquant.engine.kernels.figures",
    "mtquant.engine.kernels.bars",
    "mtquant.engine.kernels.ticks",
)
SOURCES: Final = (*_RULES, *_KERNELS)
"""The modules that compiled code is made of, rules first."""
_CONSTANTS: Final = (
    "mtquant.strategy.columns",
    "mtquant.engine.kernels.compiler",
    "mtquant.engine.kernels.job",
    "mtquant.engine.kernels.calendar",
    "mtquant.engine.kernels.run",
)
"""Modules whose numbers, options and types of columns go into compiled code, too."""

_NO_COUNTING: Final[dict[str, Any]] = {"_nrt": False}
"""Kernels allocate nothing, and counting references to columns takes most of their time."""

_log = logging.getLogger(__name__)


def is_available() -> bool:
    """Tell whether kernels can be compiled here."""
    return find_spec("numba") is not None


def news() -> str:
    """Return what a person should know before the first run here, empty if nothing."""
    if not is_available():
        return (
            "numba is not installed: the market's rules run interpreted, with the same results; "
            "for compiled speed: pip install 'mtquant[fast]'"
        )
    if not (cache_folder() / _version()).exists():
        return "compiling the kernels for this machine, once; this takes about 10 seconds"
    return ""


@cache
def compiled(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel compiled, or as it is where numba is missing."""
    if not is_available():
        _log.info("kernels_interpreted reason=numba_is_not_installed")
        return kernel
    return _jit(kernel)


@cache
def _version() -> str:
    return source_hash(import_module(name) for name in (*SOURCES, *_CONSTANTS))


def cache_folder() -> Path:
    """Return where compiled kernels are kept: a folder of the user's own."""
    stated = os.environ.get(CACHE_VARIABLE)
    if stated:
        return Path(stated)
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))
    return base / "mtquant" / "kernels"


def source_hash(modules: Iterable[ModuleType]) -> str:
    """Return a hash of the sources of modules, in hexadecimal."""
    # numba looks for code by its own version, the place of the source and the processor, too
    place = (
        f"{sys.version_info[:2]}{metadata.version('numba')}{Path(__file__).parent}{_processor()}"
    )
    digest = sha256(place.encode())
    for module in modules:
        digest.update(b"\0" + module.__name__.encode() + b"\0")
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:20]


def _processor() -> str:
    """Return the processor that code is compiled for."""
    from llvmlite import binding  # noqa: PLC0415 - an extra, and slow to import

    return f"{binding.get_host_cpu_name()}{binding.get_host_cpu_features().flatten()}"


def _jit(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a compiled kernel whose code is kept under the version of its sources."""
    folder = cache_folder() / _version()
    if any(folder.rglob(f"*.{kernel.__name__}-*.nbi")):
        return _Loaded(kernel, folder)
    _log.info("kernels_compiling kernel=%s folder=%s", kernel.__name__, folder)
    _drop_old(folder.parent)
    _register()
    return _decorated(kernel, folder)


class _Loaded:
    """Be a kernel whose code lies on disk.

    To load it nothing has to be known of what it calls, and a new process starts sooner. Where the
    code turns out not to fit, such as after an update of numba, it is compiled after all.
    """

    def __init__(self, kernel: Callable[..., Any], folder: Path) -> None:
        self._kernel = kernel
        self._folder = folder
        self._made = _decorated(kernel, folder)
        self._is_tried = False

    def __call__(self, *arguments: Any) -> Any:
        from numba.core.errors import TypingError  # noqa: PLC0415

        try:
            return self._made(*arguments)
        except TypingError:
            if self._is_tried:
                raise
        _log.info("kernels_compiling kernel=%s reason=kept_code_does_not_fit", self._kernel)
        _register()
        self._is_tried = True
        self._made = _decorated(self._kernel, self._folder)
        return self._made(*arguments)


def _decorated(kernel: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    import numba  # noqa: PLC0415 - an extra, and slow to import
    from numba.core import config  # noqa: PLC0415

    settings: Any = config  # its settings come and go with the environment
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)  # read while a function is decorated
    try:
        decorate: Any = numba.njit
        made: Callable[..., Any] = decorate(cache=True, error_model="numpy", **_NO_COUNTING)(kernel)
    finally:
        settings.CACHE_DIR = before
    return made


@cache
def _register() -> None:
    """Let kernels call the rules and each other; plain functions stay plain."""
    from numba.extending import register_jitable  # noqa: PLC0415

    for name in SOURCES:
        for _, function in getmembers(import_module(name), isfunction):
            if function.__module__ == name:
                register_jitable(forceinline=True, **_NO_COUNTING)(function)


def _drop_old(folder: Path) -> None:
    """Remove compiled code of other versions but the newest."""
    if not folder.is_dir():
        return
    found = sorted(
        (one for one in folder.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime
    )
    for old in found[: -_ROOM or None]:
        shutil.rmtree(old, ignore_errors=True)
