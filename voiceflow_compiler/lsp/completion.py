"""What may be written where a cursor stands: keys, words, names, also those in conditions and in braces."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceflow_compiler.conditions import FAMILIES, TURN, Named, intent_names
from voiceflow_compiler.diagnostics import Path
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.lsp import vocabulary
from voiceflow_compiler.lsp.about import about
from voiceflow_compiler.lsp.cursor import Cursor
from voiceflow_compiler.lsp.names import CONDITIONS, NAMED
from voiceflow_compiler.lsp.text import Text

# Node kinds with what a node of the kind begins with; `$1` is where the cursor goes.
_SKELETONS: Final[Mapping[str, str]] = {
    "tell": "kind: tell\n  convey: $2\n  next: $3",
    "ask": "kind: ask\n  convey: $2\n  on:\n    agreement: {go: $3}",
    "decide": 'kind: decide\n  cases:\n    - {if: "$2", go: $3}\n  otherwise: $4',
    "act": "kind: act\n  action: $2\n  while_waiting: One moment.\n  on_success: $3\n  on_failure: $4",
    "handoff": "kind: handoff\n  to: $2",
    "end": "kind: end\n  say: $2\n  outcome: $3",
}
_WORD = re.compile(r"[\w-]*$")
_DOTTED = re.compile(r"[\w.]*$")
_BRACE = re.compile(r"\{([\w.]*)$")
_COMPARED = re.compile(r"([A-Za-z_][\w.]*)\s*(?:==|!=|(?:not\s+)?in)\s*\[?\s*(?:'[^']*'\s*,\s*)*'([^']*)$")
_KIND = re.compile(r"\bkind[ ]*:[ ]*([a-z]+)")


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that may be written in place of the last `replaces` characters before the cursor. `sort`
    says which come first.
    """

    label: str
    kind: str
    replaces: int
    insert: str = ""
    documentation: str = ""
    snippet: bool = False
    sort: int = 1


def offers(cursor: Cursor, flow: Flow | None, data: Any, kind: str | None) -> list[Offer]:
    """Everything that may be written at a cursor. `data` is the flow as plain data, `kind` the kind of the
    node around the cursor; either may be unknown.
    """
    found = list(_at_key(cursor, flow, data, kind)) if cursor.at == "key" else []
    if cursor.at == "value" or (cursor.path and isinstance(cursor.path[-1], int)):
        found += _at_value(cursor, flow, kind)
    return found


def kind_of(text: Text, line: int, column: int, path: Path, data: Any) -> str | None:
    """The kind of the node around a position: as written above it or on its line, else as last read."""
    if len(path) < 2 or path[0] != "nodes":
        return None
    same = _KIND.search(text.line(line)[:column]) if "{" in text.line(line) else None
    if same is not None:
        return same[1]
    nodes = data.get("nodes") if isinstance(data, dict) else None
    node = nodes.get(path[1]) if isinstance(nodes, dict) else None
    head = re.compile(rf"[ ]+{re.escape(str(path[1]))}[ ]*:")
    for number in range(line, max(line - 200, -1), -1):
        here = text.line(number)
        match = _KIND.match(here.strip())
        if match is not None:
            return match[1]
        if head.match(here):
            break
    kind = node.get("kind") if isinstance(node, dict) else None
    return kind if isinstance(kind, str) else None


def _at_key(cursor: Cursor, flow: Flow | None, data: Any, kind: str | None) -> Iterator[Offer]:
    match = _WORD.search(cursor.typed)
    replaces = len(match[0]) if match is not None else 0
    present = _at(data, cursor.path)
    must = vocabulary.required(cursor.path, kind)
    for key, schema in vocabulary.keys(cursor.path, kind).items():
        if key not in present:
            insert = f"{key}: "
            said = vocabulary.documentation(schema)
            yield Offer(key, "key", replaces, insert, said, sort=0 if key in must else 1)
    if cursor.path[-1:] == ("on",) or cursor.path == ("everywhere",):
        for name in _intents(flow):
            if name not in present:
                said = about(flow, "intent", name) if flow else ""
                yield Offer(name, "intent", replaces, f"{name}: ", said)
    elif cursor.path == ("nodes",) and not cursor.in_brackets:
        for node_kind, skeleton in _SKELETONS.items():
            insert = "${1:name}:\n  " + skeleton
            said = f"```yaml\n{re.sub(r'[$][0-9]', '...', skeleton)}\n```"
            yield Offer(f"{node_kind} node", "snippet", replaces, insert, said, snippet=True, sort=2)


