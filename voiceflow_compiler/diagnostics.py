"""What a finding is: a code, a name, one primary place, related places, the caller's path, a tip, perhaps a
fix.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Severity = Literal["error", "warning", "note"]

# Where something stands in the plain data of a flow: ("nodes", "team", "on", "agreement"). List items are
# ints.
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one source file. Lines and columns count from 1, columns in characters; the end is
    exclusive.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What stands at `span` becomes `text`; an empty span is a place to insert at."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a designer should know.

    `code` is stable for ever ("VF401"), `name` says the problem ("undisclosed-path"), `message` speaks of
    callers and nodes,
    `route` is a caller's way that shows it (node names, in order), `tip` says what to write instead.
    `fix` is what to write, as edits that belong together, where one is safe; empty where a designer must
    choose.
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    tip: str = ""
    related: tuple[Related, ...] = ()
    route: tuple[str, ...] = ()
    fix: tuple[Edit, ...] = ()

    @property
    def sort_key(self) -> tuple[Span, str, str]:
        return (self.span, self.code, self.message)


def in_order(findings: list[Finding]) -> list[Finding]:
    """Findings by place, then code; exact repeats once."""
    return sorted(dict.fromkeys(findings), key=lambda finding: finding.sort_key)


class Mark(Protocol):
    """A position in a source file, counted from 0: `index` in characters from the start of the file."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def index(self) -> int: ...


class Stretch(Protocol):
    """Something read from a source file, with where it starts and ends (exclusive)."""

    @property
    def start_mark(self) -> Mark: ...
    @property
    def end_mark(self) -> Mark: ...


class Place:
    """Where one value of the plain data stands: its file, its key, itself, and the places below it.

    Not frozen and not a dataclass: a large flow makes a hundred thousand of them while it is read.
    """

    __slots__ = ("below", "file", "key", "value")

    def __init__(self, file: str, key: Stretch | None, value: Stretch) -> None:
        self.file = file
        self.key = key
        self.value = value
        self.below: dict[str | int, Place] | None = None


class Places:
    """The span of every path. A path nobody wrote has the place of its nearest ancestor, so a finding always
    has one.
    """

    def __init__(self, root: Place, texts: Mapping[str, str]) -> None:
        self.root = root
        self.texts = texts

    def value(self, path: Path) -> Span:
        """Where the value at `path` stands. A map or a list that spans many lines is shown by its key."""
        place, found = self._find(path)
        stretch = place.value
        if place.key is not None and (not found or (place.below is not None and _is_block(stretch))):
            stretch = place.key
        return _span(place.file, stretch, whole=place.below is None)

    def key(self, path: Path) -> Span:
        """Where the key at the end of `path` stands; for a list item, where the item starts."""
        place, _ = self._find(path)
        return _span(place.file, place.key or place.value, whole=place.below is None or place.key is not None)

    def inside(self, path: Path, start: int, end: int) -> Span:
        """Where the characters `start` to `end` of the text at `path` stand, through quotes, escapes and
        folded lines.
        """
        place, found = self._find(path)
        text = self.texts.get(place.file, "")
        value = getattr(place.value, "value", None)
        if not found or not isinstance(value, str):
            return self.value(path)
        raw = text[place.value.start_mark.index : place.value.end_mark.index]
        first, last = _align(raw, value, getattr(place.value, "style", None), (start, max(end - 1, start)))
        if last <= first or first >= len(raw):
            return self.value(path)
        from_line, from_column = _advance(place.value.start_mark, raw, first)
        to_line, to_column = _advance(place.value.start_mark, raw, last)
        return Span(place.file, from_line, from_column, to_line, to_column)

    def _find(self, path: Path) -> tuple[Place, bool]:
        place = self.root
        for step in path:
            below = place.below.get(step) if place.below is not None else None
            if below is None:
                return place, False
            place = below
        return place, True


def _is_block(stretch: Stretch) -> bool:
    return stretch.start_mark.line != stretch.end_mark.line


def _span(file: str, stretch: Stretch, *, whole: bool) -> Span:
    """The span of a stretch; of a map or list without a key that spans many lines, only where it starts."""
    start, end = stretch.start_mark, stretch.end_mark
    if not whole and _is_block(stretch):
        return Span(file, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
    return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _advance(mark: Mark, raw: str, count: int) -> tuple[int, int]:
    """The line and column, from 1, that lie `count` characters after a mark."""
    before = raw[:count].replace("\r\n", "\n").replace("\r", "\n")
    line = before.count("\n")
    column = len(before) - before.rfind("\n") if line else mark.column + count + 1
    return mark.line + line + 1, column


def _align(raw: str, value: str, style: str | None, offsets: tuple[int, int]) -> tuple[int, int]:
    """Where in its source text one character of a scalar's value starts, and another ends.

    White space between words may have been folded, so words are found by skipping it; escapes stand for one
    character each.
    """
    at = _body_start(raw, style)
    found = []
    for index, character in enumerate(value):
        at = _skip_break(raw, at, style)
        if not character.isspace():
            while at < len(raw) and raw[at].isspace():
                at = _skip_break(raw, at + 1, style)
        if index in offsets:
            found.append((at, at + _width(raw, at, style)))
        if character.isspace() and at < len(raw) and not raw[at].isspace() and raw[at] != "\\":
            continue
        at += _width(raw, at, style)
    return (found[0][0], found[-1][1]) if found else (len(raw), 0)


def _skip_break(raw: str, at: int, style: str | None) -> int:
    """Past an escaped line break and the indentation after it, if one stands here."""
    while style == '"' and raw.startswith(("\\\n", "\\\r"), at):
        at += 1
        while at < len(raw) and raw[at].isspace():
            at += 1
    return at


def _body_start(raw: str, style: str | None) -> int:
    if style in ("|", ">"):
        return raw.find("\n") + 1
    return 1 if style else 0


def _width(raw: str, at: int, style: str | None) -> int:
    """How many source characters stand for the one at `at`."""
    if style == "'" and raw.startswith("''", at):
        return 2
    if style == '"' and raw.startswith("\\", at):
        return {"x": 4, "u": 6, "U": 10}.get(raw[at + 1 : at + 2], 2)
    return 1
