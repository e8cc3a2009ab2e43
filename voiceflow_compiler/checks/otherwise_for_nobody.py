"""A node behind an `otherwise` that no caller is left for.

Why: the cases before it take everybody, so what the node says was written for callers who do not exist.
Most often a case is wider than it was meant to be.

**Flagged**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: size
      size:
        kind: decide
        cases:
          - {if: slots.team_size >= 50, go: to_sales}
          - {if: slots.team_size <= 50, go: offer}
        otherwise: middle  # flagged
      middle:
        kind: tell
        convey: Say that there is an offer for teams of this size.
        next: offer

**Clean**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: size
      size:
        kind: decide
        cases:
          - {if: slots.team_size >= 50, go: to_sales}
          - {if: slots.team_size < 10, go: offer}
        otherwise: middle
      middle:
        kind: tell
        convey: Say that there is an offer for teams of this size.
        next: offer

Tip: make a case narrower, or let `otherwise` lead where one of the cases does.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, conditions
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF210"
NAME: Final = "otherwise-for-nobody"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every `otherwise` after cases that take every caller, when it is the only way to its node.

    One that leads where others lead too is a careful default, and no slip.
    """
    coming: dict[str, int] = {}
    for edge in graph.edges:
        coming[edge.target] = coming.get(edge.target, 0) + 1
    for node, found in conditions.decided(flow, graph):
        if node.otherwise is None or coming.get(node.otherwise, 0) != 1:
            continue
        if found is None or any(case.when.expr is None for case in node.cases):
            continue
        taken = 0
        for held in found.holding:
            taken |= held
        if taken == found.all:
            yield Found(
                places.value((*node.path, "otherwise")),
                f'no caller comes to "{node.otherwise}": the cases of "{node.name}" leave nobody for '
                "`otherwise`",
                "Make one of the cases narrower, or let `otherwise` lead where one of them does.",
            )
