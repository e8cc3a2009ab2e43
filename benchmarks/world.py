"""The world the live benchmarks measure in: a stand-in for the model, the server or the bare relay, and
telephones.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.processes import Child, child
from runtime import record
from runtime.settings import Table
from runtime.simulate.callers import Caller
from runtime.simulate.line import Deed, Moment
from runtime.simulate.loopback import NONE, write_settings
from runtime.simulate.phone import Ended, Subscription, place
from runtime.simulate.profile import Profile
from runtime.voices import open_voice
from tests.flows.shipped import ROOT, artifact, caller
from voiceflow_compiler.artifact import encode

FLOW: Final = "appointment_scheduling"
CALLER: Final = "agrees"
APART_MS: Final = 130  # calls do not begin in step; no whole number of frames


@dataclass(slots=True)
class Receiver:
    """Holds the receiver like the caller inside, counts, and hangs up after `ticks` of 20 ms (None:
    never).
    """

    caller: Caller
    hang_up_after: int | None = None
    ticks: int = 0
    playing: int = 0

    def tick(self, moment: Moment) -> Deed:
        self.ticks += 1
        self.playing += moment.playing
        deed = self.caller.tick(moment)
        if self.ticks == self.hang_up_after:
            return Deed(deed.frame, hang_up=True)
        return deed


@dataclass(frozen=True, slots=True)
class Carried:
    """One call that was carried: frames of 20 ms from the caller, frames played to them, and how it ended."""

    said: int
    heard: int
    ended: Ended = field(repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Something that answers telephones, in a process of its own."""

    child: Child
    subscription: Subscription
    records: Path


@asynccontextmanager
async def bridge(folder: Path, *, speed: float, own: Table = NONE) -> AsyncIterator[Place]:
    """The server with the measured flow, and a stand-in that thinks for itself; `own` tables of settings
    stand instead of those made up.
    """
    token = secrets.token_hex(16)
    compiled = artifact(FLOW)
    settings = write_settings(compiled, ROOT / "flows" / FLOW, caller(FLOW, CALLER), folder, own)
    kept = folder / "artifact.json"
    kept.write_bytes(encode(compiled))
    async with (
        child("model", speed=speed, texts=None) as model,
        child(
            "bridge",
            speed=speed,
            model_url=model.address,
            token=token,
            settings=str(settings),
            artifact=str(kept),
        ) as server,
    ):
        yield Place(server, Subscription(server.address, token), folder / "records" / "calls")


@asynccontextmanager
async def relay(texts: list[str], *, speed: float) -> AsyncIterator[Place]:
    """The bare relay, and a stand-in that recites: a text when the call begins, and one after each turn."""
    async with (
        child("model", speed=speed, texts=texts) as model,
        child("relay", speed=speed, model_url=model.address) as server,
    ):
        yield Place(server, Subscription(server.address, "none"), Path())


async def call(at: Place, profile: Profile, *, hang_up_after: int | None = None) -> Carried:
    """One whole call by a caller who speaks in tones."""
    voice = open_voice("tones", "caller")
    mouth = Receiver(Caller(profile, voice.speak), hang_up_after)
    ended = await place(
        at.subscription,
        mouth,
        caller_number=profile.number,
        person=profile.person,
        speak=voice.speak,
    )
    return Carried(mouth.ticks, mouth.playing, ended)


async def calls(at: Place, count: int, *, hang_up_after: int | None = None) -> list[Carried]:
    """So many calls at once, a little apart."""
    profile = caller(FLOW, CALLER)

    async def later(number: int) -> Carried:
        await asyncio.sleep(number * APART_MS / 1000)
        return await call(at, profile, hang_up_after=hang_up_after)

    return await asyncio.gather(*(later(number) for number in range(count)))


def said_by_turn(path: Path) -> list[str]:
    """What the caller of a recorded call heard: before their first turn, and after each turn."""
    texts = [""]
    for line in record.read(path).lines:
        match line.get("event"):
            case {"type": "CallerTurn"}:
                texts.append("")
            case {"type": "PlaybackFinished", "text": str(text)}:
                texts[-1] = f"{texts[-1]} {text}".strip()
    return texts
