"""What the bridge costs a call, beside a bare relay that carries the same sound on the same libraries.

Both run in a process of their own, at the same time, each with a stand-in in another and telephones in
this one, and are measured by their CPU time between the first ring and the last hang-up. A first call on
each is not counted. The caller, their words, the words they hear and the length of the calls are the same;
the relay's model recites what the bridge's model said. The round with the median ratio is told.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import world
from benchmarks.figures import Figure, Floor, Goal, Unit
from benchmarks.world import Carried, Place
from runtime.simulate.clock import hurried

FRAMES_PER_S: Final = 50
FLOOR: Final = "bare relay"


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


FULL: Final = Plan(calls=4, rounds=9, speed=2.0)
QUICK: Final = Plan(calls=1, rounds=1, speed=8.0)


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
            return [await _round(bridge, relay, plan.calls, first.said) for _ in range(plan.rounds)]


async def _round(bridge: Place, relay: Place, calls: int, lasts: int) -> tuple[Cost, Cost]:
    """Both at the same time, so that whatever else the machine does falls on both alike."""
    ours, bare = await asyncio.gather(_cost(bridge, calls, None), _cost(relay, calls, lasts))
    return ours, bare


async def _cost(at: Place, calls: int, hang_up_after: int | None) -> Cost:
    before = await at.child.cpu_s()
    carried: list[Carried] = await world.calls(at, calls, hang_up_after=hang_up_after)
    await asyncio.sleep(1.0)  # what is left to do after a hang-up belongs to the call
    cpu_s = await at.child.cpu_s() - before
    return Cost(cpu_s, calls, sum(one.said for one in carried), sum(one.heard for one in carried))


def _figures(rounds: list[tuple[Cost, Cost]]) -> tuple[Figure, ...]:
    ours, bare = sorted(rounds, key=_ratio)[(len(rounds) - 1) // 2]
    frames = ours.said / ours.calls
    return (
        _figure(f"bridge, CPU a call of {frames / FRAMES_PER_S:.0f} s", "ms", 1e3 * frames, ours, bare),
        _figure("bridge, CPU a second of a call", "ms", 1e3 * FRAMES_PER_S, ours, bare),
        _figure("bridge, CPU a frame of the caller, with what it is answered", "us", 1e6, ours, bare),
        Figure("frames heard by all callers", ours.heard, "count", Floor(FLOOR, bare.heard)),
    )


def _figure(name: str, unit: Unit, times: float, ours: Cost, bare: Cost) -> Figure:
    goal = Goal("ratio", "at_most", 1.3)
    return Figure(name, times * _of_a_frame(ours), unit, Floor(FLOOR, times * _of_a_frame(bare)), goal)


def _of_a_frame(cost: Cost) -> float:
    return cost.cpu_s / cost.said


def _ratio(both: tuple[Cost, Cost]) -> float:
    ours, bare = both
    return _of_a_frame(ours) / _of_a_frame(bare)
