"""The compiled flow: what the compiler writes and the runtime executes.

Laws
1. An artifact is plain frozen values; equal flows give byte-identical JSON (`encode`), whatever the machine
   or the hash seed.
2. Everything a designer left to a default is written out here: the engine looks nothing up twice and decides
   nothing by omission.
3. `content_hash` covers every other byte; `decode` refuses an artifact whose hash or version does not match.
"""

import hashlib
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

ARTIFACT_VERSION: Final = 1

# A condition, lowered to nested arrays: ["or"|"and", a, b…], ["not", a], ["==", a, b] and the other
# comparisons, ["in", a, ["list", …]], ["name", "slots"|"facts"|"turn"|"intent"|"results", "field"], ["value",
# literal].
Expr = list[Any]

Family = Literal[
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
Control = Literal["guided", "strict"]
Overlap = Literal["hold", "commit", "revert"]
NodeKind = Literal["disclosure", "tell", "ask", "decide", "act", "handoff", "end"]
ValueType = Literal[
    "text", "integer", "number", "boolean", "choice", "date", "time", "money", "phone", "email", "digits"
]


class ArtifactError(Exception):
    """An artifact that cannot be run: another version, an edited file, or not an artifact at all."""


class Line(Struct, frozen=True):
    """Something the assistant says: exact words (`say`) or a meaning (`convey`), never both.

    Text may hold `{placeholders}`, resolved by the engine: `{company}`-like ones were filled by the compiler
    already; what is left is `{fact}`, `{slot}` or `{action.field}`. `script` is set when `say` needs nothing
    from the call, so its audio is made beforehand.
    """

    say: str | None = None
    convey: str | None = None
    sample: str | None = None
    script: str | None = None


class Answer(Struct, frozen=True):
    """What happens when the caller's turn means a certain thing: say `line`, then `go`, or stay.

    `at_most` bounds a stay (per visit to the node); past it the call goes to `then`, or, where `then` is
    None, the turn takes the next rung of the no-match ladder. `go` is None for a stay.
    """

    line: Line | None = None
    go: str | None = None
    at_most: int | None = None
    then: str | None = None


class Rung(Struct, frozen=True):
    """One step of a fallback ladder: say something and stay, or (perhaps after saying something) go."""

    line: Line | None = None
    go: str | None = None


class Case(Struct, frozen=True):
    when: Expr
    go: str


class Fact(Struct, frozen=True):
    """A value read from the CRM before the first word.

    `otherwise` stands in when it is missing or of the wrong type.
    """

    type: ValueType
    otherwise: str | int | float | bool
    choices: tuple[str, ...] = ()
    personal: bool = False
    secret: bool = False


class Slot(Struct, frozen=True):
    """A value the call collects. `pattern` (a regular expression for all) and the lengths bound text.

    `spoken` has the words for a choice, where they are not the choice itself: in another locale.
    """

    type: ValueType
    meaning: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    confirm: Literal["always", "when_unsure", "never"] = "when_unsure"
    by_keypad: bool = False
    personal: bool = False
    secret: bool = False
    sample: str | None = None
    spoken: dict[str, str] = {}


class Intent(Struct, frozen=True):
    family: Family
    means: str
    examples: tuple[str, ...] = ()
    built_in: bool = False


class Node(Struct, frozen=True):
    """One node with everything that can happen there already resolved.

    `answers` maps intent names (all of them that are answered, `everywhere` merged in) to answers. `keys`
    maps DTMF digits to answers. `next` is where disclosure and tell nodes lead, `filled` where an ask leads
    when everything in `collect` is known, `cases`/`otherwise` where a decide leads, `on_success`/`on_failure`
    where an act leads; `on_unknown` where it leads when nobody can tell whether it was done (None: where
    `on_failure` does, after `unknown_line`), `while_checking` what is said while that is found out, `undo`
    the action that takes it back when the caller hangs up meanwhile. `handoff` names the handoff of a handoff
    node, whose words are that handoff's `line`.
    `on_overlap`: what becomes of speech that overlaps the change to an ask node: it is heard there, left out,
    or the change is taken back and it is heard where it was begun. `sensitive`: nobody hears the caller
    there.
    """

    kind: NodeKind
    line: Line | None = None
    control: Control = "guided"
    next: str | None = None
    collect: tuple[str, ...] = ()
    filled: str | None = None
    answers: dict[str, Answer] = {}
    keys: dict[str, Answer] = {}
    no_match: tuple[Rung, ...] = ()
    no_input: tuple[Rung, ...] = ()
    no_input_after_ms: int = 6000
    cases: tuple[Case, ...] = ()
    otherwise: str | None = None
    action: str | None = None
    while_waiting: Line | None = None
    on_success: str | None = None
    on_failure: str | None = None
    on_unknown: str | None = None
    while_checking: Line | None = None
    unknown_line: Line | None = None
    undo: str | None = None
    handoff: str | None = None
    outcome: str | None = None
    on_overlap: Overlap = "hold"
    sensitive: bool = False


class Trigger(Struct, frozen=True):
    """Checked after every turn, before the node's own answers.

    `go` is a handoff node: an implicit one, `handoff:NAME`, where the flow has none.
    """

    when: Expr
    go: str
    reason: str


class Action(Struct, frozen=True):
    """Something done outside the call.

    `takes` maps argument names to expressions; the engine gives the values, never the model. `called` is what
    the settings of a deployment call it, where that is not its name: two uses of a subflow share it.
    `secrets` are the arguments whose values are secret.
    """

    does: str
    takes: dict[str, Expr] = {}
    returns: dict[str, ValueType] = {}
    changes_something: bool = False
    within_ms: int = 4000
    retries: int = 0
    on_request: bool = False
    promises: tuple[str, ...] = ()
    called: str | None = None
    secrets: tuple[str, ...] = ()


class Handoff(Struct, frozen=True):
    """A way to a person. `hold_line` is said now and then while it rings.

    Warm: the package is acknowledged before the script and the transfer. Cold: a blind transfer.
    """

    mode: Literal["warm", "cold"]
    line: Line
    package: tuple[str, ...]
    if_unanswered: str
    unanswered_line: Line | None = None
    timeout_ms: int = 30000
    promises: tuple[str, ...] = ()
    hold_line: Line | None = None


class Limits(Struct, frozen=True):
    """Bounds that end every call whatever the caller and the model do; past one, the call goes to `go`."""

    turns: int
    call_ms: int
    no_progress: int
    visits: int
    go: str


class Turns(Struct, frozen=True):
    """When a caller's turn begins and ends.

    `least_speech_ms`: shorter speech does not stop the assistant, and counts only when its words are not
    among `backchannel` (nor absent); 0: any speech stops it at once.
    """

    vad: Literal["server", "semantic"] = "server"
    silence_ms: int = 500
    threshold: float = 0.6
    eagerness: Literal["auto", "low", "medium", "high"] = "auto"
    least_speech_ms: int = 0
    backchannel: tuple[str, ...] = ()


class Tool(Struct, frozen=True):
    name: str
    description: str
    parameters: dict[str, Any]


class Suitability(Struct, frozen=True):
    structure: str
    stakes: str
    sensitivity: str
    information: str
    importance: str | None = None
    metric: str | None = None
    human_baseline: float | None = None


class Artifact(Struct, frozen=True):
    """One compiled flow.

    `prefix` holds one placeholder, `{caller_record}`, filled before the first response (none where the flow
    has no facts the model may know). `briefs` maps every node but a decide to the static lines of its brief:
    `Now at`, `Do` or `Say exactly`, `For example`, `Answers here`, `Then`; the engine adds `Find out`, `Read
    back` and `Known` before `Answers here`. `scripts` maps the `script` of every line to its exact words.
    `everywhere`, `no_match` and `no_input` are what holds at a node that says nothing of its own (already
    merged into the nodes: for pictures). `hold` is played while one reconnection to a lost model is tried;
    None: none is. `locales` holds what is different in each other locale, by tag (see `overlay`), and
    `locale_fact` names the fact that tells the caller's.
    """

    artifact: int
    content_hash: str
    compiler: str
    flow: str
    flow_version: str
    title: str
    locale: str
    company: str
    purpose: str
    start: str
    prefix: str
    tools: tuple[Tool, ...]
    briefs: dict[str, str]
    nodes: dict[str, Node]
    intents: dict[str, Intent]
    slots: dict[str, Slot]
    facts: dict[str, Fact]
    fact_source: str | None
    fact_wait_ms: int
    triggers: tuple[Trigger, ...]
    actions: dict[str, Action]
    handoffs: dict[str, Handoff]
    scripts: dict[str, str]
    lost_model: Rung
    limits: Limits
    confidence: float
    unsure_below: float
    voice: str
    speed: float
    currency: str
    suitability: Suitability | None = None
    everywhere: dict[str, Answer] = {}
    no_match: tuple[Rung, ...] = ()
    no_input: tuple[Rung, ...] = ()
    hold: Line | None = None
    turns: Turns = Turns()
    locales: dict[str, dict[str, Any]] = {}
    locale_fact: str | None = None


def encode(artifact: Artifact) -> bytes:
    """The artifact as canonical JSON: sorted keys, two spaces, UTF-8, one final newline.

    Equal artifacts give equal bytes.
    """
    compact = msgspec.json.encode(artifact, order="sorted")
    return msgspec.json.format(compact, indent=2) + b"\n"


def seal(artifact: Artifact) -> Artifact:
    """The same artifact with its content hash: SHA-256, hex, over its data with an empty hash.

    The result is read back from its own JSON, so that one just compiled and one loaded from disk are the
    same: the same order of names, 1 and 1.0 the same number.
    """
    read_back = msgspec.json.decode(encode(artifact), type=Artifact)
    return replace(read_back, content_hash=_hash(encode(read_back)))


def decode(content: bytes) -> Artifact:
    """Read an artifact's JSON.

    Raises ArtifactError, in one plain line, for anything that is not a whole artifact of this version.
    """
    try:
        version = msgspec.json.decode(content, type=_Versioned).artifact
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ArtifactError(f"this is not a compiled flow: {error}") from None
    if version != ARTIFACT_VERSION:
        found = f"this artifact has version {version}, this runtime runs version {ARTIFACT_VERSION}"
        raise ArtifactError(f"{found}: compile the flow again")
    try:
        artifact = msgspec.json.decode(content, type=Artifact)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ArtifactError(f"this artifact is damaged: {error}") from None
    if artifact.content_hash != _hash(content):
        why = "this artifact was changed after it was compiled (its content hash does not match)"
        raise ArtifactError(f"{why}: compile the flow again")
    return artifact


class _Versioned(Struct):
    artifact: int


def _hash(content: bytes) -> str:
    """Over the content as plain data: an artifact stays itself when a later version knows more fields."""
    plain = {**msgspec.json.decode(content), "content_hash": ""}
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()
