"""The files a flow is made of: opened safely, decoded, and merged into one.

Laws
1. Only regular files inside the project folder are opened, each once, and never more than the budgets allow.
2. A name written in two files is a finding that shows both places; the first one stays.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any, Final

from voiceflow_compiler.diagnostics import Finding, Place, Places, Related, Span
from voiceflow_compiler.diagnostics import Path as DataPath
from voiceflow_compiler.source import BREAK, MAX_FILE_BYTES, Budget, Read, nowhere, parse

MAX_FILES: Final = 100

# What an included file may add: maps are merged by name, lists are appended.
MAPS: Final[tuple[tuple[str, ...], ...]] = (
    ("intents",),
    ("slots",),
    ("nodes",),
    ("actions",),
    ("handoffs",),
    ("everywhere",),
    ("caller_facts", "fields"),
)
LISTS: Final = ("knowledge", "handoff_triggers")
_ALLOWED: Final = {"language", "include", "caller_facts", *LISTS, *(path[0] for path in MAPS)}

_YAML: Final = (".yaml", ".yml")
# A folder that holds one of these is where a project starts.
_PROJECT_SIGNS: Final = (".git", "pyproject.toml", "vfc.toml")


@dataclass(frozen=True, slots=True)
class Source:
    """A flow as read: plain data with every include merged in, the place of everything, and what was wrong.

    `data` is None when nothing could be taken. `lost` holds the paths of values that were left out with a
    finding.
    """

    file: str
    data: Any
    places: Places
    findings: tuple[Finding, ...]
    lost: frozenset[DataPath]


# How one file is read: its path, its name in findings, and what may still be read of the flow.
Reading = Callable[[Path, str, Budget], Read]
# How a text is read into a result (see `source.parse`).
Parsing = Callable[[str, Read, Budget], None]


def open_flow(path: str, root: str | None = None, reading: Reading | None = None) -> Source:
    """Read a flow's file and what it includes (see `Opened`)."""
    return opened_for(path, root, reading).flow(path)


def opened_for(path: str, root: str | None = None, reading: Reading | None = None) -> "Opened":
    """What opens the files of a flow.

    `root` is the project folder; without it, the nearest folder above that looks like one. `reading` stands
    in for `read`: an editor has texts that are in no file yet.
    """
    folder = Path(root).resolve() if root else project_folder(real(Path(path)))
    return Opened(folder, reading or read)


def _whole(opened: "Opened", path: str) -> Source:
    first = opened.read(Path(path), path)
    if isinstance(first.data, dict):
        opened.merge_includes(first, Path(path), ())
    elif first.data is not None:
        span = Places(first.root or nowhere(path), {}).key(())
        message = "a flow is a map of keys, and this is not"
        tip = "Start with `language: 1`, `flow: NAME`, `version` and `nodes`."
        first.findings.append(Finding("VF016", "not-a-flow", "error", message, span, tip))
        first.data = None
    places = Places(first.root or nowhere(path), opened.texts)
    return Source(path, first.data, places, tuple(opened.findings + first.findings), frozenset(first.lost))


