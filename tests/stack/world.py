"""The whole world of `vfc call` with a stand-in of one's own: the fake telephone, the real server and bridge,
a model that misbehaves, all in one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from runtime import record, server, settings
from runtime.record import Record
from runtime.session.stand_in import StandIn
from runtime.simulate.callers import Caller
from runtime.simulate.loopback import RECORDS, write_settings
from runtime.simulate.phone import Ended, Subscription, place
from runtime.simulate.profile import Profile
from runtime.voices import open_voice
from tests.faults.laws import Evidence, judged
from tests.flows.shipped import ROOT, artifact, caller

TOKEN = "a token of nobody's"


@dataclass(frozen=True)
class World:
    """A server that takes calls, and where it leaves their records."""

    running: server.Running
    folder: Path
    evidence: Evidence

    async def call(self, profile: Profile) -> Ended:
        """One call of this caller, to its end. The caller cannot see where the call stands."""
        spoken, human = open_voice("tones", "caller"), open_voice("tones", "assistant")
        mouth = Caller(profile, spoken.speak)
        ended = await place(
            Subscription(self.running.voice_url, TOKEN),
            mouth,
            caller_number=profile.number,
            person=profile.person,
            speak=human.speak,
        )
        self.evidence.heard(ended.passed)
        return ended

    def record(self, ended: Ended) -> Record:
        """The record of a call; whole once the server was closed."""
        return record.read(self.folder / RECORDS / "calls" / f"{ended.call_id}.jsonl")


@asynccontextmanager
async def open_world(flow: str, folder: Path, stand_in: StandIn) -> AsyncIterator[World]:
    """Start the server for one of the shipped flows, with this stand-in as its model; what its calls left is
    judged afterwards.
    """
    file = write_settings(artifact(flow), ROOT / "flows" / flow, caller(flow, "agrees"), folder)
    async with judged(folder, [TOKEN], stand_in) as evidence, stand_in:
        options = {"model.base_url": stand_in.base_url, "telephony.auth_token": TOKEN}
        chosen = replace(settings.load(file, {}, options), public_url="")
        running = await server.start([artifact(flow)], chosen)
        try:
            yield World(running, folder, evidence)
        finally:
            await running.aclose()
