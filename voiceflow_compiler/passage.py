"""The passages of a compiled flow: everything that can lead a call from one node to another.

1. What holds everywhere is there at every listening node, marked `own=False`: analyses walk it like the rest.
2. Questions cost time linear in nodes and passages; ways are never listed, one is shown.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from voiceflow_compiler.artifact import Answer, Artifact, Expr, Node, Rung

Kind = Literal[
    "next", "filled", "intent", "again", "key", "case", "otherwise", "done", "failed", "unanswered",
    "no_match", "no_input", "trigger", "lost_model", "limit"
]  # fmt: skip

# Passages that a caller does not bring about by what they say or do.
BY_ACCIDENT: Final[frozenset[Kind]] = frozenset({"lost_model", "limit"})


@dataclass(frozen=True, slots=True)
class Passage:
    """One way on. `key` is the intent, the key, the rung or the case; `family` that of an intent, else ""."""

    source: str
    target: str
    kind: Kind
    key: str = ""
    family: str = ""
    own: bool = True

    @property
    def label(self) -> str:
        """The passage as a few words."""
        match self.kind:
            case "intent" | "trigger":
                return self.key
            case "again":
                return f"{self.key} again"
            case "case":
                return f"case {self.key}"
            case "key":
                return f"key {self.key}"
            case "next" | "filled" | "otherwise" | "done" | "failed" | "limit":
                return self.kind
        return {
            "unanswered": "nobody answers",
            "no_match": "not understood",
            "no_input": "silence",
            "lost_model": "lost model",
        }[self.kind]


def passages(artifact: Artifact) -> dict[str, tuple[Passage, ...]]:
    """The passages that leave each node, in the order of the flow."""
    return {name: tuple(_from(artifact, name, node)) for name, node in artifact.nodes.items()}


def reach(
    out: Mapping[str, tuple[Passage, ...]],
    starts: Iterable[str],
    via: Callable[[Passage], bool] = lambda passage: True,
) -> dict[str, Passage | None]:
    """What can be reached by passages that pass `via`, breadth first, each with the last one taken."""
    tree: dict[str, Passage | None] = {name: None for name in starts if name in out}
    ahead = deque(tree)
    while ahead:
        for passage in out[ahead.popleft()]:
            if passage.target in out and passage.target not in tree and via(passage):
                tree[passage.target] = passage
                ahead.append(passage.target)
    return tree


def route(tree: Mapping[str, Passage | None], node: str) -> tuple[str, ...]:
    """The nodes of a way that `reach` found, both ends included; empty when it found none."""
    if node not in tree:
        return ()
    return (*(passage.source for passage in steps(tree, node)), node)


def steps(tree: Mapping[str, Passage | None], node: str) -> tuple[Passage, ...]:
    """The passages of a way that `reach` found; empty at its start, and when it found none."""
    found = []
    passage = tree.get(node)
    while passage is not None:
        found.append(passage)
        passage = tree[passage.source]
    return tuple(reversed(found))


def must_pass(
    out: Mapping[str, tuple[Passage, ...]], start: str, gains: Callable[[Passage], Iterable[str]]
) -> dict[str, frozenset[str]]:
    """What every call has surely gained when it comes to a node; reachable nodes only.

    A forward data flow over sets, kept as bits: a node has what all passages to it bring.
    """
    tree = reach(out, [start])
    gained = {name: [(each.target, tuple(gains(each))) for each in out[name]] for name in tree}
    names = sorted({gain for pairs in gained.values() for _, gains_ in pairs for gain in gains_})
    bit = {name: 1 << at for at, name in enumerate(names)}
    onward = {
        name: [(target, sum({bit[gain] for gain in gains_})) for target, gains_ in pairs if target in tree]
        for name, pairs in gained.items()
    }
    surely = dict.fromkeys(tree, (1 << len(names)) - 1)
    if start in surely:
        surely[start] = 0
    ahead = deque(tree)
    waiting = set(tree)
    while ahead:
        name = ahead.popleft()
        waiting.discard(name)
        for target, bits in onward[name]:
            after = surely[target] & (surely[name] | bits)
            if after != surely[target]:
                surely[target] = after
                if target not in waiting:
                    waiting.add(target)
                    ahead.append(target)
    return {name: frozenset(each for each in names if bits & bit[each]) for name, bits in surely.items()}


def families_of(expr: Expr) -> Iterator[str]:
    """The families and intents for which a condition holds whatever else is true."""
    match expr:
        case ["==", ["name", "intent", "family" | "name"], ["value", str(name)]]:
            yield name
        case ["or", *parts]:
            for part in parts:
                yield from families_of(part)


def _from(artifact: Artifact, name: str, node: Node) -> Iterator[Passage]:
    own: tuple[tuple[str | None, Kind], ...] = (
        (node.next, "next"),
        (node.filled, "filled"),
        (node.otherwise, "otherwise"),
        (node.on_success, "done"),
        (node.on_failure, "failed"),
        (node.on_unknown, "failed"),
    )
    for at, case in enumerate(node.cases, start=1):
        yield Passage(name, case.go, "case", str(at))
    yield from (Passage(name, target, kind) for target, kind in own if target is not None)
    if node.handoff is not None and node.handoff in artifact.handoffs:
        yield Passage(name, artifact.handoffs[node.handoff].if_unanswered, "unanswered")
    if node.kind == "ask":
        yield from _heard(artifact, name, node)
    if node.kind not in ("handoff", "end"):
        if artifact.lost_model.go is not None:
            yield Passage(name, artifact.lost_model.go, "lost_model", own=False)
        yield Passage(name, artifact.limits.go, "limit", own=False)


def _heard(artifact: Artifact, name: str, node: Node) -> Iterator[Passage]:
    """The passages that a caller's turn, a key or silence takes."""
    for intent, answer in node.answers.items():
        family = artifact.intents[intent].family if intent in artifact.intents else ""
        own = answer != artifact.everywhere.get(intent)
        yield from _answered(name, answer, "intent", intent, family, own=own)
    for key, answer in node.keys.items():
        yield from _answered(name, answer, "key", key, "", own=True)
    yield from _climbed(name, node.no_match, "no_match", own=node.no_match != artifact.no_match)
    yield from _climbed(name, node.no_input, "no_input", own=node.no_input != artifact.no_input)
    for trigger in artifact.triggers:
        about: str = next(families_of(trigger.when), "")
        yield Passage(name, trigger.go, "trigger", trigger.reason, about, own=False)


def _answered(
    name: str, answer: Answer, kind: Kind, key: str, family: str, *, own: bool
) -> Iterator[Passage]:
    if answer.go is not None:
        yield Passage(name, answer.go, kind, key, family, own)
    if answer.then is not None:
        yield Passage(name, answer.then, "again", key, family, own)


def _climbed(name: str, rungs: tuple[Rung, ...], kind: Kind, *, own: bool) -> Iterator[Passage]:
    for at, rung in enumerate(rungs, start=1):
        if rung.go is not None:
            yield Passage(name, rung.go, kind, str(at), own=own)
