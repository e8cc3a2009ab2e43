"""Workers that die while their caller meets a person: whichever of the others is asked sees to both."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from runtime import audio
from runtime.server.fleet import slot_of
from runtime.server.meeting import Gathering
from runtime.simulate.callers import Caller
from runtime.simulate.carriers import CARRIERS
from runtime.simulate.colleague import pick_up
from runtime.simulate.interface import serve_interface
from runtime.simulate.network import Leg, Network
from runtime.simulate.phone import Ended, Subscription, place, poster
from runtime.voices import open_voice
from tests.flows.shipped import caller
from tests.runtime.jumping import rsa_key
from tests.stack.workers import FLOW, TOKEN, Fleet, open_fleet

full = pytest.mark.skipif(not os.environ.get("FAULTS_FULL"), reason="calls that last: make faults")
LEAST_MS = 8_000
PATIENCE_S = 90
DESK = {"handoffs": {"sales": {"number": "+12025550199", "least_talk_ms": LEAST_MS}}}


@dataclass
class Scene:
    """A fleet whose people are rung beside the call, on a network of ours."""

    fleet: Fleet
    network: Network

    async def until(self, holds: Any) -> None:
        """Wait for something other processes do."""
        async with asyncio.timeout(PATIENCE_S):
            while not await holds():  # noqa: ASYNC110 - nobody tells what is in a store
                await asyncio.sleep(0.05)

    def call(self, number: str) -> asyncio.Task[Ended]:
        """A caller who asks for a person, and listens to them for a minute."""
        spoken = open_voice("tones", "caller")
        listens = audio.silence(60_000)
        to = Subscription(self.fleet.url, TOKEN, provider=self.fleet.provider, network=self.network)
        who = Caller(caller(FLOW, "escalates"), spoken.speak)
        return asyncio.create_task(
            place(to, who, caller_number=number, person="accepts", speak=lambda text: listens)
        )

    async def met(self) -> tuple[str, Gathering]:
        """Wait until both are in the room, and the store knows: the call's id, and what the store has."""
        found: list[tuple[str, Gathering]] = []

        async def both() -> bool:
            rooms = [one for one in await self.fleet.store.leases.live() if one.room]
            found[:] = [(one.call_id, Gathering.read(one.room)) for one in rooms]
            return bool(found and found[0][1].sent and any(one.began for one in self.network.rooms.values()))

        await self.until(both)
        return found[0]

    async def kill_owner(self, call_id: str) -> None:
        """`kill -9` of the worker that has this call."""
        lease = await self.fleet.store.leases.find(call_id)
        assert lease is not None
        os.kill(self.fleet.worker(slot_of(lease.owner)), signal.SIGKILL)

    @property
    def people(self) -> list[Leg]:
        """The telephones of those who were rung."""
        return [leg for leg in self.network.legs.values() if leg.outbound]

    async def ended(self, call_id: str) -> tuple[str, str | None]:
        """The call's end in the index, once each part of its record has one: reason and outcome."""
        found: list[Any] = []

        async def over() -> bool:
            found[:] = [row for row in await self.fleet.store.calls() if row["call_id"] == call_id]
            records = self.fleet.records(call_id)
            return bool(found and found[0]["reason"] and records and all(one.whole for one in records))

        await self.until(over)
        return found[0]["reason"], found[0]["outcome"]


@asynccontextmanager
async def scene(folder: Path, carrier: str) -> AsyncIterator[Scene]:
    """Two workers, and an interface they order calls from."""
    each_anew = httpx2.Limits(max_keepalive_connections=0)  # a connection kept would lead to the dead worker
    http = httpx2.AsyncClient(timeout=30.0, trust_env=False, limits=each_anew)
    network = Network(CARRIERS[carrier], TOKEN, poster(http), "accepts", pick_up)
    async with serve_interface(network) as address:
        told = {"VFC_DIAL_URL": address, "VFC_DIAL_SECRET": rsa_key() if carrier == "vonage" else TOKEN}
        told["VONAGE_APPLICATION_ID"] = CARRIERS["vonage"].account
        async with open_fleet(folder, provider=carrier, environment=told, own=DESK) as fleet:
            yield Scene(fleet, network)
        await network.close()
    await http.aclose()


