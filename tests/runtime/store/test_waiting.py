"""The desk of all processes in the store: one answer counts, whoever asks, on SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.database import read_url
from runtime.store import Store, WaitingRows, open_store
from runtime.store.waiting import KEPT_MS, SILENT_MS
from tests.runtime.store.test_store import Clock


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[tuple[Store, Store, Clock]]:
    """Two processes at one store, and its time."""
    clock = Clock()
    url = read_url(database_url, Path())
    one, other = await open_store(url, clock=clock), await open_store(url, clock=clock)
    yield one, other, clock
    await one.close()
    await other.close()


async def test_one_of_many_answers_counts(stores: tuple[Store, Store, Clock]) -> None:
    """Of twenty answers at two processes at once one counts, and everybody is told the same."""
    rows = [WaitingRows(store) for store in stores[:2]]
    for number in range(5):
        key = f"key-{number}"
        await rows[0].post(key, "CA1", f"h{number}", "sales", 1)
        answers = await asyncio.gather(
            *(rows[n % 2].answer(key, f"person {n}", accepted=n % 3 > 0) for n in range(20))
        )
        assert [counts for counts, _ in answers].count(True) == 1
        (final,) = {(row.place, row.by) for _, row in answers if row is not None}
        assert final[1] == next(f"person {n}" for n, (counts, _) in enumerate(answers) if counts)


async def test_ringing_does_not_undo_an_answer(stores: tuple[Store, Store, Clock]) -> None:
    """An answer given before the phone rang stays; what is over stays so."""
    here, there = WaitingRows(stores[0]), WaitingRows(stores[1])
    await here.post("k", "CA1", "h1", "sales", 1)
    await there.answer("k", "Ana", accepted=True)
    await here.change("k", "ringing")
    (row,) = await there.since(0)
    assert (row.place, row.by) == ("accepted", "Ana")
    await here.change("k", "over", why="call_ended")
    assert await there.answer("k", "Ben", accepted=True) != (True, None)
    assert await there.since(0) == []


async def test_the_calls_of_a_dead_process_leave_the_desk(stores: tuple[Store, Store, Clock]) -> None:
    """A handoff whose process was not heard of is over; one that was answered stays for a day."""
    (one, other, clock) = stores
    here, there = WaitingRows(one), WaitingRows(other)
    await here.post("waits", "CA1", "h1", "sales", clock())
    await here.post("talks", "CA2", "h1", "sales", clock())
    await there.answer("talks", "Ana", accepted=True)
    clock.now += SILENT_MS + 1
    await there.alive()
    assert [(row.key, row.place) for row in await there.since(0)] == [("talks", "accepted")]
    clock.now += KEPT_MS
    await there.alive()
    assert await there.since(0) == []


async def test_a_call_that_moved_waits_where_it_is(stores: tuple[Store, Store, Clock]) -> None:
    """A call that goes on in another process leaves nothing on the desk that nobody can be joined to; what a
    person has stays, and other calls wait on.
    """
    here, there = WaitingRows(stores[0]), WaitingRows(stores[1])
    for key, call_id in (("talks", "CA1"), ("old", "CA1"), ("else", "CA2")):
        await here.post(key, call_id, "h1", "sales", 1)
        if key == "talks":
            await here.answer(key, "Ana", accepted=True)
    await there.post("new", "CA1", "h1", "sales", 2)
    assert {row.key for row in await here.since(0)} == {"talks", "else", "new"}
    moved = await here.find("old")
    assert moved is not None
    assert (moved.place, moved.why) == ("over", "call_moved")
    assert await there.answer("old", "Ben", accepted=True) == (False, moved)


async def test_who_looked_is_kept_in_order(stores: tuple[Store, Store, Clock]) -> None:
    """Every look at a package and every answer is on record by call."""
    rows = WaitingRows(stores[0])
    for who, what in (("Ana", "seen"), ("Ben", "seen"), ("Ana", "accepted")):
        await rows.accessed("k", "CA1", who, what)
    told = await WaitingRows(stores[1]).accesses("CA1")
    assert [(one["who"], one["what"]) for one in told] == [
        ("Ana", "seen"),
        ("Ben", "seen"),
        ("Ana", "accepted"),
    ]
