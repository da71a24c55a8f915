"""Ask a docstring of every class, function and module that an `__all__` makes public."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType

ROOT_PACKAGE = "mtquant"


def modules() -> Iterator[ModuleType]:
    """Yield the root package and every package and module below it."""
    root = importlib.import_module(ROOT_PACKAGE)
    yield root
    for info in pkgutil.walk_packages(root.__path__, f"{ROOT_PACKAGE}."):
        if not info.name.endswith(".__main__"):
            yield importlib.import_module(info.name)


def is_documented(name: str, value: object) -> bool:
    """Tell whether `value` has a docstring of its own; a constant needs none."""
    if not (inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)):
        return True
    text = value.__dict__.get("__doc__") if inspect.isclass(value) else inspect.getdoc(value)
    # Python makes up a text for dataclasses, named tuples and (3.11) enums that have none.
    return bool(text) and not str(text).startswith((f"{name}(", "An enumeration."))


def main() -> int:
    """Print every public name without a docstring; return 1 if there is any."""
    missing = [
        f"{module.__name__}.{name}"
        for module in modules()
        for name in getattr(module, "__all__", ())
        if not is_documented(name, getattr(module, name))
    ]
    for name in missing:
        print(f"{name}: public, without a docstring")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
