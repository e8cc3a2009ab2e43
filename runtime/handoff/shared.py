"""One desk over several processes: each process's board, kept alike through the store.

1. An answer counts by the store (runtime/store/waiting.py): of two people at two processes, one has it.
2. A process tells its own handoffs in their order, and looks every POLL_S for what others told.
3. A page may hear of a handoff at one process and answer at another: whatever it asks about is looked up in
   the store first.
4. With the store away a process shows and takes answers for its own handoffs alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import msgspec
import structlog

from runtime.handoff.board import Board, Place, Waiting
from runtime.ports import OutsideFailure

log = structlog.get_logger()

POLL_S: Final = 0.3
ALIVE_S: Final = 5.0
TOLD_S: Final = 2.0
OVERLAP_MS: Final = 5_000  # clocks of several machines, and rows written while others are read


class Rows(Protocol):
    """The rows of the store (runtime.store.waiting.WaitingRows)."""

    @property
    def owner(self) -> str: ...
    async def post(self, key: str, call_id: str, handoff_id: str, handoff: str, since_ms: int) -> None: ...
    async def change(self, key: str, place: str, by: str = "", why: str = "") -> None: ...
    async def answer(self, key: str, by: str, *, accepted: bool) -> tuple[bool, Any]: ...
    async def receive(self, key: str) -> None: ...
    async def put_away(self, key: str) -> bool: ...
    async def since(self, changed_ms: int) -> Any: ...
    async def find(self, key: str) -> Any: ...
    async def package(self, row: Any) -> str | None: ...
    async def alive(self) -> None: ...
    async def accessed(self, key: str, call_id: str, who: str, what: str) -> None: ...


@dataclass(slots=True)
class SharedBoard:
    """What the desk's pages ask and answer. `rows` None: this process is alone."""

    board: Board
    rows: Rows | None = None
    _orders: asyncio.Queue[Callable[[], Awaitable[None]]] = field(default_factory=asyncio.Queue)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _seen_ms: int = 0

    def begin(self) -> None:
        """Share from now on, until `close`."""
        if self.rows:
            self.board.changed = self._changed
            self._tasks = [asyncio.create_task(one) for one in (self._write(), self._watch(), self._live())]

    async def close(self) -> None:
        """Tell what is still to be told, if the store takes it soon."""
        if not await self._told(TOLD_S):
            log.warning("desk.untold", changes=self._orders.qsize())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- for the pages ---

    async def find(self, key: str) -> Waiting | None:
        """The handoff of this key as it stands now, in whatever process; None when it is over. One whose row
        is still being written is waited for: pages of its own process are told first.
        """
        until_s = asyncio.get_running_loop().time() + TOLD_S
        while True:
            row = await self._stored(lambda rows: rows.find(key))
            if row is not None:
                await self._mirror(row)
            known = self.board.find(key)
            late = asyncio.get_running_loop().time() >= until_s
            if known is not None or row is not None or self.rows is None or late:
                return known
            await asyncio.sleep(POLL_S)

    async def receive(self, key: str, who: str) -> Waiting | None:
        """A page shows it: the human's side acknowledged."""
        one = await self.find(key)
        if one is None:
            return None
        self.board.receive(key)
        await self._noted(one, who, "seen")
        await self._stored(lambda rows: rows.receive(key))
        return one

    async def answer(self, key: str, by: str, *, accepted: bool) -> Waiting | None:
        """A person answered. None when the handoff is gone; else how it stands now, whoever was first."""
        one = await self.find(key)
        if one is None:
            return None
        await self._noted(one, by, "accepted" if accepted else "declined")
        if not one.foreign:
            await self._told(TOLD_S)  # its row must be there before anybody's answer can count
        told = await self._stored(lambda rows: rows.answer(key, by, accepted=accepted))
        if told is None:  # no store: what is ours we decide alone
            return self.board.answer(key, by, accepted=accepted) if not one.foreign else None
        counts, row = told
        if row is None:
            return None
        if not one.foreign and row.place in ("accepted", "declined"):
            return self.board.answer(key, row.by, accepted=row.place == "accepted")
        if counts or one.foreign:
            await self._mirror(row)
        return self.board.find(key)

    async def put_away(self, key: str, who: str) -> Waiting | None:
        """The person no longer needs it."""
        one = await self.find(key)
        if one is None or one.place not in ("accepted", "declined"):
            return None
        await self._noted(one, who, "put_away")
        await self._stored(lambda rows: rows.put_away(key))
        self.board.put_away(key)
        return one

    # --- between processes ---

    def _changed(self, one: Waiting) -> None:
        place, by, why = one.place, one.by, one.why
        if place == "waiting":
            self._tell(
                lambda rows: rows.post(one.key, one.call_id, one.handoff_id, one.handoff, one.since_ms)
            )
        elif place in ("ringing", "over") or why == "joined":
            self._tell(lambda rows: rows.change(one.key, place, by, why))

    def _tell(self, order: Callable[[Rows], Awaitable[None]]) -> None:
        rows = self.rows
        if rows:
            self._orders.put_nowait(lambda: order(rows))

    async def _told(self, within_s: float) -> bool:
        """Wait until all that happened here was told."""
        try:
            async with asyncio.timeout(within_s):
                await self._orders.join()
        except TimeoutError:
            return False
        return True

    async def _write(self) -> None:
        while True:
            order = await self._orders.get()
            try:
                await order()
            except OutsideFailure as failure:
                log.warning("desk.unshared", reason=failure.reason)
            finally:
                self._orders.task_done()

    async def _watch(self) -> None:
        while True:
            for row in await self._stored(lambda rows: rows.since(self._seen_ms)) or ():
                self._seen_ms = max(self._seen_ms, row.changed_ms - OVERLAP_MS)
                await self._mirror(row)
            await asyncio.sleep(POLL_S)

    async def _live(self) -> None:
        """Say that we live, and look at all there is: what a clock that differs made us miss is seen here."""
        while True:
            await self._stored(lambda rows: rows.alive())
            known = {one.key for one in self.board.all() if one.foreign}
            standing = await self._stored(lambda rows: rows.since(0))
            for row in standing or ():
                await self._mirror(row)
            if standing is not None:
                self._forget(known - {row.key for row in standing})
            await asyncio.sleep(ALIVE_S)

    def _forget(self, gone: set[str]) -> None:
        """What other processes no longer have is over."""
        for one in self.board.all():
            if one.key in gone:
                self.board.mirror(replace(one, place="over", why=one.why or "call_ended"))

    async def _mirror(self, row: Any) -> None:
        known = self.board.find(row.key)
        if known is not None and not known.foreign:
            return self._own(known, row)
        place: Place = "over" if row.gone else row.place
        if known is not None and (known.place, known.by, known.why) == (place, row.by, row.why):
            return None
        if known is None and (place == "over" or (self.rows and row.owner == self.rows.owner)):
            return None
        package = known.package if known else await self._package(row)
        one = Waiting(row.key, row.call_id, row.handoff_id, row.handoff, package, row.since_ms, foreign=True)
        one.place, one.by, one.why = place, row.by, row.why
        return self.board.mirror(one)

    def _own(self, known: Waiting, row: Any) -> None:
        """What others did to a handoff of ours."""
        if row.received:
            known.received.set()
        if row.place in ("accepted", "declined") and known.place in ("waiting", "ringing"):
            self.board.answer(row.key, row.by, accepted=row.place == "accepted")
        if row.place == "over" and row.why == "put_away":
            self.board.put_away(row.key)

    async def _package(self, row: Any) -> dict[str, Any]:
        content = await self._stored(lambda rows: rows.package(row))
        told: Any = msgspec.json.decode(content) if content else {}
        return told if isinstance(told, dict) else {}

    async def _noted(self, one: Waiting, who: str, what: str) -> None:
        await self._stored(lambda rows: rows.accessed(one.key, one.call_id, who, what))

    async def _stored(self, ask: Callable[[Rows], Awaitable[Any]]) -> Any:
        """What the store says; None without one, or while it is away."""
        if self.rows is None:
            return None
        try:
            return await ask(self.rows)
        except OutsideFailure as failure:
            log.warning("desk.unshared", reason=failure.reason)
            return None
