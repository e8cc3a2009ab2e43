"""The typed flow: what a designer wrote, names bound and defaults filled, every part knowing its path in the
source.

Built by `resolve` only. A part that was missing or broken in the source is absent here (its finding exists
already), so checks
may rely on what they see and need not repeat the schema.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from voiceflow_compiler.artifact import Expr, Family, NodeKind, Overlap, Turns, ValueType
from voiceflow_compiler.diagnostics import Path

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Line:
    """Exact words (`say`) or a meaning (`convey`), with an optional sample wording of a meaning."""

    path: Path
    say: str | None = None
    convey: str | None = None
    sample: str | None = None

    @property
    def text(self) -> str:
        return self.say if self.say is not None else self.convey or ""


_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*(?:\.\w+)*)\}")


def placeholders(text: str) -> Iterator[tuple[str, int, int]]:
    """The names in braces in a text, each with where its braces start and end (exclusive), in characters."""
    for match in _PLACEHOLDER.finditer(text):
        yield match[1], match.start(), match.end()


def misplaced_braces(text: str) -> Iterator[int]:
    """Where braces stand that hold no name."""
    bare = _PLACEHOLDER.sub(lambda match: " " * len(match[0]), text)
    return (at for at, character in enumerate(bare) if character in "{}")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as written and as lowered; `expr` is None when it did not parse or type-check (a finding
    says why).
    """

    path: Path
    text: str
    expr: Expr | None


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    path: Path
    type: ValueType
    otherwise: Scalar | None
    choices: tuple[str, ...] = ()
    personal: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """`phrases` maps a choice to the words callers use for it (always at least the value with underscores as
    spaces).
    """

    name: str
    path: Path
    type: ValueType
    meaning: str
    choices: tuple[str, ...] = ()
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    confirm: Literal["always", "when_unsure", "never"] = "when_unsure"
    by_keypad: bool = False
    personal: bool = False
    secret: bool = False
    sample: str | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    name: str
    path: Path
    family: Family
    means: str
    examples: tuple[str, ...] = ()
    built_in: bool = False


def _built_in(name: str, family: Family, means: str, *examples: str) -> Intent:
    return Intent(name, ("intents", name), family, means, examples, built_in=True)


