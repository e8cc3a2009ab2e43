"""Leases as a worker holds them: a store that is away holds nothing up, a dead worker's calls end once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from sqlalchemy import update

from runtime.database import read_url, writing
from runtime.engine.state import State
from runtime.ports import OutsideFailure
from runtime.seals import of_process, sealed
from runtime.server.hold import Hold
from runtime.server.keeping import Index
from runtime.server.leasing import Leasing
from runtime.server.meeting import Gathering
from runtime.server.reach import Reach
from runtime.simulate.clock import idle
from runtime.store import Lease, Leases, Store, open_store
from runtime.store.leases import Kept
from runtime.store.tables import LEASES
from tests.runtime.postgres import Server
from tests.runtime.switchboard import artifact

pytestmark = pytest.mark.faults
PATIENCE_S = 360
# By an idle clock: only a store that takes two seconds for a beat makes a worker look dead.
QUICK: dict[str, Any] = {"beat_s": 0.4, "dead_s": 8.0}
SPEED = 4.0
CALL = {"caller": None, "called": None, "direction": "inbound", "record": "x", "flow_version": "1"}


@asynccontextmanager
async def worker(
    url: str, name: str, told: list[str] | None = None, **times: float
) -> AsyncIterator[tuple[Leasing, Store, list[str]]]:
    """One worker's leases, its store, and the calls it buried. `told`: every alert's code."""
    store = await open_store(read_url(url, Path()))
    index, buried = Index(store), []

    async def swept(lease: Lease) -> None:
        buried.append(lease.call_id)

    def alert(code: str, **about: Any) -> None:
        if told is not None:
            told.append(code)

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


def idly(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The test by an idle clock."""

    @wraps(test)
    def run(**given: Any) -> None:
        with asyncio.Runner(loop_factory=idle(SPEED)) as runner:
            runner.run(test(**given))

    return run


async def until(true: Callable[[], Any]) -> None:
    """Wait for something another task does."""
    async with asyncio.timeout(PATIENCE_S):
        while not await true():  # noqa: ASYNC110 - nobody tells what is in a store
            await asyncio.sleep(0.05)


async def until_told(told: list[str], code: str) -> None:
    """Wait until an operator was told this."""

    async def is_told() -> bool:
        return code in told

    await until(is_told)


async def begun(leasing: Leasing, store: Store, one: Hold) -> None:
    """A call that was answered, whose stream came here."""
    await store.begin_call({**CALL, "call_id": one.call_id, "flow": "lead", "artifact": "a"})
    lease = await leasing.take(one.answered(), one)
    assert lease is not None
    one.fence = lease.fence


async def test_row_51_calls_go_on_while_the_store_is_down(postgres_server: Server) -> None:
    """States wait in memory, a new call is answered at once and carried by its token alone; when the store is
    back all of it is written, and no other worker can have either call. It is slow at first, and away when it
    stays so."""
    url, told = postgres_server.new(), list[str]()
    async with (
        worker(url, "w1.a", told, away_s=1.0) as (ours, store, _),
        worker(url, "w2.b") as (theirs, _, _),
    ):
        old, new = hold("CA1"), hold("CA2")
        await begun(ours, store, old)
        postgres_server.stop(at_once=True)
        try:
            ours.keep(old, 5000, State(node="asked", disclosed=True))
            ours.begin(new, lambda lease: None)
            with pytest.raises(OutsideFailure):
                await ours.take(new.answered(), new)
            ours.keep(new, 100, State(node="greeting"))
            await until_told(told, "store.away")
        finally:
            postgres_server.start()

        async def written() -> bool:
            try:
                leases = [await store.leases.find(one.call_id) for one in (old, new)]
            except OutsideFailure:
                return False
            return all(lease is not None and lease.state for lease in leases)

        await until(written)
        assert await theirs.take(new.answered(), None) is None
        assert await theirs.take(old.answered(), None) is None
        assert {lease.owner for lease in await store.leases.live()} == {"w1.a"}
        assert told[0] == "store.slow"


@idly
async def test_a_dead_workers_calls_get_one_end(database_url: str) -> None:
    """A worker that does not beat is taken for dead: whichever of the others sees it first ends its calls,
    once, and a worker that lives keeps its own."""
    async with (
        worker(database_url, "w1.a", **QUICK) as (living, store, first),
        worker(database_url, "w2.b", **QUICK) as (_, _, second),
    ):
        mine, lost = hold("CA1"), hold("CA2")
        await begun(living, store, mine)
        await store.begin_call({**CALL, "call_id": "CA2", "flow": "lead", "artifact": "a"})
        assert await store.leases.take(lost.answered(), "w9.z") is not None

        async def ended() -> bool:
            return any(row["reason"] for row in await store.calls())

        await until(ended)
        rows = {row["call_id"]: row["reason"] for row in await store.calls()}
        assert rows == {"CA1": None, "CA2": "worker_lost"}
        assert first + second == ["CA2"]


