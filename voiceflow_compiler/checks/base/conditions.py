"""What can be proved of conditions alone: which never hold, and which an earlier one always takes.

1. Only certain things are said: a condition, or a part of one, that is not understood can be true or false.
2. Every name is cut into the few values that its conditions can tell apart (whole numbers stay whole, a slot
   that may be empty has one more); a world is one value for each name. A condition is the set of the worlds
   in which it holds, as the bits of a number, so that `and`, `or` and `not` are those of numbers.
3. More than `MOST_WORLDS` are not looked at, and nothing is said.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, inf, prod
from typing import Any, Final

from voiceflow_compiler.artifact import Expr, ValueType
from voiceflow_compiler.flow import Case, Flow, Node
from voiceflow_compiler.graph import Edge, Graph

MOST_WORLDS: Final = 1 << 15
MOST_BEFORE: Final = 32
"""How many conditions of the decisions before one are looked at."""

_SENTIMENTS: Final = ("positive", "neutral", "negative")
_COUNTERS: Final = ("negative_in_a_row", "unclear_in_a_row", "silent_in_a_row")
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
}
_SILENT: Final = ("case", "otherwise")  # the moves on which nothing is said or done
_OTHER: Final = "\0"  # a text that no condition names


@dataclass(frozen=True, slots=True)
class Domain:
    """What a name can be: one of `values`, or whatever its type allows between `low` and `high`."""

    type: ValueType
    values: tuple[Any, ...] = ()
    low: float = -inf
    high: float = inf
    maybe_missing: bool = False

    def told_apart(self, constants: Sequence[Any]) -> list[Any]:
        """The values that comparisons with these constants can tell apart, None for a missing one."""
        missing: list[Any] = [None] if self.maybe_missing else []
        if self.values:
            return [*self.values, *missing]
        match self.type:
            case "boolean":
                return [True, False, *missing]
            case "integer":
                return [*_whole(constants, self.low, self.high), *missing]
            case "number" | "money":
                return [*_between(constants, self.low, self.high), *missing]
            case "date" | "time":  # compared as text; just after a text is one that is longer
                texts = sorted({each for each in constants if isinstance(each, str)})
                return ["", *texts, *(f"{text}{_OTHER}" for text in texts), *missing]
            case _:
                return [*dict.fromkeys(constants), _OTHER, *missing]


Domains = Mapping[str, Domain]


def domains(flow: Flow) -> dict[str, Domain]:
    """What every name of a flow's conditions can be. Slots and results may be missing."""
    # one more than the limit may be seen while the turn that exceeds it is judged
    found = {
        "intent.confidence": Domain("number", low=0, high=1),
        "turn.number": Domain("integer", low=0, high=flow.limits.turns + 1),
        "turn.no_progress_in_a_row": Domain("integer", low=0, high=flow.limits.no_progress + 1),
        "turn.sentiment": Domain("choice", _SENTIMENTS),
        **{f"turn.{name}": Domain("integer", low=0) for name in _COUNTERS},
    }
    for fact in flow.facts.values():
        missing = fact.otherwise is None
        found[f"facts.{fact.name}"] = Domain(fact.type, fact.choices, maybe_missing=missing)
    for slot in flow.slots.values():
        low, high = slot.minimum, slot.maximum
        found[f"slots.{slot.name}"] = Domain(
            slot.type, slot.choices, -inf if low is None else low, inf if high is None else high, True
        )
    for action in flow.actions.values():
        for field, type_ in action.returns.items():
            found[f"results.{action.name}.{field}"] = Domain(type_, maybe_missing=True)
    return found


@dataclass(frozen=True, slots=True)
class Worlds:
    """For each condition the worlds in which it holds, and all there are, as bits."""

    holding: tuple[int, ...]
    all: int


def worlds(
    conditions: Sequence[Expr | None],
    flow: Flow,
    known: Domains,
    *,
    sure: Callable[[str], bool] = lambda name: False,
) -> Worlds | None:
    """Where each condition holds, seen together; None when they are too many to look at.

    `sure` says of `slots.NAME` and `results.ACTION` whether it is surely known where they are judged.
    """
    axes = _axes(conditions, flow, known, sure)
    sizes = [len(values) for values in axes.values()]
    count = prod(sizes)
    if not 0 < count <= MOST_WORLDS:
        return None
    strides: dict[str, int] = {}
    stride = 1
    for name, size in zip(axes, sizes, strict=True):
        strides[name] = stride
        stride *= size
    space = _Space(axes, strides, count)
    return Worlds(tuple(space.holding(expr) for expr in conditions), space.all)


