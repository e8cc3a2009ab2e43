"""An action that changes something without the caller having agreed to anything.

Why: nobody should find themselves booked, billed or signed up because they objected or said nothing.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          what_is_this: {go: note}
      note:  # flagged
        kind: act
        action: note_call
        while_waiting: One moment.
        on_success: email
        on_failure: email
      team:
        kind: tell
        convey: Say what this is about.
        next: offer
    actions:
      note_call:
        does: Books a call for next week.
        changes_something: true
        within_ms: 1000

**Clean**

    nodes:
      team:
        kind: tell
        convey: Say what this is about.
        next: offer

Tip: put a question before it that an agreement, an answer or a key leads on from.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph, reach, stops, way

CODE: Final = "VF704"
NAME: Final = "change-without-agreement"
SEVERITY: Final = "warning"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every node that changes something and that a way without agreement, answer or key leads to."""
    tree = reach(graph, [flow.start], via=lambda edge: not edge.progress)
    for name in tree:
        action = flow.actions.get(graph.nodes[name].action or "")
        if action is not None and action.changes_something:
            yield Found(
                places.key(graph.nodes[name].path),
                f'"{name}" changes something ({action.name}), and a caller can come there without having '
                "agreed",
                "Put a question before it that an agreement, an answer or a key leads on from.",
                route=stops(way(tree, name)) or (name,),
            )
