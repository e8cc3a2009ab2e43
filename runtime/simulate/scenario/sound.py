"""Scenarios over the full audio stack: the caller's turns become lines of a synthetic caller on a telephone,
and the record the real server wrote is judged by the same rules.

A turn given as an intent is said in an example of that intent; one that has no words (a lost model, a value
nobody could say) leaves the scenario to the engine level, and the report says so.
"""

from __future__ import annotations

import asyncio
import csv
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

from rich.console import Console

from runtime import record
from runtime.engine import events
from runtime.simulate import profile
from runtime.simulate.clock import paced
from runtime.simulate.command import place_one, quiet_log
from runtime.simulate.cover.seen import Track
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.drive.recorded import moments_of
from runtime.simulate.drive.steps import Moment
from runtime.simulate.live import Screen
from runtime.simulate.scenario.form import Line, Scenario
from runtime.simulate.scenario.judge import Failure
from runtime.simulate.scenario.many import Job, Ran
from runtime.simulate.scenario.run import run, verdict
from voiceflow_compiler.artifact import Artifact

NUMBER: Final = "+12025550150"


def ring_all(
    artifacts: Mapping[str, Artifact], jobs: Sequence[Job], *, at_once: int, voice: str, speed: float = 1.0
) -> list[Ran]:
    """Place every scenario's call, so many at once, in order."""

    async def place_all() -> list[Ran]:
        lines = asyncio.Semaphore(at_once)

        async def place(job: Job) -> Ran:
            async with lines:
                return await _ring(artifacts[job.flow], job, voice)

        return list(await asyncio.gather(*(place(job) for job in jobs)))

    # what a server would be alerted to is what many a scenario is about
    with quiet_log(logging.ERROR), asyncio.Runner(loop_factory=paced(speed)) as runner:
        return runner.run(place_all())


async def _ring(artifact: Artifact, job: Job, voice: str) -> Ran:
    began = perf_counter()
    caller = caller_of(artifact, job.scenario, job.facts)
    if isinstance(caller, str):
        return Ran(job.place, job.scenario.scenario, (), frozenset(), 0.0, skipped=caller, flow=job.flow)
    with TemporaryDirectory(prefix="vfc-test-") as home:
        folder = Path(home)
        known = job.scenario.facts if job.scenario.facts is not None else job.facts
        _crm(folder / "crm.csv", caller.number or "", known)
        made = await place_one(artifact, folder, caller, folder / "out", voice, Screen(Console(quiet=True)))
        lines = record.read(made.folder / "call.jsonl").lines
    moments = moments_of(artifact, lines)
    segments, heard_ms, missing = split(job.scenario, moments)
    failures = verdict(artifact, job.scenario, segments, heard_ms)
    if missing is not None:
        failures.insert(0, Failure(("turns", missing), "turn", "the caller's turn", "it was never heard"))
    goals = frozenset(Track(artifact).follow(moments))
    return Ran(
        job.place, job.scenario.scenario, tuple(failures), goals, perf_counter() - began, flow=job.flow
    )


def _crm(path: Path, number: str, facts: Mapping[str, Any] | None) -> None:
    """A CRM that knows this caller and nobody else."""
    row = {"phone": number, **(facts or {})}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        if facts is not None:
            writer.writerow(row)


