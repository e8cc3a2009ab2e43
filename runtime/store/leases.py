"""Leases: whose each live call is, and the state it would be gone on with.

1. A call has one owner at a time. Taking it raises its fence, and whoever had it before can change nothing of
   it any more: every write names the fence it believes in.
2. A token opens one stream: once it was brought nothing is expected by it.
3. Whether an owner lives is told by its beat changing, not by a clock, which may be set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.database import reading, writing
from runtime.store.tables import LEASES

_INSERTS: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_LIVE: Final = LEASES.c.ended_ms.is_(None)


@dataclass(frozen=True, slots=True)
class Lease:
    """A live call. `call` is the provider's view of it as JSON, `state` the engine's (None: none was kept),
    `at_ms` how long the call had lasted then; `owner` is empty until a stream came. `expects`: the token is
    still to be brought. `attempts`: how often it
    was gone on with; `reason`: why its last stream ended; `room`: whom its caller is being brought to.
    """

    call_id: str
    flow: str
    artifact: str
    call: str = field(repr=False)
    token: str = field(repr=False)
    expects: bool
    owner: str
    fence: int
    beat: int
    attempts: int
    at_ms: int
    state: str | None = field(repr=False)
    reason: str
    outcome: str | None
    room: str
    begun_ms: int
    ended: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a call stands, to be kept."""

    call_id: str
    fence: int
    at_ms: int
    state: str = field(repr=False)
    room: str = ""


@dataclass(frozen=True, slots=True)
class Leases:
    """The leases of a store. Methods raise OutsideFailure when it cannot be used."""

    engine: AsyncEngine
    clock: Callable[[], int]

    async def begin(self, call_id: str, flow: str, artifact: str, call: str, token: str) -> Lease:
        """A call was answered. The same call again: what stands there already."""
        row = {
            "call_id": call_id,
            "flow": flow,
            "artifact": artifact,
            "call": call,
            "token": token,
            "expects": True,
            "owner": "",
            "fence": 0,
            "beat": 0,
            "attempts": 0,
            "at_ms": 0,
            "reason": "",
            "room": "",
            "begun_ms": self.clock(),
        }
        insert = _INSERTS[self.engine.dialect.name](LEASES).values(row).on_conflict_do_nothing()
        async with writing(self.engine) as connection:
            await connection.execute(insert)
            found = await _row(connection, call_id)
        assert found is not None
        return found

    async def find(self, call_id: str) -> Lease | None:
        """The lease of this call, also when the call is over."""
        async with reading(self.engine) as connection:
            return await _row(connection, call_id)

    async def take(self, call_id: str, token: str, owner: str) -> Lease | None:
        """A stream brought this token: the call is its worker's. None: the token opens nothing (any more)."""
        mine = (LEASES.c.call_id == call_id) & (LEASES.c.token == token) & LEASES.c.expects & _LIVE
        return await self._change(call_id, mine, owner=owner, expects=False, fence=LEASES.c.fence + 1)

    async def reopen(self, seen: Lease, token: str, *, counts: bool) -> Lease | None:
        """Let a new stream with this token go on with a call whose owner is gone; None: somebody was first.

        `counts`: as one of its attempts.
        """
        attempts = LEASES.c.attempts + 1 if counts else LEASES.c.attempts
        opened = {"owner": "", "token": token, "expects": True, "room": "", "fence": LEASES.c.fence + 1}
        return await self._change(
            seen.call_id, _held(seen.call_id, seen.fence), attempts=attempts, reason="", **opened
        )

    async def keep(self, kept: Sequence[Kept]) -> list[str]:
        """Keep where calls stand, all in one; the ids of those that are not ours any more."""
        gone = []
        async with writing(self.engine) as connection:
            for one in kept:
                mine = update(LEASES).where(_held(one.call_id, one.fence))
                done = await connection.execute(mine.values(at_ms=one.at_ms, state=one.state, room=one.room))
                gone += [] if done.rowcount else [one.call_id]
        return gone

    async def leave(self, call_id: str, fence: int, reason: str, outcome: str | None) -> bool:
        """The stream ended and nobody planned it: whoever is asked may go on with the call."""
        left = {"owner": "", "expects": False, "reason": reason, "outcome": outcome}
        return await self._change(call_id, _held(call_id, fence), **left) is not None

    async def beat(self, owner: str) -> None:
        """This owner lives."""
        async with writing(self.engine) as connection:
            mine = (LEASES.c.owner == owner) & _LIVE
            await connection.execute(update(LEASES).where(mine).values(beat=LEASES.c.beat + 1))

    async def end(self, call_id: str, fence: int, reason: str) -> bool:
        """The call is over: nothing private of it is kept. False: it is not ours any more."""
        gone = {"ended_ms": self.clock(), "call": "", "token": "", "state": None, "reason": reason}
        return await self._change(call_id, _held(call_id, fence), **gone) is not None

    async def live(self) -> list[Lease]:
        """Every call that is not over."""
        async with reading(self.engine) as connection:
            return [_lease(row) for row in await connection.execute(select(LEASES).where(_LIVE))]

    async def forget(self, before_ms: int) -> None:
        """Take out what ended before this time."""
        async with writing(self.engine) as connection:
            await connection.execute(delete(LEASES).where(LEASES.c.ended_ms < before_ms))

    async def _change(self, call_id: str, mine: Any, **values: Any) -> Lease | None:
        async with writing(self.engine) as connection:
            changed = await connection.execute(update(LEASES).where(mine).values(**values))
            return await _row(connection, call_id) if changed.rowcount else None


def _held(call_id: str, fence: int) -> Any:
    return (LEASES.c.call_id == call_id) & (LEASES.c.fence == fence) & _LIVE


async def _row(connection: AsyncConnection, call_id: str) -> Lease | None:
    row = (await connection.execute(select(LEASES).where(LEASES.c.call_id == call_id))).one_or_none()
    return None if row is None else _lease(row)


def _lease(row: Row[Any]) -> Lease:
    told = dict(row._mapping)
    ended = told.pop("ended_ms") is not None
    return Lease(**told, ended=ended)