@pytest.mark.faults
@pytest.mark.parametrize("carrier", [pytest.param("twilio", marks=full), "vonage"])
async def test_a_caller_left_in_a_room_is_seen_to(tmp_path: Path, carrier: str) -> None:
    """`kill -9` of the worker while the two talk. A person who leaves at once leaves the caller to the net:
    one sentence, and the words of `if_unanswered`, from another worker. One who stayed for the least time of
    a talk has had the caller: their hanging up ends both, and the index has a transfer. No leg is left.
    """
    async with scene(tmp_path, carrier) as one:
        call = one.call("+12025550101")
        call_id, _ = await one.met()
        await one.kill_owner(call_id)
        one.people[0].leaves.set()
        back = await call
        assert back.how == "assistant_hung_up"
        assert [note.what for note in back.notes].count("stream_started") == 2
        said = [note.detail for note in back.notes if note.what == "say"]
        assert len(said) == 1
        assert "we were cut off" in said[0]
        assert await one.ended(call_id) == ("assistant_hangup", "callback")
        assert one.network.legs == {}

        call = one.call("+12025550102")
        call_id, room = await one.met()
        await one.kill_owner(call_id)
        clock = one.fleet.store.clock
        async with asyncio.timeout(PATIENCE_S):
            while not room.met(clock()):  # noqa: ASYNC110 - the store's clock is what it is
                await asyncio.sleep(0.2)
        one.people[0].leaves.set()
        handed = await call
        assert "say" not in [note.what for note in handed.notes]
        assert [note.what for note in handed.notes].count("stream_started") == 1
        assert await one.ended(call_id) == ("transferred", "handoff:sales")
        assert one.network.legs == {}


@full
@pytest.mark.faults
async def test_a_caller_who_was_handed_over_is_not_left_alone(tmp_path: Path) -> None:
    """The assistant has left the call, and then its worker dies: where the network asks nothing, another
    worker ends the caller's leg once the person hangs up.
    """
    async with scene(tmp_path, "vonage") as one:
        call = one.call("+12025550101")
        call_id, _ = await one.met()
        lease = await one.fleet.store.leases.find(call_id)
        assert lease is not None
        assert await one.ended(call_id) == ("transferred", "handoff:sales")
        os.kill(one.fleet.worker(slot_of(lease.owner)), signal.SIGKILL)
        one.people[0].leaves.set()
        ended = await call
        assert ended.how == "assistant_hung_up"  # the network ended it, since we told it to
        assert "say" not in [note.what for note in ended.notes]
        assert one.network.legs == {}


@full
@pytest.mark.faults
async def test_whoever_is_rung_by_a_dead_worker_is_hung_up(tmp_path: Path) -> None:
    """The worker dies while a telephone rings beside the call: the caller is back with the assistant, and
    the ring ends.
    """
    async with scene(tmp_path, "twilio") as one:
        one.network.person = "no_answer"
        call = one.call("+12025550101")

        async def rung() -> bool:
            rooms = [
                Gathering.read(lease.room) for lease in await one.fleet.store.leases.live() if lease.room
            ]
            return bool(rooms and rooms[0].people)

        await one.until(rung)
        ((call_id, leg),) = [(leg.call_id, leg) for leg in one.network.legs.values() if not leg.outbound]
        (rings,) = one.people
        await one.kill_owner(call_id)
        async with asyncio.timeout(PATIENCE_S):
            while rings.leg_id in one.network.legs:  # noqa: ASYNC110 - a leg is no event
                await asyncio.sleep(0.05)
        assert leg.leg_id in one.network.legs, "the caller is still there"
        back = await call
        assert back.how == "assistant_hung_up"
        assert await one.ended(call_id) == ("assistant_hangup", "callback")
