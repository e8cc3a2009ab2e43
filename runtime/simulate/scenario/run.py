"""A scenario run against the engine, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from runtime.engine.state import State
from runtime.simulate.drive.call import DrivenCall, Outside
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.drive.moves import HangUp, Keys, LoseModel, Move, Silence, Turn
from runtime.simulate.drive.steps import Moment
from runtime.simulate.scenario.form import Line, Scenario
from runtime.simulate.scenario.judge import Failure, judge, see
from voiceflow_compiler.artifact import Artifact

UNSURE = 0.2


class Verdict(Struct, frozen=True):
    """How a scenario went: what was not met, in the order of the turns, and every step by turn."""

    scenario: str
    failures: tuple[Failure, ...]
    segments: tuple[tuple[Moment, ...], ...]
    nodes: tuple[str, ...] = ()

    @property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(moment for segment in self.segments for moment in segment)


def run(
    artifact: Artifact, scenario: Scenario, facts: Mapping[str, Any] | None, hearing: Hearing | None = None
) -> Verdict:
    """Play a scenario at engine level. `facts` is what the CRM holds where the scenario does not say."""
    known = scenario.facts if scenario.facts is not None else facts
    call = DrivenCall(artifact, known, outside(scenario), scenario.number)
    ears = hearing or Hearing(artifact)
    nodes: list[str] = []
    failures: list[Failure] = []
    opening = scenario.turns[0] if scenario.turns[0].opening else None
    turns = scenario.turns[1:] if opening is not None else scenario.turns
    base = 0 if opening is None else 1
    for number, line in enumerate(turns):
        if line.interrupt_after_ms is not None:
            call.interrupt(line.interrupt_after_ms)
        else:
            call.rest()
        nodes.append(call.state.node)
        if call.over:
            path = ("turns", base + number)
            failures.append(
                Failure(path, "turn", _told(line), f"the call was over at {call.state.node or 'its start'}")
            )
            break
        call.do(move(artifact, call.state, line, ears))
    call.rest()
    failures += verdict(artifact, scenario, call.segments, call.heard_ms)
    return Verdict(scenario.scenario, tuple(failures), tuple(call.segments), tuple(nodes))


def verdict(
    artifact: Artifact,
    scenario: Scenario,
    segments: Sequence[tuple[Moment, ...]],
    heard_ms: Sequence[int | None],
) -> list[Failure]:
    """What was not met, given the steps of the opening and of each turn."""
    failures: list[Failure] = []
    offset = 0 if scenario.turns[0].opening else 1
    for number, line in enumerate(scenario.turns):
        at = number + offset
        if at >= len(segments):
            break
        if not segments[at]:
            continue
        heard = heard_ms[at - 1] if at else None
        failures += judge(artifact, line.must, see(segments[at], heard), ("turns", number, "must"))
    whole = [moment for segment in segments for moment in segment]
    failures += judge(artifact, scenario.ends, see(whole), ("ends",))
    return failures


def outside(scenario: Scenario) -> Outside:
    """What the office and people do in this scenario."""
    office = {name: (told,) if isinstance(told, dict) else told for name, told in scenario.office.items()}
    person = scenario.person
    return Outside(office, (person,) if isinstance(person, str) else person)


def move(artifact: Artifact, state: State, line: Line, ears: Hearing) -> Move:
    """What the caller does in this line."""
    if line.say:
        return ears.hear(state, line.say)
    if line.mumble:
        return Turn("unclear", confidence=UNSURE)
    if line.silence:
        return Silence()
    if line.key:
        return Keys(line.key)
    if line.hang_up:
        return HangUp()
    if line.lose_model:
        return LoseModel()
    intent = line.intent or ("answer" if "answer" in artifact.intents else "unclear")
    sure = line.confidence if line.confidence is not None else UNSURE if intent == "unclear" else 0.95
    return Turn(intent, line.slots, sure, line.sentiment or "neutral")


def _told(line: Line) -> str:
    deed = line.say or line.intent or line.key or ("silence" if line.silence else "a turn")
    return f"the caller's turn ({deed})"
