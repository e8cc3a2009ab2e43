"""Judging a caller's turn: the model reports it, the graph decides. The order is docs/language.md, "One turn,
in order".

A report is validated whole before anything follows from it. What it may cause is only what the node,
`everywhere`, the triggers and the
ladders of the flow provide.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from runtime.engine import fill
from runtime.engine.conditions import holds
from runtime.engine.effects import AnswerTool, Effect, Flag, Respond, StartTimer
from runtime.engine.events import Scalar
from runtime.engine.nodes import enter, known, open_node, reach_limit, to_confirm
from runtime.engine.slots import clean, slot_value
from runtime.engine.speaking import (
    ASK_AGAIN,
    ASK_REST,
    ask_for,
    await_caller,
    cancel,
    hush,
    read_back,
    say,
    serial,
    tell,
)
from runtime.engine.state import After, Heard, SlotValue, State
from voiceflow_compiler.artifact import Answer, Artifact, Node, Rung

REPORT_WITHIN_MS: Final = 6_000
MAX_REFUSALS: Final = 2
SENTIMENTS: Final = ("positive", "neutral", "negative")
COMPLETING: Final = ("agreement", "answer", "correction", "unclear")


class Report(Struct, frozen=True):
    """A validated report. `dropped` names slots whose values did not fit."""

    heard: Heard
    words: str
    slots: dict[str, Scalar]
    dropped: tuple[str, ...]


def ask_report(artifact: Artifact, state: State, out: list[Effect], turn_id: str) -> State:
    """Have this turn reported: forced under strict control and where only a report makes sense, expected
    under guided control.
    """
    node = artifact.nodes[state.node]
    listening = node.kind == "ask" and state.phase in ("listening", "judging") and not state.leaving
    guided = listening and node.control == "guided" and not state.confirming and not state.visit.opening_due
    cancel(out, "no_input")
    out.append(StartTimer(timer="report", ms=REPORT_WITHIN_MS))
    state = replace(state, judging=turn_id, phase="judging" if listening else state.phase, answer_heard=False)
    if guided:
        state, speech_id = serial(state, "s")
        out.append(Respond(purpose="answer", turn_id=turn_id, speech_id=speech_id))
        return replace(state, asked="answer", answer_speech=speech_id)
    out.append(Respond(purpose="report", turn_id=turn_id))
    return replace(state, asked="report", answer_speech="")


def ask_again(state: State, out: list[Effect], purpose: Literal["report", "classify"]) -> State:
    """Ask for the same report once more: beside the conversation when the model already answered in it."""
    out.append(Respond(purpose=purpose, turn_id=state.judging))
    out.append(StartTimer(timer="report", ms=REPORT_WITHIN_MS))
    return replace(state, asked=purpose)


def validate(artifact: Artifact, state: State, arguments: Mapping[str, Any]) -> Report | str:
    """The report as far as it holds, or why it does not (one plain clause for the model)."""
    intent = arguments.get("intent")
    if not isinstance(intent, str) or intent not in artifact.intents:
        return "intent must be one of the listed intents"
    confidence = arguments.get("confidence")
    if isinstance(confidence, bool) or not isinstance(confidence, (int, float)) or not 0 <= confidence <= 1:
        return "confidence must be a number from 0 to 1"
    raw = arguments.get("slots")
    kept, dropped = given_slots(artifact, raw if isinstance(raw, dict) else {})
    sentiment = arguments.get("sentiment")
    name = intent if confidence >= artifact.confidence else "unclear"
    words = arguments.get("heard")
    return Report(
        heard=Heard(
            name,
            artifact.intents[name].family,
            float(confidence),
            sentiment if sentiment in SENTIMENTS else "neutral",
        ),
        words=clean(words) if isinstance(words, str) else "",
        slots=kept,
        dropped=dropped,
    )


def given_slots(artifact: Artifact, raw: Mapping[Any, Any]) -> tuple[dict[str, Scalar], tuple[str, ...]]:
    """The slot values that fit, and the names of those that do not."""
    given = {name: each for name, each in raw.items() if isinstance(name, str) and each is not None}
    fitted = {name: _slot(artifact, name, each) for name, each in given.items()}
    kept = {name: each for name, each in fitted.items() if each is not None}
    return kept, tuple(sorted(clean(name, 40) for name in fitted.keys() - kept.keys()))


def _slot(artifact: Artifact, name: str, raw: Any) -> Scalar | None:
    slot = artifact.slots.get(name)
    # Keypad slots are filled by keys alone, and secret ones are never in the model's hands.
    return None if slot is None or slot.by_keypad or slot.secret else slot_value(slot, raw)


def refuse(artifact: Artifact, state: State, out: list[Effect], why: str) -> State:
    """Answer the open tool call with what is allowed instead, and flag the attempt."""
    out.append(Flag(kind="turn_refused", detail=why))
    if state.open_call:
        text = fill.brief(artifact, state, None) if state.node else ""
        out.append(AnswerTool(call_id=state.open_call, output=fill.refused(why, artifact.intents, text)))
    return replace(state, open_call="")


def judge(artifact: Artifact, state: State, out: list[Effect], report: Report) -> State:
    """Everything that follows from one understood turn."""
    cancel(out, "report")
    before = state.slots
    state = _counted(artifact, replace(state, judging="", asked="", heard=report.heard), report)
    state = take_slots(artifact, state, report)
    filled = any(name not in before or before[name].value != each.value for name, each in state.slots.items())
    if report.dropped:
        out.append(
            Flag(
                kind="slot_refused",
                detail=", ".join(name for name in report.dropped if name in artifact.slots),
            )
        )
    state = _progress(state, made=filled or report.heard.family == "agreement")
    person = honour_person(artifact, state, out)
    if person is not None:
        return person
    if artifact.nodes[state.node].kind != "ask" or state.leaving or state.phase != "judging":
        return _carry_on(artifact, state, out)
    bound = _bound(artifact, state)
    return (
        reach_limit(artifact, state, out, bound)
        if bound
        else _decide(artifact, state, out, report, filled=filled)
    )


def _counted(artifact: Artifact, state: State, report: Report) -> State:
    counts = state.counts
    counts = replace(
        counts,
        turns=counts.turns + 1,
        negative=counts.negative + 1 if report.heard.sentiment == "negative" else 0,
        unclear=counts.unclear + 1 if report.heard.family == "unclear" else 0,
        silent=0,
    )
    return replace(state, counts=counts)


def _progress(state: State, *, made: bool) -> State:
    return replace(
        state, counts=replace(state.counts, no_progress=0 if made else state.counts.no_progress + 1)
    )


def _bound(artifact: Artifact, state: State) -> str:
    if state.counts.turns > artifact.limits.turns:
        return "turns"
    return "no_progress" if state.counts.no_progress > artifact.limits.no_progress else ""


def take_slots(artifact: Artifact, state: State, report: Report) -> State:
    """Keep every value that fits, whatever the intent. A value given anew is as unsure as the first time."""
    slots = dict(state.slots)
    recheck = state.recheck
    for name, value in report.slots.items():
        held = slots.get(name)
        if held is not None and held.value == value:
            continue
        confirm = artifact.slots[name].confirm
        clear = report.heard.confidence >= artifact.unsure_below
        slots[name] = SlotValue(
            value, confirm == "never" or (confirm == "when_unsure" and clear), report.heard.confidence
        )
        if held is not None and held.sure:
            recheck = name
    return replace(state, slots=slots, recheck=recheck)


def honour_person(artifact: Artifact, state: State, out: list[Effect]) -> State | None:
    """Lead to a person when a trigger holds or the caller asked for one; None when neither."""
    if state.phase in ("delivering", "transferring", "ended") or not state.disclosed:
        return None
    for trigger in artifact.triggers:
        if holds(trigger.when, state) and trigger.go != state.node:
            state = replace(hush(state, out, "handoff"), reason=trigger.reason, leaving=False)
            return enter(artifact, state, out, trigger.go, "trigger")
    if state.heard.family != "escalation":
        return None
    answer = artifact.nodes[state.node].answers.get(state.heard.intent)
    state = replace(
        hush(state, out, "handoff"), reason=state.reason or "the caller asked for a person", leaving=False
    )
    if answer is not None and state.phase == "judging":
        return apply(artifact, state, out, state.heard.intent, answer)
    target = answer.go if answer is not None and answer.go else person_node(artifact)
    return enter(artifact, state, out, target or artifact.limits.go, "escalation")


def person_node(artifact: Artifact) -> str:
    """The node that leads to a person when nothing nearer does: where escalation leads anywhere, else the
    first handoff.
    """
    for node in artifact.nodes.values():
        for intent, answer in node.answers.items():
            if answer.go and artifact.intents[intent].family == "escalation":
                return answer.go
    return next((name for name, node in artifact.nodes.items() if node.kind == "handoff"), "")


def _carry_on(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """A turn heard where the graph does not listen (an action, a goodbye): noted, answered to the model,
    nothing changes.
    """
    if state.open_call:
        state = tell(state, out, fill.brief(artifact, state, None, then="stop" if state.leaving else "wait"))
    return state


def _decide(artifact: Artifact, state: State, out: list[Effect], report: Report, *, filled: bool) -> State:
    """Steps 5 to 9 of a turn at a listening node."""
    node = artifact.nodes[state.node]
    family = state.heard.family
    if state.confirming:
        settled = _settle(artifact, state, out, report)
        if settled is not None:
            return settled
    if family in COMPLETING and (filled or family != "unclear"):
        done = complete(artifact, state, out, node)
        if done is not None:
            return done
    answer = node.answers.get(state.heard.intent)
    opening = state.visit.opening_due
    if answer is not None and not (filled and artifact.intents[state.heard.intent].built_in):
        return apply(artifact, state, out, state.heard.intent, answer)
    if filled and missing(state, node):
        return ask_for(artifact, state, out, ASK_REST, missing(state, node))
    if opening or filled:
        return open_node(artifact, state, out)
    return climb(artifact, state, out, "no_match")


def missing(state: State, node: Node) -> str:
    """The first slot of the node's `collect` that is not known yet."""
    return next((slot for slot in node.collect if not known(state, slot)), "")


