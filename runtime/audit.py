"""What no call may have done: the invariants of the bridge, read off a record, as plain sentences.

I1  every call that began has exactly one end, with a reason that is known, at most a minute after it was over
I2  the disclosure is heard to its end before anything else is said, asked or done
I3  a deed is done at most once for each key, and what was told as done has a success behind it
I6  a request for a person is answered within the turn
I7  a warm transfer, and the promise of one, come after the package was acknowledged
I8  every transition is an edge of the graph; slots hold what their type allows
I9  the record, fed to the engine again, gives the recorded orders
I12 sequence numbers have no gap, sums hold, times do not run backwards

What only other logs show (I4 audio after a clear, I5 one response at a time, I10 canaries, I11 what is left
over) is read from those by the suite that has them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import msgspec

from runtime.engine import effects as fx
from runtime.engine import events as ev
from runtime.engine.resuming import resume
from runtime.engine.slots import slot_value
from runtime.engine.state import State
from runtime.engine.step import start, step
from runtime.metrics import REASONS
from runtime.record import Record, replay
from voiceflow_compiler.artifact import Artifact

END_WITHIN_MS: Final = 60_000
Step = tuple[ev.Event, tuple[fx.Effect, ...], State]


@dataclass
class Trace:
    """A call as the engine saw it: each event with the orders it led to and the state after it."""

    artifact: Artifact
    trace: list[Step] = field(default_factory=list)

    def effects(self, kind: type) -> list[Any]:
        return [effect for _, effects, _ in self.trace for effect in effects if isinstance(effect, kind)]


def traced(artifact: Artifact, lines: Iterable[Mapping[str, Any]]) -> Trace:
    """The trace of a record (the lines after its header), by feeding its events to the engine again."""
    call, state = Trace(artifact), State()
    for line in lines:
        if "event" in line:
            event = msgspec.convert(line["event"], ev.Event)
            match event:
                case ev.CallStarted():
                    state, effects = start(artifact, event)
                case ev.CallResumed() if not call.trace:
                    state, effects = resume(artifact, event)
                case _:
                    state, effects = step(artifact, state, event)
            call.trace.append((event, effects, state))
    return call


# ---- laws over a trace: each gives what broke it


def undisclosed_effects(call: Trace) -> list[fx.Effect]:
    """I2: what was ordered before the disclosure had been played to its end, other than itself and silent
    preparation.
    """
    broken: list[fx.Effect] = []
    finished = False
    disclosures: set[str] = set()
    said = {node.line.say for node in call.artifact.nodes.values() if node.kind == "disclosure" and node.line}
    for event, effects, state in call.trace:
        finished = finished or (isinstance(event, ev.PlaybackFinished) and event.speech_id in disclosures)
        finished = finished or (isinstance(event, ev.CallResumed) and state.disclosed)
        for effect in effects:
            if isinstance(effect, fx.PlayScript) and effect.text in said and effect.protected:
                disclosures.add(effect.speech_id)
            elif not finished and _speaks_or_acts(effect):
                broken.append(effect)
    return broken


def _speaks_or_acts(effect: fx.Effect) -> bool:
    if isinstance(effect, fx.AnswerTool):
        return bool(json.loads(effect.output)["accepted"])
    return isinstance(effect, fx.PlayScript | fx.Respond | fx.RunAction | fx.DeliverPackage | fx.Transfer)


def words_before_the_verdict(call: Trace) -> list[fx.Effect]:
    """I2 on a call we placed: what was said, asked or done before it was known who answered."""
    broken: list[fx.Effect] = []
    due = False
    for event, effects, _ in call.trace:
        if isinstance(event, ev.CallStarted):
            due = event.answerer_due
        if isinstance(event, ev.AnswererDetected) or event == ev.TimerFired(
            at_ms=event.at_ms, timer="answerer"
        ):
            due = False
        broken += [effect for effect in effects if due and _speaks_or_acts(effect)]
    return broken


def repeated_deeds(call: Trace) -> list[str]:
    """I3: keys ordered more than once, and successes of runs nobody ordered."""
    orders = call.effects(fx.RunAction)
    keys = Counter(order.idempotency_key for order in orders)
    known = {order.run_id for order in orders}
    done = Counter(event.run_id for event, _, _ in call.trace if isinstance(event, ev.ActionSucceeded))
    strange = [run for run in done if run not in known or done[run] > 1]
    return [key for key, times in keys.items() if times > 1] + strange


def unanswered_escalations(call: Trace) -> list[ev.Event]:
    """I6: reports of a request for a person, of the awaited turn and past the disclosure, that led to
    none.
    """
    broken: list[ev.Event] = []
    before = State()
    for event, effects, state in call.trace:
        asked = (
            isinstance(event, ev.TurnReported)
            and before.disclosed
            and before.phase not in ("delivering", "transferring", "ended")
        )
        promised = before.speech is not None and before.speech.after.kind == "transfer"
        if (
            asked
            and not promised
            and isinstance(event, ev.TurnReported)
            and _escalates(call.artifact, before, event)
        ):
            entered = [effect.node for effect in effects if isinstance(effect, fx.EnterNode)]
            people = [name for name in entered if call.artifact.nodes[name].kind == "handoff"]
            if not people and state.phase != "ended":
                broken.append(event)
        before = state
    return broken


def _escalates(artifact: Artifact, before: State, event: ev.TurnReported) -> bool:
    confidence = event.arguments.get("confidence")
    sure = isinstance(confidence, float) and artifact.confidence <= confidence <= 1
    intent = artifact.intents.get(str(event.arguments.get("intent")))
    return sure and intent is not None and intent.family == "escalation"


def hasty_transfers(call: Trace) -> list[fx.Effect]:
    """I7: warm transfers, and promises of them, ordered before their package was acknowledged."""
    acknowledged: set[str] = set()
    broken: list[fx.Effect] = []
    promises = {one.line.say for one in call.artifact.handoffs.values() if one.mode == "warm"}
    for event, effects, state in call.trace:
        if isinstance(event, ev.PackageDelivered):
            acknowledged.add(event.handoff_id)
        if isinstance(event, ev.CallResumed) and event.state.get("phase") in ("speaking", "transferring"):
            acknowledged.add(event.state.get("handoff_id", ""))  # in the part of the record before this one
        for effect in effects:
            match effect:
                case fx.Transfer(mode="warm", handoff_id=handoff_id) if handoff_id not in acknowledged:
                    broken.append(effect)
                case fx.PlayScript(text=text) if text in promises and state.handoff_id not in acknowledged:
                    broken.append(effect)
    return broken


def edges(artifact: Artifact) -> set[tuple[str, str]]:
    """Every transition the graph has, the bounds and the way to a person from everywhere included."""
    found: set[tuple[str, str]] = set()
    everywhere = {artifact.limits.go, artifact.lost_model.go, *(trigger.go for trigger in artifact.triggers)}
    everywhere |= {name for name, node in artifact.nodes.items() if node.kind == "handoff"}
    for name, node in artifact.nodes.items():
        rungs = (*node.no_match, *node.no_input)
        replies = (*node.answers.values(), *node.keys.values())
        if node.on_overlap == "revert":  # a change to it may be taken back
            found |= {(name, back) for back, one in artifact.nodes.items() if one.kind == "ask"}
        goes = {node.next, node.filled, node.otherwise, node.on_success, node.on_failure, node.on_unknown}
        goes |= {case.go for case in node.cases} | {rung.go for rung in rungs}
        goes |= {answer.go for answer in replies} | {answer.then for answer in replies} | everywhere
        if node.handoff is not None:
            goes.add(artifact.handoffs[node.handoff].if_unanswered)
        found |= {(name, go) for go in goes if go is not None}
    return found | {("", artifact.start), ("", artifact.limits.go)}


def invented_transitions(call: Trace) -> list[tuple[str, str]]:
    """I8: transitions that are no edge of the graph."""
    allowed = edges(call.artifact)
    broken: list[tuple[str, str]] = []
    at = ""
    for event, effects, state in call.trace:
        back: set[str] = set()
        if isinstance(event, ev.CallResumed):
            # It enters the node where it stood once more, or begins again undisclosed.
            at = event.state.get("node", "")
            back = {at} if state.disclosed else {call.artifact.start}
        for effect in effects:
            if isinstance(effect, fx.EnterNode):
                if (at, effect.node) not in allowed and effect.node not in back:
                    broken.append((at, effect.node))
                at = effect.node
    return broken


def unlawful_actions(call: Trace) -> list[fx.RunAction]:
    """I8: actions run anywhere but at their node (or on request, when they change nothing), or with an
    argument missing.
    """
    broken: list[fx.RunAction] = []
    for event, effects, state in call.trace:
        for effect in effects:
            if not isinstance(effect, fx.RunAction):
                continue
            action = call.artifact.actions[effect.action]
            asked = (
                isinstance(event, ev.ActionRequested) and action.on_request and not action.changes_something
            )
            node = call.artifact.nodes[state.node]
            undoes = state.undo_at and node.undo == effect.action
            if None in effect.arguments.values() or not (asked or undoes or node.action == effect.action):
                broken.append(effect)
    return broken


def wrong_values(call: Trace) -> list[str]:
    """I8: slots that hold what their own type would refuse."""
    slots = call.artifact.slots
    return [
        name
        for _, _, state in call.trace
        for name, held in state.slots.items()
        if slot_value(slots[name], held.value) != held.value
    ]


def unanswered_calls(call: Trace) -> list[str]:
    """Tool calls that got no answer in the step that brought them (requests for actions may be answered
    later).
    """
    broken: list[str] = []
    for event, effects, state in call.trace:
        answered = {effect.call_id for effect in effects if isinstance(effect, fx.AnswerTool)}
        if (
            isinstance(event, ev.TurnReported)
            and event.call_id
            and event.call_id not in answered
            and state.phase != "ended"
        ):
            broken.append(event.call_id)
    return broken


LAWS: Final[Mapping[str, tuple[Callable[[Trace], Iterable[object]], ...]]] = {
    "I2": (undisclosed_effects, words_before_the_verdict),
    "I3": (repeated_deeds,),
    "I6": (unanswered_escalations,),
    "I7": (hasty_transfers,),
    "I8": (invented_transitions, unlawful_actions, wrong_values),
}


# ---- a whole record


def violations(record: Record, artifact: Artifact) -> Iterator[str]:
    """Every invariant a record breaks, as a line that begins with its name; nothing private is in it."""
    yield from _form(record)
    yield from _end(record)
    difference = replay(artifact, record.lines)
    if difference is not None:
        yield f"I9: replayed, the call parts from its record at line {difference.seq}"
        return  # a trace that is not the call's own proves nothing
    call = traced(artifact, record.lines)
    for name, laws in LAWS.items():
        for law in laws:
            if broken := list(law(call)):
                what = law.__name__.replace("_", " ")
                yield f"{name}: {what}: {', '.join(sorted({_kind(one) for one in broken}))}"


def _form(record: Record) -> Iterator[str]:
    if record.changed:
        yield "I12: the record was changed after it was written"
    elif record.torn and record.whole:
        yield f"I12: {record.torn} bytes after the end"
    times = [line["at_ms"] for line in record.lines]
    if any(later < earlier - 1000 for earlier, later in pairwise(times)):
        yield "I12: times run backwards"


def _end(record: Record) -> Iterator[str]:
    ends = [line for line in record.lines if "end" in line]
    if len(ends) != 1:
        yield f"I1: {len(ends)} ends"
        return
    if ends[0]["end"]["reason"] not in REASONS:
        yield "I1: the reason of the end is not one that is known"
    over = [line["at_ms"] for line in record.lines if line.get("event", {}).get("type") == "CallEnded"]
    if over and ends[0]["at_ms"] - over[0] > END_WITHIN_MS:
        yield "I1: the record ended more than a minute after the call"


def _kind(broken: object) -> str:
    """What broke a law, without what anybody said."""
    if isinstance(broken, tuple):
        return " to ".join(str(part) or "the start" for part in broken)
    return broken if isinstance(broken, str) else type(broken).__name__
