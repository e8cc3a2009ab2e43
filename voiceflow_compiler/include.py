"""The files a flow is made of: opened safely, decoded, and merged into one.

Laws
1. Only regular files inside the project folder are opened, each once, and never more than the budgets allow.
2. A name written in two files is a finding that shows both places; the first one stays.
"""

import os
import re
import stat
from dataclasses import dataclass
from typing import Any, Final

from voiceflow_compiler.diagnostics import Finding, Path, Place, Places, Related, Span
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

# A folder that holds one of these is where a project starts.
_PROJECT_SIGNS: Final = (".git", "pyproject.toml", "vfc.toml")


@dataclass(frozen=True, slots=True)
class Source:
    """A flow as read: plain data with every include merged in, the place of everything, and what was wrong.

    `data` is None when nothing could be taken. `lost` holds the paths of values that were left out with a finding.
    """

    file: str
    data: Any
    places: Places
    findings: tuple[Finding, ...]
    lost: frozenset[Path]


def open_flow(path: str, root: str | None = None) -> Source:
    """Read a flow's file and what it includes. `root` is the project folder; without it, the nearest that looks like one."""
    opened = _Opened(os.path.realpath(root) if root else _project_folder(os.path.realpath(path)))
    first = opened.read(path, path)
    if isinstance(first.data, dict):
        opened.merge_includes(first, path, ())
    elif first.data is not None:
        span = Places(first.root or nowhere(path), {}).key(())
        first.findings.append(
            Finding(
                "VF016",
                "not-a-flow",
                "error",
                "a flow is a map of keys, and this is not",
                span,
                "Start with `language: 1`, `flow: NAME`, `version` and `nodes`.",
            )
        )
        first.data = None
    places = Places(first.root or nowhere(path), opened.texts)
    return Source(path, first.data, places, tuple(opened.findings + first.findings), frozenset(first.lost))


def _project_folder(path: str) -> str:
    """The nearest folder above that looks like a project's; without one, the folder that holds the flow's folder."""
    folder = os.path.dirname(path)
    above = folder
    while True:
        if any(os.path.exists(os.path.join(above, sign)) for sign in _PROJECT_SIGNS):
            return above
        if above == os.path.dirname(above):
            return os.path.dirname(folder)
        above = os.path.dirname(above)


