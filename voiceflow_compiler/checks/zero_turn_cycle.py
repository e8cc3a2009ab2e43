"""Nodes that lead round to themselves without listening to the caller.

Why: the assistant talks or works on and on and the caller is never asked. An `ask` does not help when its
answers are already known: it is passed over.

**Flagged**

    nodes:
      book:
        kind: act
        action: book_demo
        while_waiting: One moment.
        on_success: goodbye
        on_failure: email  # flagged

**Clean**

    nodes:
      book:
        kind: act
        action: book_demo
        while_waiting: One moment.
        on_success: goodbye
        on_failure: again
      again:
        kind: ask
        convey: Say that it did not work and ask whether to try once more.
        on:
          agreement: {go: book}

Tip: put an `ask` that collects nothing on the way round, or lead elsewhere.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, along, quoted
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Edge, Graph, cycles, stops

CODE: Final = "VF204"
NAME: Final = "zero-turn-cycle"
SEVERITY: Final = "error"

# `filled` is among them: the second time round everything on the way is known and the caller is not asked.
_SILENT: Final = frozenset({"next", "case", "otherwise", "success", "failure", "filled"})


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """One cycle of moves that wait for no caller, from each knot of them."""
    for cycle in cycles(graph, via=lambda edge: edge.kind in _SILENT and edge.source in graph.reached):
        around = tuple(dict.fromkeys(stops(cycle)))
        closing = cycle[-1]
        passed = tuple(edge.source for edge in cycle if edge.kind == "filled")
        known = f" ({quoted(passed)} is passed over: its answers are known)" if passed else ""
        yield Found(
            places.value(_turning_back(cycle).path),
            f"the call can go round {quoted(around)} without listening to the caller{known}",
            "Put an `ask` that collects nothing on the way round, or lead somewhere else.",
            along(cycle, places),
            (*graph.route(closing.target), *stops(cycle)[1:]),
        )


def _turning_back(cycle: tuple[Edge, ...]) -> Edge:
    """The edge a designer most likely means: a failure or a default that leads back, else the closing one."""
    return next((edge for edge in cycle if edge.kind == "failure"), cycle[-1])
