"""A caller who asks for a person and cannot get one.

Why: the disclosure promises that a person can be asked for. A request that ends in a goodbye, or that is
talked away for ever, breaks it.

**Flagged**

    everywhere:
      wants_person: {convey: Say that nobody is there., go: goodbye}  # flagged

**Clean**

    everywhere:
      wants_person: {convey: Offer to help first., stay: true, at_most: 1, then: to_sales}

Tip: let the answer lead to a node of kind `handoff`, at once or after one attempt to help.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Answer, Flow
from voiceflow_compiler.graph import Graph, can_reach, family_of, ladder_at

CODE: Final = "VF601"
NAME: Final = "escalation-without-handoff"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every answer to a request for a person that no handoff can be reached from, or a flow without any."""
    if not graph.reached:
        return
    people = [name for name in graph.reached if graph.nodes[name].kind == "handoff"]
    if not people:
        yield Found(
            places.key(("handoffs",) if flow.handoffs else ("start",)),
            "a caller can never reach a person in this flow",
            "Describe a way to a person under `handoffs`, and lead to it with a node of kind `handoff`.",
        )
        return
    leading = can_reach(graph, people, via=lambda edge: not edge.inherited)
    here = (
        (f' at "{node.name}"', node.name, answer)
        for node in flow.nodes.values()
        for answer in node.on.values()
    )
    for where, name, answer in chain(here, (("", "", answer) for answer in flow.everywhere.values())):
        if family_of(flow, answer.key) != "escalation":
            continue
        target = answer.go or answer.then or _after_ladder(flow, graph, name, answer)
        if target is not None and target in graph.nodes and target not in leading:
            yield Found(
                places.value((*answer.path, "go" if answer.go else "then" if answer.then else "at_most")),
                f'a caller who asks for a person{where} is led to "{target}", from where no person can be '
                "reached",
                "Lead to a node of kind `handoff`, at once or after one attempt to help.",
                route=(*graph.route(name), target) if name else (),
            )


def _after_ladder(flow: Flow, graph: Graph, name: str, answer: Answer) -> str | None:
    """Where the no-match ladder leads after a bounded stay without `then`."""
    if answer.at_most is None:
        return None
    ladder = ladder_at(flow, graph.nodes[name], "no_match") if name else flow.fallback.no_match
    return ladder.rungs[-1].go if ladder and ladder.rungs else None
