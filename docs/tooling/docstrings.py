"""What the reference needs and docstrings do not have: fences around doctests, names of enums."""  # noqa: INP001 - a plug-in of the documentation, not a package

from __future__ import annotations

from typing import Any

import griffe


class ReadableDocstrings(griffe.Extension):
    """Prepare docstrings for Markdown before they are parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Show doctests as code: Markdown would take them for running text."""
        if obj.docstring is not None and ">>>" in obj.docstring.value:
            obj.docstring.value = fenced(obj.docstring.value)

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """List the members of an enumeration, which have no docstrings of their own."""
        if cls.docstring is not None and "Enum" in [str(base) for base in cls.bases]:
            names = [f"`{name}`" for name in cls.members if name.isupper() or name[-1].isdigit()]
            cls.docstring.value += f"\n\nMembers: {', '.join(names)}."


def fenced(docstring: str) -> str:
    """Return a docstring with its doctests in fenced code blocks."""
    paragraphs = docstring.split("\n\n")
    return "\n\n".join(
        f"```pycon\n{one}\n```" if one.startswith(">>>") else one for one in paragraphs
    )
