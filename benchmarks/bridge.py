"""What the bridge costs a call, beside a bare relay that carries the same sound on the same libraries.

Both run in a process of their own, talk to a stand-in in a third and to telephones in this one, and are
measured by their CPU time between the first ring and the last hang-up. A first call on each is not
counted. The caller, their words, the words they hear and the length of the calls are the same; the
relay's model recites what the bridge's model said.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import world
from benchmarks.figures import Figure, Floor, Goal
from benchmarks.world import Carried, Place
from runtime.simulate.clock import hurried

FRAMES_PER_S: Final = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. `speed`: times real time, on the clocks of every process."""

    calls: int
    rounds: int
    speed: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What some calls cost: CPU seconds, and the frames of 20 ms they were, in both directions."""

    cpu_s: float
    calls: int
    said: int
    heard: int


FULL: Final = Plan(calls=10, rounds=3, speed=2.0)
QUICK: Final = Plan(calls=2, rounds=1, speed=8.0)


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """CPU time a call, a second of a call, and a frame."""
    plan = QUICK if quick else FULL
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=hurried(plan.speed)) as runner,
    ):
        rounds = runner.run(_measure(Path(folder), plan))
    return _figures(rounds)


async def _measure(folder: Path, plan: Plan) -> list[tuple[Cost, Cost]]:
    async with world.bridge(folder, speed=plan.speed) as bridge:
        first = (await world.calls(bridge, 1))[0]
        texts = world.said_by_turn(bridge.records / f"{first.ended.call_id}.jsonl")
        async with world.relay(texts, speed=plan.speed) as relay:
            await world.calls(relay, 1, hang_up_after=first.said)
            return [await _round(bridge, relay, plan.calls) for _ in range(plan.rounds)]


async def _round(bridge: Place, relay: Place, calls: int) -> tuple[Cost, Cost]:
    ours = await _cost(bridge, calls, None)
    return ours, await _cost(relay, calls, round(ours.said / calls))


async def _cost(at: Place, calls: int, hang_up_after: int | None) -> Cost:
    before = await at.child.cpu_s()
    carried: list[Carried] = await world.calls(at, calls, hang_up_after=hang_up_after)
    await asyncio.sleep(1.0)  # what is left to do after a hang-up belongs to the call
    cpu_s = await at.child.cpu_s() - before
    return Cost(cpu_s, calls, sum(one.said for one in carried), sum(one.heard for one in carried))


def _figures(rounds: list[tuple[Cost, Cost]]) -> tuple[Figure, ...]:
    ours, bare = _middle([one for one, _ in rounds]), _middle([one for _, one in rounds])
    floor = "bare relay"
    lasts = ours.said / ours.calls / FRAMES_PER_S
    return (
        Figure(
            f"bridge, CPU a call of {lasts:.0f} s",
            1000 * ours.cpu_s / ours.calls,
            "ms",
            Floor(floor, 1000 * bare.cpu_s / bare.calls),
            Goal("ratio", "at_most", 1.3),
        ),
        Figure(
            "bridge, CPU a second of a call",
            1000 * ours.cpu_s / ours.said * FRAMES_PER_S,
            "ms",
            Floor(floor, 1000 * bare.cpu_s / bare.said * FRAMES_PER_S),
        ),
        Figure(
            "bridge, CPU a frame of 20 ms (either way)",
            1e6 * ours.cpu_s / (ours.said + ours.heard),
            "us",
            Floor(floor, 1e6 * bare.cpu_s / (bare.said + bare.heard)),
        ),
        Figure("frames heard by callers", ours.heard, "count", Floor(floor, bare.heard)),
    )


def _middle(costs: list[Cost]) -> Cost:
    """The round with the median CPU time a frame."""
    wanted = median(sorted(one.cpu_s / one.said for one in costs))
    return min(costs, key=lambda one: abs(one.cpu_s / one.said - wanted))
