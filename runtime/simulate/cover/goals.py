"""Everything of a flow that a test may reach: nodes, edges, intents, rungs, triggers, classes of slot values.

A goal is a tuple of words, the kind first:
  node NODE | edge FROM LABEL TO | intent NODE INTENT | rung NODE CAUSE NUMBER | trigger NUMBER |
  slot NAME CLASS | lost | pair FROM LABEL VIA LABEL TO | with CONDITION NAME VALUE
An edge's label says what leads along it: `on INTENT`, `on INTENT then` (past its bound), `key 1`, `filled`,
`case 1`, `otherwise`, `next`, `success`, `failure`, `unanswered`, `no_match 3`, `no_input 3`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runtime.engine.conditions import holds
from runtime.engine.state import Heard, State
from runtime.simulate.cover.classes import classes, facts_of
from voiceflow_compiler.artifact import Answer, Artifact, Node

Goal = tuple[str, ...]
KINDS: Final = ("node", "edge", "intent", "rung", "trigger", "slot", "lost")
PAIR: Final = "pair"
WITH: Final = "with"
SEARCHED: Final = (PAIR, WITH)  # goals that only a search can tell: no flow can be asked for all of them


def goals(artifact: Artifact) -> tuple[Goal, ...]:
    """Every goal of a flow but those that only a search can tell."""
    found: list[Goal] = []
    for name, node in artifact.nodes.items():
        if node.kind == "handoff" and name.startswith("handoff:") and not _led_to(artifact, name):
            continue  # an implicit handoff that nothing leads to
        found.append(("node", name))
        found += edges(artifact, name, node)
        found += (("intent", name, intent) for intent in node.answers)
        for cause, ladder in (("no_match", node.no_match), ("no_input", node.no_input)):
            found += (("rung", name, cause, str(number)) for number in range(1, len(ladder) + 1))
    found += (("trigger", str(number)) for number in range(1, len(artifact.triggers) + 1))
    asked = {slot for node in artifact.nodes.values() for slot in node.collect}
    found += (
        ("slot", slot, each.name)
        for slot in artifact.slots
        if slot in asked
        for each in classes(artifact, slot)
    )
    return (*dict.fromkeys(found), ("lost",))


def _led_to(artifact: Artifact, name: str) -> bool:
    ways = {go for node, each in artifact.nodes.items() for _, _, _, go in edges(artifact, node, each)}
    ways |= {trigger.go for trigger in artifact.triggers}
    return name in ways


def edges(artifact: Artifact, name: str, node: Node) -> Iterator[Goal]:
    """The edges that leave a node by what is written at it. Triggers and bounds are goals of their own."""
    ways: list[tuple[str, str | None]] = [("next", node.next), ("filled", node.filled)]
    ways += [(f"case {number}", case.go) for number, case in enumerate(node.cases, 1)]
    ways += [("otherwise", node.otherwise), ("success", node.on_success), ("failure", node.on_failure)]
    ways.append(("unknown", node.on_unknown))
    if node.kind == "handoff" and node.handoff is not None:
        ways.append(("unanswered", artifact.handoffs[node.handoff].if_unanswered))
    for intent, answer in node.answers.items():
        ways += _answer(f"on {intent}", answer)
    for key, answer in node.keys.items():
        ways += _answer(f"key {key}", answer)
    ways += [(f"no_match {number}", rung.go) for number, rung in enumerate(node.no_match, 1)]
    ways += [(f"no_input {number}", rung.go) for number, rung in enumerate(node.no_input, 1)]
    return (("edge", name, label, go) for label, go in ways if go is not None)


def _answer(label: str, answer: Answer) -> list[tuple[str, str | None]]:
    bounded = answer.go is None and answer.at_most is not None
    return [(label, answer.go), (f"{label} then", answer.then if bounded else None)]


def excused(artifact: Artifact, goal: Goal) -> str:
    """Why no call can reach this goal, where that can be told without a search; else ""."""
    if goal[0] == "edge" and goal[2].startswith("on "):
        intent = goal[2].split(" ")[1]
        if _triggered(artifact, intent):
            return f"a trigger takes {intent} before the node's own answer"
    if goal[0] == PAIR:
        nodes = (goal[1], goal[3], goal[5])
        most = max(nodes.count(name) for name in nodes)
        return "no call may come to one node so often" if most > artifact.limits.visits else ""
    return ""


def _triggered(artifact: Artifact, intent: str) -> bool:
    """Whether this intent alone makes a trigger true, whatever else is known of the call."""
    heard = Heard(intent, artifact.intents[intent].family, 0.95, "neutral")
    state = State(heard=heard, facts=facts_of(artifact, {}))
    return any(holds(trigger.when, state) for trigger in artifact.triggers)


def pair(first: Goal, second: Goal) -> Goal:
    """Two edges in a row."""
    return (PAIR, first[1], first[2], second[1], second[2], second[3])


def in_words(goal: Goal) -> str:
    """A goal as a designer would say it."""
    match goal:
        case ("node", name):
            return f"the node {name}"
        case ("edge", start, label, end):
            return f"{start} → {end} ({label})"
        case ("intent", node, intent):
            return f"{intent} heard at {node}"
        case ("rung", node, cause, number):
            return f"step {number} of {cause} at {node}"
        case ("trigger", number):
            return f"handoff trigger {number}"
        case ("slot", slot, name):
            return f"{slot}: {name}"
        case ("with", what, name, value):
            return f"{what} with {name} {value}"
        case ("pair", start, first, via, second, end):
            return f"{start} → {via} → {end} ({first}, {second})"
    return "the speech model is lost"
