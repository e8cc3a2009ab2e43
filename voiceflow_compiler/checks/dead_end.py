"""A listening node where nothing a caller says leads on.

Why: the caller answers, and the assistant can only ask again until a ladder or a limit ends the call.

**Flagged**

    nodes:
      offer:  # flagged
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {convey: Say that that is good., stay: true, at_most: 2}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}

Tip: give the answer a caller should have there a `go`, or let the node `collect` something and say where it
is `filled`."""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Edge, Graph

CODE: Final = "VF202"
NAME: Final = "dead-end"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every reachable node that listens and that neither its own answers nor an agreement lead on from."""
    for name in graph.reached:
        node = graph.nodes[name]
        if node.listens and not any(_leads_on(edge) for edge in graph.edges_from[name]):
            yield Found(
                places.key(node.path),
                f'nothing a caller says at "{name}" leads on',
                "Give an answer under `on` a `go`, or let the node `collect` something and say where it "
                "is `filled`.",
                route=graph.route(name),
            )


def _leads_on(edge: Edge) -> bool:
    if edge.target == edge.source:
        return False
    return edge.progress or (not edge.inherited and edge.kind not in ("ladder", "then"))
