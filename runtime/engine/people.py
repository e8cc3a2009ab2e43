"""Bringing in a person: the package first, then the promise, then the transfer; and the way back when nobody
comes.
"""

from msgspec.structs import replace

from runtime.engine.effects import Effect, Flag, ReturnToCaller
from runtime.engine.events import (
    PackageDelivered,
    PackageFailed,
    TransferAccepted,
    TransferRefused,
    TransferUnanswered,
)
from runtime.engine.nodes import end_call, enter, set_outcome
from runtime.engine.speaking import cancel, say
from runtime.engine.state import After, State
from voiceflow_compiler.artifact import Artifact


def at_delivered(artifact: Artifact, state: State, out: list[Effect], event: PackageDelivered) -> State:
    """The human's side has the package: now the line that says so may be spoken."""
    if state.phase != "delivering" or event.handoff_id != state.handoff_id:
        out.append(Flag(kind="event_ignored", detail="PackageDelivered"))
        return state
    cancel(out, "package")
    return say(artifact, state, out, artifact.handoffs[state.handoff].line, After("transfer"), protected=True)


def at_undelivered(artifact: Artifact, state: State, out: list[Effect], event: PackageFailed) -> State:
    """The package could not be delivered: nothing is promised, the caller goes the way of an unanswered
    handoff.
    """
    if state.phase != "delivering" or event.handoff_id != state.handoff_id:
        return state
    cancel(out, "package")
    closed = event.reason == "closed"  # the package is there, but nobody is: that is no trouble of ours
    out.append(Flag(kind="handoff_closed" if closed else "package_failed", detail=state.handoff))
    return _nobody(artifact, state, out, "closed" if closed else "package failed")


def package_too_slow(artifact: Artifact, state: State, out: list[Effect]) -> State:
    if state.phase != "delivering":
        return state
    return at_undelivered(
        artifact, state, out, PackageFailed(at_ms=state.at_ms, handoff_id=state.handoff_id, reason="too_slow")
    )


def at_accepted(artifact: Artifact, state: State, out: list[Effect], event: TransferAccepted) -> State:
    """A person has the caller: the assistant leaves."""
    if state.phase != "transferring" or event.handoff_id != state.handoff_id:
        out.append(Flag(kind="event_ignored", detail="TransferAccepted"))
        return state
    cancel(out, "transfer")
    return end_call(set_outcome(state, out, f"handoff:{state.handoff}"), out, "transferred")


def at_refused(
    artifact: Artifact, state: State, out: list[Effect], event: TransferRefused | TransferUnanswered
) -> State:
    """No person took the call: the assistant has it again, and says so."""
    if state.phase != "transferring" or event.handoff_id != state.handoff_id:
        out.append(Flag(kind="event_ignored", detail=type(event).__name__))
        return state
    cancel(out, "transfer")
    return _nobody(artifact, state, out, "unanswered")


def transfer_too_slow(artifact: Artifact, state: State, out: list[Effect]) -> State:
    if state.phase != "transferring":
        return state
    out.append(ReturnToCaller(handoff_id=state.handoff_id))
    return _nobody(artifact, state, out, "too slow")


def _nobody(artifact: Artifact, state: State, out: list[Effect], why: str) -> State:
    handoff = artifact.handoffs[state.handoff]
    state = replace(state, handoff="", handoff_id="", reason="")
    line = handoff.unanswered_line
    if line is None or (state.model != "up" and line.say is None):
        return enter(artifact, state, out, handoff.if_unanswered, why)
    return say(artifact, state, out, line, After("enter", handoff.if_unanswered))