def real(path: Path) -> Path:
    """The file behind a name, wherever links lead; the name itself when that cannot be said."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a circle of links, a NUL in the name
        return path.absolute()


def project_folder(path: Path) -> Path:
    """The nearest folder above that looks like a project's; else the folder that holds the flow's folder."""
    for folder in path.parents:
        if any((folder / sign).exists() for sign in _PROJECT_SIGNS):
            return folder
    return path.parent.parent


def _absent(where: Path) -> tuple[str, str, str, str] | None:
    """Why there is no such file: the parts of a finding."""
    try:
        if not where.exists():
            return "VF023", "include-missing", "there is no such file", _meant(where)
        if where.is_file():
            return None
    except OSError as error:  # a name too long, a folder nobody may look into
        why = (error.strerror or "").lower()
        return "VF001", "unreadable-file", f"this file cannot be read: {why}", "Check its name."
    return "VF001", "unreadable-file", "this is not a regular file", "Name a YAML file."


def _meant(absent: Path) -> str:
    """What to write for a file that is not there: the name beside it that comes nearest."""
    try:
        beside = {
            each.stem: each.name for each in islice(absent.parent.iterdir(), 1000) if each.suffix in _YAML
        }
    except OSError:
        beside = {}
    near = get_close_matches(absent.stem, sorted(beside), n=1, cutoff=0.7)
    return f"Did you mean `{beside[near[0]]}`?" if near else "Names are relative to the file that includes."


def joined(folder: Path, name: str) -> Path:
    """A name taken from a folder, without the `..` in it where that is plain: findings show it short."""
    parts: list[str] = []
    for part in (folder / name).parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        else:
            parts.append(part)
    return Path(*parts)


class Opened:
    """The files opened for one flow, and the findings of merging them."""

    def __init__(self, root: Path, reading: Reading) -> None:
        self.root = root
        self.reading = reading
        self.budget = Budget()
        self.texts: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.done: set[Path] = set()

    def flow(self, path: str) -> Source:
        """A flow's file with what it includes."""
        return _whole(self, path)

    def part(self, path: Path) -> Source:
        """Another file that the flow needs, with what that includes: a source of its own."""
        other = Opened(self.root, self.reading)
        other.budget, other.texts = self.budget, self.texts
        first = other.read(path, str(path))
        if isinstance(first.data, dict):
            other.merge_includes(first, path, ())
        places = Places(first.root or nowhere(str(path)), self.texts)
        found = tuple(first.findings + other.findings)
        return Source(str(path), first.data, places, found, frozenset(first.lost))

    def read(self, path: Path, shown: str) -> Read:
        result = self.reading(path, shown, self.budget)
        self.texts[shown] = result.text
        self.done.add(real(path))
        return result

    def merge_includes(self, main: Read, path: Path, chain: tuple[Path, ...]) -> None:
        """Merge what a file includes into it, depth first; `chain` holds the files that led here."""
        if main.root is None:
            return
        names = main.data.get("include")
        places = Places(main.root, self.texts)
        chain = (*chain, real(path))
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if not isinstance(name, str) or not name:
                continue
            target = joined(path.parent, name)
            problem = self.problem(real(target), chain)
            if problem:
                code, title, message, tip = problem
                span = places.value(("include", index))
                self.findings.append(Finding(code, title, "error", message, span, tip))
            elif real(target) not in self.done:
                self._include(main, target, chain, places.value(("include", index)))

    def problem(self, where: Path, chain: tuple[Path, ...]) -> tuple[str, str, str, str] | None:
        """Why a file cannot be included: the parts of a finding."""
        if where in chain:
            way = "" if where == chain[-1] else ", by way of what it includes"
            tip = "Move what both need into a third file."
            return "VF020", "include-cycle", f"this file includes itself{way}", tip
        if not where.is_relative_to(self.root):
            tip = f"Copy it into `{self.root.name}`."
            return "VF021", "include-outside", "this file lies outside the project folder", tip
        problem = _absent(where)
        if problem:
            return problem
        if len(self.texts) >= MAX_FILES:
            return "VF011", "too-many-parts", f"a flow of more than {MAX_FILES} files", "Merge some of them."
        return None

    def _include(self, main: Read, target: Path, chain: tuple[Path, ...], span: Span) -> None:
        part = self.read(target, str(target))
        self.findings.extend(part.findings)
        if not isinstance(part.data, dict) or part.root is None:
            if part.data is not None:
                message = "an included file holds maps such as `intents:` and `nodes:`"
                self._find("VF024", "not-includable", message, span, "Write `intents:` above its intents.")
            return
        self.merge_includes(part, target, chain)
        places = Places(part.root, self.texts)
        listed = ", ".join(sorted(_ALLOWED))
        for key in part.data:
            if key not in _ALLOWED:
                message = f"`{key[:64]}` cannot come from an included file"
                tip = f"Write it in the flow's own file; an included file may hold {listed}."
                self._find("VF024", "not-includable", message, places.key((key,)), tip)
        for path in MAPS:
            self._merge_map(main, part, path)
        for name in LISTS:
            self._append(main, part, name)
        main.lost |= part.lost

    def _merge_map(self, main: Read, part: Read, path: tuple[str, ...]) -> None:
        added, added_place = _at(part, path)
        if added_place is None:
            return
        if not isinstance(added, dict):
            span = Places(added_place, {}).key(())
            self._find(
                "VF024", "not-includable", f"`{path[-1]}` is not a map here", span, "Write `name: ...` lines."
            )
            return
        target, place = _at(main, path, like=added_place)
        if not isinstance(target, dict) or place is None or place.below is None:
            return
        for name, value in added.items():
            its_place = (added_place.below or {})[name]
            if name in target:
                message = f"`{name[:64]}` is defined in two files; only the first would count"
                tip = "Keep one of them, or give one another name."
                first = Related(Places(place.below[name], {}).key(()), "defined here first")
                self._find("VF022", "defined-twice", message, Places(its_place, {}).key(()), tip, first)
            else:
                target[name] = value
                place.below[name] = its_place

    def _find(self, code: str, name: str, message: str, span: Span, tip: str, *related: Related) -> None:
        self.findings.append(Finding(code, name, "error", message, span, tip, related))

    def _append(self, main: Read, part: Read, name: str) -> None:
        added, added_place = _at(part, (name,))
        if not isinstance(added, list) or added_place is None:
            return
        target, place = _at(main, (name,), like=added_place, empty=list)
        if not isinstance(target, list) or place is None or place.below is None:
            return
        for index, value in enumerate(added):
            place.below[len(target)] = (added_place.below or {})[index]
            target.append(value)