def _at_value(cursor: Cursor, flow: Flow | None, kind: str | None) -> Iterator[Offer]:
    path = cursor.path
    head, last = str(path[0]), next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    if (head, last) in CONDITIONS or (head == "actions" and len(path) == 4 and path[2] == "takes"):
        yield from _in_condition(cursor.typed, flow)
        return
    match = _WORD.search(cursor.typed)
    replaces = len(match[0]) if match is not None else 0
    named = NAMED.get(head, {}).get(last)
    if named is not None:
        for name in _names(flow, named):
            yield Offer(name, named, replaces, "", about(flow, named, name) if flow else "")
        return
    brace = _BRACE.search(cursor.typed)
    if brace is not None:
        yield from _in_braces(brace[1], flow)
        return
    if not cursor.typed[: len(cursor.typed) - replaces].strip():
        schemas = vocabulary.described(path, kind)
        said = vocabulary.documentation(schemas[0]) if schemas else ""
        for word in vocabulary.words(path, kind):
            yield Offer(word, "word", replaces, "", said)


def _in_condition(typed: str, flow: Flow | None) -> Iterator[Offer]:
    if flow is None:
        return
    known = _spaces(flow)
    compared = _COMPARED.search(typed)
    if compared is not None:
        space, _, name = compared[1].partition(".")
        named = known.get(space, {}).get(name)
        for choice in named.choices if named is not None else ():
            yield Offer(choice, "word", len(compared[2]))
        return
    if typed.count("'") % 2:
        return
    word = _DOTTED.search(typed)
    before = word[0] if word is not None else ""
    space, dot, rest = before.partition(".")
    if dot:
        for name, named in known.get(space, {}).items():
            kind = {"slots": "slot", "facts": "fact", "results": "result"}.get(space, "word")
            said = about(flow, kind, name) or named.type
            yield Offer(name, kind, len(rest), "", said)
        return
    for name, inner in known.items():
        if inner:
            yield Offer(name, "space", len(before), f"{name}.", f"{', '.join(list(inner)[:12])}")
    for name in ("and", "or", "not", "in", "true", "false"):
        yield Offer(name, "word", len(before), sort=2)


def _in_braces(typed: str, flow: Flow | None) -> Iterator[Offer]:
    for name in ("company", "purpose"):
        yield Offer(name, "word", len(typed), f"{name}", getattr(flow, name, ""), sort=2)
    if flow is None:
        return
    for kind, names in (("slot", flow.slots), ("fact", flow.facts)):
        for name in names:
            yield Offer(name, kind, len(typed), "", about(flow, kind, name))
    for action in flow.actions.values():
        for field in action.returns:
            name = f"{action.name}.{field}"
            yield Offer(name, "result", len(typed), "", about(flow, "result", name))


def _spaces(flow: Flow) -> Mapping[str, Mapping[str, Named]]:
    """What conditions may speak of."""
    return {
        "slots": {name: Named(slot.type, slot.choices) for name, slot in flow.slots.items()},
        "facts": {name: Named(fact.type, fact.choices) for name, fact in flow.facts.items()},
        "results": {
            f"{action.name}.{field}": Named(type_)
            for action in flow.actions.values()
            for field, type_ in action.returns.items()
        },
        "intent": intent_names(tuple(flow.intents)),
        "turn": TURN,
    }


def _intents(flow: Flow | None) -> Iterator[str]:
    yield from dict.fromkeys((*(flow.intents if flow else ()), *FAMILIES))


def _names(flow: Flow | None, kind: str) -> Iterator[str]:
    if flow is not None:
        maps: Mapping[str, Mapping[str, Any]] = {
            "node": flow.nodes,
            "slot": flow.slots,
            "action": flow.actions,
            "handoff": flow.handoffs,
        }
        yield from maps[kind]


def _at(data: Any, path: Path) -> Any:
    """The map at a path of plain data; empty when there is none."""
    for step in path:
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return {}
    return data if isinstance(data, dict) else {}
