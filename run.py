"""Set up mtquant beside this file and run it, with nothing but Python 3.11 or newer.

    python3 run.py demo             any mtquant command
    python3 run.py test [options]   the tests; options go to pytest
    python3 run.py check            lint, types, imports and docs
    python3 run.py <task>           one of TASKS below

The first start makes the virtual environment `.venv`; later starts find it ready. That folder
belongs to this script: half made, or made for another Python or place, it is built anew.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

# Ahead of everything that an older Python cannot even define.
if sys.version_info < (3, 11):  # noqa: UP036 - the line that users of an older Python read
    sys.exit("mtquant needs Python 3.11 or newer; this is Python {}.{}".format(*sys.version_info))

WINDOWS = os.name == "nt"
ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "mtquant-stamp.json"
CORE: frozenset[str] = frozenset()
DEVELOPMENT = frozenset({"data", "dev", "fast"})

WORKERS = min(4, max(2, os.cpu_count() or 2))
PYTEST = ("pytest", f"--numprocesses={WORKERS}", "--dist=worksteal")
LINT = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("bandit", "--quiet", "--recursive", "--configfile=pyproject.toml", "src"),
    ("python", "scripts/check_sizes.py"),
    ("python", "scripts/check_conventions.py"),
    ("python", "scripts/check_docstrings.py"),
)
TYPES = (("mypy",),)
IMPORTS = (("lint-imports", "--no-logo"),)
DOCS = (("mkdocs", "build", "--quiet", "--strict", "--site-dir=site"),)
# A task is a row of the environment's programs, run in the root folder until one fails.
TASKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "test": (PYTEST,),
    "parity-tests": ((*PYTEST, "tests/parity"),),
    "fuzz": ((*PYTEST, "tests/fuzz"),),
    "simulation": ((*PYTEST, "tests/simulation"),),
    "simulate": (("python", "tests/simulation"),),
    "kills": ((*PYTEST, "tests/kills"),),
    "kill": (("python", "tests/kills"),),
    "long": ((*PYTEST, "-m=slow", "tests"),),
    "coverage": ((*PYTEST, "--cov"),),
    "bench": (("pytest", "-m=bench", "-s", "bench"),),
    "peers": (("python", "bench/peers/compare.py"),),
    "lint": LINT,
    "types": TYPES,
    "imports": IMPORTS,
    "docs": DOCS,
    "check": (*LINT, *TYPES, *IMPORTS, *DOCS),
}


def main(arguments: list[str]) -> NoReturn:
    """Run the task or the mtquant command that `arguments` name and exit with its code."""
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # uncompiled, every start takes three times as long
    name, *options = arguments or ["--help"]
    if name in TASKS:
        prepare(DEVELOPMENT)
        os.chdir(ROOT)
        run_task(name, options)
    prepare(CORE)
    become([program("mtquant"), name, *options])


def run_task(name: str, options: list[str]) -> NoReturn:
    """Run every step of a task; `options` go to the only step."""
    *first, last = TASKS[name]
    if first and options:
        sys.exit(f"run.py: {name} takes no options, was given {' '.join(options)}")
    for step in first:
        code = wait_for([program(step[0]), *step[1:]])
        if code:
            sys.exit(code)
    become([program(last[0]), *last[1:], *options])


def prepare(extras: frozenset[str]) -> None:
    """See to it that the environment holds mtquant with `extras`, or with more."""
    stamp = read_stamp()
    usable = stamp.get("place") == place() and Path(program("python")).exists()
    installed = frozenset(stamp["extras"]) if usable else CORE
    if usable and stamp["requirements"] == requirements() and extras <= installed:
        return
    say("setting up .venv; this happens once and may take a minute or two")
    STAMP.unlink(missing_ok=True)  # whatever stops us from here on, the next start begins afresh
    if not usable:
        make_environment()
    install(extras | installed)
    write_stamp(extras | installed)


def make_environment() -> None:
    """Make an empty environment in place of whatever is there."""
    uv = shutil.which("uv")
    if not (importlib.util.find_spec("venv") and (uv or importlib.util.find_spec("ensurepip"))):
        package = "python{}.{}-venv".format(*sys.version_info)
        sys.exit(f"run.py: this Python comes without venv: sudo apt-get install {package}")
    import venv

    if ENVIRONMENT.exists():
        shutil.rmtree(ENVIRONMENT)
    venv.EnvBuilder(symlinks=not WINDOWS, with_pip=not uv).create(ENVIRONMENT)


def install(extras: frozenset[str]) -> None:
    """Install mtquant, editable, with `extras` and the pinned versions, all of it compiled."""
    uv = shutil.which("uv")
    python = program("python")
    installer = (
        [uv, "pip", "install", "--python", python, "--compile-bytecode"]
        if uv
        else [python, "-m", "pip", "install", "--disable-pip-version-check", "--compile"]
    )
    wanted = f".[{','.join(sorted(extras))}]" if extras else "."
    # As variables the constraints reach the build of the package as well. Relative, because
    # both installers split the value at spaces.
    names = ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT")
    environment = os.environ | dict.fromkeys(names, "constraints.txt")
    for command in (
        [*installer, "--quiet", "--editable", wanted],
        [python, "-m", "compileall", "-q", "src"],
    ):
        # What installers say goes to stderr: stdout belongs to the command that was asked for.
        subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=True)


def place() -> str:
    """Return what an environment cannot survive a change of: its Python and its folder."""
    return f"{sys.version} {ROOT}"


def requirements() -> str:
    """Return a hash of what decides which packages are installed."""
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def read_stamp() -> dict[str, Any]:
    """Return what the last finished installation wrote down, nothing if there is none."""
    try:
        stamp: dict[str, Any] = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp


def write_stamp(extras: frozenset[str]) -> None:
    """Write down that the environment is complete, and what it holds."""
    stamp = {"place": place(), "requirements": requirements(), "extras": sorted(extras)}
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")


def program(name: str) -> str:
    """Return the path of one of the environment's programs."""
    return str(ENVIRONMENT / "Scripts" / f"{name}.exe" if WINDOWS else ENVIRONMENT / "bin" / name)


def become(command: list[str]) -> NoReturn:
    """Go on as `command`; where the system has no exec, wait for it and take its exit code."""
    if WINDOWS:
        sys.exit(wait_for(command))
    sys.stdout.flush()
    os.execv(command[0], command)


def wait_for(command: list[str]) -> int:
    """Run `command` to its end and return its exit code; Ctrl-C is for the command to answer."""
    process = subprocess.Popen(command)
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue
        return code if code >= 0 else 128 - code


def say(text: str) -> None:
    """Tell the user what takes time."""
    print(f"run.py: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError:
        sys.exit("run.py: the installation failed, see above; the next start tries again")
    except OSError as error:
        sys.exit(f"run.py: {error}")
