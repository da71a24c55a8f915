"""The frame of every report: one HTML page that needs nothing but itself."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
)
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath d='M1 12l4-5 4 3 6-8' fill='none' stroke='%232f6fed' stroke-width='2'/%3E%3C/svg%3E"
)
_NOTE: Final = "An example, not advice. Past results say nothing about the future."


def html_page(
    title: str, subtitle: str, body: str, *, styles: str, shapes: str = "", scripts: str = ""
) -> str:
    """Return a page that forbids itself to load anything.

    Args:
        title: the heading, plain text.
        subtitle: HTML below it, from `subtitle`.
        body: HTML of the sections.
        styles: the style sheet.
        shapes: drawings that the body refers to.
        scripts: script elements, behind the body.
    """
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="{_ICON}">
<style>
{styles}</style>
</head>
<body>
{shapes}
<header><h1>{escape(title)}</h1>
<p class="subtitle"><span>{subtitle}</span></p>
<p class="advice" role="note">{_NOTE}</p></header>
<main>
{body}
</main>{scripts}
</body>
</html>
"""


def asset(name: str) -> str:
    """Return the text of a file that pages are made of."""
    return (files("mtquant.research") / "assets" / name).read_text(encoding="utf-8")


def subtitle(parts: Iterable[str]) -> str:
    """Return plain texts as the line below the heading."""
    return "".join(f"<span>{escape(part)}</span>" for part in parts)


def section(title: str, inside: str, css: str = "panel", *, is_hidden: bool = False) -> str:
    """Return a section; a hidden heading is there for those who cannot see."""
    hidden = ' class="unseen"' if is_hidden else ""
    return f'<section class="{css}"><h2{hidden}>{escape(title)}</h2>{inside}</section>'
