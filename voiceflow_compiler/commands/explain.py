"""`vfc explain`: the page of a finding, a family of findings, or the notes about a jurisdiction."""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from voiceflow_compiler.commands.base import put, stop

if TYPE_CHECKING:
    from voiceflow_compiler.rules import Rule

_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_RED: Final = "\x1b[31m"
_OFF: Final = "\x1b[0m"
_BEGUN: Final = re.compile(r"VF\d{0,2}", re.IGNORECASE)


class Form(StrEnum):
    """How a page is printed."""

    TEXT = "text"
    JSON = "json"


def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            help="A finding's code or name, how codes begin (VF4), or a jurisdiction such as us-ut; "
            "none: a list of all.",
            metavar="[CODE]",
        ),
    ] = None,
    format: Annotated[Form, typer.Option("--format", help="How the page is printed.")] = Form.TEXT,  # noqa: A002
) -> None:
    """Say what a finding means, why it matters, and what to write instead."""
    from voiceflow_compiler.rules import RULES

    if code is None or _BEGUN.fullmatch(code):
        begun = tuple(each for each in RULES if each.code.startswith((code or "").upper()))
        if begun:
            _put_list(begun, format, whole=code is None)
            return
    page = _page(code or "")
    if page is None:
        from voiceflow_compiler.conditions import closest

        near = closest(code or "", _names())
        stop(f"no finding is called {code!r}" + (f": did you mean {near}?" if near else ""))
    title, _, text = page.partition("\n")
    if format is Form.JSON:
        _put_json({"title": title, "text": text.strip(), **_parts(code or "")})
        return
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    put((_coloured(page) if coloured else page) + "\n", sys.stdout)


def _put_list(rules: "Sequence[Rule]", format: Form, *, whole: bool) -> None:  # noqa: A002
    from voiceflow_compiler.jurisdictions import packs

    if format is Form.JSON:
        listed = {"jurisdictions": sorted(packs())} if whole else {}
        _put_json({"rules": [_parts(each.code) for each in rules], **listed})
        return
    put("\n".join(_listed(rules, sorted(packs()) if whole else [])) + "\n", sys.stdout)


def _listed(rules: "Sequence[Rule]", places: Sequence[str]) -> Iterator[str]:
    """Rules by family, a line each, and the jurisdictions that are known."""
    from voiceflow_compiler.rules import FAMILIES, family

    for each in FAMILIES:
        mine = [rule for rule in rules if family(rule.code) == each]
        if mine:
            yield f"{each.title}"
            yield from (f"  {rule.code} {rule.name} ({rule.severity}): {rule.finds}" for rule in mine)
    if places:
        yield f"The law of a place (not legal advice)\n  {', '.join(places)}"


def _parts(code: str) -> dict[str, Any]:
    """What a program wants to know of a rule; nothing for a jurisdiction."""
    from voiceflow_compiler.rules import family, rule

    found = rule(code)
    if found is None:
        return {}
    names = {"code": found.code, "name": found.name, "severity": found.severity}
    return {**names, "family": family(found.code).title, "finds": found.finds, "fix": found.fix}


def _page(code: str) -> str | None:
    """The page of a code, a name or a jurisdiction; None when there is none."""
    from voiceflow_compiler import jurisdictions
    from voiceflow_compiler.rules import rule

    found = rule(code)
    if found is not None:
        return f"{found.code} {found.name} ({found.severity})\n\n{found.page}"
    pack = jurisdictions.packs().get(code.lower())
    return None if pack is None else jurisdictions.page(pack)


def _names() -> tuple[str, ...]:
    from voiceflow_compiler.jurisdictions import packs
    from voiceflow_compiler.rules import RULES

    return (*packs(), *(name for each in RULES for name in (each.code, each.name)))


def _put_json(value: dict[str, Any]) -> None:
    put(json.dumps({"version": 1, **value}, indent=2, ensure_ascii=False) + "\n", sys.stdout)


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
            lines.append(re.sub(r"^(Why|Tip|Fix):", rf"{_BOLD}\1:{_OFF}", line))
    return "\n".join(lines)
