"""Reads the examples in a check's docstring, and puts them into the flow they change."""

import re
from pathlib import Path
from textwrap import dedent

BASE = (Path(__file__).parents[2] / "cases" / "checks" / "base.yaml").read_text(encoding="utf-8")

_TOP = re.compile(r"^(?=[a-z_]+:)", re.MULTILINE)
_ENTRY = re.compile(r"^(?=  [a-z_]+:)", re.MULTILINE)


def examples(page: str, heading: str) -> list[str]:
    """The indented blocks that stand under `**heading**` in a page, as YAML text."""
    found = re.findall(rf"^\*\*{heading}\*\*\n\n((?:(?:    .*)?\n)+)", page + "\n", re.MULTILINE)
    return [dedent(block).strip("\n") + "\n" for block in found]


def patched(example: str, base: str = BASE) -> str:
    """The base flow with the example's entries in place of its own; `null` takes an entry away."""
    blocks = _blocks(base)
    for name, block in _blocks(example).items():
        blocks[name] = _merged(blocks.get(name, ""), block)
    return "".join(blocks.values())


def _merged(before: str, after: str) -> str:
    head, *entries = _ENTRY.split(after)
    if not entries or not before:
        return after
    _, *old = _ENTRY.split(before)
    named = {_name(entry): entry for entry in old}
    named |= {_name(entry): entry for entry in entries}
    kept = [entry for entry in named.values() if entry.split(":", 1)[1].strip() != "null"]
    return head + "".join(kept)


def _blocks(text: str) -> dict[str, str]:
    return {_name(block): block.rstrip("\n") + "\n" for block in _TOP.split(text) if re.match("[a-z]", block)}


def _name(entry: str) -> str:
    return entry.split(":", 1)[0].strip()