def caller_of(
    artifact: Artifact, scenario: Scenario, facts: Mapping[str, Any] | None
) -> profile.Profile | str:
    """The caller who does the turns of a scenario, or why no voice can."""
    ears = Hearing(artifact)
    at_engine = run(artifact, scenario, facts, ears)
    turns = [line for line in scenario.turns if not line.opening]
    lines: list[profile.Line] = []
    for number, line in enumerate(turns):
        node = at_engine.nodes[number] if number < len(at_engine.nodes) else None
        state = at_engine.segments[number][-1].after if number < len(at_engine.segments) else None
        spoken = _line(artifact, line, node)
        if isinstance(spoken, str):
            return f"turn {number + 1}: {spoken}"
        if (line.intent or line.slots) and spoken.say and state is not None:
            heard = ears.hear(state, spoken.say)
            if (line.intent or heard.intent) != heard.intent or not line.slots.items() <= heard.slots.items():
                return f"turn {number + 1}: no words of the flow mean just this here"
        lines.append(spoken)
    office: dict[str, dict[str, profile.Scalar]] = {}
    for name, told in scenario.office.items():
        if not isinstance(told, dict):
            return f"{name} answers differently from call to call"
        office[name] = {field: value for field, value in told.items() if field != "takes_ms"}
    people = scenario.person
    person = people if isinstance(people, str) else people[0]
    if not at_engine.moments or at_engine.moments[-1].after.phase != "ended":
        lines.append(profile.Line(hang_up=True))  # the scenario stops here, so the caller does
    says = tuple(lines) or (profile.Line(silence=True),)
    return profile.Profile(
        name=scenario.scenario, says=says, number=scenario.number or NUMBER, office=office, person=person
    )


def _line(artifact: Artifact, line: Line, node: str | None) -> profile.Line | str:
    wait = line.interrupt_after_ms
    if line.lose_model:
        return "the model is lost on purpose at engine level only"
    if line.silence:
        return profile.Line(at=node, pause=True)
    if line.key:
        return profile.Line(at=node, key=line.key, interrupt_after_ms=wait)
    if line.hang_up:
        return profile.Line(at=node, hang_up=True, interrupt_after_ms=wait)
    if line.mumble or line.intent == "unclear":
        return profile.Line(at=node, mumble=True, interrupt_after_ms=wait)
    if line.sentiment or line.confidence is not None:
        return "no voice can be told how sure or how happy to sound"
    words = line.say or _words(artifact, line)
    return profile.Line(at=node, say=words, interrupt_after_ms=wait) if words else "nobody can say this"


def _words(artifact: Artifact, line: Line) -> str:
    if line.slots:
        return " and ".join(str(value).replace("_", " ") for value in line.slots.values())
    intent = artifact.intents.get(line.intent or "")
    return intent.examples[0] if intent is not None and intent.examples else ""


def split(
    scenario: Scenario, moments: Sequence[Moment]
) -> tuple[list[tuple[Moment, ...]], list[int | None], int | None]:
    """The steps of a recorded call by turn of a scenario, when each turn was heard, and the first turn that
    never was.
    """
    segments: list[tuple[Moment, ...]] = []
    heard: list[int | None] = []
    began = at = 0
    for number, line in enumerate(scenario.turns):
        if line.opening:
            continue
        found = next((place for place in range(at, len(moments)) if _is(line, moments[place])), None)
        if found is None:
            segments.append(tuple(moments[began:]))
            return segments, heard, number
        segments.append(tuple(moments[began:found]))
        heard.append(moments[found].event.at_ms)
        began, at = found, found + len(line.key or "x")
    hung_up = any(line.hang_up for line in scenario.turns)
    last = [moment for moment in moments[began:] if hung_up or not _leaves(moment)]
    segments.append(tuple(last))
    return segments, heard, None


def _leaves(moment: Moment) -> bool:
    """The caller hangs up because the scenario has no more turns."""
    return isinstance(moment.event, events.CallEnded) and moment.event.reason == "caller_hangup"


def _is(line: Line, moment: Moment) -> bool:
    """Whether this step is the caller's turn of this line, heard."""
    match moment.event:
        case events.CallerTurn():
            return bool(line.say or line.intent or line.slots or line.mumble)
        case events.DtmfPressed(digit=digit):
            return line.key is not None and digit == line.key[0]
        case events.TimerFired(timer="no_input") | events.NoInput():
            return line.silence and moment.before is not None and moment.before.phase == "listening"
        case events.CallEnded(reason="caller_hangup"):
            return line.hang_up
    return False