def decided(flow: Flow, graph: Graph) -> list[tuple[Node, Worlds | None]]:
    """Every node with cases, and where these hold; None where they are too many to look at together."""
    if "decided" not in graph.memo:
        known = domains(flow)
        graph.memo["decided"] = [
            (node, of_cases(node, node.cases, flow, graph, known))
            for node in flow.nodes.values()
            if node.cases
        ]
    found: list[tuple[Node, Worlds | None]] = graph.memo["decided"]
    return found


def of_cases(node: Node, cases: Sequence[Case], flow: Flow, graph: Graph, known: Domains) -> Worlds | None:
    """Where cases of a `decide` hold, given what is surely known when a caller comes there."""
    return worlds([case.when.expr for case in cases], flow, known, sure=_sure_at(node, graph))


def _sure_at(node: Node, graph: Graph) -> Callable[[str], bool]:
    reached = node.name in graph.known
    return lambda name: reached and graph.is_known(name, node.name)


def let_through(node: Node, flow: Flow, graph: Graph, known: Domains) -> tuple[bool, ...]:
    """Whether each case of a decision can hold for a caller whom the decisions before it let through.

    All can where that is not understood, or where nobody is let through: that is told of those decisions.
    """
    before = _arriving(node.name, flow, graph, MOST_BEFORE)
    cases = [case.when.expr for case in node.cases]
    found = None if before is None else worlds([before, *cases], flow, known, sure=_sure_at(node, graph))
    if found is None or not found.holding[0]:
        return (True,) * len(cases)
    through, *holding = found.holding
    return tuple(bool(each & through) for each in holding)


def _arriving(name: str, flow: Flow, graph: Graph, most: int) -> Expr | None:
    """What surely holds on coming to a decision that only decisions lead to; None where that is nothing.

    Nobody speaks between decisions and no action runs, so what one was chosen by still holds at the next.
    Every step back leaves fewer conditions to look at, so a way that goes round comes to an end.
    """
    into = _ways_in(graph).get(name, ())
    if not into or name == flow.start or len(into) > most or any(edge.kind not in _SILENT for edge in into):
        return None
    chosen = [found for edge in into if (found := _chosen(graph.nodes[edge.source], edge)) is not None]
    left = (most - sum(len(each) + 1 for each in chosen)) // len(into)
    if len(chosen) < len(into) or left < 0:
        return None
    before = [_arriving(edge.source, flow, graph, left) for edge in into]
    return [
        "or",
        *(
            ["and", *held, *([] if earlier is None else [earlier])]
            for held, earlier in zip(chosen, before, strict=True)
        ),
    ]


def _chosen(node: Node, edge: Edge) -> list[Any] | None:
    """What holds when a decision takes a way: no earlier case, and the case itself; None if one is unread."""
    earlier: list[Any] = []
    for case in node.cases:
        expr: Any = case.when.expr
        if expr is None:
            return None
        if edge.path[: len(case.path)] == case.path:
            return [*earlier, expr]
        earlier.append(["not", expr])
    return earlier


def _ways_in(graph: Graph) -> Mapping[str, Sequence[Edge]]:
    if "ways_in" not in graph.memo:
        found: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            found.setdefault(edge.target, []).append(edge)
        graph.memo["ways_in"] = found
    ways: Mapping[str, Sequence[Edge]] = graph.memo["ways_in"]
    return ways


def never_true(expr: Expr | None, flow: Flow, known: Domains) -> bool:
    """Whether a condition surely never holds, wherever it is judged."""
    found = worlds([expr], flow, known)
    return found is not None and not found.holding[0]


def names_in(expr: Expr | None) -> Iterator[tuple[str, ...]]:
    """Every name in a condition, as its parts."""
    waiting: list[Any] = [expr]
    while waiting:
        match waiting.pop():
            case ["name", *parts]:
                yield tuple(map(str, parts))
            case [str(), *parts]:
                waiting.extend(part for part in parts if isinstance(part, list))


