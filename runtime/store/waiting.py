"""What waits for a person, as every process sees it: one row each, answered once, by one statement.

Law: an answer counts for whoever changes the row from waiting or ringing; all others are told who was first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from runtime.database import reading, writing
from runtime.store.store import Store
from runtime.store.tables import ACCESSES, WAITING

OPEN: Final = ("waiting", "ringing")
KEPT_MS: Final = 24 * 3_600_000  # how long an answered handoff stands on the desk, at most
SILENT_MS: Final = 20_000  # a process that was not heard of for so long has died with its calls


@dataclass(frozen=True, slots=True)
class Row:
    """One handoff as the store has it. `gone`: the process that has its call died."""

    key: str
    call_id: str
    handoff_id: str
    handoff: str
    owner: str
    since_ms: int
    place: str
    by: str
    why: str
    received: bool
    changed_ms: int
    gone: bool


@dataclass(frozen=True, slots=True)
class WaitingRows:
    """The rows of a store. Methods raise OutsideFailure."""

    store: Store

    @property
    def owner(self) -> str:
        """This process, as rows name it."""
        return self.store.owner

    async def post(self, key: str, call_id: str, handoff_id: str, handoff: str, since_ms: int) -> None:
        """A handoff of this process begins to wait. A call that goes on here waits at no other any more."""
        now = self.store.clock()
        row = {"key": key, "call_id": call_id, "handoff_id": handoff_id, "handoff": handoff}
        row |= {"owner": self.owner, "place": "waiting"}
        times = {"since_ms": since_ms, "changed_ms": now, "alive_ms": now}
        left = (WAITING.c.call_id == call_id) & (WAITING.c.owner != self.owner) & WAITING.c.place.in_(OPEN)
        ended = {"place": "over", "why": "call_moved", "changed_ms": now}
        async with writing(self.store.engine) as connection:
            await connection.execute(update(WAITING).where(left).values(ended))
            await connection.execute(insert(WAITING).values(row | times))

    async def change(self, key: str, place: str, by: str = "", why: str = "") -> None:
        """How a handoff of this process stands. Ringing does not undo an answer."""
        one = WAITING.c.key == key
        if place == "ringing":
            one &= WAITING.c.place == "waiting"
        await self._set(one, place=place, why=why or None, **({"answered_by": by} if by else {}))

    async def answer(self, key: str, by: str, *, accepted: bool) -> tuple[bool, Row | None]:
        """Answer it; whether this answer counts, and how it stands now (None: it is gone)."""
        place = "accepted" if accepted else "declined"
        one = (WAITING.c.key == key) & WAITING.c.place.in_(OPEN)
        counts = await self._set(one, place=place, answered_by=by)
        return counts, await self.find(key)

    async def receive(self, key: str) -> None:
        """A page shows it."""
        one = (WAITING.c.key == key) & WAITING.c.received_ms.is_(None)
        await self._set(one, received_ms=self.store.clock())

    async def put_away(self, key: str) -> bool:
        """Whoever has it no longer needs it."""
        one = (WAITING.c.key == key) & WAITING.c.place.in_(("accepted", "declined"))
        return await self._set(one, place="over", why="put_away")

    async def since(self, changed_ms: int) -> Sequence[Row]:
        """What changed since then; every row that still stands for 0."""
        chosen = WAITING.c.changed_ms >= changed_ms if changed_ms else WAITING.c.place != "over"
        return await self._rows(chosen)

    async def find(self, key: str) -> Row | None:
        """The row of this key, also when it is over."""
        return next(iter(await self._rows(WAITING.c.key == key)), None)

    async def package(self, row: Row) -> str | None:
        """The package of a row, as JSON."""
        kept = await self.store.packages(row.call_id)
        return next((one.content.decode() for one in kept if one.handoff_id == row.handoff_id), None)

    async def alive(self) -> None:
        """This process still has its calls; what dead ones left, and what is long past, is taken away."""
        now = self.store.clock()
        mine = (WAITING.c.owner == self.owner) & (WAITING.c.place != "over")
        dead = WAITING.c.place.in_(OPEN) & (WAITING.c.alive_ms < now - SILENT_MS)
        async with writing(self.store.engine) as connection:
            await connection.execute(update(WAITING).where(mine).values(alive_ms=now))
            ended = {"place": "over", "why": "call_ended", "changed_ms": now}
            await connection.execute(update(WAITING).where(dead).values(ended))
            await connection.execute(delete(WAITING).where(WAITING.c.since_ms < now - KEPT_MS))

    async def accessed(self, key: str, call_id: str, who: str, what: str) -> None:
        """Somebody looked at a package, or answered it."""
        row = {"key": key, "call_id": call_id, "who": who, "what": what, "at_ms": self.store.clock()}
        async with writing(self.store.engine) as connection:
            await connection.execute(insert(ACCESSES).values(row))

    async def accesses(self, call_id: str) -> list[dict[str, Any]]:
        """Who looked at the packages of a call, in order."""
        chosen = select(ACCESSES).where(ACCESSES.c.call_id == call_id).order_by(ACCESSES.c.number)
        async with reading(self.store.engine) as connection:
            return [dict(row._mapping) for row in await connection.execute(chosen)]

    async def _set(self, one: Any, **values: Any) -> bool:
        change = update(WAITING).where(one).values(**values, changed_ms=self.store.clock())
        async with writing(self.store.engine) as connection:
            return bool((await connection.execute(change)).rowcount)

    async def _rows(self, chosen: Any) -> list[Row]:
        now = self.store.clock()
        async with reading(self.store.engine) as connection:
            return [
                Row(
                    key=row.key,
                    call_id=row.call_id,
                    handoff_id=row.handoff_id,
                    handoff=row.handoff,
                    owner=row.owner,
                    since_ms=row.since_ms,
                    place=row.place,
                    by=row.answered_by or "",
                    why=row.why or "",
                    received=row.received_ms is not None,
                    changed_ms=row.changed_ms,
                    gone=row.place in OPEN and row.alive_ms < now - SILENT_MS,
                )
                for row in await connection.execute(
                    select(WAITING).where(chosen).order_by(WAITING.c.since_ms)
                )
            ]