@idly
async def test_a_dead_workers_caller_who_met_a_person_was_handed_over(database_url: str) -> None:
    """Whom a dead worker left with a person, for the least time of a talk or longer, was handed over; of whom
    it had sent there a moment ago nothing is said yet, since they may come back."""
    async with worker(database_url, "w1.a", **QUICK) as (_, store, _):
        for call_id, least_ms in (("CA1", 0), ("CA2", 3_600_000)):
            one = hold(call_id)
            await store.begin_call({**CALL, "call_id": call_id, "flow": "lead", "artifact": "a"})
            lease = await store.leases.take(one.answered(), "w9.z")
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


async def test_one_slow_answer_pages_nobody(database_url: str) -> None:
    """A stream whose lease comes too late begins all the same: that is told as a slow store, once, and the
    lease fences the call when it comes."""
    told: list[str] = []
    async with worker(database_url, "w1.a", told) as (ours, store, _):
        one = hold("CA1")
        ours.begin(one, lambda lease: None)
        await until(lambda: store.leases.find("CA1"))
        async with writing(store.engine) as connection:
            await connection.execute(update(LEASES).values(begun_ms=1))  # nobody else may write now
            with pytest.raises(OutsideFailure):
                await ours.take(one.answered(), one)
            assert (one.fence, told) == (None, ["store.slow"])

        async def fenced() -> bool:
            return one.fence == 1

        await until(fenced)
        assert told == ["store.slow"]


async def test_a_call_another_worker_has_is_ended_here(database_url: str) -> None:
    """Of two that carry one call since the store was away, whoever told it first keeps the call."""
    ended, told = asyncio.Event(), list[str]()
    async with (
        worker(database_url, "w1.a", told) as (ours, _, _),
        worker(database_url, "w2.b") as (theirs, _, _),
    ):
        one = hold("CA1")
        one.superseded = ended.set
        assert await theirs.take(one.answered(), None) is not None
        ours.keep(one, 100, State(node="greeting"))
        async with asyncio.timeout(PATIENCE_S):
            await ended.wait()
        assert "call.superseded" in told


async def test_a_question_that_came_to_another_machine_waits_for_the_end(database_url: str) -> None:
    """Asked what to do after a stream whose call another server holds, a server waits until that one has said
    how the call ended."""
    async with (
        worker(database_url, "w1.a") as (holding, store, _),
        worker(database_url, "w2.b") as (asked, _, _),
    ):
        one = hold("CA1")
        await begun(holding, store, one)
        asking = asyncio.create_task(asked.find_left("CA1"))
        holding.over(one, "assistant_hangup", None, planned=True)
        await holding.flush()
        lease = await asking
        assert lease is not None
        assert (lease.ended, lease.reason) == (True, "assistant_hangup")


