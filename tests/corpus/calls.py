"""Calls by random callers at compiled flows, and what must hold on each: the engine's laws as monitors.

A caller here says anything, keys anything, talks over, keeps silent and hangs up; the model, the carrier, the
CRM and the desks answer well, badly, late or with an id of their own. Equal seeds give equal calls.
"""

import sys
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from runtime import audit
from runtime.engine import effects as fx
from runtime.engine import events as ev
from tests.generate import small_flow
from tests.runtime.engine.world import Call
from voiceflow_compiler.artifact import Artifact, Slot

FLOWS, CALLS = 500, 20
MOST_STEPS = 300

# A few values for each type, right ones and wrong ones.
VALUES: dict[str, tuple[Any, ...]] = {
    "text": ("hello", "", 5),
    "integer": (5, 60, 500, -1, "7", 2.5),
    "number": (0.5, 1, -3, "x"),
    "money": (20, 999.5, 5000, "much"),
    "boolean": (True, False, "maybe"),
    "date": ("2026-12-01", "2026-13-01", "tomorrow"),
    "time": ("09:30", "25:00"),
    "phone": ("+15550100", "none"),
    "email": ("a@b.example", "a"),
    "digits": ("1234", "12", "abcd"),
}
SENTIMENTS = ("positive", "neutral", "neutral", "negative")


def called(artifact: Artifact, seed: int, *, hostile: bool = True, says: str | None = None) -> Call:
    """One call, to its end or to `MOST_STEPS`. `says` is the only thing a caller means, when given."""
    rng = Random(seed)
    call = Call.begin(artifact)
    for _ in range(MOST_STEPS):
        if call.ended:
            break
        if hostile and rng.random() < 0.06:
            _surprise(call, rng)
        else:
            _proceed(call, rng, says)
    return call


def _proceed(call: Call, rng: Random, says: str | None) -> None:
    """What comes next on an ordinary call."""
    state = call.state
    if not state.settled and rng.random() < 0.7:
        call.send(ev.ContextLoaded, facts=_facts(call, rng))
    elif state.speech is not None:
        if state.speech.protected or rng.random() < 0.9:
            call.finish_speech()
        else:
            call.send(ev.PlaybackInterrupted, speech_id=call.speaking, heard_ms=10, text="o")
    elif state.phase == "listening":
        _speak(call, rng, says)
    elif state.run:
        _act(call, rng)
    elif state.phase == "delivering":
        _choose(call, rng, (ev.PackageDelivered, {}), (ev.PackageFailed, {"reason": "500"}))
    elif state.phase == "transferring":
        _choose(call, rng, (ev.TransferAccepted, {}), (ev.TransferUnanswered, {}), (ev.TransferRefused, {}))
    else:
        _time_passes(call)


def _speak(call: Call, rng: Random, says: str | None) -> None:
    intents = [name for name in call.artifact.intents if name != "unclear"]
    dice = rng.random()
    if says is not None or dice < 0.75:
        slots = {} if says else _slots(call, rng)
        helpful = ["answer", "agreement", "again"] if slots else ["agreement", "again"]
        intent = says or rng.choice(helpful if rng.random() < 0.7 else intents)
        if intent not in call.artifact.intents:
            intent = "agreement"
        confidence = 0.95 if says else rng.choice((0.95, 0.95, 0.6, 0.2))
        call.turn(intent, confidence=confidence, slots=slots, sentiment=rng.choice(SENTIMENTS))
    elif dice < 0.85:
        for digit in rng.choice(("1", "2", "1234#", "#", "9")):
            if not call.ended:
                call.send(ev.DtmfPressed, digit=digit)
    elif dice < 0.99:
        _time_passes(call)
    else:
        call.send(ev.CallEnded, reason="caller_hangup")


def _slots(call: Call, rng: Random) -> dict[str, Any]:
    wanted = [name for name in call.artifact.nodes[call.state.node].collect if rng.random() < 0.7]
    if rng.random() < 0.2:
        wanted.append(rng.choice([*call.artifact.slots, "nonsense"]))
    return {name: rng.choice(_values(call.artifact.slots.get(name))) for name in wanted}


def _values(slot: Slot | None) -> tuple[Any, ...]:
    if slot is None:
        return ("x",)
    return (*slot.choices, "none of them") if slot.type == "choice" else VALUES[slot.type]


def _facts(call: Call, rng: Random) -> dict[str, Any]:
    facts = call.artifact.facts
    known = [name for name in facts if rng.random() < 0.6]
    return {name: rng.choice(facts[name].choices or VALUES[facts[name].type]) for name in known}


def _act(call: Call, rng: Random) -> None:
    run = call.state.run
    action = call.artifact.actions[call.state.runs[run]] if run in call.state.runs else None
    if rng.random() < 0.6 and action is not None:
        result = {name: VALUES[type_][0] for name, type_ in action.returns.items() if rng.random() < 0.95}
        call.send(ev.ActionSucceeded, run_id=run, result=result)
    elif rng.random() < 0.8:
        call.send(ev.ActionFailed, run_id=run, reason="500")
    else:
        _time_passes(call)


def _choose(call: Call, rng: Random, *events: tuple[type, dict[str, Any]]) -> None:
    kind, fields = rng.choice(events)
    call.send(kind, handoff_id=call.state.handoff_id, **fields)


def _time_passes(call: Call) -> None:
    if call.timers:
        call.fire(min(call.timers, key=call.timers.__getitem__))
    else:
        call.send(ev.NoInput)


