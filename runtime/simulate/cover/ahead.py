"""What of a call's past can still matter at a place: everything else does not tell two places apart.

A slot matters while a node ahead asks for it, acts on it or compares it. Of a value matters which side of
every literal it lies on, and the value itself beside one, since boundaries are where designs go wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from runtime.engine.conditions import holds
from runtime.engine.state import State
from runtime.simulate.cover.classes import expressions, literals, names
from runtime.simulate.cover.goals import edges
from voiceflow_compiler.artifact import Artifact

Key = tuple[Any, ...]
ENDED: Final[Key] = ("ended",)
HEARD: Final = "intent"


class Read(Struct, frozen=True):
    """What the nodes from one on read: slots by presence and by value, facts, results, what was heard."""

    slots: tuple[str, ...]
    values: frozenset[str]
    facts: tuple[str, ...]
    results: frozenset[str]
    heard: bool


class Reader:
    """Tells the places of a flow's calls apart."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._bounds = _bounds(artifact)
        self._sides: dict[tuple[str, Any], Any] = {}
        always = [read for trigger in artifact.triggers for read in names(trigger.when)]
        self.ahead = {
            node: _read(artifact, further, always) for node, further in _further(artifact).items()
        } | {"": _read(artifact, frozenset(artifact.nodes), always)}

    def key(self, state: State) -> Key:
        """What tells this place from others; the counters of the call and of the visit are no part of it."""
        if state.phase == "ended":
            return ENDED
        read = self.ahead[state.waiting_node or state.node]
        held = state.slots
        return (
            state.phase,
            state.node,
            tuple(
                (name, held[name].sure, self._side(name, held[name].value) if name in read.values else None)
                for name in read.slots
                if name in held
            ),
            tuple(self._side(name, state.facts.get(name)) for name in read.facts),
            (state.confirming, state.recheck, state.digits, state.model, state.limited, state.waiting_node),
            state.handoff if state.phase in ("delivering", "transferring") else "",
            tuple(sorted(read.results & state.results.keys())),
            (state.heard.intent, state.heard.family) if read.heard and state.phase != "listening" else (),
        )

    def beside(self, name: str, value: Any) -> bool:
        """Whether a value stands for itself: such are tried first."""
        return bool(self._side(name, value) == value)

    def _side(self, name: str, value: Any) -> Any:
        """The value that stands for this one: of those beside a boundary, the nearest that every comparison
        takes alike.
        """
        bounds = self._bounds.get(name)
        if bounds is None or value is None:
            return value
        known = self._sides.get((name, value))
        if known is None:
            known = self._sides[name, value] = bounds.side(value)
        return known


class _Bounds:
    """What a name is compared with: the truths of a value, and the values beside each boundary."""

    def __init__(self) -> None:
        self.compared: dict[tuple[str, Any], None] = {}
        self.raw = False

    def side(self, value: Any) -> Any:
        if self.raw or isinstance(value, bool):
            return value
        truths = self._truths(value)
        alike = [each for each in self._beside() if self._truths(each) == truths]
        if isinstance(value, int | float):
            return min(alike, key=lambda each: abs(each - value), default=truths)
        return value if value in alike else (alike or [truths])[0]

    def _truths(self, value: Any) -> tuple[bool, ...]:
        return tuple(_holds(op, value, literal) for op, literal in self.compared)

    def _beside(self) -> Iterator[Any]:
        for op, literal in self.compared:
            yield literal
            if isinstance(literal, int | float) and not isinstance(literal, bool):
                yield from (literal + step for step in _STEPS[op])


_STEPS: Final[Mapping[str, tuple[int, ...]]] = {
    ">=": (-1,),
    "<": (-1,),
    ">": (1,),
    "<=": (1,),
    "==": (-1, 1),
    "!=": (-1, 1),
}


def _holds(op: str, left: Any, right: Any) -> bool:
    state = State(facts={"left": left, "right": right})
    return holds([op, ["name", "facts", "left"], ["name", "facts", "right"]], state)


def _bounds(artifact: Artifact) -> Mapping[str, _Bounds]:
    """What every name of a condition is compared with."""
    found: dict[str, _Bounds] = {}
    for expr in expressions(artifact):
        for part in comparisons(expr):
            read = [field for _, field in names(part)]
            for field in read:
                bounds = found.setdefault(field, _Bounds())
                bounds.raw = bounds.raw or len(read) > 1
                bounds.compared.update(dict.fromkeys(_against(part)))
    return found


def _against(part: Any) -> Iterator[tuple[str, Any]]:
    """The comparisons of one part with literals, the name on the left."""
    op = str(part[0])
    if len(part) < 3 or op not in _TURNED:
        return
    turned = part[1][0] in ("value", "list")
    other = part[1] if turned else part[2]
    each = literals(other)
    if op in ("in", "not in"):
        yield from (("==", literal) for literal in each)
    else:
        yield from ((_TURNED[op] if turned else op, literal) for literal in each)


_TURNED: Final[Mapping[str, str]] = {
    "==": "==",
    "!=": "!=",
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
    "in": "in",
    "not in": "not in",
}


def comparisons(expr: Any) -> Iterator[Any]:
    """The comparisons of a condition."""
    if not isinstance(expr, list) or not expr:
        return
    if expr[0] in ("and", "or", "not"):
        for part in expr[1:]:
            yield from comparisons(part)
    else:
        yield expr


def _read(artifact: Artifact, nodes: frozenset[str], always: list[tuple[str, str]]) -> Read:
    """What these nodes read, and what is read everywhere."""
    compared = [*always]
    asked: set[str] = set()
    for name in nodes:
        node = artifact.nodes[name]
        asked.update(node.collect)
        compared += [read for case in node.cases for read in names(case.when)]
        action = artifact.actions.get(node.action or "")
        if action is not None:
            asked.update(
                field for expr in action.takes.values() for space, field in names(expr) if space == "slots"
            )
    values = frozenset(field for space, field in compared if space == "slots")
    here = [read for name in nodes for case in artifact.nodes[name].cases for read in names(case.when)]
    return Read(
        slots=tuple(sorted(asked | values)),
        values=values,
        facts=tuple(sorted({field for space, field in compared if space == "facts"})),
        results=frozenset(field for space, field in compared if space == "results"),
        heard=any(space == HEARD for space, _ in here),
    )


def _further(artifact: Artifact) -> dict[str, frozenset[str]]:
    """Every node that may come after a node, itself among them."""
    anywhere = {trigger.go for trigger in artifact.triggers}
    anywhere |= {artifact.limits.go, artifact.lost_model.go or artifact.limits.go}
    after = {
        name: {go for _, _, _, go in edges(artifact, name, node)} | anywhere
        for name, node in artifact.nodes.items()
    }
    return {name: _reached(after, name) for name in artifact.nodes}


def _reached(after: Mapping[str, set[str]], start: str) -> frozenset[str]:
    found, todo = {start}, [start]
    while todo:
        for name in after[todo.pop()]:
            if name not in found and name in after:
                found.add(name)
                todo.append(name)
    return frozenset(found)
