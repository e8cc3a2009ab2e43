"""Answers that send a caller round and round without getting anywhere.

Why: a caller who goes on objecting, or whom the assistant does not understand, is led back to where they
were. Only the limits of the call end this. Agreement, an answer or a key is progress, and a cycle through
one is fine.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          too_expensive: {go: price}
      price:
        kind: ask
        convey: Say what it costs and ask whether that is fine.
        on:
          agreement: {go: email}
          too_expensive: {go: offer}  # flagged

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          too_expensive: {go: price}
      price:
        kind: ask
        convey: Say what it costs and ask whether that is fine.
        on:
          agreement: {go: offer}
          too_expensive: {go: sorry}

Tip: let the same objection lead out the second time, to an `end`, a person, or a node that asks something
new."""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, along, quoted
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Edge, Graph, cycles, stops

CODE: Final = "VF205"
NAME: Final = "endless-cycle"
SEVERITY: Final = "error"

# Moves that are bounded, or that another check looks at.
_NOT_HERE: Final = frozenset({"unanswered", "trigger", "lost_model", "limit"})


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """One cycle without progress through a listening node, from each knot of them."""

    def stands_still(edge: Edge) -> bool:
        return not edge.progress and edge.kind not in _NOT_HERE and edge.source in graph.reached

    for cycle in cycles(graph, via=stands_still):
        turns = [edge for edge in cycle if graph.nodes[edge.source].listens]
        if turns:
            around = tuple(dict.fromkeys(stops(cycle)))
            does = quoted(list(dict.fromkeys(edge.label for edge in turns)))
            yield Found(
                places.value(turns[-1].path),
                f"a caller can go round {quoted(around)} for ever ({does}) without getting anywhere",
                "Let one of these answers lead out: to an `end`, a person, or a node that asks something "
                "new.",
                along(cycle, places),
                (*graph.route(cycle[0].source), *stops(cycle)[1:]),
            )
