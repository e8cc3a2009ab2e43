"""Whole calls a second at engine level, on one core: synthetic callers of every kind, judged and counted."""

from __future__ import annotations

from random import Random

from benchmarks.figures import Figure, Floor, Goal, cpu_seconds
from runtime.engine.events import CallStarted
from runtime.engine.step import start, step
from runtime.simulate.cover.classes import contexts
from runtime.simulate.crowd.kinds import KINDS
from runtime.simulate.crowd.person import Caller
from runtime.simulate.crowd.run import MOST_TURNS, wishes_of
from runtime.simulate.crowd.spread import crowd
from runtime.simulate.drive.call import DrivenCall, Outside
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.drive.steps import Moment
from tests.flows.shipped import artifact
from voiceflow_compiler.artifact import Artifact

FLOW = "lead_qualification"


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """The floor is the engine alone over the events of such calls: no caller, no office, no judge."""
    compiled = artifact(FLOW)
    wishes = wishes_of(list(KINDS), 140 if quick else 1400, 1)
    repeats = 1 if quick else 5
    calls = [_events(compiled, kind, seed) for kind in KINDS for seed in range(10)]
    stepping = cpu_seconds(lambda: _step(compiled, calls), repeats)
    taken = cpu_seconds(lambda: list(crowd(compiled, wishes)), repeats)
    floor = Floor("the engine alone", len(calls) / stepping)
    goal = Goal("value", "at_least", 1_000)
    name = f"simulated calls, {len(KINDS)} kinds of callers"
    return (Figure(name, len(wishes) / taken, "per_s", floor, goal),)


def _events(compiled: Artifact, kind: str, seed: int) -> tuple[Moment, ...]:
    chance = Random(seed)
    call = DrivenCall(compiled, chance.choice(contexts(compiled)), Outside())
    caller = Caller(compiled, KINDS[kind], chance, Hearing(compiled))
    for _ in range(MOST_TURNS):
        call.rest()
        if call.over:
            break
        call.do(caller.turn(call.state))
    call.rest()
    return call.moments


def _step(compiled: Artifact, calls: list[tuple[Moment, ...]]) -> None:
    for moments in calls:
        begun = moments[0].event
        assert isinstance(begun, CallStarted)
        state, _ = start(compiled, begun)
        for moment in moments[1:]:
            state, _ = step(compiled, state, moment.event)