class _Space:
    """The worlds of some axes: world number w has value (w // stride) % size on each."""

    def __init__(self, axes: Mapping[str, list[Any]], strides: Mapping[str, int], count: int) -> None:
        self.axes = axes
        self.strides = strides
        self.count = count
        self.all = (1 << count) - 1

    def holding(self, expr: Expr | None) -> int:
        """The worlds in which a condition holds."""
        match expr:
            case ["and", *parts]:
                found = self.all
                for part in parts:
                    found &= self.holding(part)
                return found
            case ["or", *parts]:
                found = 0
                for part in parts:
                    found |= self.holding(part)
                return found
            case ["not", part]:
                return self.all & ~self.holding(part)
            case ["value", value]:
                return self.all if value else 0
        atom = _atom(expr)
        if atom is None:
            return self._where(json.dumps(expr), lambda value: bool(value))
        name, sign, constant = atom
        compare = _COMPARE[sign]
        if name in ("intent.name", "intent.family"):
            at = 0 if name == "intent.name" else 1
            return self._where("intent", lambda pair: compare(pair[at], constant))
        return self._where(name, lambda value: value is not None and compare(value, constant))

    def _where(self, axis: str, test: Callable[[Any], bool]) -> int:
        values, stride = self.axes[axis], self.strides[axis]
        block = (1 << stride) - 1
        period = stride * len(values)
        once = sum(block << at * stride for at, value in enumerate(values) if test(value))
        # the same pattern, period after period: times 1 + 2^period + 2^(2 period) + ...
        return once * (self.all // ((1 << period) - 1))


def _axes(
    conditions: Sequence[Expr | None], flow: Flow, known: Domains, sure: Callable[[str], bool]
) -> dict[str, list[Any]]:
    constants: dict[str, list[Any]] = {}
    free: dict[str, list[Any]] = {}
    for part in _parts(conditions):
        atom = _atom(part)
        if atom is None:
            free[json.dumps(part)] = [True, False]
        else:
            name, sign, constant = atom
            constants.setdefault(name, []).extend(constant if sign in ("in", "not in") else [constant])
    axes = dict(free)
    for name, found in constants.items():
        if name in ("intent.name", "intent.family"):
            axes["intent"] = [
                ("", ""),  # before the first turn
                *((intent.name, intent.family) for intent in flow.intents.values()),
            ]
            continue
        values = known.get(name, Domain("text", maybe_missing=True)).told_apart(found)
        owner = ".".join(name.split(".")[:2])
        if sure(owner) and name.startswith("slots.") and len(values) > 1:
            values = [value for value in values if value is not None]
        axes[name] = values
    return axes


def _parts(conditions: Sequence[Expr | None]) -> Iterator[Expr | None]:
    """The comparisons and bare names in conditions."""
    waiting: list[Any] = list(conditions)
    while waiting:
        part = waiting.pop()
        match part:
            case ["and" | "or" | "not", *inner]:
                waiting.extend(inner)
            case ["value", _]:
                continue
            case _:
                yield part


def _atom(part: Expr | None) -> tuple[str, str, Any] | None:
    """A comparison of one name with what is written there: the name, the sign and the constant."""
    match part:
        case [("==" | "!=" | "<" | "<=" | ">" | ">=") as sign, ["name", *name], ["value", value]]:
            return ".".join(map(str, name)), sign, value
        case [("==" | "!=" | "<" | "<=" | ">" | ">=") as sign, ["value", value], ["name", *name]]:
            return ".".join(map(str, name)), _MIRRORED[sign], value
        case [("in" | "not in") as sign, ["name", *name], ["list", *items]]:
            values = [item[1] for item in items if isinstance(item, list) and item[:1] == ["value"]]
            return (".".join(map(str, name)), sign, values) if len(values) == len(items) else None
        case ["name", *name]:
            return ".".join(map(str, name)), "==", True
        case _:
            return None


def _whole(constants: Sequence[Any], low: float, high: float) -> list[int]:
    numbers = [each for each in constants if isinstance(each, int | float)]
    near = {at for each in numbers for at in (floor(each) - 1, floor(each), ceil(each), ceil(each) + 1)}
    near |= {ceil(low)} if low > -inf else set()
    near |= {floor(high)} if high < inf else set()
    return sorted(at for at in near or {0} if low <= at <= high)


def _between(constants: Sequence[Any], low: float, high: float) -> list[float]:
    ends = [end for end in (low, high) if abs(end) < inf]
    points = sorted({*ends, *(each for each in constants if isinstance(each, int | float))} or {0.0})
    middles = [(left + right) / 2 for left, right in pairwise(points)]
    return sorted(at for at in {points[0] - 1, *points, *middles, points[-1] + 1} if low <= at <= high)