def _surprise(call: Call, rng: Random) -> None:
    """Something that should not come now."""
    stale = rng.choice([*call.speeches[-2:], "bogus"])
    surprises: list[tuple[type, dict[str, Any]]] = [
        (ev.PlaybackFinished, {"speech_id": stale, "text": "x"}),
        (ev.SpeechFailed, {"speech_id": stale, "reason": "failed"}),
        (ev.SessionLost, {"reason": "1001", "final": rng.random() < 0.3}),
        (ev.SessionRestored, {}),
        (ev.CallerSpeechStarted, {}),
        (ev.CallerTurn, {"turn_id": "t0"}),
        (ev.TurnReported, {"turn_id": "t0", "call_id": "c0", "arguments": {"intent": 3}}),
        (ev.TurnUnreported, {"turn_id": "t0"}),
        (ev.ActionRequested, {"call_id": "c9", "action": "book", "arguments": {}}),
        (ev.ActionSucceeded, {"run_id": "r9", "result": {}}),
        (ev.TransferAccepted, {"handoff_id": "h9"}),
        (ev.PackageDelivered, {"handoff_id": "h9"}),
        (ev.DtmfPressed, {"digit": "5"}),
    ]
    kind, fields = rng.choice(surprises)
    call.send(kind, **fields)


# ---- what must hold


def wrong_values(call: Call) -> list[tuple[str, object]]:
    """Slot values that do not fit their type or their bounds."""
    return [
        (name, held.value)
        for name, held in call.state.slots.items()
        if not _fits(call.artifact.slots[name], held.value)
    ]


def _fits(slot: Slot, value: Any) -> bool:
    match slot.type:
        case "choice":
            return value in slot.choices
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "number" | "money":
            low = slot.minimum if slot.minimum is not None else value
            high = slot.maximum if slot.maximum is not None else value
            return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        case "email":
            return isinstance(value, str) and "@" in value
        case _:
            return isinstance(value, str) and value != ""


def unheard_requests(call: Call) -> list[int]:
    """Where a caller asked for a person a fourth time in vain."""
    asked, broken = 0, []
    for at, (event, effects, _) in enumerate(call.trace):
        if any(_is_person(call, effect) for effect in effects):
            asked = 0
        elif isinstance(event, ev.TurnReported) and event.arguments.get("intent") == "wants_person":
            asked += event.arguments.get("confidence", 0) > 0.5 and event.turn_id != "t0"
            if asked > 3:
                broken.append(at)
    return broken


def _is_person(call: Call, effect: fx.Effect) -> bool:
    return isinstance(effect, fx.EnterNode) and call.artifact.nodes[effect.node].kind == "handoff"


def hasty_transfers(call: Call) -> list[fx.Effect]:
    """Warm transfers before their package was acknowledged."""
    acknowledged: set[str] = set()
    broken: list[fx.Effect] = []
    for event, effects, _ in call.trace:
        if isinstance(event, ev.PackageDelivered):
            acknowledged.add(event.handoff_id)
        for effect in effects:
            if isinstance(effect, fx.Transfer) and effect.mode == "warm":
                broken += [] if effect.handoff_id in acknowledged else [effect]
    return broken


def confused_keys(call: Call) -> list[str]:
    """Idempotency keys under which two different things were asked for."""
    first: dict[str, tuple[str, str]] = {}
    broken: list[str] = []
    for effect in call.effects(fx.RunAction):
        asked = (effect.action, repr(sorted(effect.arguments.items())))
        broken += [effect.action] if first.setdefault(effect.idempotency_key, asked) != asked else []
    return broken


def unagreed_changes(call: Call) -> list[str]:
    """Actions that change something for a caller who said no yes and pressed no key before."""
    broken: list[str] = []
    for event, effects, _ in call.trace:
        if isinstance(event, ev.DtmfPressed) or _is_yes(call, event):
            break
        ran = [effect.action for effect in effects if isinstance(effect, fx.RunAction)]
        broken += [action for action in ran if call.artifact.actions[action].changes_something]
    return broken


def _is_yes(call: Call, event: ev.Event) -> bool:
    meant = event.arguments.get("intent") if isinstance(event, ev.TurnReported) else None
    known = call.artifact.intents.get(meant) if isinstance(meant, str) else None
    return known is not None and known.family == "agreement"


def endless(call: Call) -> list[str]:
    """A call that is not over after `MOST_STEPS`."""
    return [] if call.ended else [call.state.phase]


LAWS: tuple[Callable[[Call], list[Any]], ...] = (
    audit.undisclosed_effects,
    hasty_transfers,
    audit.invented_transitions,
    audit.unlawful_actions,
    audit.unanswered_calls,
    wrong_values,
    unheard_requests,
    confused_keys,
    unagreed_changes,
    endless,
)


def broken_laws(call: Call) -> Iterator[str]:
    """The laws that a call breaks, by name, with what broke them."""
    for law in LAWS:
        found = law(call)
        if found:
            yield f"{law.__name__}: {found[:2]}"


def prove(flows: int, calls: int) -> tuple[int, list[str]]:
    """How many calls were made at generated flows, and everything found: findings first, then broken laws."""
    from tests.corpus.corpus import artifact_of, findings

    made, told = 0, []
    for seed in range(flows):
        text = small_flow(seed)
        told += [f"flow {seed}: {each.code} {each.message}" for each in findings(text)]
        artifact = artifact_of(text)
        for number in range(calls):
            call = called(artifact, seed * 1000 + number, hostile=number % 2 == 0)
            told += [f"flow {seed}, call {number}: {law}" for law in broken_laws(call)]
            made += 1
    return made, told


if __name__ == "__main__":
    started = time.process_time()
    made, told = prove(FLOWS, CALLS)
    print(*told[:40], sep="\n")
    seconds = time.process_time() - started
    print(f"{FLOWS} generated flows, {made} calls: {len(told)} findings and broken laws ({seconds:.0f} s)")
    sys.exit(bool(told))
