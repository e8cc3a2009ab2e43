"""An action that changes something, may be asked for twice, and cannot be told apart from its repeat.

Why: a reply that is lost is asked for again. Without an idempotency key the other side books, pays or
cancels twice.

**Flagged**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email}
        changes_something: true
        idempotency: none  # flagged
        retries: 2

**Clean**

    actions:
      book_demo:
        does: Books a demo.
        takes: {email: slots.email}
        changes_something: true
        retries: 2

Tip: leave `idempotency` out, so that a key is sent, or take the retries away and let no cycle lead through
the action."""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph, reach, stops, way

CODE: Final = "VF702"
NAME: Final = "change-not-repeatable"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every changing action with `idempotency: none` that has retries, or that a caller can come to again."""
    for action in flow.actions.values():
        if not action.changes_something or action.idempotency != "none":
            continue
        again = _way_back(graph, action.name)
        if action.retries or again:
            why = f"is tried {action.retries + 1} times" if action.retries else "can be come to again"
            yield Found(
                places.value((*action.path, "idempotency")),
                f'"{action.name}" changes something and {why}, and a repeat cannot be told apart: it may '
                "be done twice",
                "Leave `idempotency` out so that a key is sent, or take away the retries and the way back.",
                route=again,
            )


def _way_back(graph: Graph, action: str) -> tuple[str, ...]:
    """A caller's way from a node that runs the action to one that runs it again; empty when there is none."""
    there = [name for name in graph.reached if graph.nodes[name].action == action]
    for name in there:
        tree = reach(graph, [edge.target for edge in graph.edges_from[name]])
        back = next((other for other in there if other in tree), None)
        if back is not None:
            return (name, *(stops(way(tree, back)) or (back,)))
    return ()
