"""Every place of a flow that names a node, slot, intent, fact, action, handoff or result.

Laws
1. A mention's span covers exactly the name, without quotes, braces or what stands before its dot.
2. Names are found in what is no correct flow as well: misspelt ones, and in conditions that cannot be read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceflow_compiler.conditions import FAMILIES
from voiceflow_compiler.diagnostics import Path, Span
from voiceflow_compiler.flow import BUILT_IN_INTENTS, placeholders
from voiceflow_compiler.include import Source
from voiceflow_compiler.subflow import Use, Whole

# Where names are given: the key below these paths.
DEFINED: Final[Mapping[tuple[str, ...], str]] = {
    ("nodes",): "node",
    ("slots",): "slot",
    ("intents",): "intent",
    ("actions",): "action",
    ("handoffs",): "handoff",
    ("caller_facts", "fields"): "fact",
}
# Under which top-level key which key's value (or list of values) names what.
NAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "start": {"start": "node"},
    "nodes": {
        **dict.fromkeys(("go", "then", "next", "filled", "otherwise", "on_success", "on_failure"), "node"),
        "action": "action",
        "to": "handoff",
        "collect": "slot",
    },
    "everywhere": {"go": "node", "then": "node"},
    "fallback": {"go": "node"},
    "limits": {"go": "node"},
    "handoffs": {"if_unanswered": "node", "go": "node"},
    "handoff_triggers": {"to": "handoff"},
}
# Texts that are conditions or values.
CONDITIONS: Final = {("nodes", "if"), ("handoff_triggers", "when")}
SPACES: Final[Mapping[str, str]] = {
    "slots": "slot",
    "facts": "fact",
    "results": "result",
    "inputs": "input",
}
# What a subflow's file defines beside what a flow's does.
OF_SUBFLOWS: Final[Mapping[str, str]] = {"exits": "exit", "takes": "input"}
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")

_WORD = re.compile(r"'[^']*'|\"[^\"]*\"|[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name where it stands. A result is called `action.field`, and its span covers the field. `as_family`:
    it is the name of a family as well, and what is said of it holds for the whole family. `scope`: the file
    of the subflow whose name it is; empty for the flow's own.
    """

    kind: str
    name: str
    span: Span
    defines: bool = False
    as_family: bool = False
    scope: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What is named."""
        return (self.kind, self.name, self.scope)


def mentions(source: Source, whole: Whole | None = None) -> tuple[Mention, ...]:
    """Every mention in a flow, in the order of its data, and in the subflows that it uses."""
    if not isinstance(source.data, dict):
        return ()
    uses = whole.uses if whole is not None else {}
    found = list(_Finder(source, "", uses, "").all())
    for file, each in whole.files.items() if whole is not None else ():
        first = next(use for use in uses.values() if use.source.file == file)
        found += _Finder(each, file, uses, f"{first.node}.").all()
    return tuple(found)


def is_fixed(mention: Mention) -> bool:
    """Whether a name belongs to the language and not to the flow."""
    if mention.kind != "intent":
        return False
    return mention.name in BUILT_IN_INTENTS or (mention.name in FAMILIES and mention.as_family)


class _Finder:
    """The mentions of one file with what it includes; `scope` and `within` are those of a subflow's."""

    def __init__(self, source: Source, scope: str, uses: Mapping[str, Use], within: str) -> None:
        self.scope, self.uses, self.within = scope, uses, within
        self.exits = _map(source.data, "exits") if scope else {}
        self.inputs = _map(source.data, "takes") if scope else {}
        self.places = source.places
        self.data = source.data
        self.slots = _map(self.data, "slots")
        self.facts = _map(_map(self.data, "caller_facts"), "fields")

    def all(self) -> Iterator[Mention]:
        for path, kind in DEFINED.items():
            inner = self.data
            for step in path:
                inner = _map(inner, step)
            for name in inner:
                yield self._named(kind, name, self._key((*path, name)), defines=True)
        for section, kind in OF_SUBFLOWS.items() if self.scope else ():
            for name in _map(self.data, section):
                yield self._named(kind, name, self._key((section, name)), defines=True)
        for action, written in _map(self.data, "actions").items():
            for field in _map(written, "returns"):
                at = self._key(("actions", action, "returns", field))
                yield self._named("result", f"{action}.{field}", at, defines=True)
        for name in _map(self.data, "everywhere"):
            yield self._answered(("everywhere", name))
        for key, value in self.data.items():
            yield from self._below(value, (key,))

    def _below(self, value: Any, path: Path) -> Iterator[Mention]:
        if isinstance(value, dict):
            if path[0] == "nodes" and len(path) == 3 and path[2] == "on":
                yield from (self._answered((*path, name)) for name in value)
            if path[0] == "nodes" and len(path) == 2 and value.get("kind") == "flow":
                yield from self._used(value, path)
                return
            for key, inner in value.items():
                yield from self._below(inner, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self._below(inner, (*path, index))
        elif isinstance(value, str) and value:
            yield from self._text(value, path)

    def _used(self, node: Mapping[str, Any], path: Path) -> Iterator[Mention]:
        """The names of a subflow that a node gives, and those of its own that it gives them."""
        use = self.uses.get(f"{self.within}{path[1]}")
        scope = use.source.file if use is not None else None
        for key, kind in (("slots", "slot"), ("exits", "exit"), ("takes", "input")):
            for name, value in _map(node, key).items():
                at = (*path, key, name)
                if scope is not None:
                    yield Mention(kind, name, self._key(at), scope=scope)
                if not isinstance(value, str) or not value:
                    continue
                if kind == "input":
                    yield from self._condition(value, at)
                else:
                    named = "slot" if kind == "slot" else self._target(value)
                    yield self._named(named, value, self.places.inside(at, 0, len(value)))

    def _target(self, name: str) -> str:
        return "exit" if name in self.exits else "node"

    def _named(self, kind: str, name: str, span: Span, *, defines: bool = False) -> Mention:
        """A mention in this file; intents are the flow's wherever they stand."""
        return Mention(kind, name, span, defines, scope="" if kind == "intent" else self.scope)

    def _text(self, value: str, path: Path) -> Iterator[Mention]:
        head = str(path[0])
        last = next((str(step) for step in reversed(path) if isinstance(step, str)), head)
        kind = NAMED.get(head, {}).get(last)
        if kind is not None:
            kind = self._target(value) if kind == "node" else kind
            yield self._named(kind, value, self.places.inside(path, 0, len(value)))
        elif (head, last) in CONDITIONS or (head == "actions" and len(path) == 4 and path[2] == "takes"):
            yield from self._condition(value, path)
        elif "{" in value:
            for name, start, end in placeholders(value):
                yield from self._filling(name, path, start + 1, end - 1)

    def _filling(self, name: str, path: Path, start: int, end: int) -> Iterator[Mention]:
        if "." in name:
            yield from self._dotted("result", name, path, start, end)
        elif name not in ("company", "purpose"):
            kind = "fact" if name in self.facts and name not in self.slots else "slot"
            kind = "input" if name in self.inputs else kind
            yield self._named(kind, name, self.places.inside(path, start, end))

    def _dotted(self, kind: str, name: str, path: Path, start: int, end: int) -> Iterator[Mention]:
        action, _, field = name.partition(".")
        yield self._named("action", action, self.places.inside(path, start, start + len(action)))
        if field:
            yield self._named(kind, name, self.places.inside(path, end - len(field), end))

    def _condition(self, text: str, path: Path) -> Iterator[Mention]:
        """The names in a condition, word by word: it need not be one."""
        intents = False
        for match in _WORD.finditer(text):
            word = match[0]
            if word[0] in "'\"":
                if intents and NAME.fullmatch(word[1:-1]):
                    span = self.places.inside(path, match.start() + 1, match.end() - 1)
                    yield Mention("intent", word[1:-1], span)
                continue
            space, _, name = word.partition(".")
            if word not in ("in", "not"):
                intents = word == "intent.name"
            if space == "results" and name:
                yield from self._dotted("result", name, path, match.end() - len(name), match.end())
            elif space in SPACES and name:
                span = self.places.inside(path, match.end() - len(name), match.end())
                yield self._named(SPACES[space], name, span)

    def _answered(self, path: Path) -> Mention:
        name = str(path[-1])
        return Mention("intent", name, self._key(path), as_family=name in FAMILIES)

    def _key(self, path: Path) -> Span:
        span = self.places.key(path)
        if span.end_column - span.column == len(str(path[-1])) + 2:  # in quotes
            return Span(span.file, span.line, span.column + 1, span.end_line, span.end_column - 1)
        return span


def _map(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
