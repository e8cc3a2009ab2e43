"""Answers that send a caller round and round without getting anywhere.

Why: a caller who goes on objecting, or whom the assistant does not understand, is led back to where they
were. Only the limits of the call end this. Agreement, an answer or a key is progress, and a cycle through
one is fine.

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          too_expensive: {go: price}
      price:
        kind: ask
        convey: Say what it costs and ask whether that is fine.
        on:
          agreement: {go: email}
          too_expensive: {go: offer}  # flagged

**Clean**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
          too_expensive: {go: price}
      price:
        kind: ask
        convey: Say what it costs and ask whether that is fine.
        on:
          agreement: {go: offer}
          too_expensive: {go: sorry}

A question that was answered before is passed over. Leading a caller who says no back to it changes nothing:

**Flagged**

    nodes:
      email:
        kind: ask
        convey: Ask for the email address.
        collect: [email]
        filled: right
      right:
        kind: ask
        convey: Say the address and ask whether it is right.
        on:
          agreement: {go: book}
          denial: {go: email}  # flagged

So is calling a person for somebody whom the assistant does not understand, when nobody answers:

**Flagged**

    nodes:
      offer:
        kind: ask
        convey: Offer a demo.
        on:
          agreement: {go: email}
    handoffs:
      sales:
        mode: warm
        say: I'm connecting you with a colleague.
        package: [reason, summary, slots]
        if_unanswered: offer
    fallback:
      no_match:
        - convey: Ask again.
        - go: to_sales  # flagged
      no_input:
        after_ms: 6000
        steps:
          - go: goodbye
      lost_model: {say: "I'm sorry, I'm having trouble on my side.", go: to_sales}

Tip: let the same objection lead out the second time, to an `end`, a person, or a node that asks something
new."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from voiceflow_compiler.checks.base import Found, along, quoted
from voiceflow_compiler.diagnostics import Places
from voiceflow_compiler.flow import Flow
from voiceflow_compiler.graph import Edge, Graph, Tree, Via, cycles, reach, stops, way

CODE: Final = "VF205"
NAME: Final = "endless-cycle"
SEVERITY: Final = "error"

# The assistant goes on by itself along these.
_SILENT: Final = frozenset({"next", "case", "otherwise", "success", "failure"})
# A caller who is not understood did not ask for the person whom nobody answers for.
_TROUBLE: Final = frozenset({"not understood", "silence"})


def find(flow: Flow, graph: Graph, places: Places) -> Iterator[Found]:
    """One cycle without progress from each knot of written answers, and what holds everywhere and leads back.

    Two answers that hold everywhere may alternate: a caller with two worries is heard on both.
    """
    for cycle in (*_written(graph), *_inherited(graph)):
        turns = [edge for edge in cycle if graph.nodes[edge.source].listens]
        if turns:
            around = tuple(dict.fromkeys(stops(cycle)))
            does = quoted(list(dict.fromkeys(edge.label for edge in turns)))
            yield Found(
                places.value(turns[-1].path),
                f"a caller can go round {quoted(around)} for ever ({does}) without getting anywhere",
                "Let one of these answers lead out: to an `end`, a person, or a node that asks anew.",
                along(cycle, places),
                (*graph.route(cycle[0].source), *stops(cycle)[1:]),
            )


def _written(graph: Graph) -> list[tuple[Edge, ...]]:
    """Cycles of answers that nodes write themselves (unanswered handoffs are another check's).

    A question whose answer is known when the caller is led back to it is passed over, and is no progress.
    """

    def stands_still(edge: Edge) -> bool:
        return not edge.inherited and not edge.progress and edge.kind != "unanswered"

    onward = {
        name: tuple(_past_known(graph, edge) for edge in graph.edges_from[name] if stands_still(edge))
        for name in graph.reached
    }
    return cycles(replace(graph, edges_from=onward), via=stands_still)


def _past_known(graph: Graph, edge: Edge) -> Edge:
    """The same move, to the node where the caller is spoken to: past questions surely answered before it."""
    known = graph.known[edge.source] | edge.gains
    passed: list[str] = []
    target = graph.nodes[edge.target]
    while target.collect and target.filled is not None and target.name not in passed:
        collected = sum(graph.bits.get(f"slots.{slot}", 0) for slot in dict.fromkeys(target.collect))
        if known & collected != collected or target.filled not in graph.nodes:
            break
        passed.append(target.name)
        target = graph.nodes[target.filled]
    if not passed:
        return edge
    return edge._replace(target=target.name, label=f"{edge.label}, past {quoted(passed)}: already answered")


def _inherited(graph: Graph) -> Iterator[tuple[Edge, ...]]:
    """Cycles of one meaning, or one trouble, that leads to the same node from everywhere.

    A node's own ladder is looked at too: nobody may answer where it leads.
    """
    seen = set()
    for name in graph.reached:
        for edge in graph.edges_from[name]:
            if edge.kind not in ("everywhere", "then", "ladder") or edge.progress:
                continue
            if not edge.inherited and edge.kind != "ladder":
                continue
            if (edge.label, edge.target, edge.inherited) not in seen:
                seen.add((edge.label, edge.target, edge.inherited))
                tree = reach(graph, [edge.target], via=_repeating(edge.label))
                closing = _closing(graph, tree, edge)
                cycle = (*way(tree, closing.source), closing) if closing is not None else ()
                if edge.inherited or any(each.kind == "unanswered" for each in cycle):
                    yield cycle


def _repeating(label: str) -> Via:
    silent = _SILENT | {"unanswered"} if label in _TROUBLE else _SILENT
    return lambda edge: edge.kind in silent or edge.label == label


def _closing(graph: Graph, tree: Tree, edge: Edge) -> Edge | None:
    """The edge by which a caller who does the same again comes back."""
    ends = (each for name in tree for each in graph.edges_from[name])
    again = _repeating(edge.label)
    return next((each for each in ends if each.target == edge.target and again(each)), None)
