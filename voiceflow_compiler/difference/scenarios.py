"""Which written callers and scenarios a difference touches: those that surely pass a changed node.

A file names the nodes it is about (`at`, `ends_at` and the like). Who comes to a node has passed every node
that all ways to it pass, so those count as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.difference.safeguards import surely_passed


@dataclass(frozen=True, slots=True)
class Touched:
    """A file of a caller or scenario, and the changed nodes it surely passes."""

    file: str
    nodes: tuple[str, ...]


def touched(
    files: Mapping[str, Any], old: Artifact, new: Artifact, changed: frozenset[str]
) -> tuple[Touched, ...]:
    """The files (name to plain data) that pass a changed node in either version, by name."""
    before, after = surely_passed(old), surely_passed(new)
    found = []
    for file, content in sorted(files.items()):
        named = {name for name in _texts(content) if name in old.nodes or name in new.nodes}
        passed = {
            each
            for name in named
            for each in (before.get(name, frozenset({name})) | after.get(name, frozenset({name})))
        }
        if passed & changed:
            found.append(Touched(file, tuple(sorted(passed & changed))))
    return tuple(found)


def _texts(content: Any, key: str = "") -> Iterator[str]:
    """The texts in plain data, but not what a caller says: that may be the name of a node by accident."""
    match content:
        case dict():
            for name, value in content.items():
                yield from _texts(value, str(name))
        case list():
            for value in content:
                yield from _texts(value, key)
        case str() if key not in ("say", "about", "name"):
            yield content
