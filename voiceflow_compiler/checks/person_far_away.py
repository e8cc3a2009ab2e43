"""A caller who asks for a person must ask again and again.

Why: the disclosure promises a person at any time. Whoever asks three times and is still talking to an
assistant hangs up, and tells others.

**Flagged**

    nodes:
      offer:  # flagged
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          wants_person: {convey: Offer to help first., stay: true, at_most: 4, then: to_sales}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          wants_person: {convey: Offer to help first., stay: true, at_most: 1, then: to_sales}

Tip: lead to the handoff at once, or after one attempt to help (`at_most: 1, then: ...`).
"""

from collections.abc import Iterator
from math import inf
from typing import Final

from voiceflow_compiler.artifact import Expr
from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Node
from voiceflow_compiler.graph import Graph, answer_at, ladder_at, reach

CODE: Final = "VF607"
NAME: Final = "person-far-away"
SEVERITY: Final = "error"

_REQUESTS: Final = 3
_SILENT: Final = frozenset({"next", "case", "otherwise", "success", "failure", "filled"})


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every listening node from which a caller who asks for a person, and nothing else, asks four times or
    more.

    A request that never leads to a person at all is `escalation-without-handoff`.
    """
    intents = [each.name for each in flow.intents.values() if each.family == "escalation"] or ["escalation"]
    for intent in intents:
        if any(_answers(trigger.when.expr, intent) for trigger in flow.triggers):
            continue
        far = _Far(flow, graph, intent)
        for name in graph.reached:
            asked = far.requests(name) if graph.nodes[name].listens else 0
            if _REQUESTS < asked < inf:
                yield Found(
                    places.key(graph.nodes[name].path),
                    f'a caller at "{name}" must ask for a person {asked:g} times ({intent})',
                    "Lead to the handoff at once, or after one attempt: `at_most: 1, then: NODE`.",
                    route=graph.route(name),
                )


class _Far:
    """How many requests a caller needs who does nothing but ask for a person, by node."""

    def __init__(self, flow: Flow, graph: Graph, intent: str) -> None:
        self.flow = flow
        self.graph = graph
        self.intent = intent
        self.known: dict[str, float] = {}

    def requests(self, name: str) -> float:
        """From a listening node to a person; infinite when these requests never lead to one.

        Followed one node after the other, as deep as there are nodes in a row that talk a request away.
        """
        waiting: list[tuple[str, float]] = []
        here: str | None = name
        while here is not None and here not in self.known:
            self.known[here] = inf  # until proved otherwise: a request that comes back here is one
            cost, target = self._step(self.graph.nodes[here])
            waiting.append((here, cost))
            here = self._next_listening(target)
            if here == "":
                self.known[""] = 0
        total = self.known.get(here, inf) if here is not None else inf
        for each, cost in reversed(waiting):
            total += cost
            self.known[each] = total
        return self.known[name]

    def _step(self, node: Node) -> tuple[float, str | None]:
        """How many requests this node takes, and where the last one leads."""
        answer = answer_at(self.flow, node, self.intent)
        if answer is not None and answer.go is not None:
            return 1, answer.go
        if answer is not None and answer.then is not None:
            return (answer.at_most or 0) + 1, answer.then
        ladder = ladder_at(self.flow, node, "no_match")
        stays = answer.at_most or 0 if answer is not None else 0
        if ladder is None or not ladder.rungs:
            return inf, None
        return stays + len(ladder.rungs), ladder.rungs[-1].go

    def _next_listening(self, target: str | None) -> str | None:
        """The next node that hears the caller; "" when it is a person, None when the call may end first."""
        if target is None or target not in self.graph.nodes:
            return None
        ahead = reach(
            self.graph, [target], via=lambda edge: edge.kind in _SILENT and self._passes(edge.source)
        )
        nodes = [self.graph.nodes[name] for name in ahead]
        if any(node.kind == "handoff" for node in nodes):
            return ""
        return next((node.name for node in nodes if node.listens), None)

    def _passes(self, name: str) -> bool:
        return not self.graph.nodes[name].listens


def _answers(expr: Expr | None, intent: str) -> bool:
    """Whether a trigger answers every request for a person."""
    match expr:
        case ["==", ["name", "intent", "family"], ["value", "escalation"]]:
            return True
        case ["==", ["name", "intent", "name"], ["value", str(name)]]:
            return name == intent
        case ["or", *parts]:
            return any(_answers(part, intent) for part in parts)
        case _:
            return False
