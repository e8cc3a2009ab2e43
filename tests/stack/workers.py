"""A supervisor with real worker processes, a stand-in for the model and telephones, for tests that kill."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.database import read_url
from runtime.metrics import SHARED
from runtime.record import Record, read
from runtime.server.fleet import socket_path
from runtime.session.stand_in import StandIn
from runtime.settings import Table
from runtime.simulate.callers import Caller
from runtime.simulate.carriers import CARRIERS
from runtime.simulate.loopback import NONE, RECORDS, write_settings
from runtime.simulate.phone import Ended, Subscription, place
from runtime.store import Lease, Store, open_store
from runtime.voices import open_voice
from tests.faults.laws import Evidence, judged
from tests.flows.shipped import ROOT, artifact, caller

TOKEN = "a token of nobody's"
FLOW = "lead_qualification"
START_S = 90


@dataclass
class Fleet:
    """A running `vfc serve --workers`. `url`: what is asked when the telephone rings."""

    process: asyncio.subprocess.Process
    url: str
    folder: Path
    store: Store
    provider: str
    evidence: Evidence

    @property
    def address(self) -> str:
        return self.url.rpartition(f"/{self.provider}/voice")[0]

    async def call(self, number: str, profile: str = "agrees") -> Ended:
        """One call of a shipped caller, to its end."""
        spoken, human = open_voice("tones", "caller"), open_voice("tones", "assistant")
        who = caller(FLOW, profile)
        ended = await place(
            Subscription(self.url, TOKEN, provider=self.provider),
            Caller(who, spoken.speak),
            caller_number=number,
            person=who.person,
            speak=human.speak,
        )
        self.evidence.heard(ended.passed)
        return ended

    async def live(self) -> list[Lease]:
        """The calls that have an owner and a state."""
        return [one for one in await self.store.leases.live() if one.owner and one.state]

    def worker(self, slot: int) -> int:
        """The process in this slot."""
        found = self.slots()
        assert slot in found, f"no worker in slot {slot}"
        return found[slot]

    def slots(self) -> dict[int, int]:
        """The processes of the workers, by their slots."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().decode().split("\0")
                parent = int((path.parent / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if words[1:3] == ["-m", "runtime.server.worker"] and parent == self.process.pid:
                found[int(words[3])] = int(path.parent.name)
        return found

    def socket(self, slot: int) -> str:
        """Where this worker alone can be asked."""
        environment = Path(f"/proc/{self.worker(slot)}/environ").read_bytes().decode().split("\0")
        numbers = next(one.partition("=")[2] for one in environment if one.startswith(f"{SHARED}="))
        return str(socket_path(Path(numbers).parent, slot))

    def records(self, call_id: str) -> list[Record]:
        """The parts of a call's record, in order."""
        folder = self.folder / RECORDS / "calls"
        paths = sorted(folder.glob(f"{call_id}*.jsonl"), key=lambda path: (len(path.name), path.name))
        return [read(path) for path in paths]


@asynccontextmanager
async def open_fleet(
    folder: Path,
    *,
    workers: int = 2,
    provider: str = "twilio",
    environment: dict[str, str] | None = None,
    stand_in: StandIn | None = None,
    flow: Path = ROOT / "flows" / FLOW,
    toml: str = "",
    own: Table = NONE,
) -> AsyncIterator[Fleet]:
    """Start it, and end it by SIGTERM; what its calls left is judged then. `toml`: further tables of its
    settings; `own`: other ones instead.
    """
    file = write_settings(artifact(FLOW), ROOT / "flows" / FLOW, caller(FLOW, "agrees"), folder, own)
    file.write_text(file.read_text() + toml)
    model = stand_in or StandIn(voice="tones")
    async with judged(folder, [TOKEN, "+1202555"], model) as evidence, model:
        told: dict[str, Any] = {
            "OPENAI_BASE_URL": model.base_url,
            "VFC_PROVIDER": provider,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "SIGNALWIRE_SIGNING_KEY": TOKEN,
            "VONAGE_SIGNATURE_SECRET": TOKEN,
            "TWILIO_ACCOUNT_SID": CARRIERS[provider].account,
        }
        command = ["-m", "runtime", "serve", str(flow), "--settings", str(file)]
        with (folder / "stderr").open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                *("--port", "0", "--workers", str(workers)),
                env={**os.environ, **told, **(environment or {})},
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
            )
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            line = (await process.stdout.readline()).decode()
        assert line, (folder / "stderr").read_text()[-2000:]
        store = await open_store(read_url("sqlite:///records/store.db", folder))
        try:
            yield Fleet(process, line.split()[1], folder, store, provider, evidence)
        finally:
            await store.close()
            if process.returncode is None:
                process.terminate()
            async with asyncio.timeout(START_S):
                await process.communicate()
            evidence.log = (folder / "stderr").read_text()
