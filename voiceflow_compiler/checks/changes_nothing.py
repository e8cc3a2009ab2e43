"""A way on, words or an undo for a change that is none.

Why: whether an action was done matters only where it changes something. Where it changes nothing, nobody is
in doubt and nothing can be taken back: `on_unknown`, `while_checking` and `undo` would never be used, and the
designer who wrote them expects otherwise. An `undo` that changes nothing takes nothing back.

**Flagged**

    nodes:
      book:
        kind: act
        action: book_demo
        while_waiting: One moment.
        undo: price_list  # flagged
        on_success: goodbye
        on_failure: to_sales
    actions:
      price_list: {does: Reads the price list.}

**Clean**

    nodes:
      book:
        kind: act
        action: book_demo
        while_waiting: One moment.
        on_unknown: to_sales
        undo: cancel_demo
        on_success: goodbye
        on_failure: to_sales
    actions:
      cancel_demo: {does: Cancels the demo., takes: {email: slots.email}, changes_something: true}

Tip: drop the key, or say `changes_something: true` of the action.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow, Node
from voiceflow_compiler.graph import Graph

CODE: Final = "VF714"
NAME: Final = "changes-nothing"
SEVERITY: Final = "error"
_TIP: Final = "Drop it, or say `changes_something: true` of the action."


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every `on_unknown`, `while_checking` and `undo` at an action that changes nothing, and every `undo`
    that is the action itself or changes nothing.
    """
    for node in flow.nodes.values():
        for key, what in _needless(flow, node):
            message = f'`{key}` of "{node.name}" is never used: {what}'
            yield Found(places.value((*node.path, key)), message, _TIP, route=graph.route(node.name))


def _needless(flow: Flow, node: Node) -> Iterator[tuple[str, str]]:
    action, undo = flow.actions.get(node.action or ""), flow.actions.get(node.undo or "")
    written = (("on_unknown", node.on_unknown), ("while_checking", node.while_checking), ("undo", node.undo))
    if action is not None and not action.changes_something:
        yield from ((key, f'"{action.name}" changes nothing') for key, value in written if value is not None)
    elif undo is not None and undo.name == node.action:
        yield "undo", "an action cannot take itself back"
    elif undo is not None and not undo.changes_something:
        yield "undo", f'"{undo.name}" changes nothing'