def _settle(artifact: Artifact, state: State, out: list[Effect], report: Report) -> State | None:
    """Step 5: the caller's word on a value that was read back. None if the turn was about something else."""
    slot = state.confirming
    if slot in report.slots and state.heard.family != "agreement":
        return read_back(artifact, state, out, slot)
    if state.heard.family == "agreement":
        state = replace(
            state, slots={**state.slots, slot: replace(state.slots[slot], sure=True)}, confirming=""
        )
        node = artifact.nodes[state.node]
        return complete(artifact, state, out, node) or (
            ask_for(artifact, state, out, ASK_REST, missing(state, node))
            if missing(state, node)
            else open_node(artifact, state, out)
        )
    if state.heard.intent in ("denial", "correction"):
        slots = {name: held for name, held in state.slots.items() if name != slot}
        state = replace(state, slots=slots, confirming="", recheck="")
        return ask_for(artifact, state, out, ASK_AGAIN, slot)
    return None


def complete(artifact: Artifact, state: State, out: list[Effect], node: Node) -> State | None:
    """Read back what needs it; go on when everything the node collects is known and sure. None when something
    is missing.
    """
    unsure = to_confirm(artifact, state)
    if unsure:
        return read_back(artifact, state, out, unsure)
    if node.collect and node.filled is not None and not missing(state, node):
        return enter(artifact, state, out, node.filled, "filled")
    return None


