"""A whole call without sound or sockets: the engine, the stand-in's policy and a caller, on a clock that
only jumps.

Everything the shell would do is done here at once and in the simplest way that keeps the order of things:
speech lasts as long as its words, a caller waits for their turn, an action answers from the caller's
`office`. The events and effects are those of a real call, so that a record made of them replays like any
other.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec.structs import replace

from runtime.engine import effects as orders
from runtime.engine import events
from runtime.engine.effects import Effect
from runtime.engine.events import Event
from runtime.engine.state import State
from runtime.engine.step import start, step
from runtime.session.stand_in.policy import decide
from runtime.session.stand_in.turns import Call, Entry, Policy, Say, Turn
from runtime.simulate.drive.moves import UNKNOWN
from runtime.simulate.mind import Mind, answer, interruption, said
from runtime.simulate.profile import Line, Profile
from voiceflow_compiler.artifact import Artifact

MS_PER_CHARACTER: Final = 60
TURN_ENDS_MS: Final = 500
OUTSIDE_MS: Final = 200
REPORT: Final = {"type": "function", "name": "take_turn"}
CHOICES: Final[Mapping[str, Any]] = {"report": REPORT, "classify": REPORT, "answer": "auto", "speak": "none"}
MOST_EVENTS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line of the conversation as it was heard. `who` is assistant or caller."""

    at_ms: int
    who: str
    node: str | None
    text: str


@dataclass(frozen=True, slots=True)
class CallMade:
    """A simulated call that is over."""

    outcome: str | None
    ends_at: str | None
    nodes: tuple[str, ...]
    spoken: tuple[Spoken, ...]
    events: tuple[Event, ...]
    effects: tuple[tuple[Effect, ...], ...]


@dataclass(frozen=True, slots=True)
class _CallerActs:
    """The caller does this line now (`line`), or asks themselves whether it is their turn (None)."""

    line: Line | None = None


@dataclass(slots=True)
class _World:
    """Everything around the engine on one call."""

    artifact: Artifact
    facts: Mapping[str, Any] | None
    policy: Policy
    mind: Mind
    now: int = 0
    node: str | None = None
    outcome: str | None = None
    over: bool = False
    instructions: str = ""
    calendar: list[tuple[int, int, Event | _CallerActs]] = field(default_factory=list)
    serial: int = 0
    timers: dict[str, int] = field(default_factory=dict)
    speaking: dict[str, tuple[int, str]] = field(default_factory=dict)  # speech -> when it ends, its words
    quiet_since: int = 0
    my_turn: bool = False
    entries: list[Entry] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)

    def later(self, ms: int, what: Event | _CallerActs) -> None:
        self.serial += 1
        heapq.heappush(self.calendar, (self.now + ms, self.serial, what))


def simulate(
    artifact: Artifact, profile: Profile, facts: Mapping[str, Any] | None, *, policy: Policy = decide
) -> CallMade:
    """One call by this caller, about whom the CRM holds `facts` (None: nothing), with this model."""
    world = _World(artifact, facts, policy, Mind(profile))
    begun = events.CallStarted(at_ms=0, call_id="CA" + "0" * 32, caller_number=profile.number)
    state, ordered = start(artifact, begun)
    happened: list[Event] = [begun]
    answered: list[tuple[Effect, ...]] = [ordered]
    _obey(world, ordered)
    while (event := _next(world)) is not None and len(happened) < MOST_EVENTS:
        state, ordered = step(artifact, state, event)
        happened.append(event)
        answered.append(ordered)
        _obey(world, ordered)
    return CallMade(
        _outcome(world, state),
        world.node,
        tuple(world.nodes),
        tuple(world.spoken),
        tuple(happened),
        tuple(answered),
    )


def _outcome(world: _World, state: State) -> str | None:
    return state.outcome or world.outcome


# ---- what happens next


def _next(world: _World) -> Event | None:
    """The next event; None once the call is over."""
    while world.calendar and not world.over:
        at, serial, what = heapq.heappop(world.calendar)
        world.now = max(world.now, at)
        match what:
            case _CallerActs():
                _caller(world, what.line)
                continue
            case events.TimerFired(timer=timer) if world.timers.get(timer) != serial:
                continue
            case events.PlaybackFinished(speech_id=speech_id):
                if speech_id not in world.speaking:
                    continue
                _finish(world, speech_id)
            case events.CallEnded():
                world.over = True
        return replace(what, at_ms=world.now)
    return None


def _finish(world: _World, speech_id: str) -> None:
    _, words = world.speaking.pop(speech_id)
    world.spoken.append(Spoken(world.now, "assistant", world.node, words))
    _fall_silent(world)


