"""The outline of one file, what of it can be folded, and where a part of it ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from voiceflow_compiler.diagnostics import Place
from voiceflow_compiler.lsp.text import Text
from voiceflow_compiler.source import Read

# What stands below these keys of the outermost map, by its kind.
_PARTS: Final = {
    "nodes": "node",
    "slots": "slot",
    "intents": "intent",
    "actions": "action",
    "handoffs": "handoff",
    "everywhere": "answer",
    "caller_facts": "fact",
}
_BLANK = re.compile(r"[ \t]*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file with a name. Indexes count characters; `index` to `end` is its name."""

    name: str
    kind: str
    detail: str
    index: int
    end: int
    last: int
    below: tuple["Part", ...] = ()


def parts(read: Read, text: Text) -> Iterator[Part]:
    """The parts of a file, in order."""
    if read.root is None or not isinstance(read.data, dict):
        return
    for key, place in (read.root.below or {}).items():
        if place.file != read.file or place.key is None or key not in read.data:
            continue
        value = read.data[str(key)]
        kind = _PARTS.get(str(key), "")
        inner = place.below or {}
        if key == "caller_facts" and isinstance(value, dict) and "fields" in inner:
            value, inner = value["fields"], inner["fields"].below or {}
        below = tuple(_named(inner, value, kind, read.file, text)) if kind and isinstance(value, dict) else ()
        yield _part(str(key), kind and f"{kind}s", "", place, text, below)


def folds(text: Text) -> Iterator[tuple[int, int]]:
    """First and last line, from 0, of everything that is indented below a line; comments of several lines
    as well.
    """
    open_: list[tuple[int, int]] = []  # indentation, line
    last = comment = -1
    for number in range(len(text.starts)):
        line = text.line(number)
        stripped = line.lstrip()
        if stripped.startswith("#"):
            comment = number if comment < 0 else comment
            continue
        if 0 <= comment < number - 1:
            yield comment, number - 1
        comment = -1
        if not stripped:
            continue
        indent = len(line) - len(stripped)
        while open_ and open_[-1][0] >= indent:
            _, start = open_.pop()
            if last > start:
                yield start, last
        open_.append((indent, number))
        last = number
    for _, start in reversed(open_):
        if last > start:
            yield start, last


def _named(places: dict[str | int, Place], value: Any, kind: str, file: str, text: Text) -> Iterator[Part]:
    for name, place in places.items():
        if place.file == file and place.key is not None:
            written = value.get(name)
            detail = written.get(_DETAIL.get(kind, ""), "") if isinstance(written, dict) else ""
            yield _part(str(name), kind, detail if isinstance(detail, str) else "", place, text, ())


_DETAIL: Final = {
    "node": "kind",
    "slot": "type",
    "intent": "family",
    "fact": "type",
    "handoff": "mode",
    "action": "does",
    "answer": "go",
}


def _part(name: str, kind: str, detail: str, place: Place, text: Text, below: tuple[Part, ...]) -> Part:
    key = place.key or place.value
    start, end = key.start_mark.index, key.end_mark.index
    return Part(name, kind, detail, start, end, _trimmed(text, end, place.value.end_mark.index), below)


def _trimmed(text: Text, start: int, end: int) -> int:
    """The end of a part without the blank lines and comments before what follows it."""
    lines = text.text[start:end].split("\n")
    while len(lines) > 1 and _BLANK.match(lines[-1].rstrip("\r")):
        end -= len(lines.pop()) + 1
    return end
