"""What happened on a call. Every event carries `at_ms`, milliseconds since the call was answered; audio never
enters here.

`speech_id` names one thing the assistant was ordered to say (PlayScript or Respond). `turn_id` names one
caller turn. What comes from outside is held as the record can hold it, so that a replay meets the same.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from runtime.engine.cards import WITHHELD, is_card, masked

Scalar = str | int | float | bool
Unsettled = dict[str, Any]  # what a model or a CRM sent: validated by the engine, never trusted


class _Event(Struct, frozen=True, tag=True, tag_field="type", omit_defaults=True, kw_only=True, gc=False):
    at_ms: int


def recordable(value: Any) -> Any:
    """The value as it comes back from a record: what JSON cannot hold (infinity, a half character, an object)
    and what no record may hold (a card's number) is taken out before the engine sees it.
    """
    match value:
        case None | bool():
            return value
        case int():
            return WITHHELD if value >= 10**12 and is_card(str(value)) else value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return masked(value if value.isascii() else value.encode("utf-8", "replace").decode())
        case Mapping():
            return {recordable(str(name)): recordable(each) for name, each in value.items()}
        case list() | tuple():
            return [recordable(each) for each in value]
    return None


class _Spoken(_Event, frozen=True):
    """Something was said; a card's number in it is taken out before anything sees it."""

    text: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "text", masked(self.text))


class CallStarted(_Event, frozen=True):
    """The media stream began. `caller_number` is E.164, or None when withheld; on a call we placed it is the
    number we rang. `answerer_due`: who or what answered will be told by AnswererDetected.
    """

    call_id: str
    caller_number: str | None = None
    called_number: str | None = None
    direction: Literal["inbound", "outbound"] = "inbound"
    answerer_due: bool = False


class CallResumed(_Event, frozen=True):
    """The call goes on here after its stream broke, or the process that carried it died. `state` is the state
    it stood in, as plain data; `attempt` counts from 1.
    """

    state: Unsettled
    attempt: int = 1


class AnswererDetected(_Event, frozen=True):
    """The verdict on who answered a call we placed."""

    by: Literal["person", "machine", "unknown"]


class ContextLoaded(_Event, frozen=True):
    """The look-up answered. May come late, or twice; values are validated against the flow's facts."""

    facts: Unsettled
    source: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "facts", recordable(self.facts))


class ContextMissing(_Event, frozen=True):
    """The look-up will not answer: unknown caller, source down, too slow."""

    reason: str


class PlaybackFinished(_Spoken, frozen=True, kw_only=True):
    """Everything of this speech was played to the caller's ear (its last mark came back, not cleared).
    `text`: what was said.
    """

    speech_id: str


class PlaybackInterrupted(_Spoken, frozen=True, kw_only=True):
    """This speech stopped before its end. `heard_ms`: how much of it was played; `text`: what the caller
    heard of it.
    """

    speech_id: str
    heard_ms: int = 0


class SpeechFailed(_Event, frozen=True):
    """This speech could not be made or played (response failed, incomplete or without audio; a script without
    audio).
    """

    speech_id: str
    reason: str


class CallerSpeechStarted(_Event, frozen=True):
    pass


class CallerTurn(_Spoken, frozen=True, kw_only=True):
    """The caller stopped speaking: one turn, not yet understood. `text` is its transcript where one is known
    already.
    """

    turn_id: str


class NoInput(_Event, frozen=True):
    """The provider or the model side noticed the caller's silence itself (the engine's own timer arrives as
    TimerFired).
    """


class DtmfPressed(_Event, frozen=True):
    digit: str


class TurnReported(_Event, frozen=True):
    """The model called take_turn. `arguments` is what it sent, parsed if it parsed (else {}), never trusted.

    `call_id` is the tool call to answer, None when the report came beside the conversation.
    """

    turn_id: str
    call_id: str | None = None
    arguments: Unsettled = {}

    def __post_init__(self) -> None:
        force_setattr(self, "arguments", recordable(self.arguments))


class TurnUnreported(_Event, frozen=True):
    """The model's answer to a turn ended without a report (`reason`: no_call, failed, incomplete,
    bad_arguments…).
    """

    turn_id: str
    reason: str = "no_call"


class TurnTranscribed(_Spoken, frozen=True, kw_only=True):
    """A transcript of a caller turn arrived, perhaps long after the turn."""

    turn_id: str


class ActionRequested(_Event, frozen=True):
    """The model called the tool of an action (or a tool that does not exist)."""

    call_id: str
    action: str
    arguments: Unsettled = {}

    def __post_init__(self) -> None:
        force_setattr(self, "arguments", recordable(self.arguments))


class ActionSucceeded(_Event, frozen=True):
    run_id: str
    result: Unsettled = {}

    def __post_init__(self) -> None:
        force_setattr(self, "result", recordable(self.result))


class ActionFailed(_Event, frozen=True):
    run_id: str
    reason: str


class ActionUnknown(_Event, frozen=True):
    """Nobody knows whether this was done: its answer was lost. It is being found out, and ActionSucceeded or
    ActionFailed will tell; `final`: it could not be found out in time.
    """

    run_id: str
    reason: str
    final: bool = False


class PackageDelivered(_Event, frozen=True):
    """The human's side acknowledged the context package."""

    handoff_id: str
    receipt: str = ""


class PackageFailed(_Event, frozen=True):
    handoff_id: str
    reason: str


class TransferProgressed(_Event, frozen=True):
    """How far a transfer is. beside: people are rung while the caller hears the assistant. away: the caller
    hears the network instead. accepted: a person took the call and waits for the caller.
    """

    handoff_id: str
    step: Literal["beside", "away", "accepted"]


class TransferAccepted(_Event, frozen=True):
    """A person has the caller, and stayed."""

    handoff_id: str


class TransferRefused(_Event, frozen=True):
    handoff_id: str
    reason: str = ""


class TransferUnanswered(_Event, frozen=True):
    handoff_id: str
    reason: str = ""


class SessionLost(_Event, frozen=True):
    """The connection to the speech model is gone or unusable; `final` when no further attempt is made."""

    reason: str
    final: bool = False


class SessionRestored(_Event, frozen=True):
    """The session is up with prefix and tools in place (also the first time)."""


class TimerFired(_Event, frozen=True):
    timer: str


class CallEnded(_Event, frozen=True):
    """The line is gone: caller_hangup, assistant_hangup, transferred, line_lost, internal_error…"""

    reason: str


Event = (
    CallStarted
    | CallResumed
    | AnswererDetected
    | ContextLoaded
    | ContextMissing
    | PlaybackFinished
    | PlaybackInterrupted
    | SpeechFailed
    | CallerSpeechStarted
    | CallerTurn
    | NoInput
    | DtmfPressed
    | TurnReported
    | TurnUnreported
    | TurnTranscribed
    | ActionRequested
    | ActionSucceeded
    | ActionFailed
    | ActionUnknown
    | PackageDelivered
    | PackageFailed
    | TransferProgressed
    | TransferAccepted
    | TransferRefused
    | TransferUnanswered
    | SessionLost
    | SessionRestored
    | TimerFired
    | CallEnded
)
