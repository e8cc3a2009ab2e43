"""The moves a call can make: what every node writes itself, and what it inherits."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final, Literal, NamedTuple

from voiceflow_compiler.artifact import Expr
from voiceflow_compiler.diagnostics import Path
from voiceflow_compiler.flow import Answer, Flow, Ladder, Node

OwnKind = Literal[
    "intent", "key", "then", "filled", "next", "case", "otherwise", "success", "failure", "unanswered",
    "ladder"
]  # fmt: skip
Kind = OwnKind | Literal["everywhere", "trigger", "lost_model", "limit"]

# A caller who does one of these is getting somewhere; every other answer may come again and again.
PROGRESS: Final = frozenset({"agreement", "answer", "correction"})


class Edge(NamedTuple):
    """One move. `path` is where it is written, `gains` the names surely known once it is taken, as bits."""

    source: str
    target: str
    kind: Kind
    label: str
    path: Path
    family: str = ""
    progress: bool = False
    inherited: bool = False
    gains: int = 0


def moves(flow: Flow, bits: Mapping[str, int]) -> tuple[dict[str, Node], dict[str, tuple[Edge, ...]]]:
    """The nodes of a flow, implicit handoffs included, and the edges that leave each.

    Moves to nodes that do not exist are left out: resolving has reported them.
    """
    nodes = {**flow.nodes, **_implicit_handoffs(flow)}
    inherit = _Inheritance(flow, handoff_nodes(flow))
    edges_from: dict[str, tuple[Edge, ...]] = {}
    for node in nodes.values():
        written = chain(_own_edges(flow, node, bits), inherit.edges(node))
        edges_from[node.name] = tuple(edge for edge in written if edge.target in nodes)
    return nodes, edges_from


def handoff_nodes(flow: Flow) -> dict[str, str]:
    """The node that stands for each handoff: the first written, or an implicit one named `handoff:NAME`."""
    written: dict[str, str] = {}
    for node in flow.nodes.values():
        if node.kind == "handoff" and node.to is not None:
            written.setdefault(node.to, node.name)
    return {name: written.get(name, f"handoff:{name}") for name in flow.handoffs}


def answer_at(flow: Flow, node: Node, intent: str) -> Answer | None:
    """What a listening node answers an intent, its own before what holds everywhere; None if unwritten."""
    family = flow.intents[intent].family if intent in flow.intents else intent
    for answers in (node.on, flow.everywhere):
        found = answers.get(intent) or answers.get(family)
        if found is not None:
            return found
    return None


def ladder_at(flow: Flow, node: Node, cause: Literal["no_match", "no_input"]) -> Ladder | None:
    """The ladder a listening node climbs: its own, or the flow's."""
    own = getattr(node.fallback, cause) if node.fallback else None
    ladder: Ladder | None = own or getattr(flow.fallback, cause)
    return ladder


def family_of(flow: Flow, key: str) -> str:
    """The family an answer's key belongs to: the key is an intent, or a family itself."""
    return flow.intents[key].family if key in flow.intents else key


def implied(expr: Expr | None) -> frozenset[str]:
    """The names (`slots.NAME`, `results.ACTION`) a condition needs: an unknown one makes it false."""
    match expr:
        case ["and", *parts]:
            return frozenset().union(*map(implied, parts))
        case ["or", *parts] if parts:
            return frozenset.intersection(*map(implied, parts))
        case ["name", "slots", str(name), *_]:
            return frozenset({f"slots.{name}"})
        case ["name", "results", str(name), *_]:
            return frozenset({f"results.{name.split('.')[0]}"})
        case ["==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in", *sides]:
            return frozenset().union(*map(implied, sides))
        case _:
            return frozenset()


def _implicit_handoffs(flow: Flow) -> dict[str, Node]:
    names = handoff_nodes(flow)
    wanted = dict.fromkeys(trigger.to for trigger in flow.triggers if trigger.to in flow.handoffs)
    return {
        names[to]: Node(name=names[to], path=flow.handoffs[to].path, kind="handoff", to=to)
        for to in wanted
        if names[to] not in flow.nodes
    }


def _own_edges(flow: Flow, node: Node, bits: Mapping[str, int]) -> Iterator[Edge]:
    """The moves a node writes itself."""
    match node.kind:
        case "disclosure" | "tell":
            yield from _edge(node, node.next, "next", "then", "next")
        case "ask":
            yield from _answers(flow, node)
            collected = sum(bits.get(f"slots.{slot}", 0) for slot in dict.fromkeys(node.collect))
            yield from _edge(
                node, node.filled, "filled", "answered", "filled", gains=collected, progress=True
            )
            if node.fallback is not None:
                yield from _ladder(node.name, node.fallback.no_match, "not understood", inherited=False)
                yield from _ladder(node.name, node.fallback.no_input, "silence", inherited=False)
        case "decide":
            for case in node.cases:
                gains = sum(bits.get(name, 0) for name in implied(case.when.expr))
                yield Edge(node.name, case.go, "case", case.when.text, (*case.path, "go"), gains=gains)
            yield from _edge(node, node.otherwise, "otherwise", "otherwise", "otherwise")
        case "act":
            gains = bits.get(f"results.{node.action}", 0)
            yield from _edge(node, node.on_success, "success", "done", "on_success", gains=gains)
            yield from _edge(node, node.on_failure, "failure", "failed", "on_failure")
            yield from _edge(node, node.on_unknown, "failure", "not known", "on_unknown")
        case "handoff":
            handoff = flow.handoffs.get(node.to or "")
            if handoff is not None and handoff.if_unanswered is not None:
                yield Edge(
                    node.name,
                    handoff.if_unanswered,
                    "unanswered",
                    "nobody answers",
                    (*handoff.path, "if_unanswered"),
                )
        case "end":
            return


