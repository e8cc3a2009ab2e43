"""Bringing in a person: the package first, then the promise, then the transfer, a word now and then while it
rings, and the way back when nobody comes.
"""

from typing import Final

from msgspec.structs import replace

from runtime.engine.effects import Effect, Flag, JoinCaller, ReturnToCaller, StartTimer
from runtime.engine.events import (
    PackageDelivered,
    PackageFailed,
    TransferAccepted,
    TransferProgressed,
    TransferRefused,
    TransferUnanswered,
)
from runtime.engine.nodes import end_call, enter, set_outcome
from runtime.engine.speaking import STILL_RINGING, cancel, say
from runtime.engine.state import After, State
from voiceflow_compiler.artifact import Artifact

HOLD_EVERY_MS: Final = 10_000  # a caller waits no longer without a word
MEET_WITHIN_MS: Final = 120_000  # the shell reports how a meeting went, this is the net behind it
NOBODY_THERE: Final = ("closed", "nobody_to_ring")


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
    closed = event.reason in NOBODY_THERE  # the package is there, but nobody is: that is no trouble of ours
    out.append(Flag(kind="handoff_closed" if closed else "package_failed", detail=state.handoff))
    return nobody(artifact, state, out, "closed" if closed else "package failed")


def package_too_slow(artifact: Artifact, state: State, out: list[Effect]) -> State:
    if state.phase != "delivering":
        return state
    return at_undelivered(
        artifact, state, out, PackageFailed(at_ms=state.at_ms, handoff_id=state.handoff_id, reason="too_slow")
    )


def at_progress(artifact: Artifact, state: State, out: list[Effect], event: TransferProgressed) -> State:
    """People are rung beside the call, or by the network, or one of them waits for the caller."""
    if state.phase != "transferring" or event.handoff_id != state.handoff_id:
        out.append(Flag(kind="event_ignored", detail="TransferProgressed"))
        return state
    match event.step:
        case "beside" if not state.rings:
            out.append(StartTimer(timer="hold", ms=HOLD_EVERY_MS))
            return replace(state, rings="beside")
        case "away" if state.rings != "accepted":
            cancel(out, "hold")
            return replace(state, rings="", speech=None)
        case "accepted" if state.rings != "accepted":
            cancel(out, "hold")
            out.append(StartTimer(timer="transfer", ms=MEET_WITHIN_MS))
            return _join(replace(state, rings="accepted"), out)
    return state


def _join(state: State, out: list[Effect]) -> State:
    """Take the caller to the person, once nothing is being said to them any more."""
    if state.speech is None:
        out.append(JoinCaller(handoff_id=state.handoff_id))
    return state


def hold(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """It has been ringing for a while: a word to the caller, who is never left alone with it."""
    if state.phase != "transferring" or state.rings != "beside" or state.speech is not None:
        return state
    line = artifact.handoffs[state.handoff].hold_line or STILL_RINGING
    if line.say is None and state.model != "up":
        out.append(StartTimer(timer="hold", ms=HOLD_EVERY_MS))
        return state
    return replace(say(artifact, state, out, line, After("hold")), phase="transferring")


def held(state: State, out: list[Effect]) -> State:
    """A word to the waiting caller has ended."""
    if state.rings == "accepted":
        return _join(state, out)
    out.append(StartTimer(timer="hold", ms=HOLD_EVERY_MS))
    return state


def at_accepted(artifact: Artifact, state: State, out: list[Effect], event: TransferAccepted) -> State:
    """A person has the caller: the assistant leaves."""
    if state.phase != "transferring" or event.handoff_id != state.handoff_id:
        out.append(Flag(kind="event_ignored", detail="TransferAccepted"))
        return state
    cancel(out, "transfer", "hold")
    return end_call(set_outcome(state, out, f"handoff:{state.handoff}"), out, "transferred")


def at_refused(
    artifact: Artifact, state: State, out: list[Effect], event: TransferRefused | TransferUnanswered
) -> State:
    """No person took the call: the assistant has it again, and says so."""
    if state.phase != "transferring" or event.handoff_id != state.handoff_id:
        out.append(Flag(kind="event_ignored", detail=type(event).__name__))
        return state
    cancel(out, "transfer", "hold")
    return nobody(artifact, state, out, "unanswered")


def transfer_too_slow(artifact: Artifact, state: State, out: list[Effect]) -> State:
    if state.phase != "transferring":
        return state
    cancel(out, "hold")
    out.append(ReturnToCaller(handoff_id=state.handoff_id))
    return nobody(artifact, state, out, "too slow")


def nobody(artifact: Artifact, state: State, out: list[Effect], why: str) -> State:
    handoff = artifact.handoffs[state.handoff]
    state = replace(state, handoff="", handoff_id="", reason="", rings="")
    line = handoff.unanswered_line
    if line is None or (state.model != "up" and line.say is None):
        return enter(artifact, state, out, handoff.if_unanswered, why)
    return say(artifact, state, out, line, After("enter", handoff.if_unanswered))
