"""A person asked for in any words, at any node, in any state: brought, or told why not, within one turn.

Whether words mean that is for the speech model to say. The stand-in knows the examples of a flow and no more,
so that its figure for other words is a floor, printed and not promised.
"""

from itertools import product
from typing import Any

import pytest

from runtime.engine import effects as fx
from runtime.engine import events as ev
from runtime.engine.state import State
from runtime.engine.step import step
from runtime.session.stand_in.policy import understand
from runtime.session.stand_in.prompt import Brief, IntentLine
from runtime.simulate.llm.recall import OPENERS, PHRASES
from tests.flows.shipped import artifact
from tests.runtime.engine.test_exhaustive import walk
from voiceflow_compiler.artifact import Artifact

FLOWS = ("lead_qualification", "appointment_scheduling", "insurance_claim")
PER_STATE = 40  # states looked at for each node and phase


def exact(flow: Artifact) -> list[tuple[str, str]]:
    """What a designer wrote as examples of asking for a person, bare and after what people begin with."""
    return [
        (f"{opener}{example}", name)
        for opener in OPENERS
        for name, intent in flow.intents.items()
        if intent.family == "escalation" and not intent.built_in
        for example in intent.examples
    ]


def heard(flow: Artifact, words: str) -> str:
    """What the stand-in takes these words for."""
    listed = [IntentLine(name, one.family, tuple(one.examples)) for name, one in flow.intents.items()]
    return understand(words, listed, list(flow.intents), Brief("anywhere"), {}).intent


def sample(flow: Artifact) -> list[State]:
    """States of every node and phase in which a caller can be heard, and is not being handed over already.
    With the model lost nobody is understood: the flow's own way for that leads on.
    """
    states, _, _ = walk(flow, most=3_000)
    found: dict[tuple[str, str], list[State]] = {}
    for state in states.values():
        handed = state.speech is not None and state.speech.after.kind == "transfer"
        if state.model == "lost" or handed:
            continue
        if state.disclosed and state.node and state.phase in ("listening", "judging", "speaking", "acting"):
            found.setdefault((state.node, state.phase), []).append(state)
    return [state for many in found.values() for state in many[:: max(1, len(many) // PER_STATE)]]


def answered(flow: Artifact, state: State, intent: str) -> bool:
    """Whether a turn of this meaning brings a person, or says why not, before anything else is asked."""
    out: list[Any] = []

    def happen(kind: type[Any], **told: Any) -> None:
        nonlocal state
        state, effects = step(flow, state, kind(at_ms=state.at_ms + 10, **told))
        out.extend(effects)

    turn = state.judging or "asked"
    if not state.judging:
        happen(ev.CallerTurn, turn_id=turn)
    for _ in range(6):  # what is being done or said first comes to its end; then the turn is heard
        if state.judging:  # an earlier turn is judged first, as one that was not understood
            meant = intent if state.judging == turn else "unclear"
            last = state.judging == turn
            told = {"intent": meant, "confidence": 0.95, "heard": "", "sentiment": "neutral"}
            happen(ev.TurnReported, turn_id=state.judging, call_id="c", arguments=told)
            if last:
                break
            continue
        if state.murmur:
            happen(ev.TimerFired, timer="murmur")
        elif state.runs:
            happen(ev.ActionFailed, run_id=next(iter(state.runs)), reason="timeout")
        elif state.speech:
            happen(ev.PlaybackFinished, speech_id=state.speech.id, text="said")
    if state.phase == "ended":
        return True  # the good-bye was on its way
    people = [e for e in out if isinstance(e, fx.EnterNode) and flow.nodes[e.node].kind == "handoff"]
    after = state.speech.after if state.speech else None
    leads = after is not None and after.kind == "enter" and flow.nodes[after.node].kind == "handoff"
    reason = any(isinstance(e, fx.Flag) and e.kind == "limit_reached" for e in out)
    return bool(people) or leads or reason


@pytest.mark.parametrize("name", FLOWS)
def test_row_42_a_person_asked_for_is_brought_within_a_turn(name: str) -> None:
    """Every phrase a designer gave, in every state a caller can be heard in: 100 %."""
    flow = artifact(name)
    states = sample(flow)
    phrases = exact(flow)
    meanings = {heard(flow, words) for words, _ in phrases}
    assert [words for words, meant in phrases if heard(flow, words) != meant] == []
    missed = [
        (state.node, state.phase, intent)
        for state, intent in product(states, sorted(meanings))
        if not answered(flow, state, intent)
    ]
    assert missed == []


def test_other_words_are_counted_not_promised(capsys: pytest.CaptureFixture[str]) -> None:
    """How many of the other phrases the stand-in takes for asking for a person is printed with the flow."""
    for name in FLOWS:
        flow = artifact(name)
        found = [one for one in PHRASES if flow.intents[heard(flow, one)].family == "escalation"]
        with capsys.disabled():
            print(
                f"\n{name}: {len(exact(flow))} exact phrases all; others {len(found)} of {len(PHRASES)}",
                end="",
            )
        assert len(PHRASES) + len(exact(flow)) >= 190
