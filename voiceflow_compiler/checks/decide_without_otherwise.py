"""A decision that may have no way on.

Why: a caller for whom no case holds, for example because a value is not known, would be left in silence.

**Flagged**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: size
      size:  # flagged
        kind: decide
        cases:
          - {if: slots.team_size >= 50, go: to_sales}
          - {if: slots.team_size < 50, go: offer}

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
        otherwise: offer

Tip: say with `otherwise` where everybody else goes.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF209"
NAME: Final = "decide-without-otherwise"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every decision without an `otherwise`."""
    for node in flow.nodes.values():
        if node.kind == "decide" and node.otherwise is None:
            yield Found(
                places.key(node.path),
                f'a caller for whom no case of "{node.name}" holds has no way on',
                "Say with `otherwise` where everybody else goes.",
                route=graph.route(node.name),
            )
