"""Compiled forms of the kernels, by numba where the extra `fast` is installed.

numba keeps compiled code on disk, and does not notice when a function that a kernel *calls* has
changed. So the folder is named after a hash of all sources that may be in it.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib import import_module, metadata
from importlib.util import find_spec
from inspect import getmembers, isfunction
from pathlib import Path
from tempfile import TemporaryFile
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
    "mtquant.engine.kernels.columns",
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
    folder = cache_folder()
    if folder is None or not is_writable(folder):
        return (
            f"compiled kernels cannot be kept{'' if folder is None else f' in {folder}'}: each "
            f"process compiles them anew, about 10 seconds; name a folder in {CACHE_VARIABLE}"
        )
    if not (folder / _version()).exists():
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


def is_writable(folder: Path) -> bool:
    """Tell whether code can be kept in a folder, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def cache_folder() -> Path | None:
    """Return where compiled kernels are kept: a folder of the user's own, None if he has none."""
    stated = os.environ.get(CACHE_VARIABLE)
    if stated:
        return Path(stated)
    try:
        home = Path.home()
    except RuntimeError:  # neither HOME nor an entry of the user
        return None
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
    base = cache_folder()
    if base is None or not is_writable(base):
        # else numba would keep it beside the sources, where an edited rule does not make it old
        _log.warning("kernels_compiling kernel=%s reason=no_folder_to_keep_it", kernel.__name__)
        _register()
        return _decorated(kernel, None)
    folder = base / _version()
    if not any(folder.rglob(f"*.{kernel.__name__}-*.nbi")):
        _log.info("kernels_compiling kernel=%s folder=%s", kernel.__name__, folder)
        _drop_old(folder.parent)
        _register()
    return _Kept(kernel, folder)


class _Kept:
    """Be a kernel whose code is kept on disk.

    To load it nothing has to be known of what it calls, and a new process starts sooner. Code that
    is damaged, or made for arguments of other types, is compiled after all; where the disk fails,
    it is not kept. All that a call raises comes from this, before the kernel begins: the kernels
    themselves raise nothing.
    """

    def __init__(self, kernel: Callable[..., Any], folder: Path) -> None:
        self._kernel = kernel
        self._folder = folder
        self._made = _decorated(kernel, folder)

    def __call__(self, *arguments: Any) -> Any:
        try:
            return self._made(*arguments)
        except _failures() as error:
            self._start_over(error)
        try:
            return self._made(*arguments)
        except _failures() as error:
            self._keep_nothing(error)
        return self._made(*arguments)

    def _start_over(self, error: Exception) -> None:
        from numba.core.errors import NumbaError  # noqa: PLC0415 - an extra, and slow to import

        _register()
        if isinstance(error, OSError):
            self._keep_nothing(error)
            return
        if isinstance(error, NumbaError):  # sound code, for other types
            _log.info("kernels_compiling kernel=%s reason=other_types", self._kernel.__name__)
        else:
            self._warn(error)
            for kept in self._folder.rglob(f"*.{self._kernel.__name__}-*.nb?"):
                with suppress(OSError):
                    kept.unlink()
        self._made = _decorated(self._kernel, self._folder)

    def _keep_nothing(self, error: Exception) -> None:
        self._warn(error)
        self._made = _decorated(self._kernel, None)

    def _warn(self, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        _log.warning("kernels_compiling kernel=%s reason=%r", self._kernel.__name__, reason)


@cache
def _failures() -> tuple[type[Exception], ...]:
    """Return what the loading of damaged code, or the keeping of new code, may raise."""
    from pickle import UnpicklingError  # noqa: PLC0415 # nosec B403 - an error's name, no loading

    from numba.core.errors import NumbaError  # noqa: PLC0415 - an extra, and slow to import

    unpickled = (UnpicklingError, EOFError, ValueError, LookupError, TypeError, AttributeError)
    return (OSError, ImportError, RuntimeError, NumbaError, *unpickled)


def _decorated(kernel: Callable[..., Any], folder: Path | None) -> Callable[..., Any]:
    import numba  # noqa: PLC0415 - an extra, and slow to import
    from numba.core import config  # noqa: PLC0415

    options = {"error_model": "numpy", **_NO_COUNTING}
    decorate: Any = numba.njit
    if folder is None:
        alone: Callable[..., Any] = decorate(**options)(kernel)
        return alone
    settings: Any = config  # its settings come and go with the environment
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)  # read while a function is decorated
    try:
        made: Callable[..., Any] = decorate(cache=True, **options)(kernel)
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
