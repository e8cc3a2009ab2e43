"""One store, open: its calls, packages, deeds and rollouts, on SQLite and PostgreSQL alike.

Law of deeds: a deed has one row, made before anybody outside is asked (`intend`). Whoever made the row, or
took it over after its lease ran out, is the only one who may ask, until they say what came of it (`settle`).
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Column, ColumnElement, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.visitors import iterate

from runtime.database import Short, close_engine, open_engine, open_short, read_url, reading, writing
from runtime.ports import Intent, OutsideFailure, Settled, Standing
from runtime.seals import SealError, Seals, of_process, opened
from runtime.settings import Settings
from runtime.settings.keys import SettingsError
from runtime.store.counts import counted
from runtime.store.leases import Leases
from runtime.store.migrate import bring_up
from runtime.store.tables import ACCESSES, CALLS, DEEDS, LEASES, PACKAGES, ROLLOUTS, UNDOING, WAITING
from runtime.store.undoing import Undoings

FILE_NAME: Final = "store.db"
OF_CALLS: Final = (PACKAGES, LEASES, UNDOING, WAITING, ACCESSES, CALLS)
_INSERTS: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done outside, or meant to be: `state` is intended, done, failed or unknown."""

    key: str
    flow: str
    action: str
    arguments: Mapping[str, Any] = field(repr=False)
    state: str
    attempts: int
    begun_ms: int
    lease_until_ms: int
    reason: str | None
    result: Mapping[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A context package; `receipt` is None until the human's side acknowledged it."""

    call_id: str
    handoff_id: str
    handoff: str
    content: bytes = field(repr=False)
    kept_ms: int
    receipt: str | None


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far a flow's rollout is. `version` counts its changes."""

    flow: str
    version: int
    state: Mapping[str, Any]
    changed_ms: int


def now_ms() -> int:
    """Milliseconds since 1970, by this machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Methods raise OutsideFailure (unavailable, lost, timeout) when it cannot be used.

    `index`: the same database for the rows of calls; `quick`: for what a caller waits for.
    """

    engine: AsyncEngine
    index: Short
    quick: Short
    clock: Callable[[], int] = now_ms
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    seals: Seals | None = field(default_factory=of_process, repr=False)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.index.close()
        await self.quick.close()
        await close_engine(self.engine)

    @property
    def leases(self) -> Leases:
        """Whose the live calls are."""
        return Leases(self.quick, self.clock)

    @property
    def undoing(self) -> Undoings:
        """What is to be taken back."""
        return Undoings(self.engine, self.clock, self.seals)

    # --- calls ---

    async def begin_call(self, call: Mapping[str, Any]) -> None:
        """Put a call into the index: the columns of CALLS up to `record`. Twice the same call is one row."""
        row = {**call, "started_ms": self.clock()}
        insert = self._insert(CALLS).values(row).on_conflict_do_nothing()
        await self.index.write(lambda connection: connection.execute(insert).close())

    async def end_call(self, call_id: str, reason: str, outcome: str | None) -> None:
        """Say how a call ended. Only the first end counts."""
        ended = {"ended_ms": self.clock(), "reason": reason, "outcome": outcome}
        mine = (CALLS.c.call_id == call_id) & CALLS.c.ended_ms.is_(None)
        change = update(CALLS).where(mine).values(ended)
        await self.index.write(lambda connection: connection.execute(change).close())

    async def count_calls(self, caller: str | None, *, since_ms: int, all_since_ms: int) -> tuple[int, int]:
        """How many calls began since then: this caller's (0 for a withheld number), and everybody's."""
        return await self.quick.read(lambda connection: counted(connection, caller, since_ms, all_since_ms))

    async def calls(self, *, limit: int = 100, caller: str | None = None) -> list[dict[str, Any]]:
        """The newest calls, as rows by column."""
        chosen = select(CALLS).order_by(CALLS.c.started_ms.desc(), CALLS.c.call_id).limit(limit)
        if caller is not None:
            chosen = chosen.where(CALLS.c.caller == caller)
        async with reading(self.engine) as connection:
            return [dict(row._mapping) for row in await connection.execute(chosen)]

    async def calls_with(self, number: str, *, limit: int) -> list[str]:
        """Ids of calls from or to a number."""
        mine = (CALLS.c.caller == number) | ((CALLS.c.called == number) & (CALLS.c.direction == "outbound"))
        return await self._ids(select(CALLS.c.call_id).where(mine).limit(limit))

    async def calls_before(self, ms: int, *, limit: int) -> list[str]:
        """Ids of calls that began before this time."""
        return await self._ids(select(CALLS.c.call_id).where(CALLS.c.started_ms < ms).limit(limit))

    async def _ids(self, chosen: Any) -> list[str]:
        async with reading(self.engine) as connection:
            return [str(row.call_id) for row in await connection.execute(chosen)]

    async def forget_call(self, call_id: str) -> int:
        """Take everything that names a call out of the store, the call last; how many rows that were."""
        return await self._forget(*(table.c.call_id == call_id for table in OF_CALLS))

    async def forget_packages_before(self, ms: int) -> int:
        """Take out packages kept before this time."""
        return await self._forget(PACKAGES.c.kept_ms < ms)

    async def forget_deeds(self, keys: Sequence[str]) -> int:
        """Take out deeds by their keys."""
        return await self._forget(DEEDS.c.key.in_(keys)) if keys else 0

    async def forget_deeds_before(self, ms: int) -> int:
        """Take out deeds that were settled before this time; those nobody knows the end of stay."""
        over = DEEDS.c.state.in_(("done", "failed"))
        return await self._forget((DEEDS.c.settled_ms < ms) & over)

    async def _forget(self, *chosen: ColumnElement[bool]) -> int:
        """Delete the rows of one table after the other, all or none."""
        async with writing(self.engine) as connection:
            gone = [
                await connection.execute(delete(table).where(one))
                for table, one in ((_table_of(one), one) for one in chosen)
            ]
        return sum(each.rowcount for each in gone)

    # --- packages ---

    async def keep_package(self, call_id: str, handoff_id: str, handoff: str, content: bytes) -> None:
        """Keep a context package. The same handoff again leaves the first as it is."""
        row = {
            "call_id": call_id,
            "handoff_id": handoff_id,
            "handoff": handoff,
            "content": self._sealed(content),
            "kept_ms": self.clock(),
        }
        async with writing(self.engine) as connection:
            await connection.execute(self._insert(PACKAGES).values(row).on_conflict_do_nothing())

    async def acknowledge_package(self, call_id: str, handoff_id: str, receipt: str) -> None:
        """The human's side has it."""
        one = (PACKAGES.c.call_id == call_id) & (PACKAGES.c.handoff_id == handoff_id)
        async with writing(self.engine) as connection:
            await connection.execute(
                update(PACKAGES).where(one).values(receipt=receipt, acknowledged_ms=self.clock())
            )

    async def packages(self, call_id: str) -> list[Kept]:
        """The packages of a call, in the order they were made."""
        mine = select(PACKAGES).where(PACKAGES.c.call_id == call_id).order_by(PACKAGES.c.kept_ms)
        async with reading(self.engine) as connection:
            return [
                Kept(
                    row.call_id,
                    row.handoff_id,
                    row.handoff,
                    opened(row.content.encode(), self.seals),
                    row.kept_ms,
                    row.receipt,
                )
                for row in await connection.execute(mine)
            ]

    # --- deeds (runtime.ports.Ledger) ---

    async def intend(self, intent: Intent) -> Standing:
        """Claim a deed, in one transaction: its row is on the disk when this returns `mine`."""
        async with writing(self.engine) as connection:
            now = self.clock()
            fresh = self._intended(intent, now) | {"begun_ms": now, "attempts": 1}
            made = await connection.execute(self._insert(DEEDS).values(fresh).on_conflict_do_nothing())
            if made.rowcount:
                return Standing("mine")
            return await self._claim(connection, intent, now)

    async def _claim(self, connection: AsyncConnection, intent: Intent, now: int) -> Standing:
        row = await self._locked(connection, intent.key)
        if row.state == "done":
            return Standing("done", result=self._json(row.result or "{}"))
        if row.state == "intended" and row.lease_until_ms > now and row.owner != self.owner:
            return Standing("taken")
        if row.state in ("intended", "unknown") and not intent.repeatable:
            await self._set(connection, intent.key, state="unknown")
            return Standing("unknown")
        await self._set(
            connection, intent.key, **self._intended(intent, now), attempts=row.attempts + 1, reason=None
        )
        return Standing("mine", again=row.state != "failed")

    def _intended(self, intent: Intent, now: int) -> dict[str, Any]:
        return {
            "key": intent.key,
            "flow": intent.flow,
            "action": intent.action,
            "arguments": self._sealed(msgspec.json.encode(intent.arguments)),
            "state": "intended",
            "owner": self.owner,
            "lease_until_ms": now + intent.lease_ms,
        }

    async def settle(self, key: str, settled: Settled) -> None:
        """Say what came of a deed this process had claimed."""
        result = None if settled.result is None else self._sealed(msgspec.json.encode(settled.result))
        mine = (DEEDS.c.key == key) & (DEEDS.c.owner == self.owner)
        async with writing(self.engine) as connection:
            await connection.execute(
                update(DEEDS)
                .where(mine)
                .values(
                    state=settled.state, reason=settled.reason or None, result=result, settled_ms=self.clock()
                )
            )

    async def left_over(self, flow: str, *, since_ms: int = 0) -> list[Deed]:
        """Deeds a process began and never settled, because it died: nobody was told what came of them."""
        return await self._deeds(
            (DEEDS.c.flow == flow)
            & (DEEDS.c.state == "intended")
            & (DEEDS.c.lease_until_ms <= self.clock())
            & (DEEDS.c.begun_ms >= since_ms)
        )

    async def unknown(self, flow: str = "", *, since_ms: int = 0) -> list[Deed]:
        """Deeds (of one flow, or of all) of which nobody knows whether they were done: a person must look, or
        repeat the same key.
        """
        gone = (DEEDS.c.state == "intended") & (DEEDS.c.lease_until_ms <= self.clock())
        chosen = ((DEEDS.c.state == "unknown") | gone) & (DEEDS.c.begun_ms >= since_ms)
        return await self._deeds(chosen & (DEEDS.c.flow == flow) if flow else chosen)

    async def deed(self, key: str) -> Deed | None:
        """The deed of this key."""
        return next(iter(await self._deeds(DEEDS.c.key == key)), None)

    async def _deeds(self, chosen: Any) -> list[Deed]:
        async with reading(self.engine) as connection:
            rows = await connection.execute(select(DEEDS).where(chosen).order_by(DEEDS.c.begun_ms))
            return [self._deed(row) for row in rows]

    async def _locked(self, connection: AsyncConnection, key: str) -> Row[Any]:
        return (await connection.execute(select(DEEDS).where(DEEDS.c.key == key).with_for_update())).one()

    async def _set(self, connection: AsyncConnection, deed: str, **values: Any) -> None:
        await connection.execute(update(DEEDS).where(DEEDS.c.key == deed).values(**values))

    # --- rollouts ---

    async def rollout(self, flow: str) -> Rollout | None:
        """How far a flow's rollout is; None before its first change."""
        async with reading(self.engine) as connection:
            row = (await connection.execute(select(ROLLOUTS).where(ROLLOUTS.c.flow == flow))).one_or_none()
        if row is None:
            return None
        return Rollout(row.flow, row.version, msgspec.json.decode(row.state), row.changed_ms)

    async def change_rollout(self, flow: str, from_version: int, state: Mapping[str, Any]) -> bool:
        """Change a rollout that is at this version (0: has none yet); False if somebody else was first."""
        row = {
            "flow": flow,
            "version": from_version + 1,
            "state": msgspec.json.encode(state).decode(),
            "changed_ms": self.clock(),
        }
        same = (ROLLOUTS.c.flow == flow) & (ROLLOUTS.c.version == from_version)
        change = (
            update(ROLLOUTS).where(same).values(row)
            if from_version
            else self._insert(ROLLOUTS).values(row).on_conflict_do_nothing()
        )
        async with writing(self.engine) as connection:
            return bool((await connection.execute(change)).rowcount)

    def _insert(self, table: Any) -> Any:
        return _INSERTS[self.engine.dialect.name](table)

    def _sealed(self, content: bytes) -> str:
        return (content if self.seals is None else self.seals.seal(content)).decode()

    def _json(self, text: str) -> Any:
        return msgspec.json.decode(opened(text.encode(), self.seals))

    def _deed(self, row: Row[Any]) -> Deed:
        return Deed(
            key=row.key,
            flow=row.flow,
            action=row.action,
            arguments=self._json(row.arguments),
            state=row.state,
            attempts=row.attempts,
            begun_ms=row.begun_ms,
            lease_until_ms=row.lease_until_ms,
            reason=row.reason,
            result=None if row.result is None else self._json(row.result),
        )


def _table_of(chosen: ColumnElement[bool]) -> Any:
    return next(part.table for part in iterate(chosen) if isinstance(part, Column))


def store_url(settings: Settings) -> URL:
    """Where the store of these settings is. Raises SettingsError."""
    try:
        if settings.store_url:
            return read_url(settings.store_url, settings.folder)
        return read_url(f"sqlite:///{(settings.records / FILE_NAME).absolute()}", settings.folder)
    except ValueError as wrong:
        raise SettingsError([f"store.url must be {wrong}: set VFC_STORE_URL."]) from None


def is_there(url: URL) -> bool:
    """Whether there may be a store; an embedded one that was never opened is not there."""
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


async def open_store(url: URL, *, clock: Callable[[], int] = now_ms) -> Store:
    """The store at this address, brought to this version. Raises OutsideFailure, SettingsError."""
    try:
        seals = of_process()
    except SealError as wrong:
        raise SettingsError([f"{wrong}."]) from None
    try:
        engine = open_engine(url, durable=True)
    except ValueError as wrong:
        raise SettingsError([f"store.url must be {wrong}."]) from None
    try:
        _make_place(url)
        async with writing(engine) as connection:
            await bring_up(connection)
    except BaseException:
        await close_engine(engine)
        raise
    index, quick = open_short(engine, synced=True), open_short(engine, synced=False)
    return Store(engine, index, quick, clock, seals=seals)


def _make_place(url: URL) -> None:
    """The folder of an embedded store, and its file for its owner alone."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError:
        raise OutsideFailure("unavailable") from None
