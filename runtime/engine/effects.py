"""What the engine orders. The shell carries the orders out in order; what comes of it returns as events."""

from typing import Any, Literal

from msgspec import Struct

from runtime.engine.events import Scalar

Purpose = Literal["report", "answer", "classify", "speak"]


class _Effect(Struct, frozen=True, tag=True, tag_field="type", omit_defaults=True, kw_only=True, gc=False):
    pass


class LookUpContext(_Effect, frozen=True):
    """Ask the fact source about this number; answer with ContextLoaded or ContextMissing. The engine keeps
    the deadline itself.
    """

    source: str
    wait_ms: int
    caller_number: str | None = None


class OpenSession(_Effect, frozen=True):
    """Configure the model session (the socket may be connecting already). `instructions` is the whole stable
    prefix, facts filled in.
    """

    instructions: str


class PlayScript(_Effect, frozen=True):
    """Play these exact words from prepared audio. `script` names pre-rendered audio, None: render `text` now.

    `protected`: the caller's speech does not stop it and nothing may clear it.
    """

    speech_id: str
    text: str
    script: str | None = None
    protected: bool = False


class Brief(_Effect, frozen=True):
    """Append a system item to the conversation: a brief, late facts, or a note of what happened."""

    text: str


class Respond(_Effect, frozen=True):
    """Ask the model for a response (the bridge is the only owner of response.create and queues these).

    speak: speech by the newest brief, as `speech_id`. report: one forced take_turn for `turn_id`, nothing
    spoken.
    answer: take_turn expected for `turn_id`; if the model speaks all the same, that speech is `speech_id`.
    classify: like report, beside the conversation.
    """

    purpose: Purpose
    speech_id: str | None = None
    turn_id: str | None = None


class StopSpeaking(_Effect, frozen=True):
    """Stop whatever is being played or made, except a protected script; answer with PlaybackInterrupted for
    each speech cut.
    """

    why: str


class AnswerTool(_Effect, frozen=True):
    """Answer a tool call. `output` is one line of JSON (docs/prompting.md)."""

    call_id: str
    output: str


class RunAction(_Effect, frozen=True):
    """Run an action outside the call: answer with ActionSucceeded or ActionFailed, and with ActionUnknown as
    long as nobody knows. The key makes a repeat harmless.
    """

    run_id: str
    action: str
    arguments: dict[str, Scalar | None]
    idempotency_key: str
    within_ms: int
    retries: int = 0


class StartTimer(_Effect, frozen=True):
    """Start (or restart) the timer of this name."""

    timer: str
    ms: int


class CancelTimer(_Effect, frozen=True):
    timer: str


class DeliverPackage(_Effect, frozen=True):
    """Bring the context package to the human's side: answer with PackageDelivered or PackageFailed."""

    handoff_id: str
    handoff: str
    package: dict[str, Any]


class Transfer(_Effect, frozen=True):
    """Bring a person onto the line; the assistant stays until one accepted. Answer with TransferAccepted,
    Refused or Unanswered.
    """

    handoff_id: str
    handoff: str
    mode: Literal["warm", "cold"]
    timeout_ms: int


class JoinCaller(_Effect, frozen=True):
    """Bring the caller to the person who waits for them: what was being said has ended. Answer as for
    Transfer.
    """

    handoff_id: str


class ReturnToCaller(_Effect, frozen=True):
    """Give up a transfer under way; the assistant has the caller again."""

    handoff_id: str


class SetOutcome(_Effect, frozen=True):
    outcome: str


class Flag(_Effect, frozen=True):
    """Something worth counting or an operator's eye; goes to the record and the metrics, never to the caller.

    `kind` is from a closed set (`turn_refused`, `event_ignored`, `limit_reached`, `claim_unbacked`, …);
    `detail` holds no personal value.
    """

    kind: str
    detail: str = ""


class EnterNode(_Effect, frozen=True):
    """The call now stands at this node. For the record, the live transcript and coverage."""

    node: str
    why: str = ""


class Withhold(_Effect, frozen=True):
    """What the caller says is theirs alone from now on (`on`): it goes to no model, no transcript and no
    recording; or no longer.
    """

    on: bool


class EndCall(_Effect, frozen=True):
    reason: str


Effect = (
    LookUpContext
    | OpenSession
    | PlayScript
    | Brief
    | Respond
    | StopSpeaking
    | AnswerTool
    | RunAction
    | StartTimer
    | CancelTimer
    | DeliverPackage
    | Transfer
    | JoinCaller
    | ReturnToCaller
    | SetOutcome
    | Flag
    | EnterNode
    | Withhold
    | EndCall
)
