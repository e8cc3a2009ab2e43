"""The events a move leads to, and what follows by itself until the call rests again. Pure.

Time is made up as it would pass: speech lasts 60 ms a character, an action what its move says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from runtime.engine import events
from runtime.engine.effects import Effect, PlayScript, StopSpeaking
from runtime.engine.state import State
from runtime.engine.step import start, step
from runtime.session.stand_in.prompt import brief
from runtime.simulate.drive.moves import (
    UNKNOWN,
    Answered,
    Desk,
    HangUp,
    Keys,
    LoseModel,
    Move,
    Office,
    Silence,
    Turn,
)
from voiceflow_compiler.artifact import Artifact

MS_PER_CHARACTER: Final = 60
TURN_ENDS_MS: Final = 500
OUTSIDE_MS: Final = 200
KEY_MS: Final = 160
MOST_STEPS: Final = 60  # between two rests; the engine's own bounds end every call long before
CALL_ID: Final = "CA" + "0" * 32
PLAIN: Final[Mapping[str, Any]] = {
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "money": 1.0,
    "date": "2026-12-01",
    "time": "10:00",
    "email": "someone@example.com",
    "phone": "+12025550100",
    "digits": "1234",
}


class Moment(Struct, frozen=True):
    """One step of the engine: the state before (None: the call began here), what happened, what was
    ordered, the state after.
    """

    before: State | None
    event: events.Event
    effects: tuple[Effect, ...]
    after: State


class Steps:
    """Steps of one call since some state, collected."""

    __slots__ = ("artifact", "moments", "now", "reports", "state")

    def __init__(self, artifact: Artifact, state: State, now: int) -> None:
        self.artifact = artifact
        self.state = state
        self.now = now
        self.moments: list[Moment] = []
        self.reports: dict[str, Turn] = {}

    def send(self, event: events.Event) -> tuple[Effect, ...]:
        before = self.state
        self.state, effects = step(self.artifact, before, event)
        self.moments.append(Moment(before, event, effects, self.state))
        return effects

    # ---- what follows by itself

    def settle(self) -> None:
        """Let speech end and turns be understood, until somebody has a choice."""
        for _ in range(MOST_STEPS):
            state = self.state
            if state.judging:
                self._report(state.judging)
            elif state.speech is not None and state.phase == "speaking":
                self._finish()
            else:
                return

    def _report(self, turn_id: str) -> None:
        turn = self.reports.pop(turn_id, None)
        if turn is None:
            self.send(events.TurnUnreported(at_ms=self.now, turn_id=turn_id))
            return
        told: dict[str, Any] = {
            "intent": turn.intent,
            "confidence": turn.confidence,
            "slots": turn.slots,
            "sentiment": turn.sentiment,
            "heard": turn.words,
        }
        self.send(events.TurnReported(at_ms=self.now, turn_id=turn_id, arguments=told))

    def _finish(self) -> None:
        speech = self.state.speech
        assert speech is not None
        words = words_of(self.state)
        self.now += MS_PER_CHARACTER * len(words)
        self.send(events.PlaybackFinished(at_ms=self.now, speech_id=speech.id, text=words))

    # ---- into the assistant's speech

    def interrupt(self, after_ms: int) -> None:
        """Let the assistant speak for so long; what is said then is said into its speech, where it still
        speaks.
        """
        for _ in range(MOST_STEPS):
            state = self.state
            if state.judging:
                self._report(state.judging)
                continue
            if state.speech is None or state.phase != "speaking":
                return
            lasts = MS_PER_CHARACTER * len(words_of(state))
            if lasts > after_ms:
                self.now += after_ms
                return
            after_ms -= lasts
            self._finish()

    # ---- moves

    def do(self, move: Move) -> None:
        """The events of this move; what follows from them by itself is left to `settle`."""
        _DEEDS[type(move)](self, move)

    def say(self, turn: Turn) -> None:
        cut = self.state.speech
        ordered = self.send(events.CallerSpeechStarted(at_ms=self.now))
        if cut is not None and any(isinstance(effect, StopSpeaking) for effect in ordered):
            self.send(events.PlaybackInterrupted(at_ms=self.now, speech_id=cut.id))
        self.now += MS_PER_CHARACTER * max(len(turn.words), 8) + TURN_ENDS_MS
        turn_id = f"t{self.state.serial}.{len(self.state.transcript)}"
        self.reports[turn_id] = turn
        self.send(events.CallerTurn(at_ms=self.now, turn_id=turn_id, text=turn.words))

    def press(self, keys: Keys) -> None:
        for digit in keys.digits:
            self.now += KEY_MS
            self.send(events.DtmfPressed(at_ms=self.now, digit=digit))

    def wait(self, _: Silence) -> None:
        node = self.artifact.nodes.get(self.state.node)
        self.now += node.no_input_after_ms if node is not None else 0
        self.send(events.TimerFired(at_ms=self.now, timer="no_input"))

    def hang_up(self, _: HangUp) -> None:
        self.send(events.CallEnded(at_ms=self.now, reason="caller_hangup"))

    def lose(self, _: LoseModel) -> None:
        self.send(events.SessionLost(at_ms=self.now, reason="closed", final=True))

    def act(self, office: Office) -> None:
        run_id = self.state.run or next(iter(self.state.runs), "")
        name = self.state.runs.get(run_id, "")
        began = self.now
        waiting = self.artifact.nodes[self.state.node].while_waiting if self.state.node else None
        if waiting is not None and office.takes_ms > 1000:
            self.now = began + 1000
            self.send(events.TimerFired(at_ms=self.now, timer="waiting"))
        self.now = began + office.takes_ms
        action = self.artifact.actions.get(name)
        if action is not None and office.takes_ms > action.within_ms * (action.retries + 1):
            self.send(events.ActionFailed(at_ms=self.now, run_id=run_id, reason="too_slow"))
        elif office.fails == UNKNOWN and action is not None and action.changes_something:
            self.send(events.ActionUnknown(at_ms=self.now, run_id=run_id, reason="lost", final=True))
        elif office.fails or action is None:
            self.send(events.ActionFailed(at_ms=self.now, run_id=run_id, reason=office.fails))
        else:
            plain = {field: PLAIN.get(kind, "done") for field, kind in action.returns.items()}
            result = {**plain, **office.result}
            self.send(events.ActionSucceeded(at_ms=self.now, run_id=run_id, result=result))

    def deliver(self, desk: Desk) -> None:
        self.now += OUTSIDE_MS
        handoff_id = self.state.handoff_id
        if desk.fails:
            event: events.Event = events.PackageFailed(
                at_ms=self.now, handoff_id=handoff_id, reason=desk.fails
            )
        else:
            event = events.PackageDelivered(at_ms=self.now, handoff_id=handoff_id, receipt="simulated")
        self.send(event)

    def answer(self, answered: Answered) -> None:
        self.now += OUTSIDE_MS
        handoff_id = self.state.handoff_id
        match answered.person:
            case "accepts":
                event: events.Event = events.TransferAccepted(at_ms=self.now, handoff_id=handoff_id)
            case "declines":
                event = events.TransferRefused(at_ms=self.now, handoff_id=handoff_id, reason="declined")
            case reason:
                event = events.TransferUnanswered(at_ms=self.now, handoff_id=handoff_id, reason=reason)
        self.send(event)


_DEEDS: Final[dict[type, Callable[[Steps, Any], None]]] = {
    Turn: Steps.say,
    Keys: Steps.press,
    Silence: Steps.wait,
    HangUp: Steps.hang_up,
    LoseModel: Steps.lose,
    Office: Steps.act,
    Desk: Steps.deliver,
    Answered: Steps.answer,
}


def begin(artifact: Artifact, facts: Mapping[str, Any] | None, number: str | None = None) -> Steps:
    """A call that was just answered; `facts` is what the CRM holds about the caller (None: nothing)."""
    begun = events.CallStarted(at_ms=0, call_id=CALL_ID, caller_number=number)
    state, effects = start(artifact, begun)
    steps = Steps(artifact, state, 0)
    steps.moments.append(Moment(None, begun, effects, state))
    if not state.settled:
        steps.now = OUTSIDE_MS
        if facts is None:
            steps.send(events.ContextMissing(at_ms=steps.now, reason="unknown_caller"))
        else:
            steps.send(
                events.ContextLoaded(at_ms=steps.now, facts=dict(facts), source=artifact.fact_source or "")
            )
    return steps


def advance(artifact: Artifact, state: State, move: Move) -> tuple[Moment, ...]:
    """Everything from this move to the next rest."""
    steps = Steps(artifact, state, state.at_ms)
    steps.do(move)
    steps.settle()
    return tuple(steps.moments)


def words_of(state: State) -> str:
    """What the assistant says now: the exact words, or the wording the design gives as a sample."""
    speech = state.speech
    if speech is None:
        return ""
    return speech.text if speech.scripted else _modelled(speech.brief)


@lru_cache(maxsize=4096)
def _modelled(text: str) -> str:
    read = brief(text)
    return read.words if read is not None else ""


def spoken(moment: Moment) -> str:
    """What the assistant was heard to say in this step, "" for nothing; asides of no speech included."""
    event = moment.event
    if isinstance(event, events.PlaybackFinished | events.PlaybackInterrupted):
        return event.text
    known = moment.after.speech.id if moment.after.speech is not None else ""
    asides = [
        effect.text
        for effect in moment.effects
        if isinstance(effect, PlayScript) and effect.speech_id != known
    ]
    return " ".join(asides)