def _fall_silent(world: _World) -> None:
    if not world.speaking:
        world.quiet_since = world.now
        world.later(world.mind.profile.patience_ms, _CallerActs())


# ---- the caller


def _caller(world: _World, line: Line | None) -> None:
    """Do this line (an interruption that came due), or take the turn if it is the caller's."""
    if line is not None:
        if world.speaking and interruption(world.mind, world.node) is line:
            world.mind = said(world.mind, world.mind.next_line, world.node)
            _do(world, line)
        return
    quiet = not world.speaking and world.now - world.quiet_since >= world.mind.profile.patience_ms
    if not quiet or not world.my_turn:
        return
    world.my_turn = False
    world.mind, chosen = answer(world.mind, world.node)
    if chosen is not None:
        _do(world, chosen)


def _do(world: _World, line: Line) -> None:
    """The events a caller's line leads to."""
    if line.text:
        world.spoken.append(Spoken(world.now, "caller", world.node, line.text))
    if line.hang_up:
        world.later(0, events.CallEnded(at_ms=0, reason="caller_hangup"))
    for place, key in enumerate(line.key or ""):
        world.later(160 * place, events.DtmfPressed(at_ms=0, digit=key))
    if line.say or line.mumble:
        world.serial += 1
        words = line.say or ""
        turn_id = f"turn_{world.serial}"
        world.later(0, events.CallerSpeechStarted(at_ms=0))
        lasts = MS_PER_CHARACTER * len(line.text) + TURN_ENDS_MS
        world.later(lasts, events.CallerTurn(at_ms=0, turn_id=turn_id, text=words))
        # What the model hears is in the conversation before anybody asks about the turn.
        world.entries.append(Entry("user", words))


# ---- the orders


def _obey(world: _World, ordered: Sequence[Effect]) -> None:
    for order in ordered:
        obey = _ORDERS.get(type(order))
        if obey is not None:
            obey(world, order)


def _open_session(world: _World, order: orders.OpenSession) -> None:
    world.instructions = order.instructions
    world.later(OUTSIDE_MS, events.SessionRestored(at_ms=0))


def _look_up(world: _World, order: orders.LookUpContext) -> None:
    if world.facts is None:
        world.later(OUTSIDE_MS, events.ContextMissing(at_ms=0, reason="unknown_caller"))
    else:
        world.later(OUTSIDE_MS, events.ContextLoaded(at_ms=0, facts=dict(world.facts), source=order.source))


def _play(world: _World, order: orders.PlayScript) -> None:
    world.entries.append(Entry("assistant", order.text))
    _speak(world, order.speech_id, order.text)


def _speak(world: _World, speech_id: str, words: str) -> None:
    begins = max([world.now, *(ends for ends, _ in world.speaking.values())])
    lasts = MS_PER_CHARACTER * len(words)
    world.speaking[speech_id] = (begins + lasts, words)
    world.my_turn = True
    done = events.PlaybackFinished(at_ms=0, speech_id=speech_id, text=words)
    world.later(begins + lasts - world.now, done)
    wish = interruption(world.mind, world.node)
    if wish is not None:
        world.later(begins - world.now + min(wish.interrupt_after_ms or 0, lasts - 1), _CallerActs(wish))


def _respond(world: _World, order: orders.Respond) -> None:
    artifact = world.artifact
    tools = tuple(
        {"type": "function", "name": t.name, "description": t.description, "parameters": t.parameters}
        for t in artifact.tools
    )
    choice = CHOICES[order.purpose]
    turn = Turn(world.instructions, tools, choice, tuple(world.entries), "audio", {"purpose": order.purpose})
    outputs = tuple(world.policy(turn))
    said = " ".join(output.text for output in outputs if isinstance(output, Say))
    calls = [output for output in outputs if isinstance(output, Call)]
    for call in calls:
        _call(world, order, call)
    if order.turn_id and not any(call.name == REPORT["name"] for call in calls):
        world.later(1, events.TurnUnreported(at_ms=0, turn_id=order.turn_id))
    if said and order.speech_id:
        world.entries.append(Entry("assistant", said))
        _speak(world, order.speech_id, said)
    elif order.speech_id and order.purpose == "speak":
        world.later(1, events.SpeechFailed(at_ms=0, speech_id=order.speech_id, reason="no_audio"))