def apply(artifact: Artifact, state: State, out: list[Effect], key: str, answer: Answer) -> State:
    """Do what an answer says: go (perhaps after a line), or stay, at most as often as it allows."""
    if answer.go is not None:
        if answer.line is None or (state.model == "lost" and answer.line.say is None):
            return enter(artifact, state, out, answer.go, key)
        return say(artifact, state, out, answer.line, After("enter", answer.go))
    stays = state.visit.stays.get(key, 0) + 1
    if answer.at_most is not None and stays > answer.at_most:
        return (
            enter(artifact, state, out, answer.then, key)
            if answer.then
            else climb(artifact, state, out, "no_match")
        )
    visit = replace(state.visit, stays={**state.visit.stays, key: stays}, opening_due=False)
    state = replace(state, visit=visit)
    if state.asked == "" and state.answer_heard:
        # The model answered in its own words before the turn was classified: saying it again would be heard
        # twice.
        return await_caller(artifact, replace(state, answer_heard=False), out)
    line = answer.line or artifact.nodes[state.node].line
    return (
        await_caller(artifact, state, out)
        if line is None
        else say(artifact, state, out, line, After("listen"))
    )


def climb(artifact: Artifact, state: State, out: list[Effect], cause: str) -> State:
    """Take the next rung of a ladder of the present node."""
    node = artifact.nodes[state.node]
    ladder: tuple[Rung, ...] = node.no_match if cause == "no_match" else node.no_input
    step = state.visit.no_match if cause == "no_match" else state.visit.no_input
    if step >= len(ladder):
        return reach_limit(artifact, state, out, cause)
    visit = state.visit
    visit = replace(visit, no_match=step + 1) if cause == "no_match" else replace(visit, no_input=step + 1)
    state = replace(state, visit=replace(visit, opening_due=False))
    rung = ladder[step]
    if rung.line is None or (state.model == "lost" and rung.line.say is None):
        return enter(artifact, state, out, rung.go, cause) if rung.go else open_node(artifact, state, out)
    return say(artifact, state, out, rung.line, After("enter", rung.go) if rung.go else After("listen"))


def unreported(artifact: Artifact, state: State, out: list[Effect], reason: str) -> State:
    """A turn whose report did not come: asked for once more, then taken as unclear."""
    again = _AGAIN.get(state.asked)
    if again is None or state.visit.refusals >= MAX_REFUSALS:
        return judge(artifact, state, out, UNCLEAR)
    out.append(Flag(kind="turn_unreported", detail=reason if reason in _REASONS else "other"))
    return ask_again(
        replace(state, visit=replace(state.visit, refusals=state.visit.refusals + 1)), out, again
    )


_AGAIN: Final[dict[str, Literal["report", "classify"]]] = {"answer": "classify", "report": "report"}
_REASONS: Final = ("no_call", "failed", "incomplete", "bad_arguments", "too_slow")
UNCLEAR: Final = Report(Heard("unclear", "unclear", 0.0, "neutral"), "", {}, ())


def silence(artifact: Artifact, state: State, out: list[Effect]) -> State:
    """The caller said nothing: triggers, bounds, then the no-input ladder."""
    if state.visit.opening_due and not state.overlap:
        return open_node(artifact, state, out)
    counts = replace(state.counts, silent=state.counts.silent + 1, no_progress=state.counts.no_progress + 1)
    state = replace(state, counts=counts, overlap=False, heard=replace(state.heard, intent="", family=""))
    person = honour_person(artifact, state, out)
    if person is not None:
        return person
    bound = _bound(artifact, state)
    return reach_limit(artifact, state, out, bound) if bound else climb(artifact, state, out, "no_input")
