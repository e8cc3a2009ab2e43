"""The laws over every state of the shipped flows: a breadth-first walk through all that callers, model and
outside can do.

States are told apart by everything that decides what may happen next, except the whole-call counters, whose
bounds the random laws cover.
"""

from collections import deque
from pathlib import Path
from typing import Any

import pytest

from runtime.audit import edges
from runtime.engine import effects as fx
from runtime.engine import events as ev
from runtime.engine.state import State
from runtime.engine.step import start, step
from voiceflow_compiler.artifact import Artifact, Fact, Slot
from voiceflow_compiler.pipeline import compile as compile_flow

FLOWS = sorted(path.parent for path in Path("flows").glob("*/flow.yaml"))
MOST = 300_000
PART = 40_000  # of a flow with more states than a change should wait for
LARGE = ("lead_qualification",)
VALUES: dict[str, list[Any]] = {
    "text": ["blue"],
    "integer": [1, 60],
    "number": [1, 60],
    "boolean": [True, False],
    "date": ["2026-12-01"],
    "time": ["10:30"],
    "money": [100],
    "phone": ["+15550100"],
    "email": ["dana@example.com"],
    "digits": ["123456"],
}


def decisive(artifact: Artifact, space: str = "slots") -> set[str]:
    """The slots (or facts) that some condition of the flow reads: only their values can tell two states
    apart."""
    key = (artifact.content_hash, space)
    if key not in _DECISIVE:
        _DECISIVE[key] = _read(artifact, space)
    return _DECISIVE[key]


_DECISIVE: dict[tuple[str, str], set[str]] = {}


def _read(artifact: Artifact, space: str) -> set[str]:
    found: set[str] = set()

    def read(expr: Any) -> None:
        if isinstance(expr, list):
            if expr[:2] == ["name", space]:
                found.add(expr[2])
            for part in expr:
                read(part)

    for node in artifact.nodes.values():
        for case in node.cases:
            read(case.when)
    for trigger in artifact.triggers:
        read(trigger.when)
    return found


def values(artifact: Artifact, name: str) -> list[Any]:
    """A value of every class that a condition can tell apart; one where no condition reads the slot."""
    slot = artifact.slots[name]
    return classes(slot) if name in decisive(artifact) else classes(slot)[:1]


def contexts(artifact: Artifact) -> list[dict[str, Any]]:
    """The caller's facts, each decisive one varied alone and all together, and the unknown caller."""
    each = {name: classes(artifact.facts[name]) for name in decisive(artifact, "facts")}
    alone = [{name: value} for name, found in each.items() for value in found]
    return [
        {},
        *alone,
        {name: found[0] for name, found in each.items()},
        {name: found[-1] for name, found in each.items()},
    ]


def classes(slot: Slot | Fact) -> list[Any]:
    """A value or two of every class a slot or fact has."""
    if slot.choices:
        return list(slot.choices)
    if isinstance(slot, Fact):
        return VALUES[slot.type] if slot.type != "integer" else [0, 1, 5]
    low, high = slot.minimum, slot.maximum
    if slot.type in ("integer", "number", "money") and (low is not None or high is not None):
        return [int(each) for each in (low, high) if each is not None]
    if slot.type == "digits":
        return ["1234567890"[: slot.min_length or slot.max_length or 6]]
    return VALUES[slot.type]