def _call(world: _World, order: orders.Respond, output: Call) -> None:
    world.serial += 1
    call_id = None if order.purpose == "classify" else f"call_{world.serial}"
    arguments = _arguments(output.arguments)
    world.entries.append(Entry("call", output.arguments, output.name, call_id or ""))
    if output.name == REPORT["name"]:
        turn_id = order.turn_id or ""
        told = events.TurnReported(at_ms=0, turn_id=turn_id, call_id=call_id, arguments=arguments)
        world.later(1, told)
    elif call_id is not None:
        asked = events.ActionRequested(at_ms=0, call_id=call_id, action=output.name, arguments=arguments)
        world.later(1, asked)


def _arguments(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _stop(world: _World, order: orders.StopSpeaking) -> None:
    for speech_id, (ends, words) in list(world.speaking.items()):
        del world.speaking[speech_id]
        lasts = MS_PER_CHARACTER * len(words)
        heard_ms = max(0, lasts - (ends - world.now))
        heard = words[: heard_ms // MS_PER_CHARACTER]
        world.spoken.append(Spoken(world.now, "assistant", world.node, heard + "…"))
        world.later(
            0, events.PlaybackInterrupted(at_ms=0, speech_id=speech_id, heard_ms=heard_ms, text=heard)
        )


def _run(world: _World, order: orders.RunAction) -> None:
    result = result_of(world.artifact, world.mind.profile, order.action)
    if result == UNKNOWN and world.artifact.actions[order.action].changes_something:
        lost = events.ActionUnknown(at_ms=0, run_id=order.run_id, reason="lost", final=True)
        world.later(OUTSIDE_MS, lost)
    elif isinstance(result, str):
        world.later(OUTSIDE_MS, events.ActionFailed(at_ms=0, run_id=order.run_id, reason=result))
    else:
        world.later(OUTSIDE_MS, events.ActionSucceeded(at_ms=0, run_id=order.run_id, result=result))


def result_of(artifact: Artifact, profile: Profile, action: str) -> dict[str, Any] | str:
    """What the office answers on this call: the caller's own result over plain values of the right types,
    or why not.
    """
    told = profile.office.get(action, {})
    if "fails" in told:
        return str(told["fails"])
    plain = {name: _PLAIN.get(kind, "done") for name, kind in artifact.actions[action].returns.items()}
    return {**plain, **told}


_PLAIN: Final[Mapping[str, Any]] = {
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "money": 1.0,
    "date": "2026-12-01",
    "time": "10:00",
}


def _deliver(world: _World, order: orders.DeliverPackage) -> None:
    world.later(
        OUTSIDE_MS, events.PackageDelivered(at_ms=0, handoff_id=order.handoff_id, receipt="simulated")
    )


def _transfer(world: _World, order: orders.Transfer) -> None:
    handoff_id = order.handoff_id
    match world.mind.profile.person:
        case "accepts":
            world.later(OUTSIDE_MS, events.TransferAccepted(at_ms=0, handoff_id=handoff_id))
        case "declines":
            world.later(OUTSIDE_MS, events.TransferRefused(at_ms=0, handoff_id=handoff_id, reason="declined"))
        case "busy" | "no_answer" as reason:
            world.later(OUTSIDE_MS, events.TransferUnanswered(at_ms=0, handoff_id=handoff_id, reason=reason))


def _start_timer(world: _World, order: orders.StartTimer) -> None:
    world.later(order.ms, events.TimerFired(at_ms=0, timer=order.timer))
    world.timers[order.timer] = world.serial


def _cancel_timer(world: _World, order: orders.CancelTimer) -> None:
    world.timers.pop(order.timer, None)


def _enter(world: _World, order: orders.EnterNode) -> None:
    world.node = order.node
    world.nodes.append(order.node)


def _end(world: _World, order: orders.EndCall) -> None:
    reason = "transferred" if order.reason == "transferred" else "assistant_hangup"
    world.later(0, events.CallEnded(at_ms=0, reason=reason))


_ORDERS: Final[Mapping[type[Effect], Callable[[_World, Any], None]]] = {
    orders.LookUpContext: _look_up,
    orders.OpenSession: _open_session,
    orders.PlayScript: _play,
    orders.Brief: lambda world, order: world.entries.append(Entry("system", order.text)),
    orders.Respond: _respond,
    orders.StopSpeaking: _stop,
    orders.AnswerTool: lambda world, order: world.entries.append(
        Entry("output", order.output, call_id=order.call_id)
    ),
    orders.RunAction: _run,
    orders.StartTimer: _start_timer,
    orders.CancelTimer: _cancel_timer,
    orders.DeliverPackage: _deliver,
    orders.Transfer: _transfer,
    orders.SetOutcome: lambda world, order: setattr(world, "outcome", order.outcome),
    orders.EnterNode: _enter,
    orders.EndCall: _end,
}
