"""What several targets ask of an artifact: its nodes in reading order, its ways, what holds everywhere."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from voiceflow_compiler.artifact import Answer, Artifact, Expr, Line, Node, Rung

# Why a way is taken: a family, or one of the flow's own reasons.
Cause = Literal[
    "flow",
    "failure",
    "fallback",
    "agreement",
    "objection",
    "confusion",
    "escalation",
    "answer",
    "correction",
    "identity",
    "digression",
    "unclear",
]

_RANKS: Final = {"or": 1, "and": 2, "not": 3}


@dataclass(frozen=True, slots=True)
class Way:
    """One way from a node to another, with the words that say when it is taken ("" for always)."""

    source: str
    target: str
    label: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that holds at every listening node, or in the whole call; `target` is None for a stay."""

    label: str
    target: str | None
    cause: Cause


def ways(artifact: Artifact) -> tuple[Way, ...]:
    """Every way of every node, in reading order, without what holds everywhere."""
    return tuple(way for name in reading_order(artifact) for way in _from(artifact, name))


def together(artifact: Artifact) -> dict[tuple[str, str], list[Way]]:
    """The ways by their two ends, for pictures that draw one line for all that lead the same way."""
    pairs: dict[tuple[str, str], list[Way]] = {}
    for way in ways(artifact):
        pairs.setdefault((way.source, way.target), []).append(way)
    return pairs


def reading_order(artifact: Artifact) -> tuple[str, ...]:
    """The nodes as a caller may meet them, nearest first; what no way leads to comes last, by name."""
    met = dict.fromkeys([artifact.start])
    ahead = deque(met)
    while ahead:
        targets = [way.target for way in _from(artifact, ahead.popleft())]
        ahead += (fresh := dict.fromkeys(name for name in targets if name not in met))
        met |= fresh
    return (*met, *sorted(artifact.nodes.keys() - met.keys()))


def uses(artifact: Artifact) -> frozenset[str]:
    """The nodes that stand for a subflow: its own have names that begin with theirs and a dot."""
    return (
        frozenset(name.rpartition(".")[0] for name in artifact.nodes if "." in name) & artifact.nodes.keys()
    )


def is_within(name: str, use: str) -> bool:
    """Whether a node stands for a use of a subflow, or belongs to it."""
    return name == use or name.startswith(f"{use}.")


def rules(artifact: Artifact) -> tuple[Rule, ...]:
    """What holds everywhere: answers, triggers, ladders, a lost model, limits."""
    family = {name: intent.family for name, intent in artifact.intents.items()}
    answers = (
        Rule(_bounded(name, answer), answer.go or answer.then, family.get(name, "unclear"))
        for name, answer in artifact.everywhere.items()
    )
    triggers = (Rule(each.reason, each.go, "escalation") for each in artifact.triggers)
    ladders = (
        Rule(f"{cause}, step {len(rungs)}", rungs[-1].go, "fallback")
        for cause, rungs in (("not understood", artifact.no_match), ("silence", artifact.no_input))
        if rungs
    )
    bounds = artifact.limits
    limit = f"{bounds.turns} turns or {bounds.call_ms / 60_000:g} minutes"
    return (
        *answers,
        *triggers,
        *ladders,
        Rule("model lost", artifact.lost_model.go, "failure"),
        Rule(limit, bounds.go, "failure"),
    )


def words(node: Node, artifact: Artifact) -> str:
    """What a node says or means, or what it does where it is silent."""
    if node.handoff is not None:
        return text(artifact.handoffs[node.handoff].line)
    if node.action is not None:
        return artifact.actions[node.action].does
    return text(node.line)


def text(line: Line | None) -> str:
    """A line as people read it: exact words in quotes, a meaning without."""
    if line is None:
        return ""
    return f"“{line.say}”" if line.say is not None else line.convey or ""


def instructions(artifact: Artifact) -> str:
    """The stable prefix with the record a caller without a record gets: every fact at its `otherwise`."""
    facts = {name: fact.otherwise for name, fact in artifact.facts.items() if not fact.secret}
    record = json.dumps(facts, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    return artifact.prefix.replace("{caller_record}", record)


def file_name(node: str) -> str:
    """A node's name as part of a file name on every system."""
    return node.replace(":", "-")


def condition(expr: Expr, above: int = 0) -> str:
    """A lowered condition as its designer would write it, with no more parentheses than it needs."""
    match expr:
        case ["name", str(place), *rest]:
            return ".".join((place, *map(str, rest)))
        case ["value", value]:
            return _literal(value)
        case ["list", *items]:
            return f"[{', '.join(condition(item) for item in items)}]"
        case ["not", inner]:
            return f"not {condition(inner, _RANKS['not'])}"
        case ["and" | "or" as word, *parts]:
            rank = _RANKS[word]
            joined = f" {word} ".join(condition(part, rank) for part in parts)
            return f"({joined})" if above > rank else joined
        case [str(sign), left, right]:
            return f"{condition(left, 4)} {sign} {condition(right, 4)}"
    return str(expr)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else f"{value}"


def _from(artifact: Artifact, name: str) -> Iterator[Way]:
    node = artifact.nodes[name]
    if node.next:
        yield Way(name, node.next, "", "flow")
    if node.filled:
        yield Way(name, node.filled, " and ".join(node.collect) + " known", "flow")
    for case in node.cases:
        yield Way(name, case.go, condition(case.when), "flow")
    if node.otherwise:
        yield Way(name, node.otherwise, "otherwise" if node.cases else "", "flow")
    if node.on_success:
        yield Way(name, node.on_success, "done", "flow")
    if node.on_failure:
        yield Way(name, node.on_failure, "failed", "failure")
    if node.on_unknown:
        yield Way(name, node.on_unknown, "not known", "failure")
    if node.handoff:
        yield Way(name, artifact.handoffs[node.handoff].if_unanswered, "nobody answers", "failure")
    yield from _from_answers(artifact, name, node)
    yield from _from_ladder(name, "not understood", node.no_match, artifact.no_match)
    yield from _from_ladder(name, "silence", node.no_input, artifact.no_input)


def _from_answers(artifact: Artifact, name: str, node: Node) -> Iterator[Way]:
    for intent, answer in node.answers.items():
        target = answer.go or answer.then
        if target and answer != artifact.everywhere.get(intent):
            cause = artifact.intents[intent].family
            yield Way(name, target, _bounded(intent, answer), cause)
    for key, answer in node.keys.items():
        target = answer.go or answer.then
        if target:
            yield Way(name, target, f"key {key}", "answer")


def _from_ladder(name: str, cause: str, rungs: tuple[Rung, ...], usual: tuple[Rung, ...]) -> Iterator[Way]:
    if rungs == usual:
        return
    for step, rung in enumerate(rungs, start=1):
        if rung.go:
            yield Way(name, rung.go, f"{cause}, step {step}", "fallback")


def _bounded(intent: str, answer: Answer) -> str:
    """An intent, with how often it is borne before the way is taken."""
    return f"{intent}, after {answer.at_most}" if not answer.go and answer.at_most else intent
