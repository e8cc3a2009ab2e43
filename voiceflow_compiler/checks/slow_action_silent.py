"""An action that may take more than two seconds while the caller hears nothing.

Why: after two seconds of silence callers say "hello?" or hang up.

**Flagged**

    nodes:
      book:  # flagged
        kind: act
        action: book_demo
        on_success: goodbye
        on_failure: to_sales

**Clean**

    nodes:
      book:
        kind: act
        action: book_demo
        while_waiting: One moment, I'm booking it.
        on_success: goodbye
        on_failure: to_sales

Tip: say `while_waiting: One moment.`, or bound the action with `within_ms: 2000`.

Fix: `while_waiting: One moment, please.`
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, before
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph

CODE: Final = "VF705"
NAME: Final = "slow-action-silent"
SEVERITY: Final = "error"

_PATIENCE_MS: Final = 2000


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every node that runs a slow action without words."""
    for node in flow.nodes.values():
        action = flow.actions.get(node.action or "")
        if action is not None and action.within_ms > _PATIENCE_MS and node.while_waiting is None:
            yield Found(
                places.key(node.path),
                f'a caller may hear nothing for {action.within_ms / 1000:g} seconds at "{node.name}"',
                "Say `while_waiting: One moment.`, or bound the action with `within_ms: 2000`.",
                route=graph.route(node.name),
                fix=before(places, (*node.path, "action"), "while_waiting: One moment, please.")
                if flow.locale.lower().startswith("en")
                else (),
            )
