"""YAML read again while it is typed: only the parts that changed, and around a part that is broken.

A text is cut before every key of its outermost map, and a long part once more before every key of the map
in it. Each piece is read by itself and kept.

Laws
1. What this reads from a text that is YAML is what `source.parse` reads: the same data, findings and places.
   Where a cut is not surely right (a quote over several lines, two equal keys), the whole text is read.
2. A piece that is no YAML is replaced by what last stood under its key. `Patch` says where, so that nobody
   is told of places that are no more.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from voiceflow_compiler.diagnostics import Finding, Path, Place
from voiceflow_compiler.include import MAPS
from voiceflow_compiler.lsp.moved import Moved, moved
from voiceflow_compiler.source import MAX_EVENTS, Budget, Read, parse
from voiceflow_compiler.source.characters import check_characters
from voiceflow_compiler.source.reader import Reader

_LONG: Final = 24  # lines from which a part is cut once more
_MANY: Final = 40  # findings from which the bounds on findings matter, which count for the whole text

_OUTER = re.compile(r"^(?=[A-Za-z_])", re.MULTILINE)
_NOTHING = re.compile(r"(?:[ ]*(?:#[^\r\n]*)?(?:\r\n|\n|\Z))*")
_HEADER = re.compile(r"[A-Za-z_][\w-]*[ ]*:[ ]*(?:#[^\r\n]*)?\r?\n")
_NAME = re.compile(r"[ ]*([A-Za-z_][\w-]*)[ ]*:(?=\s)")
_UNSURE = re.compile(r"^(?:---|\.\.\.|%)|\r(?!\n)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text as read by itself. `root` is None when it is no YAML map."""

    data: dict[str, Any] | None
    root: Place | None
    findings: tuple[Finding, ...]
    lost: frozenset[Path]
    events: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a piece stands: its lines and characters count from the start of the text, from 0. `above` is
    the key it stands under, if any.
    """

    text: str
    line: int
    index: int
    above: str | None = None

    @property
    def name(self) -> tuple[str, ...]:
        """The path of the key it starts with, as far as it has one."""
        match = _NAME.match(self.text)
        return (() if self.above is None else (self.above,)) + ((match[1],) if match else ())


@dataclass(frozen=True, slots=True)
class Patch:
    """Lines (from 1, the last exclusive) of a text that could not be read and what was taken in their
    place: `known` when it had been read before, so that nothing is missing.
    """

    first: int
    last: int
    known: bool


@dataclass(slots=True)
class Memory:
    """What is remembered of one file: its pieces by text, and the last good one under each key."""

    pieces: dict[tuple[str, bool], Piece] = field(default_factory=dict)
    good: dict[tuple[str, ...], Piece] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()
    broken: tuple[Finding, ...] = ()


class _Unsure(Exception):
    """The cuts may be wrong."""


class Rereader:
    """Reads the texts of many files, each many times."""

    def __init__(self) -> None:
        self.memory: dict[str, Memory] = {}

    def parse(self, text: str, result: Read, budget: Budget) -> None:
        """Read YAML text into `result`, like `source.parse`; what is broken is told by `memory` instead when
        it could be patched.
        """
        memory = self.memory.setdefault(result.file, Memory())
        memory.patches, memory.broken = (), ()
        events_left = budget.events_left
        try:
            _Assembly(text, result, memory).run(budget)
        except _Unsure:
            budget.events_left = events_left
            _clear(result)
            parse(text, result, budget)
            if result.data is None and text.strip():
                self._patch(text, result, memory, budget)

    def _patch(self, text: str, result: Read, memory: Memory, budget: Budget) -> None:
        """Replace what is broken by what was there before."""
        whole = Read(result.file)
        try:
            patches = _Assembly(text, whole, memory).run(budget, patching=True)
        except _Unsure:
            return
        if whole.data is None:
            return
        broken = tuple(result.findings)
        result.data, result.root, result.lost = whole.data, whole.root, whole.lost
        memory.patches = patches
        if all(patch.known for patch in patches):
            memory.broken = broken
            result.findings[:] = whole.findings


def _clear(result: Read) -> None:
    result.data, result.root = None, None
    result.findings.clear()
    result.lost.clear()


class _Assembly:
    """One text being put together from its pieces."""

    def __init__(self, text: str, result: Read, memory: Memory) -> None:
        self.text = text
        self.result = result
        self.memory = memory
        self.used: dict[tuple[str, bool], Piece] = {}
        self.patches: list[Patch] = []
        self.patching = False
        self.events = 0

    def run(self, budget: Budget, *, patching: bool = False) -> tuple[Patch, ...]:
        """Put it together. Raises _Unsure when only reading the whole can be right."""
        self.patching = patching
        self.result.text = self.text
        safe, tabs = check_characters(self.text, self.result.file, self.result.findings)
        if tabs or _UNSURE.search(safe):
            raise _Unsure
        cuts = list(_cuts(safe, _OUTER, 0, 0, None))
        if not cuts or not _NOTHING.fullmatch(safe, 0, cuts[0].index):
            raise _Unsure
        data: dict[str, Any] = {}
        below: dict[str | int, Place] = {}
        for cut in cuts:
            self._outer(cut, data, below)
        if not data or len(self.result.findings) > _MANY or self.events > budget.events_left:
            raise _Unsure
        budget.events_left -= self.events
        places = list(below.values())
        root = Place(self.result.file, None, _Spread(places[0], places[-1]))
        root.below = below
        self.result.data, self.result.root = data, root
        self.memory.pieces = self.used
        return tuple(self.patches)

    def _outer(self, cut: Cut, data: dict[str, Any], below: dict[str | int, Place]) -> None:
        inner = list(_inner(cut)) if cut.text.count("\n") >= _LONG else []
        if not inner:
            self._add(cut, data, below)
            return
        header = cut.text[: inner[0].index - cut.index]
        self._add(Cut(header, cut.line, cut.index), data, below)
        key = inner[0].above
        if key is None or key not in data or data[key] is not None:
            raise _Unsure
        values: dict[str, Any] = {}
        places: dict[str | int, Place] = {}
        for each in inner:
            self._add(each, values, places)
        if values:
            stretch = _Spread(*(list(places.values())[at] for at in (0, -1)))
            place = Place(self.result.file, below[key].key, stretch)
            place.below = places
            data[key], below[key] = values, place

    def _add(self, cut: Cut, data: dict[str, Any], below: dict[str | int, Place]) -> None:
        """Add what a piece holds to the map it stands in."""
        read = self._piece(cut)
        piece = read if read.root is not None else self._instead(cut)
        if piece is None or piece.root is None or piece.data is None or piece.root.below is None:
            return
        if not data.keys().isdisjoint(piece.data):
            raise _Unsure
        self.events += piece.events
        above = () if cut.above is None else (cut.above,)
        if piece is read:
            self.result.findings += [moved(finding, cut.line) for finding in piece.findings]
        self.result.lost |= {(*above, *path) for path in piece.lost}
        for key, value in piece.data.items():
            place: Place = Moved(piece.root.below[key], cut.line, cut.index)
            data[key] = _opened(value, place, (*above, key))
            below[key] = place

    def _piece(self, cut: Cut) -> Piece:
        key = (cut.text, cut.above is None)
        piece = self.used.get(key) or self.memory.pieces.get(key)
        if piece is None:
            piece = _read(cut, self.result.file)
            if piece.data is not None and any(value is not None for value in piece.data.values()):
                self.memory.good[cut.name] = piece
        self.used[key] = piece
        return piece

    def _instead(self, cut: Cut) -> Piece | None:
        """What last stood where a piece is broken."""
        if not self.patching:
            raise _Unsure
        piece = self.memory.good.get(cut.name) if len(cut.name) > (cut.above is not None) else None
        last = cut.line + cut.text.count("\n") + 1
        self.patches.append(Patch(cut.line + 1, last + (not cut.text.endswith("\n")), piece is not None))
        return piece


def _opened(value: Any, place: Place, path: tuple[str, ...]) -> Any:
    """A value whose maps may be added to when files are merged: a kept piece must not change."""
    if not isinstance(value, dict) or not any(known[: len(path)] == path for known in MAPS):
        return list(value) if isinstance(value, list) and len(path) == 1 else value
    assert place.below is not None
    return {key: _opened(inner, place.below[key], (*path, key)) for key, inner in value.items()}


def _cuts(text: str, at: re.Pattern[str], line: int, index: int, above: str | None) -> Iterator[Cut]:
    """The pieces of a text that begin where a pattern matches, up to the next one."""
    starts = [match.start() for match in at.finditer(text)]
    ends = [*starts[1:], len(text)] if starts else []
    done = 0
    for start, end in zip(starts, ends, strict=True):
        line += text.count("\n", done, start)
        done = start
        yield Cut(text[start:end], line, index + start, above)


def _inner(cut: Cut) -> Iterator[Cut]:
    """The pieces below the key a part begins with, when a map in lines of its own stands there."""
    header = _HEADER.match(cut.text)
    if header is None:
        return
    first = _NOTHING.match(cut.text, header.end())
    body = cut.text[header.end() :]
    indent = re.match(r"[ ]+(?=[A-Za-z_])", cut.text[first.end() if first else 0 :])
    if indent is None:
        return
    above = header[0].partition(":")[0].strip()
    at = re.compile(rf"^{indent[0]}(?=[A-Za-z_])", re.MULTILINE)
    yield from _cuts(body, at, cut.line + 1, cut.index + header.end(), above)


def _read(cut: Cut, file: str) -> Piece:
    result, budget = Read(file), Budget()
    Reader(result, budget, quiet=False, above=cut.above is not None).run(cut.text)
    good = isinstance(result.data, dict) and result.root is not None
    return Piece(
        result.data if good else None,
        result.root if good else None,
        tuple(result.findings),
        frozenset(result.lost),
        MAX_EVENTS - budget.events_left,
    )


class _Spread:
    """The stretch from one place to another."""

    __slots__ = ("end_mark", "start_mark")

    def __init__(self, first: Place, last: Place) -> None:
        self.start_mark = (first.key or first.value).start_mark
        self.end_mark = last.value.end_mark
