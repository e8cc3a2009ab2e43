"""Leases: one owner a call, one stream a token, and a fence for whoever was too slow."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.database import read_url
from runtime.store import Leases, open_store
from runtime.store.leases import Answered, Kept

TOKEN = "a-token"


@pytest.fixture
async def leases(database_url: str) -> AsyncIterator[Leases]:
    """The leases of an open, empty store."""
    store = await open_store(read_url(database_url, Path()))
    yield store.leases
    await store.close()


def answered(token: str = TOKEN, call_id: str = "CA1") -> Answered:
    """A call that was answered with this token."""
    return Answered(call_id, "lead", "hash", "{}", token)


async def begun(leases: Leases, call_id: str = "CA1") -> None:
    """A call that was answered, of which the store was told."""
    await leases.begin(answered(call_id=call_id))


async def test_a_call_answered_twice_is_one_call(leases: Leases) -> None:
    """Two workers that are asked about one call may answer with tokens of their own: either opens it, and
    then neither does."""
    await begun(leases)
    assert (await leases.begin(answered("another"))).token == TOKEN
    assert await leases.take(answered("another"), "w1") is not None
    assert await leases.take(answered(), "w2") is None
    assert await leases.take(answered("another"), "w2") is None


async def test_a_stream_may_come_before_the_answer_was_told(leases: Leases) -> None:
    """Nobody waits for the row of an answer: of many who bring its token meanwhile one has the call, and the
    answer that is told at last changes nothing."""
    work = [leases.take(answered(), f"w{one}") for one in range(4)]
    taken = await asyncio.gather(*work, leases.begin(answered("another")))
    (lease,) = (one for one in taken[:4] if one)
    assert (lease.owner[0], lease.fence, lease.expects) == ("w", 1, False)
    stands = await leases.begin(answered())
    assert (stands.owner, stands.fence) == (lease.owner, 1)


async def test_a_token_opens_one_stream(leases: Leases) -> None:
    """Of many who bring it at once, one gets the call."""
    await begun(leases)
    taken = await asyncio.gather(*(leases.take(answered(), f"w{one}") for one in range(5)))
    assert len([one for one in taken if one]) == 1


async def test_a_call_is_gone_on_with_once(leases: Leases) -> None:
    """Of two who are asked what to do with a broken call, one reopens it; the new token opens it, the old
    one does not."""
    await begun(leases)
    seen = await leases.take(answered(), "w1")
    assert seen is not None
    opened = await asyncio.gather(*(leases.reopen(seen, f"t{one}", counts=True) for one in range(3)))
    (lease,) = (one for one in opened if one)
    assert await leases.take(answered(), "w2") is None
    taken = await leases.take(answered(lease.token), "w2")
    assert taken is not None
    assert (taken.attempts, taken.fence > seen.fence) == (1, True)


async def test_whoever_was_too_slow_changes_nothing(leases: Leases) -> None:
    """After a call was reopened, its old owner can neither keep its state, nor leave it, nor end it."""
    await begun(leases)
    old = await leases.take(answered(), "w1")
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
    lease = await leases.take(answered(), "w1")
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
    await leases.take(answered(), "w1")
    await leases.beat("w1")
    assert {one.call_id: one.beat for one in await leases.live()} == {"CA1": 1, "CA2": 0}
