"""Calls in sound at once over the whole stack, in one process: telephones, server and stand-in model.

What is told is how many cores they keep busy while they last. The scenarios of the shipped flows are the
calls; every one of them must hold, or the figure is of no use and the benchmark fails.
"""

from __future__ import annotations

from itertools import cycle, islice
from time import process_time
from typing import Final

from benchmarks.figures import Figure, Floor, Goal
from runtime.simulate.scenario.form import read_scenarios
from runtime.simulate.scenario.many import Job
from runtime.simulate.scenario.sound import ring_all
from tests.flows.shipped import FLOWS, ROOT, artifact, facts, read_yaml

CALLS: Final = 20
QUICK_CALLS: Final = 3
HURRIED: Final = 6.0


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """The floor is as many times what one call takes that has the process to itself."""
    speed, calls = (HURRIED, QUICK_CALLS) if quick else (1.0, CALLS)
    _cores(1, HURRIED)  # not counted: what is imported and made ready once
    alone = _cores(1, speed) * calls
    together = _cores(calls, speed) * calls
    floor = Floor(f"{calls} times one call alone", alone)
    goal = Goal("value", "at_most", 2)
    return (Figure(f"cores that {calls} calls in sound at once keep busy", together, "times", floor, goal),)


def _cores(calls: int, speed: float) -> float:
    """The CPU seconds that a second of a call takes when so many are had at once."""
    jobs = list(islice(cycle(_jobs()), calls))
    artifacts = {flow: artifact(flow) for flow in FLOWS}
    began = process_time()
    ran = ring_all(artifacts, jobs, at_once=calls, voice="tones", speed=speed)
    spent = process_time() - began
    wrong = [one.scenario for one in ran if one.failures]
    if wrong:
        raise RuntimeError(f"calls did not go as their scenarios say: {', '.join(wrong)}")
    # a call's seconds pass `speed` times as fast: told as at its real pace
    return spent / sum(one.seconds for one in ran if not one.skipped) / speed


def _jobs() -> list[Job]:
    """The scenarios of every shipped flow, in turn."""
    return [
        Job(flow, scenario, _known(flow, scenario.number), str(path))
        for flow in FLOWS
        for path in sorted((ROOT / "flows" / flow / "scenarios").glob("*.yaml"))
        for scenario, _ in read_scenarios(read_yaml(path))
        if scenario.locale is None
    ]


def _known(flow: str, number: str | None) -> dict[str, str] | None:
    found = facts(flow, number)
    return None if found is None else dict(found)
