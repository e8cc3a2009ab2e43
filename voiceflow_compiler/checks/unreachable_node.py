"""A node that no caller can come to.

Why: what it says was written for callers who will never hear it. Most often a `go` that should lead to it
leads somewhere else, or it is left over from an earlier design.

**Flagged**

    nodes:
      old_offer:  # flagged
        kind: tell
        convey: Tell them about last year's offer.
        next: team

**Clean**

    nodes:
      greeting:
        kind: disclosure
        say: I'm an AI assistant from {company}. This call is recorded. You can ask for a person at any time.
        next: news
      news:
        kind: tell
        convey: Tell them that there is something new.
        next: team

Tip: lead a caller there with `go`, `next`, `filled` or a case, or delete the node.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF201"
NAME: Final = "unreachable-node"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every node that nothing reachable leads to; of a chain of them, each."""
    if flow.start not in flow.nodes:
        return
    for node in flow.nodes.values():
        if node.name not in graph.reached:
            yield Found(
                places.key(node.path),
                f'no caller can ever come to "{node.name}"',
                f'Lead a caller there (a `go`, `next`, `filled` or case that says "{node.name}"), or '
                "delete the node.",
            )
