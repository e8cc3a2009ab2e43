"""Which files the patterns of a project mean."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from voiceflow_compiler.diagnostics import Finding
from voiceflow_compiler.project.reading import Written

FLOW_FILE: Final = "flow.yaml"
MAX_FOLDERS: Final = 5_000
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "venv"})


def yaml_files(folder: Path) -> Iterator[str]:
    """The YAML files below a folder, as paths seen from it, in order; links to folders are not followed."""
    for count, (here, inner, files) in enumerate(os.walk(folder)):
        if count >= MAX_FOLDERS:
            return
        inner[:] = sorted(name for name in inner if name not in _SKIPPED and not name.startswith("."))
        for name in sorted(files):
            if name.endswith((".yaml", ".yml")):
                yield (Path(here) / name).relative_to(folder).as_posix()


def flow_files(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    """The flows that patterns name: files, or folders that hold a flow.yaml; each once, in order of name."""
    wanted = [_pattern(each) for each in patterns]
    for name in yaml_files(folder):
        own, _, last = name.rpartition("/")
        if any(each.fullmatch(name) or (last == FLOW_FILE and each.fullmatch(own)) for each in wanted):
            yield folder / name


def matches_nothing(
    folder: Path, patterns: Iterable[str], flows: Iterable[Path], written: Written
) -> Iterator[Finding]:
    """A finding for each pattern that no flow answers to."""
    names = [path.relative_to(folder).as_posix() for path in flows]
    for pattern in patterns:
        one = _pattern(pattern)
        if not any(one.fullmatch(name) or one.fullmatch(name.rpartition("/")[0]) for name in names):
            message = f"no flow is called `{pattern[:80]}` in this project"
            tip = f"Name a folder that holds a {FLOW_FILE}, such as flows/*, or a flow's file."
            span = written.place("flows", pattern)
            yield Finding("VF031", "no-such-flow", "error", message, span, tip)


def _pattern(written: str) -> re.Pattern[str]:
    """`*` is any name, `**` any way through folders."""
    parts = re.split(r"(\*\*/?|\*|\?)", written.removeprefix("./").rstrip("/"))
    stands = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(stands.get(part, re.escape(part)) for part in parts))
