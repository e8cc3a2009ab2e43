"""What a caller must have done before something happens, and what can happen at all.

For every act, handoff and end: the nodes, agreements and values that *every* way to it passes, by a data flow
over the compiled graph. What is lost from one version to the next is a protection callers no longer have.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from voiceflow_compiler.artifact import Artifact, Node
from voiceflow_compiler.difference.change import Change, Severity, quoted
from voiceflow_compiler.passage import BY_ACCIDENT, Passage, must_pass, passages, reach, steps


@dataclass(frozen=True, slots=True)
class _Goal:
    """Something that can happen in a call, the nodes where it does, and how a sentence names it."""

    kind: str
    name: str
    nodes: tuple[str, ...]
    phrase: str


@dataclass(frozen=True, slots=True)
class _Ways:
    """The ways of one flow: what leaves each node, and what every way to a node has surely gained."""

    artifact: Artifact
    out: Mapping[str, tuple[Passage, ...]]
    surely: Mapping[str, frozenset[str]]
    goals: Mapping[tuple[str, str], _Goal]

    def gained(self, goal: _Goal) -> frozenset[str]:
        """What every caller has done who comes to any node of a goal."""
        return frozenset.intersection(*(self.surely[name] for name in goal.nodes))

    def way(self, goal: _Goal, without: str = "") -> tuple[Passage, ...]:
        """A shortest way to a goal, on which something is not gained."""
        tree = reach(self.out, [self.artifact.start], lambda each: without not in self._gains(each))
        return next((steps(tree, name) for name in goal.nodes if name in tree), ())

    def _gains(self, passage: Passage) -> tuple[str, ...]:
        return tuple(_gains(self.artifact, self.out, passage))


def safeguard_changes(old: Artifact, new: Artifact) -> Iterator[Change]:
    """What callers can reach or avoid now, and could not before."""
    before, after = _ways(old), _ways(new)
    for key, goal in before.goals.items():
        if key not in after.goals:
            message = f"a caller can no longer reach {goal.phrase}"
            yield _shown("breaking", "reach", message, goal, before.way(goal))
    for key, goal in after.goals.items():
        if key not in before.goals:
            message = f"a caller can now reach {goal.phrase}"
            yield _shown("notable", "reach", message, goal, after.way(goal))
        else:
            yield from _protection(before, after, before.goals[key], goal)


def surely_passed(artifact: Artifact) -> dict[str, frozenset[str]]:
    """The nodes that every way to a node passes, itself included; reachable nodes only."""
    out = _deliberate(artifact)
    passed = must_pass(out, artifact.start, lambda each: (each.source,))
    return {name: names | {name} for name, names in passed.items()}


def _protection(before: _Ways, after: _Ways, old: _Goal, new: _Goal) -> Iterator[Change]:
    """What every caller had done before coming here and need not any more, and the other way round."""
    had, has = before.gained(old), after.gained(new)
    lost, gained = had - has - _told_before(before, after, new), has - had
    yield from _lost(after, new, lost)
    if "agreed" in gained:
        yield Change("notable", "safeguard", f"a caller now has to agree before {new.phrase}", new.nodes)
    passed = sorted(_named(gained, "passed") & before.artifact.nodes.keys())
    if passed:
        message = f"every way to {new.phrase} now passes {quoted(passed)}"
        yield Change("notable", "safeguard", message, new.nodes)


def _told_before(before: _Ways, after: _Ways, goal: _Goal) -> frozenset[str]:
    """What an action lost that every way to this end passes: told at the action, not again at the end."""
    if goal.kind != "end":
        return frozenset()
    told: frozenset[str] = frozenset()
    for key, act in after.goals.items():
        passes = all(f"passed {name}" in after.gained(goal) for name in act.nodes)
        if act.kind == "act" and passes and key in before.goals:
            told |= before.gained(before.goals[key]) - after.gained(act)
    return told


def _lost(after: _Ways, goal: _Goal, lost: frozenset[str]) -> Iterator[Change]:
    nodes = after.artifact.nodes
    agreements = sorted(_named(lost, "agreed at") & nodes.keys())
    grave: Severity = "breaking" if goal.kind == "act" else "notable"
    if "agreed" in lost:
        yield _without(after, goal, "agreed", "agreeing", grave)
    else:
        for name in agreements:
            yield _without(after, goal, f"agreed at {name}", f'agreeing at "{name}"', grave)
    passed = [name for name in sorted(_named(lost, "passed")) if name in nodes and name not in agreements]
    for name in passed:
        if nodes[name].kind == "disclosure":
            yield _without(after, goal, f"passed {name}", f'hearing the disclosure "{name}"', "breaking")
    others = [name for name in passed if nodes[name].kind != "disclosure"]
    if others:
        yield _without(after, goal, f"passed {others[0]}", f"passing {quoted(others)}", "notable")
    for slot in sorted(_named(lost, "gave")):
        severity: Severity = "breaking" if slot in _taken(after.artifact, goal) else "notable"
        yield _without(after, goal, f"gave {slot}", f"having given {slot}", severity)


def _without(after: _Ways, goal: _Goal, gain: str, doing: str, severity: Severity) -> Change:
    message = f"a caller can now reach {goal.phrase} without {doing}"
    return _shown(severity, "safeguard", message, goal, after.way(goal, gain))


def _shown(severity: Severity, kind: str, message: str, goal: _Goal, way: tuple[Passage, ...]) -> Change:
    """A change with the caller's way that shows it."""
    route = (way[0].source, *(each.target for each in way)) if way else ()
    return Change(severity, kind, message, goal.nodes, route, tuple(each.label for each in way))


