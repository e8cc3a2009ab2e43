"""The dialogue engine: `start` and `step`, pure functions from what happened to what is ordered.

Laws (each a property test in tests/runtime/engine)
1. Nothing is said, asked or done before the disclosure was played to its end.
2. A warm transfer is never ordered before its package was acknowledged.
3. Every call ends: from every state a finite number of events leads to an end, whatever the caller and the
   model do.
4. The model cannot take a transition the graph does not have, fill a slot with an invalid value, or run an
   action whose conditions do not hold.
5. A request for a person is honoured from every state.
6. The same events give the same effects.
7. An impossible event is flagged and ignored; `step` never raises for anything a caller, a model or a
   provider can do.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from runtime.engine import outside, people
from runtime.engine.effects import Effect, Flag, LookUpContext, StartTimer
from runtime.engine.events import (
    ActionFailed,
    ActionRequested,
    ActionSucceeded,
    ActionUnknown,
    AnswererDetected,
    CallEnded,
    CallerSpeechStarted,
    CallerTurn,
    CallResumed,
    CallStarted,
    ContextLoaded,
    ContextMissing,
    DtmfPressed,
    Event,
    NoInput,
    PackageDelivered,
    PackageFailed,
    PlaybackFinished,
    PlaybackInterrupted,
    SessionLost,
    SessionRestored,
    SpeechFailed,
    TimerFired,
    TransferAccepted,
    TransferProgressed,
    TransferRefused,
    TransferUnanswered,
    TurnReported,
    TurnTranscribed,
    TurnUnreported,
)
from runtime.engine.hearing import (
    at_action_request,
    at_caller_speech,
    at_caller_turn,
    at_key,
    at_long_speech,
    at_report,
    at_silence,
    at_transcript,
    at_unreported,
    at_unwritten,
)
from runtime.engine.nodes import LAST_MINUTE_MS, reach_limit, set_outcome
from runtime.engine.playback import at_failed, at_finished, at_interrupted
from runtime.engine.state import State
from voiceflow_compiler.artifact import Artifact

Stepped = tuple[State, tuple[Effect, ...]]


def start(artifact: Artifact, event: CallStarted) -> Stepped:
    """The call was answered: look the caller up, and say the first words."""
    state = State(
        call_id=event.call_id,
        caller_number=event.caller_number,
        at_ms=event.at_ms,
        answerer_due=event.answerer_due,
    )
    out: list[Effect] = [StartTimer(timer="call", ms=artifact.limits.call_ms)]
    if event.answerer_due:
        out.append(StartTimer(timer="answerer", ms=outside.ANSWERER_WITHIN_MS))
    if artifact.fact_source is not None and artifact.facts:
        out.append(
            LookUpContext(
                source=artifact.fact_source, wait_ms=artifact.fact_wait_ms, caller_number=event.caller_number
            )
        )
        out.append(StartTimer(timer="context", ms=artifact.fact_wait_ms))
        state = outside.first_node(artifact, state, out)
    else:
        state = outside.settle(artifact, outside.first_node(artifact, state, out), out)
    return state, tuple(out)


def step(artifact: Artifact, state: State, event: Event) -> Stepped:
    """What follows from one event. Equal arguments give equal results; nothing a caller, model or provider
    does raises.
    """
    out: list[Effect] = []
    if state.phase == "ended":
        state = outside.after_end(artifact, replace(state, at_ms=event.at_ms), out, event)
        return state, tuple(out)
    state = _ON[type(event)](artifact, replace(state, at_ms=event.at_ms), out, event)
    return state, tuple(out)


def _at_timer(artifact: Artifact, state: State, out: list[Effect], event: TimerFired) -> State:
    act = _TIMERS.get(event.timer)
    return act(artifact, state, out) if act is not None else _ignored(artifact, state, out, event)


def _call_too_long(artifact: Artifact, state: State, out: list[Effect]) -> State:
    if (
        state.phase == "transferring"
    ):  # whoever is being rung is not left with a dead line; that ends before this
        out.append(StartTimer(timer="call", ms=people.MEET_WITHIN_MS + LAST_MINUTE_MS))
        return state
    out.append(StartTimer(timer="call", ms=LAST_MINUTE_MS))
    return reach_limit(artifact, state, out, "call_ms")


def _at_end(artifact: Artifact, state: State, out: list[Effect], event: CallEnded) -> State:
    if not state.outcome:
        state = set_outcome(state, out, "abandoned")
    undo_at = state.node if state.run in state.runs and artifact.nodes[state.node].undo else ""
    return replace(state, phase="ended", speech=None, judging="", pending=(), undo_at=undo_at)


def _ignored(artifact: Artifact, state: State, out: list[Effect], event: Event) -> State:
    out.append(Flag(kind="event_ignored", detail=type(event).__name__))
    return state


_TIMERS: dict[str, Callable[[Artifact, State, list[Effect]], State]] = {
    "call": _call_too_long,
    "answerer": outside.answerer_too_slow,
    "barge_in": at_long_speech,
    "murmur": at_unwritten,
    "context": outside.context_too_slow,
    "no_input": at_silence,
    "report": lambda artifact, state, out: at_unreported(
        artifact, state, out, TurnUnreported(at_ms=state.at_ms, turn_id=state.judging, reason="too_slow")
    ),
    "waiting": outside.still_waiting,
    "action": outside.action_too_slow,
    "reconnect": outside.reconnect_too_slow,
    "package": people.package_too_slow,
    "transfer": people.transfer_too_slow,
    "hold": people.hold,
}

_ON: dict[type, Callable[[Artifact, State, list[Effect], Any], State]] = {
    CallStarted: _ignored,
    CallResumed: _ignored,
    AnswererDetected: outside.at_answerer,
    ContextLoaded: outside.at_context,
    ContextMissing: outside.at_no_context,
    PlaybackFinished: at_finished,
    PlaybackInterrupted: at_interrupted,
    SpeechFailed: at_failed,
    CallerSpeechStarted: at_caller_speech,
    CallerTurn: at_caller_turn,
    NoInput: lambda artifact, state, out, event: at_silence(artifact, state, out),
    DtmfPressed: at_key,
    TurnReported: at_report,
    TurnUnreported: at_unreported,
    TurnTranscribed: at_transcript,
    ActionRequested: at_action_request,
    ActionSucceeded: outside.at_action_done,
    ActionFailed: outside.at_action_failed,
    ActionUnknown: outside.at_action_unknown,
    PackageDelivered: people.at_delivered,
    PackageFailed: people.at_undelivered,
    TransferProgressed: people.at_progress,
    TransferAccepted: people.at_accepted,
    TransferRefused: people.at_refused,
    TransferUnanswered: people.at_refused,
    SessionLost: outside.at_session_lost,
    SessionRestored: outside.at_session_restored,
    TimerFired: _at_timer,
    CallEnded: _at_end,
}
