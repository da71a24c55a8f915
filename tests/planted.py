"""Planted differences: one line of one rule changed, in a copy that the kernel alone works with.

The shipped sources stay as they are: what is changed is the text of a function, compiled into a
copy of its module's names. The engine goes on with the true one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

from mtquant.engine.kernels.compiler import SOURCES

if TYPE_CHECKING:
    import pytest

_KERNELS = "mtquant.engine.kernels"
_RULES = [name for name in SOURCES if not name.startswith(_KERNELS)]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """State a difference: a function, its text that is replaced once, and by what.

    `within` is how many drawn worlds may be needed to find it.
    """

    name: str
    function: Callable[..., Any]
    old: str
    new: str
    within: int

    def plant(self, patch: pytest.MonkeyPatch) -> None:
        """Let the kernel work with the changed function until the patch is undone."""
        rules = _copied_rules()
        home = self.function.__module__
        if home in rules:
            rules[home][self.function.__name__] = self._changed(rules[home])
            _link(rules)
        for name, module in list(sys.modules.items()):
            if not name.startswith(_KERNELS):
                continue
            for attribute, value in list(vars(module).items()):
                if isinstance(value, FunctionType) and value.__module__ in rules:
                    patch.setattr(module, attribute, rules[value.__module__][value.__name__])
        if home not in rules:
            _replace(self.function, self._changed(dict(vars(sys.modules[home]))), patch)

    def _changed(self, names: dict[str, Any]) -> FunctionType:
        source = inspect.getsource(self.function)
        assert source.count(self.old) == 1, f"{self.name}: {self.old!r} is not there once"
        code = compile(source.replace(self.old, self.new), f"<planted: {self.name}>", "exec")
        exec(code, names)
        changed: FunctionType = names[self.function.__name__]
        return changed


def _copied_rules() -> dict[str, dict[str, Any]]:
    """Return copies of the rules' modules, whose functions call each other's copies."""
    copies = {name: dict(vars(import_module(name))) for name in _RULES}
    for name, names in copies.items():
        for attribute, value in list(names.items()):
            if isinstance(value, FunctionType) and value.__module__ == name:
                names[attribute] = _copy(value, names)
    _link(copies)
    return copies


def _copy(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    copy = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__module__ = function.__module__
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _link(copies: dict[str, dict[str, Any]]) -> None:
    """Let what a copied module has imported from others be their copies."""
    for name, names in copies.items():
        for attribute, value in list(names.items()):
            home = getattr(value, "__module__", None)
            if isinstance(value, FunctionType) and home in copies and home != name:
                names[attribute] = copies[home][value.__name__]


def _replace(
    function: Callable[..., Any], changed: FunctionType, patch: pytest.MonkeyPatch
) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(_KERNELS):
            for attribute, value in list(vars(module).items()):
                if value is function:
                    patch.setattr(module, attribute, changed)
