"""The intent graph of a flow, and the questions asked of it.

1. Every move a call can make is one `Edge`: where a caller's meaning, a condition, an action, a ladder, a
   trigger or a limit leads.
2. An edge that a node did not write itself (everywhere, triggers, the flow's ladders, a lost model, limits)
   is `inherited`: analyses walk it like any other, pictures draw it as a badge.
3. Every question costs time linear in nodes and edges. Paths and cycles are never listed; one is shown.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

from voiceflow_compiler.flow import Flow, Node
from voiceflow_compiler.graph.moves import (
    PROGRESS,
    Edge,
    answer_at,
    family_of,
    handoff_nodes,
    implied,
    ladder_at,
    moves,
)

__all__ = [
    "PROGRESS",
    "Edge",
    "Graph",
    "Tree",
    "Via",
    "answer_at",
    "build",
    "can_reach",
    "cycles",
    "family_of",
    "handoff_nodes",
    "implied",
    "ladder_at",
    "reach",
    "stops",
    "way",
]

Via = Callable[[Edge], bool]
Tree = Mapping[str, Edge | None]


@dataclass(frozen=True)
class Graph:
    """The nodes of a flow (with an implicit one for a trigger whose handoff has none) and their edges."""

    start: str
    nodes: Mapping[str, Node]
    edges_from: Mapping[str, tuple[Edge, ...]]
    bits: Mapping[str, int]
    memo: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What questions about the whole graph have found already, by their own names."""

    @cached_property
    def reached(self) -> Tree:
        """Every node a caller can reach, with the last edge of a shortest way there (None at the start)."""
        return reach(self, [self.start])

    @cached_property
    def known(self) -> Mapping[str, int]:
        """The names surely known whenever a caller comes to a node, as bits; reachable nodes only."""
        return surely_known(self)

    @cached_property
    def asked(self) -> Mapping[str, int]:
        """The names that some way to a node asks for or returns, as bits; reachable nodes only."""
        return perhaps_known(self)

    @property
    def edges(self) -> Iterator[Edge]:
        return chain.from_iterable(self.edges_from.values())

    def way(self, node: str) -> tuple[Edge, ...]:
        """A caller's shortest way from the start to a node; empty when there is none."""
        return way(self.reached, node)

    def route(self, node: str) -> tuple[str, ...]:
        """The nodes of a caller's shortest way, the start and the node included; empty when there is none."""
        return stops(self.way(node)) or ((node,) if node in self.reached else ())

    def is_known(self, name: str, node: str) -> bool:
        """Whether `slots.NAME` or `results.ACTION` is surely known on coming to a node."""
        return node not in self.known or bool(self.known[node] & self.bits.get(name, 0))

    def way_without(self, name: str, node: str) -> tuple[Edge, ...]:
        """A shortest way to a node on which `name` does not become known."""
        bit = self.bits.get(name, 0)
        return way(reach(self, [self.start], via=lambda edge: not edge.gains & bit), node)


def build(flow: Flow) -> Graph:
    """The graph of a flow."""
    names = (*(f"slots.{name}" for name in flow.slots), *(f"results.{name}" for name in flow.actions))
    bits = {name: 1 << place for place, name in enumerate(names)}
    nodes, edges_from = moves(flow, bits)
    return Graph(flow.start, nodes, edges_from, bits)


def reach(graph: Graph, sources: Iterable[str], *, via: Via = lambda edge: True) -> dict[str, Edge | None]:
    """What can be reached by edges that pass `via`, breadth first, each with the edge it was reached by."""
    tree: dict[str, Edge | None] = {name: None for name in sources if name in graph.nodes}
    queue = deque(tree)
    while queue:
        for edge in graph.edges_from[queue.popleft()]:
            if edge.target not in tree and via(edge):
                tree[edge.target] = edge
                queue.append(edge.target)
    return tree


def can_reach(graph: Graph, targets: Iterable[str], *, via: Via) -> set[str]:
    """Every node from which one of the targets can be reached by edges that pass `via`."""
    before: dict[str, list[str]] = {}
    for edge in graph.edges:
        if via(edge):
            before.setdefault(edge.target, []).append(edge.source)
    found = set(targets)
    queue = deque(found)
    while queue:
        for source in before.get(queue.popleft(), ()):
            if source not in found:
                found.add(source)
                queue.append(source)
    return found