class _Opened:
    """The files opened for one flow, and the findings of merging them."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.budget = Budget()
        self.texts: dict[str, str] = {}
        self.findings: list[Finding] = []
        self.done: set[str] = set()

    def read(self, path: str, shown: str) -> Read:
        result = read(path, shown, self.budget)
        self.texts[shown] = result.text
        self.done.add(os.path.realpath(path))
        return result

    def merge_includes(self, main: Read, path: str, chain: tuple[str, ...]) -> None:
        """Merge what a file includes into it, depth first; `chain` holds the files that led here."""
        assert main.root is not None
        names = main.data.get("include")
        places = Places(main.root, self.texts)
        chain = (*chain, os.path.realpath(path))
        for index, name in enumerate(names if isinstance(names, list) else ()):
            if not isinstance(name, str) or not name:
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(path), name))
            real = os.path.realpath(target) if "\0" not in target else target
            problem = self._problem(real, chain)
            if problem:
                code, title, message, tip = problem
                self.findings.append(
                    Finding(code, title, "error", message, places.value(("include", index)), tip)
                )
            elif real not in self.done:
                self._include(main, target, chain, places.value(("include", index)))

    def _problem(self, real: str, chain: tuple[str, ...]) -> tuple[str, str, str, str] | None:
        if real in chain:
            return (
                "VF020",
                "include-cycle",
                "this file includes itself, by way of what it includes"
                if real != chain[-1]
                else "this file includes itself",
                "Move what both need into a third file.",
            )
        if os.path.commonpath([self.root, real]) != self.root:
            return (
                "VF021",
                "include-outside",
                "this file lies outside the project folder",
                f"Copy it into `{os.path.basename(self.root)}`.",
            )
        if not os.path.isfile(real):
            return (
                "VF023",
                "include-missing",
                "there is no such file",
                "Paths are relative to the file that includes.",
            )
        if len(self.texts) >= MAX_FILES:
            return (
                "VF011",
                "too-many-parts",
                f"a flow of more than {MAX_FILES} files",
                "Merge some of them.",
            )
        return None

    def _include(self, main: Read, target: str, chain: tuple[str, ...], span: Span) -> None:
        part = self.read(target, target)
        self.findings.extend(part.findings)
        if not isinstance(part.data, dict) or part.root is None:
            if part.data is not None:
                self.findings.append(
                    Finding(
                        "VF024",
                        "not-includable",
                        "error",
                        "an included file holds maps such as `intents:` and `nodes:`",
                        span,
                        "Write `intents:` above its list of intents.",
                    )
                )
            return
        self.merge_includes(part, target, chain)
        places = Places(part.root, self.texts)
        for key in part.data:
            if key not in _ALLOWED:
                self.findings.append(
                    Finding(
                        "VF024",
                        "not-includable",
                        "error",
                        f"`{key}` cannot come from an included file",
                        places.key((key,)),
                        f"Write it in the flow's own file; an included file may hold {', '.join(sorted(_ALLOWED))}.",
                    )
                )
        for path in MAPS:
            self._merge_map(main, part, path)
        for name in LISTS:
            self._append(main, part, name)
        main.lost |= part.lost

    def _merge_map(self, main: Read, part: Read, path: tuple[str, ...]) -> None:
        added, added_place = _at(part, path)
        if added is None or added_place is None:
            return
        target, place = _at(main, path, like=added_place)
        if not isinstance(target, dict) or not isinstance(added, dict) or place is None:
            return
        into, out_of = place.below, added_place.below
        assert into is not None and out_of is not None
        for name, value in added.items():
            if name in target:
                first = into[name]
                self.findings.append(
                    Finding(
                        "VF022",
                        "defined-twice",
                        "error",
                        f"`{name}` is defined in two files; only the first would count",
                        Places(out_of[name], {}).key(()),
                        "Keep one of them, or give one another name.",
                        (Related(Places(first, {}).key(()), "defined here first"),),
                    )
                )
            else:
                target[name] = value
                into[name] = out_of[name]

    def _append(self, main: Read, part: Read, name: str) -> None:
        added, added_place = _at(part, (name,))
        if not isinstance(added, list) or added_place is None:
            return
        target, place = _at(main, (name,), like=added_place, empty=list)
        if not isinstance(target, list) or place is None:
            return
        assert place.below is not None and added_place.below is not None
        for index, value in enumerate(added):
            place.below[len(target)] = added_place.below[index]
            target.append(value)


def _at(
    source: Read, path: tuple[str, ...], *, like: Place | None = None, empty: type = dict
) -> tuple[Any, Place | None]:
    """The value at a path with its place; where there is none, an empty one placed `like` another when that is given."""
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


def read(path: str, shown: str, budget: Budget) -> Read:
    """Read one YAML file. `shown` is its name in findings. Never raises for what the file holds or is."""
    result = Read(shown, root=nowhere(shown))
    content = _bytes(path, result, budget)
    if content is not None:
        budget.bytes_left -= len(content)
        text = _decode(content, result)
        if text is not None:
            parse(text, result, budget)
    return result


def _bytes(path: str, result: Read, budget: Budget) -> bytes | None:
    """The bytes of a regular file within the budget; O_NONBLOCK because opening a FIFO would wait for ever."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return _refuse(
                result, "VF001", "unreadable-file", "this is not a regular file", "Name a flow's YAML file."
            )
        opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(opened, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "not a file name").lower()
        return _refuse(
            result,
            "VF001",
            "unreadable-file",
            f"this file cannot be read: {reason}",
            "Check its name and its permissions.",
        )
    if len(content) > MAX_FILE_BYTES:
        return _refuse(
            result,
            "VF002",
            "file-too-large",
            "this file is larger than 2 MiB",
            "Split the flow with `include`, or check that this is a flow.",
        )
    if len(content) > budget.bytes_left:
        return _refuse(
            result,
            "VF002",
            "file-too-large",
            "the files of this flow are larger than 4 MiB together",
            "Split it into several flows.",
        )
    return content


def _decode(content: bytes, result: Read) -> str | None:
    tip = "Save the file as UTF-8 text."
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _refuse(result, "VF003", "not-utf-8", "this file is saved as UTF-16", tip)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
    if content.count(0) > len(content) // 100:
        return _refuse(result, "VF003", "not-utf-8", "this is not a text file", tip)
    lines = re.split(BREAK, before)
    span = Span(result.file, len(lines), len(lines[-1]) + 1, len(lines), len(lines[-1]) + 2)
    result.findings.append(Finding("VF003", "not-utf-8", "error", "this character is not UTF-8", span, tip))
    return None


def _refuse(result: Read, code: str, name: str, message: str, tip: str) -> None:
    result.findings.append(Finding(code, name, "error", message, Span(result.file, 1, 1, 1, 1), tip))
