"""Leases: whose each live call is, and the state it would be gone on with.

1. A call has one owner at a time. Taking it raises its fence, and whoever had it before can change nothing of
   it any more: every write names the fence it believes in.
2. A token opens one stream: once it was brought nothing is expected by it. Of the tokens of a call's first
   answers (it may have been asked about twice) any opens it; a call that is gone on with has one.
3. Whether an owner lives is told by its beat changing, not by a clock, which may be set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from runtime.database import Short
from runtime.store.tables import LEASES

_INSERTS: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_LIVE: Final = LEASES.c.ended_ms.is_(None)
_ONE: Final = LEASES.c.call_id == bindparam("the_call")

# Put together once: that costs more than what SQLite does with them.
_FIND: Final = select(LEASES).where(_ONE)
_NEW: Final = {kind: insert(LEASES).on_conflict_do_nothing() for kind, insert in _INSERTS.items()}
_TAKE: Final = (
    update(LEASES)
    .where(_ONE, (LEASES.c.token == bindparam("brought")) | (LEASES.c.fence == 0), LEASES.c.expects, _LIVE)
    .values(owner=bindparam("taker"), expects=False, fence=LEASES.c.fence + 1)
)
_KEEP: Final = (
    update(LEASES)
    .where(_ONE, LEASES.c.fence == bindparam("held"), _LIVE)
    .values(at_ms=bindparam("reached_ms"), state=bindparam("kept"), room=bindparam("met"))
)


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
class Answered:
    """A call that was answered: what its row begins with, see Lease."""

    call_id: str
    flow: str
    artifact: str
    call: str = field(repr=False)
    token: str = field(repr=False)


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

    short: Short
    clock: Callable[[], int]

    async def begin(self, call: Answered) -> Lease:
        """A call was answered. The same call again: what stands there already."""
        row = self._new(call)

        def begun(connection: Connection) -> Lease | None:
            connection.execute(self._insert, row)
            return _row(connection, call.call_id)

        found = await self.short.write(begun)
        assert found is not None
        return found

    async def find(self, call_id: str) -> Lease | None:
        """The lease of this call, also when the call is over."""
        return await self.short.read(lambda connection: _row(connection, call_id))

    async def take(self, call: Answered, owner: str) -> Lease | None:
        """A stream brought this token: the call is its worker's, also where nobody told of its answer yet.
        None: the token opens nothing (any more).
        """
        brought = {"the_call": call.call_id, "brought": call.token, "taker": owner}
        steps = [(_TAKE, brought), (self._insert, self._new(call, owner=owner, expects=False, fence=1))]

        def taken(connection: Connection) -> Lease | None:
            # Between the first two the answer may have been told: then the third finds it.
            for statement, values in [*steps, steps[0]]:
                if connection.execute(statement, values).rowcount == 1:
                    return _row(connection, call.call_id)
            return None

        return await self.short.write(taken)

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

        def done(connection: Connection) -> list[str]:
            gone = []
            for one in kept:
                held = {"the_call": one.call_id, "held": one.fence}
                changed = connection.execute(
                    _KEEP, held | {"reached_ms": one.at_ms, "kept": one.state, "met": one.room}
                )
                gone += [] if changed.rowcount else [one.call_id]
            return gone

        return await self.short.write(done)

    async def leave(self, call_id: str, fence: int, reason: str, outcome: str | None) -> bool:
        """The stream ended and nobody planned it: whoever is asked may go on with the call."""
        left = {"owner": "", "expects": False, "reason": reason, "outcome": outcome}
        return await self._change(call_id, _held(call_id, fence), **left) is not None

    async def beat(self, owner: str) -> None:
        """This owner lives."""
        mine = (LEASES.c.owner == owner) & _LIVE
        beat = update(LEASES).where(mine).values(beat=LEASES.c.beat + 1)
        await self.short.write(lambda connection: connection.execute(beat).close())

    async def end(self, call_id: str, fence: int, reason: str) -> bool:
        """The call is over: nothing private of it is kept. False: it is not ours any more."""
        gone = {"ended_ms": self.clock(), "call": "", "token": "", "state": None, "reason": reason}
        return await self._change(call_id, _held(call_id, fence), **gone) is not None

    async def live(self) -> list[Lease]:
        """Every call that is not over."""
        return await self.short.read(
            lambda connection: [_lease(row) for row in connection.execute(select(LEASES).where(_LIVE))]
        )

    async def forget(self, before_ms: int) -> None:
        """Take out what ended before this time."""
        long_past = delete(LEASES).where(LEASES.c.ended_ms < before_ms)
        await self.short.write(lambda connection: connection.execute(long_past).close())

    async def _change(self, call_id: str, mine: Any, **values: Any) -> Lease | None:
        change = update(LEASES).where(mine).values(**values)

        def changed(connection: Connection) -> Lease | None:
            return _row(connection, call_id) if connection.execute(change).rowcount else None

        return await self.short.write(changed)

    @property
    def _insert(self) -> Any:
        """Puts a call's row there, unless there is one."""
        return _NEW[self.short.kind]

    def _new(
        self, call: Answered, *, owner: str = "", expects: bool = True, fence: int = 0
    ) -> dict[str, Any]:
        return {
            "call_id": call.call_id,
            "flow": call.flow,
            "artifact": call.artifact,
            "call": call.call,
            "token": call.token,
            "expects": expects,
            "owner": owner,
            "fence": fence,
            "beat": 0,
            "attempts": 0,
            "at_ms": 0,
            "reason": "",
            "room": "",
            "begun_ms": self.clock(),
        }


def _held(call_id: str, fence: int) -> Any:
    return (LEASES.c.call_id == call_id) & (LEASES.c.fence == fence) & _LIVE


def _row(connection: Connection, call_id: str) -> Lease | None:
    row = connection.execute(_FIND, {"the_call": call_id}).one_or_none()
    return None if row is None else _lease(row)


def _lease(row: Row[Any]) -> Lease:
    told = dict(row._mapping)
    ended = told.pop("ended_ms") is not None
    return Lease(**told, ended=ended)
