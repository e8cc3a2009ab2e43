"""Engine steps a second over the calls of every caller of the shipped flows, as their records would be
replayed.
"""

from __future__ import annotations

import msgspec

from benchmarks.figures import Figure, Floor, Goal, cpu_seconds
from runtime.engine.events import Event
from runtime.engine.step import start, step
from runtime.simulate.engine_level import simulate
from tests.flows.shipped import CALLERS, artifact, caller, facts
from voiceflow_compiler.artifact import Artifact

Call = tuple[Artifact, tuple[Event, ...]]


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """Every event of every call once, as values; the floor reads the same events from their JSON."""
    calls = [_call(flow, name) for flow, name in CALLERS]
    count = sum(len(events) for _, events in calls)
    lines = [msgspec.json.encode(event) for _, events in calls for event in events]
    decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
    repeats = 3 if quick else 41
    stepping = cpu_seconds(lambda: _replay(calls), repeats)
    reading = cpu_seconds(lambda: [decoder.decode(line) for line in lines], repeats)
    floor = Floor("msgspec decode of the same events", count / reading)
    goal = Goal("value", "at_least", 100_000)
    return (
        Figure(f"engine steps over {len(calls)} simulated calls", count / stepping, "per_s", floor, goal),
    )


def _call(flow: str, name: str) -> Call:
    profile = caller(flow, name)
    compiled = artifact(flow)
    return compiled, simulate(compiled, profile, facts(flow, profile.number)).events


def _replay(calls: list[Call]) -> None:
    for compiled, events in calls:
        state, _ = start(compiled, events[0])  # type: ignore[arg-type]  # a call's first event is CallStarted
        for event in events[1:]:
            state, _ = step(compiled, state, event)