class Away:
    """Leases in memory, away between two times of the loop's clock: two calls, whose owners beat elsewhere
    every four seconds, but that of the second died in the outage.
    """

    FROM_S, UNTIL_S = 10.0, 62.5

    def __init__(self) -> None:
        self.began_s = asyncio.get_running_loop().time()
        self.ended: list[tuple[str, float]] = []

    def at_s(self) -> float:
        return asyncio.get_running_loop().time() - self.began_s

    def clock(self) -> int:
        return 0

    async def beat(self, owner: str) -> None:
        self._asked()

    async def forget(self, before_ms: int) -> None:
        self._asked()

    async def live(self) -> list[Lease]:
        at_s = self._asked()
        over = {call_id for call_id, _ in self.ended}
        # Neither owner could beat before 64 s: a beat is tried every four seconds.
        missed = self.FROM_S if at_s < 64 else at_s
        beats = {"CA1": int(min(at_s, missed) // 4), "CA2": int(min(at_s, self.FROM_S) // 4)}
        return [lease(call_id, beat) for call_id, beat in beats.items() if call_id not in over]

    async def end(self, call_id: str, fence: int, reason: str) -> bool:
        self.ended.append((call_id, self._asked()))
        return True

    def _asked(self) -> float:
        if self.FROM_S < self.at_s() < self.UNTIL_S:
            raise OutsideFailure("unavailable")
        return self.at_s()


def lease(call_id: str, beat: int) -> Lease:
    """A call another worker has."""
    begins = (call_id, "lead", "hash", "", "", False, "w9.z", 1)
    return Lease(*begins, beat, 0, 0, None, "", None, "", 0, ended=False)


class NoIndex:
    """An index nobody reads."""

    def end(self, call_id: str, reason: str, outcome: str | None) -> None:
        """Nothing is kept."""


def test_after_a_long_outage_nobody_is_taken_for_dead() -> None:
    """While the store is away nobody can show a beat: when it is back its calls are not ended for that, and
    the one whose owner died meanwhile is, a while later."""

    async def outage() -> tuple[list[tuple[str, float]], list[str]]:
        away, told = Away(), list[str]()

        async def swept(lease: Lease) -> None:
            """Nothing of it is here."""

        def alert(code: str, **about: Any) -> None:
            told.append(code)

        leases, index = cast("Leases", away), cast("Index", NoIndex())
        leasing = Leasing(leases, "w1.a", index=index, alert=alert, swept=swept)
        await asyncio.sleep(120)
        await leasing.close()
        return away.ended, told

    with asyncio.Runner(loop_factory=idle(10_000)) as runner:
        ended, told = runner.run(outage())
    ((call_id, at_s),) = ended
    assert call_id == "CA2"
    assert Away.UNTIL_S + 20 < at_s < 100
    assert told[0] == "store.slow"
    assert told.count("store.away") > 1
    assert told[-1] == "call.lost"


def test_a_store_is_away_once_it_stays_silent() -> None:
    """Failures within ten seconds are a slow store; past that it is away, until it answers again."""
    told, times = list[str](), iter((0.0, 9.9, 10.0, 60.0, 70.0))
    reach = Reach(lambda code, **about: told.append(code), lambda: next(times))
    for _ in range(4):
        reach.failed("lost")
    reach.answered()
    reach.failed("lost")
    assert told == ["store.slow", "store.slow", "store.away", "store.away", "store.slow"]


async def test_row_51_a_call_that_went_on_elsewhere_is_its_old_owners_no_more(database_url: str) -> None:
    """Another worker goes on with a call while its old one still holds it: the fence is higher, and whatever
    the old one writes, it changes nothing and learns that the call is not its own."""
    lost = asyncio.Event()
    async with (
        worker(database_url, "w1.a") as (ours, store, _),
        worker(database_url, "w2.b") as (theirs, _, _),
    ):
        old = hold("CA1")
        old.superseded = lost.set
        await begun(ours, store, old)
        again = replace(old.answered(), token="another token")
        seen = await store.leases.find("CA1")
        assert seen is not None
        reopened = await store.leases.reopen(seen, "another token", counts=True)
        assert reopened is not None
        assert await store.leases.reopen(seen, "a third token", counts=True) is None  # what was seen is stale
        taken = await store.leases.take(again, theirs.owner)
        assert taken is not None
        assert old.fence is not None
        assert taken.fence > old.fence
        assert await store.leases.take(again, ours.owner) is None
        ours.keep(old, 5000, State(node="late"))
        async with asyncio.timeout(PATIENCE_S):
            await lost.wait()
        assert not await store.leases.end("CA1", old.fence, "caller_hangup")
        assert not await store.leases.leave("CA1", old.fence, "line_lost", None)
        (left,) = await store.leases.live()
        assert (left.owner, left.fence) == ("w2.b", taken.fence)
        assert "late" not in (left.state or "")


async def test_row_51_a_planned_end_of_an_old_owner_ends_nothing(database_url: str) -> None:
    """A worker that does not know yet that its call went on elsewhere says that it ended: the call stays live
    in the index too, and has the end its new owner gives it."""
    async with (
        worker(database_url, "w1.a") as (ours, store, _),
        worker(database_url, "w2.b") as (theirs, store_b, _),
    ):
        old, new = hold("CA1"), hold("CA1")
        await begun(ours, store, old)
        seen = await store.leases.find("CA1")
        assert seen is not None
        assert await store.leases.reopen(seen, "another token", counts=True) is not None
        new.token = "another token"
        await begun(theirs, store_b, new)
        ours.keep(old, 5000, State(node="late"))
        ours.over(old, "completed", "old", planned=True)
        await ours.close()
        await ours._index.close()
        (call,) = await store_b.calls()
        assert (call["ended_ms"], call["reason"]) == (None, None)
        theirs.over(new, "caller_hangup", "new", planned=True)

        async def over() -> bool:
            (call,) = await store_b.calls()
            return call["ended_ms"] is not None

        await until(over)
        (call,) = await store_b.calls()
        assert (call["reason"], call["outcome"]) == ("caller_hangup", "new")


async def test_an_end_told_twice_is_still_told(database_url: str) -> None:
    """The store took a call's end and its answer was lost: told again, the index has the end too."""
    async with worker(database_url, "w1.a") as (ours, store, _):
        one = hold("CA1")
        await begun(ours, store, one)
        assert one.fence is not None
        assert await store.leases.end("CA1", one.fence, "completed")
        ours.over(one, "completed", "booked", planned=True)

        async def over() -> bool:
            (call,) = await store.calls()
            return str(call["outcome"]) == "booked"

        await until(over)