def _at(
    source: Read, path: tuple[str, ...], *, like: Place | None = None, empty: type = dict
) -> tuple[Any, Place | None]:
    """The value at a path with its place; where there is none, an empty one placed `like` another when that
    is given.
    """
    value, place = source.data, source.root
    for depth, key in enumerate(path):
        if not isinstance(value, dict) or place is None or place.below is None:
            return None, None
        if key not in value:
            if like is None:
                return None, None
            value[key] = empty() if depth == len(path) - 1 else {}
            fresh = Place(like.file, like.key, like.value)
            fresh.below = {}
            place.below[key] = fresh
        value, place = value[key], place.below[key]
    return value, place


class _Unreadable(Exception):
    """Why nothing can be taken from a file: the parts of a finding."""


def read(path: Path, shown: str, budget: Budget, parsing: Parsing = parse) -> Read:
    """Read one YAML file. `shown` is its name in findings. Never raises for what the file holds or is."""
    result = Read(shown, root=nowhere(shown))
    try:
        text = _decoded(_content(path, budget), shown)
    except _Unreadable as reason:
        code, name, message, tip, span = reason.args
        result.findings.append(Finding(code, name, "error", message, span or Span(shown, 1, 1, 1, 1), tip))
    else:
        parsing(text, result, budget)
    return result


def _content(path: Path, budget: Budget) -> bytes:
    """The bytes of a regular file within the budget. O_NONBLOCK: opening a FIFO would wait for ever."""
    try:
        if not path.is_file():
            path.stat()  # says why, when there is none
            raise _Unreadable(
                "VF001", "unreadable-file", "this is not a regular file", "Name a YAML file.", None
            )
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(opened, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        message = (
            f"this file cannot be read: {(getattr(error, 'strerror', None) or 'not a file name').lower()}"
        )
        tip = "Check its name and its permissions."
        raise _Unreadable("VF001", "unreadable-file", message, tip, None) from None
    if len(content) > MAX_FILE_BYTES:
        tip = "Split the flow with `include`, or check that this is a flow."
        raise _Unreadable("VF002", "file-too-large", "this file is larger than 2 MiB", tip, None)
    budget.bytes_left -= len(content)
    if budget.bytes_left < 0:
        message = "the files of this flow are larger than 4 MiB together"
        raise _Unreadable("VF002", "file-too-large", message, "Split it into several flows.", None)
    return content


def _decoded(content: bytes, shown: str) -> str:
    tip = "Save the file as UTF-8 text."
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Unreadable("VF003", "not-utf-8", "this file is saved as UTF-16", tip, None)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
    if content.count(0) > len(content) // 100:
        raise _Unreadable("VF003", "not-utf-8", "this is not a text file", tip, None)
    lines = re.split(BREAK, before)
    span = Span(shown, len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 2)
    raise _Unreadable("VF003", "not-utf-8", "this character is not UTF-8", tip, span)