def way(tree: Tree, node: str) -> tuple[Edge, ...]:
    """The edges from a tree's root to a node."""
    edges: list[Edge] = []
    edge = tree.get(node)
    while edge is not None:
        edges.append(edge)
        edge = tree[edge.source]
    return tuple(reversed(edges))


def stops(edges: tuple[Edge, ...]) -> tuple[str, ...]:
    """The nodes along a way, both ends included; empty for no edges."""
    return (edges[0].source, *(edge.target for edge in edges)) if edges else ()


def cycles(graph: Graph, *, via: Via) -> list[tuple[Edge, ...]]:
    """One cycle from each knot (strong component) of edges that pass `via`, in the order of the source.

    Few flows have one, so what cannot be on a cycle is peeled off first: networkx takes its time to load.
    """
    left = _peel(graph, via)
    if not left:
        return []
    import networkx  # here, because it takes a fifth of a second to load

    knots: networkx.DiGraph[str] = networkx.DiGraph()
    knots.add_edges_from((edge.source, edge.target) for edges in left.values() for edge in edges)
    component = {
        name: at for at, names in enumerate(networkx.strongly_connected_components(knots)) for name in names
    }
    first: dict[int, str] = {}
    inner: dict[str, tuple[Edge, ...]] = {}
    for name, edges in left.items():
        inner[name] = tuple(edge for edge in edges if component[edge.target] == component[name])
        if inner[name]:
            first.setdefault(component[name], name)
    knotted = replace(graph, edges_from=inner)
    return [_cycle_through(knotted, name) for name in first.values()]


def surely_known(graph: Graph) -> dict[str, int]:
    """Definite assignment, a forward data flow over bits: a node knows what every way to it makes known."""
    everything = sum(graph.bits.values())
    known = dict.fromkeys(graph.reached, everything)
    if graph.start in known:
        known[graph.start] = 0
    order = _reverse_postorder(graph)
    waiting = set(order)
    while waiting:
        for name in order:
            if name not in waiting:
                continue
            waiting.discard(name)
            here = known[name]
            for edge in graph.edges_from[name]:
                before = known[edge.target]
                after = before & (here | edge.gains)
                if after != before:
                    known[edge.target] = after
                    waiting.add(edge.target)
    return known


def perhaps_known(graph: Graph) -> dict[str, int]:
    """A forward data flow over bits: a node may know what any way to it collects or returns."""
    given = {
        name: sum(graph.bits.get(f"slots.{slot}", 0) for slot in dict.fromkeys(node.collect))
        | graph.bits.get(f"results.{node.action}", 0)
        for name, node in graph.nodes.items()
    }
    known = dict.fromkeys(graph.reached, 0)
    order = _reverse_postorder(graph)
    waiting = set(order)
    while waiting:
        for name in order:
            if name not in waiting:
                continue
            waiting.discard(name)
            here = known[name] | given[name]
            for edge in graph.edges_from[name]:
                if here & ~known[edge.target]:
                    known[edge.target] |= here
                    waiting.add(edge.target)
    return known


def _peel(graph: Graph, via: Via) -> dict[str, list[Edge]]:
    """The nodes left when those that no edge leads to are taken away again and again, with their edges."""
    out = {name: [edge for edge in edges if via(edge)] for name, edges in graph.edges_from.items()}
    coming: dict[str, int] = dict.fromkeys(out, 0)
    for edge in chain.from_iterable(out.values()):
        coming[edge.target] += 1
    idle = [name for name, count in coming.items() if not count]
    while idle:
        for edge in out.pop(idle.pop()):
            coming[edge.target] -= 1
            if not coming[edge.target]:
                idle.append(edge.target)
    return out


def _cycle_through(graph: Graph, name: str) -> tuple[Edge, ...]:
    """A shortest cycle from a node back to itself, by edges inside one strong component."""
    tree = reach(graph, [name])
    closing = next(edge for at in tree for edge in graph.edges_from[at] if edge.target == name)
    return (*way(tree, closing.source), closing)


def _reverse_postorder(graph: Graph) -> list[str]:
    """The reachable nodes so that, cycles aside, a node comes after all that lead to it."""
    if graph.start not in graph.nodes:
        return []
    order: list[str] = []
    seen = {graph.start}
    stack = [(graph.start, iter(graph.edges_from[graph.start]))]
    while stack:
        name, edges = stack[-1]
        target = next((edge.target for edge in edges if edge.target not in seen), None)
        if target is None:
            order.append(name)
            stack.pop()
        else:
            seen.add(target)
            stack.append((target, iter(graph.edges_from[target])))
    return order[::-1]
