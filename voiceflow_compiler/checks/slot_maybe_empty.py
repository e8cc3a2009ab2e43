"""A value spoken or used where it may not be known.

Why: the caller would hear a gap, or an action would be asked for with nothing in its hands. What counts is
every way to the place: one on which the value is not collected is enough.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo and promise a letter to {email}.  # flagged
        on:
          agreement: {go: email}

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo for {team_size} people.
        on:
          agreement: {go: email}

Tip: collect the value on every way to the place, or say it without the value. What an action returns is
known after its `on_success` only."""

from collections.abc import Iterator
from typing import Final

from voiceflow_compiler.checks.base import Found, named_in, spoken
from voiceflow_compiler.diagnostics import Places, Span
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Graph, Tree, Via, implied, reach, stops, way

CODE: Final = "VF701"
NAME: Final = "slot-maybe-empty"
SEVERITY: Final = "error"


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """Every placeholder and argument of an action whose value is not known on some way to its place."""
    trees: dict[str, Tree] = {}
    for span, name, node, what in _uses(flow, graph, places):
        if name not in trees:
            bit = graph.bits[name]
            trees[name] = reach(graph, [graph.start], via=_without(bit))
        yield Found(
            span,
            f'{what} needs {_called(name)}, which may not be known when a caller comes to "{node}"',
            _tip(name),
            route=stops(way(trees[name], node)) or (node,),
        )


def _uses(flow: Flow, graph: Graph, places: Places) -> Iterator[tuple[Span, str, str, str]]:
    """Uses of a value that may be empty: place, `slots.NAME` or `results.ACTION`, node, and what uses it."""
    for line, nodes, what in spoken(flow, graph):
        for written, place in named_in(line, places):
            name = _bound(flow, written)
            node = next((at for at in nodes if name and not graph.is_known(name, at)), None)
            if name and node:
                yield place(), name, node, what
    for node_name in graph.reached:
        at = graph.nodes[node_name]
        # What takes an action back runs after it succeeded.
        for called, given in ((at.action, ""), (at.undo, f"results.{at.action}")):
            action = flow.actions.get(called or "")
            for argument, value in action.takes.items() if action is not None else ():
                for name in sorted(implied(value.expr) - {given}):
                    if name in graph.bits and not graph.is_known(name, node_name):
                        yield (
                            places.value(value.path),
                            name,
                            node_name,
                            f'the argument "{argument}" of {called}',
                        )


def _without(bit: int) -> Via:
    return lambda edge: not edge.gains & bit


def _bound(flow: Flow, name: str) -> str | None:
    """The slot or action a placeholder stands for; a fact of the same name comes first and has a value."""
    owner, dot, _ = name.partition(".")
    if dot:
        return f"results.{owner}" if owner in flow.actions else None
    return f"slots.{name}" if name in flow.slots and name not in flow.facts else None


def _called(name: str) -> str:
    kind, _, rest = name.partition(".")
    return f'"{rest}"' if kind == "slots" else f'what "{rest}" returns'


def _tip(name: str) -> str:
    kind, _, rest = name.partition(".")
    if kind == "results":
        return f'Say it only after the `on_success` of "{rest}".'
    return f'Collect "{rest}" on every way there, or say it without the value.'