# What a caller may mean in every flow (docs/language.md).
BUILT_IN_INTENTS: Final[Mapping[str, Intent]] = {
    intent.name: intent
    for intent in (
        _built_in("answer", "answer", "gives what was asked for"),
        _built_in("correction", "correction", "changes something said before"),
        _built_in("denial", "objection", "a plain no", "no", "nope"),
        _built_in(
            "are_you_human",
            "identity",
            "asks whether this is a machine",
            "are you a robot?",
            "is this a real person?",
        ),
        _built_in("digression", "digression", "asks or says something this call is not for"),
        _built_in("unclear", "unclear", "anything else, or too unclear to tell"),
    )
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What `on`, `keys` or `everywhere` says of one intent, family or key. Exactly one of `go` and `stay`
    holds.
    """

    key: str
    path: Path
    line: Line | None = None
    go: str | None = None
    stay: bool = False
    at_most: int | None = None
    then: str | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    path: Path
    line: Line | None = None
    go: str | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs for one cause. `after_ms` is the silence that counts as no input."""

    path: Path
    rungs: tuple[Rung, ...]
    after_ms: int = 6000


@dataclass(frozen=True, slots=True)
class Fallback:
    """Ladders as written at the flow or at a node; None where nothing was written there."""

    path: Path
    no_match: Ladder | None = None
    no_input: Ladder | None = None
    lost_model: Rung | None = None
    hold: Line | None = None


@dataclass(frozen=True, slots=True)
class Case:
    path: Path
    when: Condition
    go: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node as written. Only the fields of its kind are set; `go`-like fields hold node names, bound or not
    (see `Flow.nodes`).
    """

    name: str
    path: Path
    kind: NodeKind
    line: Line | None = None
    control: Literal["guided", "strict"] | None = None
    next: str | None = None
    collect: tuple[str, ...] = ()
    filled: str | None = None
    on: Mapping[str, Answer] = field(default_factory=dict)
    keys: Mapping[str, Answer] = field(default_factory=dict)
    fallback: Fallback | None = None
    cases: tuple[Case, ...] = ()
    otherwise: str | None = None
    action: str | None = None
    while_waiting: Line | None = None
    on_overlap: Overlap = "hold"
    on_success: str | None = None
    on_failure: str | None = None
    on_unknown: str | None = None
    while_checking: Line | None = None
    undo: str | None = None
    to: str | None = None
    outcome: str | None = None
    interruptible: bool = True
    sensitive: bool | None = None

    @property
    def listens(self) -> bool:
        return self.kind == "ask"

    @property
    def speaks(self) -> bool:
        return self.line is not None or self.kind == "handoff"


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    path: Path
    does: str
    takes: Mapping[str, Condition] = field(
        default_factory=dict
    )  # argument -> a value expression such as slots.email
    returns: Mapping[str, ValueType] = field(default_factory=dict)
    changes_something: bool = False
    idempotency: Literal["key", "none"] = "key"
    within_ms: int = 4000
    retries: int = 0
    on_request: bool = False
    promises: tuple[str, ...] = ()
    called: str | None = None  # what a subflow, and the settings of a deployment, call it


@dataclass(frozen=True, slots=True)
class Handoff:
    name: str
    path: Path
    mode: Literal["warm", "cold"]
    line: Line
    package: tuple[str, ...] = ()
    if_unanswered: str | None = None
    unanswered_line: Line | None = None
    hold_line: Line | None = None
    timeout_ms: int = 30000
    promises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    path: Path
    when: Condition
    to: str
    reason: str


@dataclass(frozen=True, slots=True)
class Suitability:
    path: Path
    structure: str
    stakes: str
    sensitivity: str
    information: str
    importance: str | None = None
    metric: str | None = None
    human_baseline: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    path: Path
    turns: int = 60
    minutes: float = 15
    no_progress: int = 6
    visits: int = 6
    go: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One whole flow. Maps keep the order of the source. `intents` holds the built-in ones too."""

    name: str
    version: str
    title: str
    locale: str
    company: str
    purpose: str
    style: str
    voice: str
    speed: float
    currency: str
    control: Literal["guided", "strict"]
    confidence: float
    unsure_below: float
    start: str
    nodes: Mapping[str, Node]
    intents: Mapping[str, Intent]
    slots: Mapping[str, Slot]
    facts: Mapping[str, Fact]
    everywhere: Mapping[str, Answer]
    fallback: Fallback
    actions: Mapping[str, Action]
    handoffs: Mapping[str, Handoff]
    triggers: tuple[Trigger, ...]
    limits: Limits
    knowledge: tuple[str, ...] = ()
    fact_source: str | None = None
    fact_wait_ms: int = 800
    recorded: bool = True
    suitability: Suitability | None = None
    turns: Turns = field(default_factory=Turns)
    translated: bool = False  # whether this is the flow in another locale than its own
    locale_fact: str | None = None  # the fact that tells a caller's locale
    jurisdictions: tuple[str, ...] = ()  # keys of `jurisdictions.packs()`
    whole: bool = (
        True  # False when something written could not be taken: what is absent here may stand in the source
    )

    def is_secret(self, expr: Expr | None) -> bool:
        """Whether a value is a secret slot or a secret fact."""
        match expr:
            case ["name", "slots", str(name), *_]:
                return name in self.slots and self.slots[name].secret
            case ["name", "facts", str(name), *_]:
                return name in self.facts and self.facts[name].secret
        return False

    def is_sensitive(self, node: Node) -> bool:
        """Whether nobody hears the caller there: by default where a secret is collected."""
        if node.sensitive is not None:
            return node.sensitive
        return any(self.slots[name].secret for name in node.collect if name in self.slots)
