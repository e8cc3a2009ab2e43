"""Leases as a worker holds them: a store that is away holds nothing up, a dead worker's calls end once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.database import read_url
from runtime.engine.state import State
from runtime.ports import OutsideFailure
from runtime.seals import of_process, sealed
from runtime.server.keeping import Index
from runtime.server.leasing import Hold, Leasing
from runtime.server.meeting import Gathering
from runtime.store import Lease, Store, open_store
from runtime.store.leases import Kept
from tests.runtime.postgres import Server
from tests.runtime.switchboard import artifact

pytestmark = pytest.mark.faults
PATIENCE_S = 60
CALL = {"caller": None, "called": None, "direction": "inbound", "record": "x", "flow_version": "1"}


@asynccontextmanager
async def worker(url: str, name: str, **times: float) -> AsyncIterator[tuple[Leasing, Store, list[str]]]:
    """One worker's leases, its store, and the calls it buried."""
    store = await open_store(read_url(url, Path()))
    index, buried = Index(store), []

    async def swept(lease: Lease) -> None:
        buried.append(lease.call_id)

    def alert(code: str, **about: Any) -> None:
        """Nobody listens."""

    leasing = Leasing(store.leases, name, index=index, alert=alert, swept=swept, **times)
    try:
        yield leasing, store, buried
    finally:
        await leasing.close()
        await index.close()
        await store.close()


def hold(call_id: str) -> Hold:
    """A call of this worker."""
    return Hold(call_id, artifact(), "{}", f"token of {call_id}", lambda: None)


async def until(true: Callable[[], Any]) -> None:
    """Wait for something another task does."""
    async with asyncio.timeout(PATIENCE_S):
        while not await true():  # noqa: ASYNC110 - nobody tells what is in a store
            await asyncio.sleep(0.05)


async def begun(leasing: Leasing, store: Store, one: Hold) -> None:
    """A call that was answered, whose stream came here."""
    await store.begin_call({**CALL, "call_id": one.call_id, "flow": "lead", "artifact": "a"})
    assert await leasing.begin(one) is not None
    lease = await leasing.take(one.call_id, one.token)
    assert lease is not None
    one.fence = lease.fence


async def test_row_51_calls_go_on_while_the_store_is_down(postgres_server: Server) -> None:
    """States wait in memory, a new call is answered at once and carried by its token alone; when the store is
    back all of it is written, and no other worker can have either call."""
    url = postgres_server.new()
    async with worker(url, "w1.a") as (ours, store, _), worker(url, "w2.b") as (theirs, _, _):
        old, new = hold("CA1"), hold("CA2")
        await begun(ours, store, old)
        postgres_server.stop(at_once=True)
        try:
            ours.keep(old, 5000, State(node="asked", disclosed=True))
            async with asyncio.timeout(2):  # a provider waits for this answer
                assert await ours.begin(new) is None
            with pytest.raises((OutsideFailure, TimeoutError)):
                await ours.take(new.call_id, new.token)
            ours.keep(new, 100, State(node="greeting"))
        finally:
            postgres_server.start()

        async def written() -> bool:
            try:
                leases = [await store.leases.find(one.call_id) for one in (old, new)]
            except OutsideFailure:
                return False
            return all(lease is not None and lease.state for lease in leases)

        await until(written)
        assert await theirs.take(new.call_id, new.token) is None
        assert await theirs.take(old.call_id, old.token) is None
        assert {lease.owner for lease in await store.leases.live()} == {"w1.a"}


async def test_a_dead_workers_calls_get_one_end(database_url: str) -> None:
    """A worker that does not beat is taken for dead: whichever of the others sees it first ends its calls,
    once, and a worker that lives keeps its own."""
    quick = {"beat_s": 0.1, "dead_s": 1.0}
    async with (
        worker(database_url, "w1.a", **quick) as (living, store, first),
        worker(database_url, "w2.b", **quick) as (_, _, second),
    ):
        mine, lost = hold("CA1"), hold("CA2")
        await begun(living, store, mine)
        await store.begin_call({**CALL, "call_id": "CA2", "flow": "lead", "artifact": "a"})
        await living.begin(lost)
        assert await store.leases.take("CA2", lost.token, "w9.z") is not None

        async def ended() -> bool:
            return any(row["reason"] for row in await store.calls())

        await until(ended)
        rows = {row["call_id"]: row["reason"] for row in await store.calls()}
        assert rows == {"CA1": None, "CA2": "worker_lost"}
        assert first + second == ["CA2"]


async def test_a_dead_workers_caller_who_met_a_person_was_handed_over(database_url: str) -> None:
    """Whom a dead worker left with a person, for the least time of a talk or longer, was handed over; of whom
    it had sent there a moment ago nothing is said yet, since they may come back."""
    quick = {"beat_s": 0.1, "dead_s": 1.0}
    async with worker(database_url, "w1.a", **quick) as (living, store, _):
        for call_id, least_ms in (("CA1", 0), ("CA2", 3_600_000)):
            one = hold(call_id)
            await store.begin_call({**CALL, "call_id": call_id, "flow": "lead", "artifact": "a"})
            await living.begin(one)
            lease = await store.leases.take(call_id, one.token, "w9.z")
            assert lease is not None
            state = sealed(msgspec.json.encode(State(handoff="sales", disclosed=True)), of_process()).decode()
            room = Gathering("n", "leg", ("p",), least_ms, sent=True).written(store.clock())
            await store.leases.keep([Kept(call_id, lease.fence, 5000, state, room)])

        async def ended() -> bool:
            return any(row["reason"] for row in await store.calls())

        await until(ended)
        rows = {row["call_id"]: (row["reason"], row["outcome"]) for row in await store.calls()}
        assert rows == {"CA1": ("transferred", "handoff:sales"), "CA2": (None, None)}
        assert [lease.call_id for lease in await store.leases.live()] == ["CA2"]