def moves(artifact: Artifact, state: State) -> list[dict[str, Any]]:
    """Every event that can matter here, as constructor arguments with the class under `kind`."""
    found: list[dict[str, Any]] = []
    if state.speech is not None:
        found.append({"kind": ev.PlaybackFinished, "speech_id": state.speech.id, "text": "said"})
        found.append({"kind": ev.SpeechFailed, "speech_id": state.speech.id, "reason": "failed"})
    if state.judging:
        found += [
            {"kind": ev.TurnReported, "turn_id": state.judging, "call_id": "c", "arguments": each}
            for each in reports(artifact, state)
        ]
        found.append({"kind": ev.TurnUnreported, "turn_id": state.judging})
    elif len(state.pending) < 1:
        found += [{"kind": ev.CallerTurn, "turn_id": f"t{state.serial}"}, {"kind": ev.CallerSpeechStarted}]
    if state.phase == "listening":
        found.append({"kind": ev.TimerFired, "timer": "no_input"})
        found += [{"kind": ev.DtmfPressed, "digit": key} for key in keys(artifact, state)]
    for run in state.runs:
        name = state.runs[run]
        returns = {field: VALUES[kind][0] for field, kind in artifact.actions[name].returns.items()}
        found.append({"kind": ev.ActionSucceeded, "run_id": run, "result": returns})
        found.append({"kind": ev.ActionFailed, "run_id": run, "reason": "500"})
    if state.phase == "delivering":
        found.append({"kind": ev.PackageDelivered, "handoff_id": state.handoff_id})
        found.append({"kind": ev.PackageFailed, "handoff_id": state.handoff_id, "reason": "500"})
    if state.phase == "transferring":
        found.append({"kind": ev.TransferAccepted, "handoff_id": state.handoff_id})
        found.append({"kind": ev.TransferUnanswered, "handoff_id": state.handoff_id})
    if state.model == "up":
        found.append({"kind": ev.SessionLost, "reason": "1001", "final": True})
    if not state.settled:
        found.append({"kind": ev.ContextMissing, "reason": "unknown"})
        found += [{"kind": ev.ContextLoaded, "facts": each} for each in contexts(artifact)]
    return found


def keys(artifact: Artifact, state: State) -> list[str]:
    """The keys that mean something here: those the node answers, and the next one of a keypad slot."""
    node = artifact.nodes[state.node]
    due = [name for name in node.collect if artifact.slots[name].by_keypad and name not in state.slots]
    digits = str(values(artifact, due[0])[0]) if due else ""
    return [*node.keys, digits[len(state.digits) : len(state.digits) + 1] or "#"]


def reports(artifact: Artifact, state: State) -> list[dict[str, Any]]:
    """One report for each intent answered here, for each value collected here, and for the rest."""
    node = artifact.nodes[state.node]
    intents = dict.fromkeys((*node.answers, "agreement", "denial", "unclear"))
    found = [
        {"intent": name, "confidence": 0.95, "sentiment": "neutral"}
        for name in intents
        if name in artifact.intents
    ]
    for slot in node.collect:
        if slot not in state.slots or not state.slots[slot].sure:
            found += [
                {"intent": "answer", "confidence": 0.95, "slots": {slot: value}}
                for value in values(artifact, slot)
            ]
    return found


def identity(artifact: Artifact, state: State) -> tuple[Any, ...]:
    """What tells two states apart here."""
    speech = (
        None
        if state.speech is None
        else (state.speech.after.kind, state.speech.after.node, state.speech.failures, state.speech.scripted)
    )
    told = decisive(artifact)
    slots = tuple(
        (name, held.sure, held.value if name in told else None) for name, held in sorted(state.slots.items())
    )
    facts = tuple(state.facts.get(name) for name in sorted(decisive(artifact, "facts")))
    flags = (
        state.disclosed,
        state.settled,
        state.model,
        state.leaving,
        state.lost_taken,
        state.overlap,
        state.ends_after_report,
    )
    visit = (state.visit.no_match + state.visit.no_input, bool(state.visit.stays), state.visit.opening_due)
    asked = (
        len(state.digits),
        bool(state.judging),
        state.asked,
        len(state.pending),
        bool(state.runs),
        state.confirming,
        state.handoff,
    )
    return (state.phase, state.node, speech, slots, facts, flags, visit, asked)


def walk(artifact: Artifact, most: int) -> tuple[dict[tuple[Any, ...], State], set[str], list[str]]:
    """Every state that can be reached (the first found of each kind, up to `most`), every node entered, every
    law broken."""
    allowed = edges(artifact)
    entered: set[str] = set()
    begun = ev.CallStarted(at_ms=0, call_id="CA1", caller_number="+15550100")
    state, _ = start(artifact, begun)
    seen = {identity(artifact, state): state}
    queue = deque([state])
    broken: list[str] = []
    while queue and len(seen) < most:
        state = queue.popleft()
        for move in moves(artifact, state) if state.phase != "ended" else ():
            kind = move.pop("kind")
            event = kind(at_ms=state.at_ms + 100, **move)
            after, effects = step(artifact, state, event)
            entered |= {effect.node for effect in effects if isinstance(effect, fx.EnterNode)}
            broken += laws_broken(artifact, allowed, state, event, after, effects)
            key = identity(artifact, after)
            if key not in seen:
                seen[key] = after
                queue.append(after)
    return seen, entered, broken


