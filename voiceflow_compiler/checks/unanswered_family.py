"""A listening node that does not answer what every caller may do: object, not follow, ask for a person,
or agree.

Why: callers do all of these at every point of a call. What a node does not answer is treated as if it had
not been understood.

**Flagged**

    nodes:
      offer:  # flagged
        kind: ask
        convey: Offer a demo.
        on:
          too_expensive: {go: sorry}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          too_expensive: {go: sorry}

Tip: answer the family at the node under `on`, or for all nodes under `everywhere`. A node that collects
something or takes keys needs no answer for an agreement, and `handoff_triggers` may answer requests for a
person."""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.artifact import Expr
from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Node
from voiceflow_compiler.graph import Graph, answer_at

CODE: Final = "VF301"
NAME: Final = "unanswered-family"
SEVERITY: Final = "error"

_DOES: Final = {
    "agreement": "agrees",
    "objection": "objects",
    "confusion": "does not follow",
    "escalation": "asks for a person",
}


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """One finding for each reachable listening node, naming all it leaves without an answer."""
    members = _members(flow)
    triggered = {name for trigger in flow.triggers for name in _always(trigger.when.expr)}
    for name in graph.reached:
        node = graph.nodes[name]
        if not node.listens:
            continue
        missing = [
            _said(family, left)
            for family, intents in members.items()
            if family not in triggered and (left := _open(flow, node, family, intents, triggered))
        ]
        if missing:
            yield Found(
                places.key(node.path),
                f'a caller who {" or ".join(missing)} at "{name}" gets no answer',
                "Answer it under `on` here, or for all nodes under `everywhere`, by family or by intent.",
                route=graph.route(name),
            )


def _members(flow: Flow) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {family: [] for family in _DOES}
    for intent in flow.intents.values():
        if not intent.built_in and intent.family in members:
            members[intent.family].append(intent.name)
    return members


def _open(flow: Flow, node: Node, family: str, intents: list[str], triggered: set[str]) -> list[str]:
    """What of a family a node does not answer: its intents, or the family's own name where it has none."""
    if family == "agreement":
        if node.collect or node.keys or any(answer_at(flow, node, name) for name in ("answer", *intents)):
            return []
        return [] if answer_at(flow, node, family) else [family]
    if answer_at(flow, node, family) is not None:
        return []
    if not intents:
        return [family]
    return [name for name in intents if name not in triggered and answer_at(flow, node, name) is None]


def _said(family: str, open_: list[str]) -> str:
    return _DOES[family] if open_ == [family] else f"{_DOES[family]} ({', '.join(open_)})"


def _always(expr: Expr | None) -> Iterator[str]:
    """The families and intents a trigger answers whatever else is true."""
    match expr:
        case ["==", ["name", "intent", "family" | "name"], ["value", str(name)]]:
            yield name
        case ["or", *parts]:
            for part in parts:
                yield from _always(part)
