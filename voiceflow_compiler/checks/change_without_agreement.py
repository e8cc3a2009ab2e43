"""An action that changes something without the caller having agreed to anything.

Why: nobody should find themselves booked, billed or signed up because they objected, said nothing, or
answered a question. Giving an address is no consent to what is done with it: only a yes, a key, or a value
that was read back and confirmed is.

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
        on_success: sorry
        on_failure: sorry
      team:
        kind: tell
        convey: Say what this is about.
        next: offer
    actions:
      note_call:
        does: Books a call for next week.
        changes_something: true
        within_ms: 1000

**Flagged**

    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: email
      offer: null
      book:  # flagged
        kind: act
        action: book_demo
        while_waiting: One moment, I'm booking it.
        on_success: goodbye
        on_failure: to_sales

**Clean**

    nodes:
      team:
        kind: tell
        convey: Say what this is about.
        next: offer

**Clean**

    slots:
      email: {type: email, personal: true, meaning: where to write, confirm: always}
    nodes:
      team:
        kind: ask
        convey: Ask how many people would use it.
        collect: [team_size]
        filled: email
      offer: null

Tip: put a question before it that an agreement or a key leads on from, or let a value it takes be read back
with `confirm: always`.
"""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.artifact import Expr
from voiceflow_compiler.checks.base import Found
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Edge, Graph, family_of, reach, stops, way

CODE: Final = "VF704"
NAME: Final = "change-without-agreement"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every node that changes something and that a way without agreement, key or confirmed value leads to."""
    acting = [
        (node.name, action)
        for node in graph.nodes.values()
        if (action := flow.actions.get(node.action or "")) is not None and action.changes_something
    ]
    if not acting:
        return
    confirmed = sum(
        graph.bits[f"slots.{slot.name}"] for slot in flow.slots.values() if slot.confirm == "always"
    )
    agreed = {
        (*case.path, "go")
        for node in graph.nodes.values()
        for case in node.cases
        if _needs_agreement(flow, case.when.expr)
    }

    def is_unasked(edge: Edge) -> bool:
        return not (
            edge.family in ("agreement", "key") or edge.gains & confirmed or (agreed and edge.path in agreed)
        )

    tree = reach(graph, [flow.start], via=is_unasked)
    for name, action in acting:
        if name in tree:
            yield Found(
                places.key(graph.nodes[name].path),
                f'"{name}" changes something ({action.name}), and a caller can come there without having '
                "agreed",
                "Put a question before it that an agreement or a key leads on from, or let a value it takes "
                "be read back with `confirm: always`.",
                route=stops(way(tree, name)) or (name,),
            )


def _needs_agreement(flow: Flow, expr: Expr | None) -> bool:
    """Whether a condition holds only for a caller whose newest turn was an agreement."""
    match expr:
        case ["and", *parts]:
            return any(_needs_agreement(flow, part) for part in parts)
        case ["or", *parts] if parts:
            return all(_needs_agreement(flow, part) for part in parts)
        case ["==", ["name", "intent", "family" | "name"], ["value", str(name)]]:
            return family_of(flow, name) == "agreement"
        case _:
            return False
