"""Many scenarios at engine level, in one process or in several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from time import perf_counter
from typing import Any

from msgspec import Struct

from runtime.simulate.cover.goals import Goal
from runtime.simulate.cover.seen import Track
from runtime.simulate.drive.hearing import Hearing
from runtime.simulate.scenario.form import Scenario
from runtime.simulate.scenario.judge import Failure
from runtime.simulate.scenario.run import run
from voiceflow_compiler.artifact import Artifact, decode

CHUNK = 50


class Job(Struct, frozen=True):
    """One scenario to run. `flow` is the key of its artifact, `place` says where it stands."""

    flow: str
    scenario: Scenario
    facts: dict[str, Any] | None
    place: str


class Ran(Struct, frozen=True):
    """One scenario that was run: what was not met, and what of its flow, named as in the job, it reached."""

    place: str
    scenario: str
    failures: tuple[Failure, ...]
    goals: frozenset[Goal]
    seconds: float
    skipped: str = ""
    flow: str = ""


def run_all(artifacts: Mapping[str, Artifact], jobs: Sequence[Job], processes: int) -> Iterator[Ran]:
    """Run them, in order. More processes than one are worth their start for thousands of scenarios."""
    if processes <= 1 or len(jobs) <= CHUNK:
        yield from run_some(artifacts, jobs)
        return
    from voiceflow_compiler.artifact import encode

    kept = {name: encode(artifact) for name, artifact in artifacts.items()}
    chunks = [jobs[at : at + CHUNK] for at in range(0, len(jobs), CHUNK)]
    with ProcessPoolExecutor(processes, initializer=_open, initargs=(kept,)) as pool:
        for done in pool.map(_run_chunk, chunks):
            yield from done


def run_some(artifacts: Mapping[str, Artifact], jobs: Iterable[Job]) -> Iterator[Ran]:
    """Run them here."""
    ears = {name: Hearing(artifact) for name, artifact in artifacts.items()}
    for job in jobs:
        began = perf_counter()
        artifact = artifacts[job.flow]
        verdict = run(artifact, job.scenario, job.facts, ears[job.flow])
        goals = frozenset(Track(artifact).follow(verdict.moments))
        yield Ran(job.place, verdict.scenario, verdict.failures, goals, perf_counter() - began, flow=job.flow)


_KEPT: dict[str, bytes] = {}


def _open(kept: dict[str, bytes]) -> None:
    _KEPT.update(kept)


@lru_cache(maxsize=64)
def _artifact(name: str) -> Artifact:
    return decode(_KEPT[name])


def _run_chunk(jobs: Sequence[Job]) -> list[Ran]:
    return list(run_some({job.flow: _artifact(job.flow) for job in jobs}, jobs))