def _taken(artifact: Artifact, goal: _Goal) -> set[str]:
    """The slots that an action of this goal takes."""
    action = artifact.actions.get(goal.name) if goal.kind == "act" else None
    takes = action.takes.values() if action is not None else ()
    return {str(expr[2]) for expr in takes if expr[:2] == ["name", "slots"]}


def _named(gains: frozenset[str], what: str) -> set[str]:
    return {gain.removeprefix(f"{what} ") for gain in gains if gain.startswith(f"{what} ")}


def _ways(artifact: Artifact) -> _Ways:
    out = _deliberate(artifact)
    surely = must_pass(out, artifact.start, lambda each: tuple(_gains(artifact, out, each)))
    found: dict[tuple[str, str], list[str]] = {}
    for name in surely:
        key = _goal(artifact.nodes[name], name)
        if key is not None:
            found.setdefault(key, []).append(name)
    goals = {key: _Goal(*key, tuple(names), _phrase(artifact, key, names)) for key, names in found.items()}
    return _Ways(artifact, out, surely, goals)


def _deliberate(artifact: Artifact) -> dict[str, tuple[Passage, ...]]:
    """The passages that are not accidents: a lost model or a limit may strike anywhere."""
    return {
        name: tuple(each for each in found if each.kind not in BY_ACCIDENT)
        for name, found in passages(artifact).items()
    }


def _goal(node: Node, name: str) -> tuple[str, str] | None:
    match node.kind:
        case "act":
            return "act", node.action or name
        case "handoff":
            return "handoff", node.handoff or name
        case "end":
            return "end", node.outcome or name
    return None


def _phrase(artifact: Artifact, key: tuple[str, str], names: list[str]) -> str:
    kind, name = key
    if kind == "act":
        return f"{quoted(names)} (action {name})"
    if kind == "handoff":
        return f'the handoff to "{name}"'
    return f'the end "{name}"' if names == [name] else f"the outcome {name} ({quoted(names)})"


def _gains(artifact: Artifact, out: Mapping[str, tuple[Passage, ...]], passage: Passage) -> Iterator[str]:
    """What a caller has done once a passage is taken."""
    yield f"passed {passage.source}"
    if _agrees(out, passage):
        yield "agreed"
        yield f"agreed at {passage.source}"
    if passage.kind == "filled":
        for slot in artifact.nodes[passage.source].collect:
            yield f"gave {slot}"


def _agrees(out: Mapping[str, tuple[Passage, ...]], passage: Passage) -> bool:
    """Whether it is an agreement, or a key that leads where an agreement leads."""
    if passage.kind == "intent":
        return passage.family == "agreement"
    return passage.kind == "key" and any(
        each.family == "agreement" and each.kind == "intent" and each.target == passage.target
        for each in out[passage.source]
    )
