"""Leases: one owner a call, one stream a token, and a fence for whoever was too slow."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.database import read_url
from runtime.store import Leases, open_store
from runtime.store.leases import Kept

TOKEN = "a-token"


@pytest.fixture
async def leases(database_url: str) -> AsyncIterator[Leases]:
    """The leases of an open, empty store."""
    store = await open_store(read_url(database_url, Path()))
    yield store.leases
    await store.close()


async def begun(leases: Leases, call_id: str = "CA1") -> None:
    """A call that was answered."""
    await leases.begin(call_id, "lead", "hash", "{}", TOKEN)


async def test_a_call_answered_twice_keeps_its_first_token(leases: Leases) -> None:
    """Two workers that are asked about one call answer with the same token."""
    await begun(leases)
    assert (await leases.begin("CA1", "lead", "hash", "{}", "another")).token == TOKEN


async def test_a_token_opens_one_stream(leases: Leases) -> None:
    """Of many who bring it at once, one gets the call."""
    await begun(leases)
    taken = await asyncio.gather(*(leases.take("CA1", TOKEN, f"w{one}") for one in range(5)))
    assert len([one for one in taken if one]) == 1


async def test_a_call_is_gone_on_with_once(leases: Leases) -> None:
    """Of two who are asked what to do with a broken call, one reopens it; the new token opens it, the old
    one does not."""
    await begun(leases)
    seen = await leases.take("CA1", TOKEN, "w1")
    assert seen is not None
    opened = await asyncio.gather(*(leases.reopen(seen, f"t{one}", counts=True) for one in range(3)))
    (lease,) = (one for one in opened if one)
    assert await leases.take("CA1", TOKEN, "w2") is None
    taken = await leases.take("CA1", lease.token, "w2")
    assert taken is not None
    assert (taken.attempts, taken.fence > seen.fence) == (1, True)


async def test_whoever_was_too_slow_changes_nothing(leases: Leases) -> None:
    """After a call was reopened, its old owner can neither keep its state, nor leave it, nor end it."""
    await begun(leases)
    old = await leases.take("CA1", TOKEN, "w1")
    assert old is not None
    assert await leases.keep([Kept("CA1", old.fence, 4000, '{"node":"a"}')]) == []
    new = await leases.reopen(old, "again", counts=False)
    assert new is not None
    assert (new.owner, new.attempts, new.at_ms, new.state) == ("", 0, 4000, '{"node":"a"}')
    assert await leases.keep([Kept("CA1", old.fence, 5000, "{}")]) == ["CA1"]
    assert not await leases.leave("CA1", old.fence, "line_lost", None)
    assert not await leases.end("CA1", old.fence, "line_lost")
    assert await leases.end("CA1", new.fence, "line_lost")


async def test_a_call_that_is_over_keeps_nothing_personal(leases: Leases) -> None:
    """Its numbers and its state are gone at its end, its row a day later."""
    await begun(leases)
    lease = await leases.take("CA1", TOKEN, "w1")
    assert lease is not None
    await leases.keep([Kept("CA1", lease.fence, 1, "{}")])
    await leases.end("CA1", lease.fence, "caller_hangup")
    over = await leases.find("CA1")
    assert over is not None
    assert (over.ended, over.call, over.state, over.reason) == (True, "", None, "caller_hangup")
    assert await leases.live() == []
    await leases.forget(leases.clock() + 1)
    assert await leases.find("CA1") is None


async def test_a_beat_is_for_the_owners_live_calls(leases: Leases) -> None:
    """Every call of an owner that lives shows it, and no other does."""
    for call_id in ("CA1", "CA2"):
        await begun(leases, call_id)
    await leases.take("CA1", TOKEN, "w1")
    await leases.beat("w1")
    assert {one.call_id: one.beat for one in await leases.live()} == {"CA1": 1, "CA2": 0}