def laws_broken(
    artifact: Artifact,
    allowed: set[tuple[str, str]],
    before: State,
    event: ev.Event,
    after: State,
    effects: Any,
) -> list[str]:
    """The laws that this one step breaks, in words."""
    broken: list[str] = []
    at = before.node
    for effect in effects:
        match effect:
            case fx.EnterNode(node=node):
                broken += [] if (at, node) in allowed else [f"4: {at} -> {node} is no edge"]
                at = node
            case fx.Respond() | fx.RunAction() | fx.DeliverPackage() | fx.Transfer() if not after.disclosed:
                broken.append(f"1: {type(effect).__name__} before the disclosure")
            case fx.Transfer(mode="warm") if not (
                isinstance(event, ev.PlaybackFinished | ev.SpeechFailed) and before.handoff_id
            ):
                broken.append("2: a warm transfer out of order")
            case fx.RunAction(action=name) if (
                artifact.nodes[after.node].action != name and not artifact.actions[name].on_request
            ):
                broken.append(f"4: {name} run at {after.node}")
    report = event.arguments if isinstance(event, ev.TurnReported) else {}
    escalates = (
        report.get("intent") in artifact.intents and artifact.intents[report["intent"]].family == "escalation"
    )
    if escalates and before.phase not in ("delivering", "transferring") and after.phase != "ended":
        people = [
            e.node
            for e in effects
            if isinstance(e, fx.EnterNode) and artifact.nodes[e.node].kind == "handoff"
        ]
        broken += [] if people or _leads_to_person(artifact, after) else [f"5: no person from {before.node}"]
    if (
        "ended" == after.phase != before.phase
        and not any(isinstance(e, fx.EndCall) for e in effects)
        and not isinstance(event, ev.CallEnded)
    ):
        broken.append("3: ended without hanging up")
    return broken


def _leads_to_person(artifact: Artifact, state: State) -> bool:
    after = state.speech.after if state.speech is not None else None
    return after is not None and after.kind == "enter" and artifact.nodes[after.node].kind == "handoff"


def ends(artifact: Artifact, state: State) -> bool:
    """Whether a world that only lets speech end and clocks run brings this state to its end within 200
    events."""
    for number in range(200):
        if state.phase == "ended":
            return True
        timer = ("context", "no_input", "report", "action", "package", "transfer", "reconnect", "call")[
            number % 8
        ]
        event: ev.Event = ev.TimerFired(at_ms=state.at_ms + 100, timer=timer)
        if state.speech is not None and number % 8 != 7:
            event = ev.PlaybackFinished(at_ms=state.at_ms + 100, speech_id=state.speech.id, text="said")
        state, _ = step(artifact, state, event)
    return state.phase == "ended"


SMALL_OR_LONG = [
    pytest.param(folder, id=folder.name, marks=[pytest.mark.long] if folder.name in LARGE else [])
    for folder in FLOWS
]


@pytest.mark.parametrize("folder", SMALL_OR_LONG)
def test_every_state_of_a_shipped_flow_obeys_the_laws(folder: Path) -> None:
    """No step from any reachable state breaks a law, every node is reached, and every state leads to an
    end."""
    artifact = compile_flow(str(folder / "flow.yaml")).artifact
    assert artifact is not None
    states, entered, broken = walk(artifact, most=MOST)
    assert len(states) < MOST, "the walk stopped before it had seen every state"
    assert sorted(set(broken)) == []
    assert set(artifact.nodes) - entered == {artifact.start}
    assert endless(artifact, states) == []


@pytest.mark.parametrize("name", LARGE)
def test_the_first_states_of_a_large_flow_obey_the_laws(name: str) -> None:
    """No step from the states nearest to the beginning of a large flow breaks a law, and each leads to an
    end."""
    artifact = compile_flow(f"flows/{name}/flow.yaml").artifact
    assert artifact is not None
    states, _, broken = walk(artifact, most=PART)
    assert sorted(set(broken)) == []
    assert endless(artifact, states) == []


def endless(artifact: Artifact, states: dict[tuple[Any, ...], State]) -> list[str]:
    """The nodes of states (every seventh is tried) that a world of clocks alone does not end."""
    some = list(states.values())[::7]
    return [state.node for state in some if not ends(artifact, state)]
