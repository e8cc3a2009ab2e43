"""`vfc explain`: the page of a finding, or the notes about a jurisdiction, for a terminal."""

import json
import os
import re
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from voiceflow_compiler.commands.base import put, stop

_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_RED: Final = "\x1b[31m"
_OFF: Final = "\x1b[0m"


class Form(StrEnum):
    """How a page is printed."""

    TEXT = "text"
    JSON = "json"


def explain(
    code: Annotated[
        str, typer.Argument(help="A finding's code or name, or a jurisdiction such as us-ut.", metavar="CODE")
    ],
    format: Annotated[Form, typer.Option("--format", help="How the page is printed.")] = Form.TEXT,  # noqa: A002
) -> None:
    """Say what a finding means, why it matters, and what to write instead."""
    page = _page(code)
    if page is None:
        from voiceflow_compiler.conditions import closest

        begun = [name for name in _names() if name.startswith("VF") and name.startswith(code.upper())]
        near = ", ".join(begun) or closest(code, _names())
        stop(f"no finding is called {code!r}" + (f": did you mean {near}?" if near else ""))
    if format is Form.JSON:
        title, _, text = page.partition("\n")
        put(json.dumps({"version": 1, "title": title, "text": text.strip()}, indent=2) + "\n", sys.stdout)
        return
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    put((_coloured(page) if coloured else page) + "\n", sys.stdout)


def _page(code: str) -> str | None:
    """The page of a code, a name or a jurisdiction; None when there is none."""
    from voiceflow_compiler import jurisdictions
    from voiceflow_compiler.checks import CHECKS
    from voiceflow_compiler.resolve.pages import PAGES

    for known, page in PAGES.items():
        if code.upper() == known or code.lower() == page.name:
            return f"{known} {page.name} (error)\n\n{page.text}"
    for each in CHECKS:
        if code.upper() == each.code or code.lower() == each.name:
            return f"{each.code} {each.name} ({each.severity})\n\n{each.page.strip()}"
    pack = jurisdictions.packs().get(code.lower())
    return None if pack is None else jurisdictions.page(pack)


def _names() -> tuple[str, ...]:
    from voiceflow_compiler.checks import CHECKS
    from voiceflow_compiler.jurisdictions import packs
    from voiceflow_compiler.resolve.pages import PAGES

    named = (
        *((code, page.name) for code, page in PAGES.items()),
        *((each.code, each.name) for each in CHECKS),
    )
    return (*packs(), *(name for pair in named for name in pair))


def _coloured(page: str) -> str:
    """A page with its title and headings bold, its examples dim and what is flagged in them red."""
    title, _, rest = page.partition("\n")
    lines = [f"{_BOLD}{title}{_OFF}"]
    for line in rest.split("\n"):
        if line.startswith("    "):
            colour = _RED if line.endswith("# flagged") else _DIM
            lines.append(f"{colour}{line}{_OFF}")
        else:
            line = re.sub(r"\*\*([^*]+)\*\*", rf"{_BOLD}\1{_OFF}", line)
            lines.append(re.sub(r"^(Why|Tip):", rf"{_BOLD}\1:{_OFF}", line))
    return "\n".join(lines)
