"""Going on with a call whose stream broke or whose process died, from the last state that was kept.

1. A disclosure that was heard is not repeated; one that was not heard to its end begins again.
2. The call goes on at the node where it stood. What was collected is known; the turn under way is lost.
3. What was done stays done: an action under way is ordered again with the same key, which does it once.
4. A person who was being rung when it broke did not take the call.
"""

from typing import Final

from msgspec import convert
from msgspec.structs import replace

from runtime.engine import fill, outside, people
from runtime.engine.effects import Brief, DeliverPackage, Effect, LookUpContext, StartTimer
from runtime.engine.events import CallResumed, CallStarted
from runtime.engine.nodes import LAST_MINUTE_MS, PACKAGE_WITHIN_MS, end_call, enter
from runtime.engine.package import WITHHELD, build, transcript
from runtime.engine.playback import go_on
from runtime.engine.speaking import say
from runtime.engine.state import After, State
from runtime.engine.step import Stepped, start
from voiceflow_compiler.artifact import Artifact

LONGEST: Final = 4000  # characters of one line of the transcript that is kept: five minutes of speech


def resume(artifact: Artifact, event: CallResumed) -> Stepped:
    """The caller is back: say what is due at the node where the call stood. Raises msgspec.ValidationError
    for a state that is none.
    """
    held = convert(event.state, State)
    if not held.disclosed:
        return _afresh(artifact, held, event)
    out: list[Effect] = [StartTimer(timer="call", ms=_time_left(artifact, held, event.at_ms))]
    if held.phase == "ended" or (held.node not in artifact.nodes and not held.waiting_node):
        return end_call(held, out, "completed"), tuple(out)
    state = _settled(artifact, _cut(held, event.at_ms), out)
    if state.transcript:
        out.append(Brief(text=fill.recap(transcript(artifact, state))))
    return _go_on(artifact, held, state, out), tuple(out)


def keepable(artifact: Artifact, state: State) -> State:
    """The state as it may be kept outside the process: without what is secret, which is asked for again, and
    without the rest of lines longer than anybody speaks: what made one stream's memory grow is not handed on.
    """
    secret = {name for name, slot in artifact.slots.items() if slot.secret}
    where = {name for name, node in artifact.nodes.items() if secret & set(node.collect)}
    return replace(
        state,
        digits="",
        slots={name: held for name, held in state.slots.items() if name not in secret},
        facts={name: fact for name, fact in state.facts.items() if not artifact.facts[name].secret},
        transcript=tuple(
            replace(one, text=WITHHELD if one.who == "caller" and one.node in where else one.text[:LONGEST])
            for one in state.transcript
        ),
    )


def _afresh(artifact: Artifact, held: State, event: CallResumed) -> Stepped:
    """Nothing but (part of) the disclosure was heard: the call begins again."""
    begun = CallStarted(
        at_ms=event.at_ms,
        call_id=held.call_id,
        caller_number=held.caller_number,
        answerer_due=held.answerer_due,
    )
    state, effects = start(artifact, begun)
    return replace(state, wants_person=held.wants_person), effects


def _time_left(artifact: Artifact, held: State, at_ms: int) -> int:
    left = 0 if held.limited else artifact.limits.call_ms - at_ms
    return max(LAST_MINUTE_MS, left)


def _cut(held: State, at_ms: int) -> State:
    """The state without what was under way. A new session counts its turns anew, so old ones lose their
    names.
    """
    return State(
        node=held.node,
        call_id=held.call_id,
        caller_number=held.caller_number,
        at_ms=at_ms,
        serial=held.serial,
        disclosed=True,
        wants_person=held.wants_person,
        visits={**held.visits, held.node: max(0, held.visits.get(held.node, 0) - 1)},
        counts=held.counts,
        heard=held.heard,
        slots=held.slots,
        facts=held.facts,
        known_facts=held.known_facts,
        results=held.results,
        handoff=held.handoff,
        handoff_id=held.handoff_id,
        reason=held.reason,
        limited=held.limited,
        lost_taken=held.lost_taken,
        outcome=held.outcome,
        done=held.done,
        transcript=tuple(replace(one, turn_id="") for one in held.transcript),
    )


def _settled(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The session gets its instructions; facts that had not come are asked for once more."""
    source = artifact.fact_source
    unknown = not state.known_facts or not set(state.known_facts) <= state.facts.keys()
    if source is not None and artifact.facts and unknown:
        wait_ms, number = artifact.fact_wait_ms, state.caller_number
        out.append(LookUpContext(source=source, wait_ms=wait_ms, caller_number=number))
    return outside.settle(artifact, state, out)


def _go_on(artifact: Artifact, held: State, state: State, out: list[Effect]) -> State:
    if held.phase == "starting" and held.waiting_node:
        return go_on(artifact, state, out, held.waiting_node)
    promised = held.phase == "speaking" and held.speech is not None and held.speech.after.kind == "transfer"
    if held.handoff and promised:
        line = artifact.handoffs[held.handoff].line
        return say(artifact, state, out, line, After("transfer"), protected=True, opening=True)
    if held.handoff and held.phase == "delivering":
        package = build(artifact, state)
        out.append(DeliverPackage(handoff_id=held.handoff_id, handoff=held.handoff, package=package))
        out.append(StartTimer(timer="package", ms=PACKAGE_WITHIN_MS))
        return replace(state, phase="delivering")
    holding = held.speech is not None and held.speech.after.kind == "hold"
    if held.handoff and (held.phase == "transferring" or holding):
        return people.nobody(artifact, state, out, "unanswered")
    node = artifact.nodes[held.node]
    if node.kind == "handoff" and not held.handoff:  # nobody took the call, and it was being said
        way = artifact.handoffs[node.handoff or ""]
        return enter(artifact, state, out, way.if_unanswered, "unanswered")
    return enter(artifact, state, out, held.node, "resumed")
