"""Who hangs up when, while a person is brought in: whatever meets whatever within three seconds, nobody is
left on a line, the call ends once, and no two voices are heard.
"""

import asyncio
import os
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.simulate.profile import Person
from tests.runtime.meeting import Scene, staged

INTERLEAVINGS = int(os.environ.get("INTERLEAVINGS", "24"))  # make races: 500
CARRIERS = ("twilio", "signalwire", "vonage")
PEOPLE: tuple[Person, ...] = ("accepts", "accepts", "accepts", "declines", "busy", "no_answer", "voicemail")
HOLD_LINE_S = 10.0  # when the assistant speaks into the ringing
SPAN_S = 3.0


@dataclass(frozen=True)
class Race:
    """One interleaving. Times are seconds since the person picks up; None: they stay."""

    carrier: str
    person: Person
    picks_up_s: float
    presses_s: float
    caller_leaves_s: float | None
    person_leaves_s: float | None


def race(seed: int) -> Race:
    """The interleaving of this number."""
    dice = random.Random(seed)
    at = dice.uniform(0, SPAN_S)
    caller, person = dice.choice(
        [(at, None), (None, at), (at, at), (at, at + 0.02), (at + 0.02, at), (at, dice.uniform(0, SPAN_S))]
    )
    # Half of them while the assistant says that it is still ringing.
    rings = dice.choice([0.0, HOLD_LINE_S - 0.5 + dice.uniform(0, 2)]) + dice.uniform(0, SPAN_S)
    return Race(dice.choice(CARRIERS), dice.choice(PEOPLE), rings, dice.uniform(0, 1.5), caller, person)


def problems(scene: Scene) -> list[str]:
    """What of a call must not be."""
    found = []
    names = [type(line.get("event") or line.get("effect")).__name__ for _, line in scene.lines]
    if names.count("CallEnded") != 1:
        found.append(f"{names.count('CallEnded')} ends")
    if scene.left:
        found.append(f"{scene.left} legs left")
    if scene.network.rooms:
        found.append("a room with somebody in it")
    away = False
    for name in names:
        if name == "JoinCaller":
            away = True
        elif name in ("TransferAccepted", "TransferUnanswered", "TransferRefused", "CallEnded"):
            away = False
        elif away and name in ("PlayScript", "Respond"):
            found.append("the assistant speaks while the caller is taken to a person")
    if "TransferAccepted" in names and "JoinCaller" not in names:
        found.append("taken without being brought")
    return found


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(INTERLEAVINGS))
def test_row_41_nobody_is_left_whoever_hangs_up_when(tmp_path: Path, seed: int) -> None:
    """One end, no leg left, no second voice, and a ring that stops within two seconds of the caller's
    leaving.
    """
    one = race(seed)
    stopped: list[float] = []

    async def run(scene: Scene) -> None:
        scene.network.ring_s, scene.network.press_s = one.picks_up_s, one.presses_s
        loop = asyncio.get_running_loop()
        await scene.until_ringing()
        picked_up = loop.time() + one.picks_up_s

        async def caller() -> None:
            assert one.caller_leaves_s is not None
            await asyncio.sleep(max(0.0, picked_up + one.caller_leaves_s - loop.time()))
            await scene.hang_up_caller()
            gone = loop.time()
            await scene.until(lambda: not [leg for leg in scene.network.legs.values() if leg.outbound])
            stopped.append(loop.time() - gone)

        async def person() -> None:
            assert one.person_leaves_s is not None
            await asyncio.sleep(max(0.0, picked_up + one.person_leaves_s - loop.time()))
            scene.hang_up_person()

        acts = [caller()] if one.caller_leaves_s is not None else []
        acts += [person()] if one.person_leaves_s is not None else []
        await asyncio.gather(*acts)
        await scene.over()
        await scene.hang_up_caller()  # whoever still talks has talked enough
        scene.hang_up_person()
        await scene.pass_s(10)

    scene = staged(tmp_path, one.carrier, one.person, run)
    assert problems(scene) == [], one
    assert all(after <= 2.0 for after in stopped), (one, stopped)
