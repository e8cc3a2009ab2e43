"""A node from which a caller can come to no end and to no person.

Why: whoever follows the conversation goes round and round. Only a ladder, a lost model, a limit or asking
for a person ends the call, and none of these is what a caller should have to do.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: details}
      details:  # flagged
        kind: ask
        convey: Describe the demo and ask whether they want to hear more.
        on:
          agreement: {go: more}
          objection: {go: more}
      more:
        kind: ask
        convey: Tell them more and ask whether to say it again.
        on:
          agreement: {go: details}
          objection: {go: details}
      email: null
      book: null
    everywhere:
      too_expensive: null

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: details}
      details:
        kind: ask
        convey: Describe the demo and ask whether they want it.
        on:
          agreement: {go: email}
          objection: {go: goodbye}

Tip: let one of the answers on the round lead to an `end` or a `handoff`.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Edge, Graph, can_reach, cycles, reach, stops

CODE: Final = "VF203"
NAME: Final = "no-way-out"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every last round of nodes that callers cannot talk themselves out of (dead ends apart)."""
    exits = [name for name in graph.reached if graph.nodes[name].kind in ("end", "handoff")]
    free = can_reach(graph, exits, via=_is_said)
    stuck = graph.reached.keys() - free
    for cycle in cycles(graph, via=lambda edge: edge.source in stuck and _is_said(edge)):
        name = cycle[0].source
        if reach(graph, [name], via=_is_said).keys() <= can_reach(graph, [name], via=_is_said):
            yield Found(
                places.key(graph.nodes[name].path),
                f'a caller at "{name}" can reach no end and no person by answering what is asked',
                "Let one of the answers from here on lead to an `end` or a `handoff` node.",
                route=(*graph.route(name), *stops(cycle)[1:]),
            )


def _is_said(edge: Edge) -> bool:
    """Whether a conversation takes this edge, not a misunderstanding, silence, limit or plea for a person."""
    if edge.kind in ("ladder", "trigger", "lost_model", "limit"):
        return False
    return not (edge.inherited and edge.family == "escalation")