def _edge(
    node: Node,
    target: str | None,
    kind: Kind,
    label: str,
    key: str,
    *,
    gains: int = 0,
    progress: bool = False,
) -> Iterator[Edge]:
    if target is not None:
        yield Edge(node.name, target, kind, label, (*node.path, key), progress=progress, gains=gains)


def _answers(flow: Flow, node: Node) -> Iterator[Edge]:
    for answer in node.on.values():
        yield from _answer(node.name, answer, "intent", family_of(flow, answer.key), inherited=False)
    for answer in node.keys.values():
        yield from _answer(node.name, answer, "key", "key", inherited=False)


def _answer(source: str, answer: Answer, kind: Kind, family: str, *, inherited: bool) -> Iterator[Edge]:
    label = f"key {answer.key}" if kind == "key" else answer.key
    progress = kind == "key" or family in PROGRESS
    if answer.go is not None:
        yield Edge(source, answer.go, kind, label, (*answer.path, "go"), family, progress, inherited)
    if answer.then is not None:
        yield Edge(
            source, answer.then, "then", f"{label} again", (*answer.path, "then"), family, progress, inherited
        )


def _ladder(source: str, ladder: Ladder | None, label: str, *, inherited: bool) -> Iterator[Edge]:
    for rung in ladder.rungs if ladder else ():
        if rung.go is not None:
            yield Edge(source, rung.go, "ladder", label, (*rung.path, "go"), inherited=inherited)


class _Inheritance:
    """The moves nodes get without writing them, worked out once per set of answers that nodes write."""

    def __init__(self, flow: Flow, handoff_node: Mapping[str, str]) -> None:
        self.flow = flow
        self.members: dict[str, list[str]] = {}
        for intent in flow.intents.values():
            self.members.setdefault(intent.family, []).append(intent.name)
        self.everywhere: dict[frozenset[str], tuple[Edge, ...]] = {}
        self.ladders = {
            "no_match": tuple(_ladder("", flow.fallback.no_match, "not understood", inherited=True)),
            "no_input": tuple(_ladder("", flow.fallback.no_input, "silence", inherited=True)),
        }
        self.triggers = tuple(
            Edge(
                "",
                handoff_node[trigger.to],
                "trigger",
                trigger.reason or trigger.when.text,
                trigger.path,
                inherited=True,
            )
            for trigger in flow.triggers
            if trigger.to in handoff_node
        )
        self.bounds = tuple(_bounds(flow))

    def edges(self, node: Node) -> Iterator[Edge]:
        shared = self.bounds if node.kind not in ("handoff", "end") else ()
        if node.listens:
            shared = (*self._everywhere(node), *self._ladders(node), *self.triggers, *shared)
        return (edge._replace(source=node.name) for edge in shared)

    def _ladders(self, node: Node) -> Iterator[Edge]:
        own = node.fallback
        if own is None or own.no_match is None:
            yield from self.ladders["no_match"]
        if own is None or own.no_input is None:
            yield from self.ladders["no_input"]

    def _everywhere(self, node: Node) -> tuple[Edge, ...]:
        own = frozenset(node.on)
        if own not in self.everywhere:
            self.everywhere[own] = tuple(
                edge
                for answer in self.flow.everywhere.values()
                if not self._is_hidden(answer.key, own)
                for edge in _answer(
                    "", answer, "everywhere", family_of(self.flow, answer.key), inherited=True
                )
            )
        return self.everywhere[own]

    def _is_hidden(self, key: str, own: frozenset[str]) -> bool:
        """Whether a node's own answers leave nothing for an answer that holds everywhere."""
        if key in own or family_of(self.flow, key) in own:
            return True
        members = self.members.get(key, ())
        return bool(members) and all(
            name in own or (name in self.flow.everywhere and name != key) for name in members
        )


def _bounds(flow: Flow) -> Iterator[Edge]:
    lost = flow.fallback.lost_model
    if lost is not None and lost.go is not None:
        yield Edge("", lost.go, "lost_model", "lost model", lost.path, inherited=True)
    go = flow.limits.go or (lost.go if lost is not None else None)
    if go is not None:
        yield Edge("", go, "limit", "limits", flow.limits.path, inherited=True)
