"""Databases, embedded (SQLite) and shared (PostgreSQL): opened by one address, spoken to in one way.

1. Values go in as bound parameters; no statement is ever put together from them, and no error shows them.
2. What goes wrong outside is an OutsideFailure: `unavailable` (nothing was done), `timeout` and `lost`
   (nobody knows), `refused` (the database said no).
"""

from __future__ import annotations

import asyncio
import datetime
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import CursorResult, create_engine, event, make_url, text
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runtime.ports import OutsideFailure
from voiceflow_compiler.extras import missing

DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
BUSY_MS: Final = 5000
CONNECTIONS: Final = {"sqlite": 2, "postgresql": 8}
_SIGNS: Final = ("locked", "unable to open", "I/O")  # of a SQLite file that cannot be used now
_READS: Final = {"isolation_level": "AUTOCOMMIT"}

T = TypeVar("T")


def read_url(address: str, folder: Path) -> URL:
    """The address of a database; a SQLite file is relative to `folder`. Raises ValueError, in words."""
    try:
        url = make_url(address.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise ValueError('an address such as "sqlite:///crm.db" or "postgresql://host/name"') from None
    kind = url.get_backend_name()
    if kind not in DRIVERS:
        raise ValueError("an address that starts with sqlite:/// or postgresql://")
    if kind == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ValueError('the address of a file, such as "sqlite:///crm.db"')
        url = url.set(database=str((folder / url.database).absolute()))
    return url.set(drivername=DRIVERS[kind])


def open_engine(url: URL, *, durable: bool = False, read_only: bool = False) -> AsyncEngine:
    """The engine for this address; nothing is connected to yet.

    `durable`: a write that was acknowledged survives a power cut, not only a crash. Raises ValueError, in
    words, when its driver is not installed.
    """
    kind = url.get_backend_name()
    options: dict[str, Any] = {"timeout": BUSY_MS / 1000}
    if read_only and kind == "sqlite":
        url = url.set(database=f"file:{url.database}", query={"mode": "ro", "uri": "true"})
    elif read_only:
        options["server_settings"] = {"default_transaction_read_only": "on"}
    try:
        engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=CONNECTIONS[kind],
            max_overflow=0,
            pool_timeout=BUSY_MS / 1000,
            # A PostgreSQL that was restarted leaves dead connections; one question finds that out.
            pool_pre_ping=kind == "postgresql",
            connect_args=options,
        )
    except (ImportError, NoSuchModuleError):
        raise ValueError(missing("one whose driver is installed", "postgres")) from None
    if kind == "sqlite":
        _prepare_sqlite(engine.sync_engine, synced="FULL" if durable else "")
    return engine


def _prepare_sqlite(engine: Engine, *, synced: str) -> None:
    """`synced`: when a commit is synced, in SQLite's words; empty for a database that is not ours."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        if synced:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute(f"PRAGMA synchronous = {synced}")
            cursor.execute("PRAGMA secure_delete = ON")  # what was forgotten is not in the file's free pages
        cursor.close()

    @event.listens_for(engine, "do_connect")
    def connecting(*about: Any) -> None:
        # SQLite would make a missing file, and its driver leaves a thread behind when it cannot.
        if not Path((engine.url.database or "").removeprefix("file:")).is_file():
            raise FileNotFoundError

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # The driver would take the write lock at the first write, when it is too late to wait for it.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that only reads. Raises OutsideFailure."""
    with failures():
        async with engine.connect() as connection:
            yield await connection.execution_options(**_READS)


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: all of it is done when this ends, or nothing. Raises OutsideFailure."""
    with failures():
        async with engine.begin() as connection:
            yield connection


@dataclass(frozen=True, slots=True)
class Short:
    """Short transactions while somebody waits: one hop to a thread each on SQLite, not one a statement, and
    one at a time, so that none of them sleeps until another's lock is free.
    """

    engine: AsyncEngine | Engine = field(repr=False)
    _thread: ThreadPoolExecutor | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """The name of the database's dialect."""
        return self.engine.dialect.name

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do this in one transaction. Raises OutsideFailure."""
        if isinstance(self.engine, AsyncEngine):
            async with writing(self.engine) as connection:
                return await connection.run_sync(work)
        return await self._hop(self.engine, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do this, which only reads. Raises OutsideFailure."""
        if isinstance(self.engine, AsyncEngine):
            async with reading(self.engine) as connection:
                return await connection.run_sync(work)
        return await self._hop(self.engine.execution_options(**_READS), work)

    async def _hop(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        def done() -> T:
            with failures(), engine.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, done)

    async def close(self) -> None:
        """Let go of every connection that is this one's own."""
        if isinstance(self.engine, Engine) and self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self.engine.dispose)
            self._thread.shutdown(wait=False)


def open_short(engine: AsyncEngine, *, synced: bool) -> Short:
    """Short transactions over the database of this engine. Where it is SQLite, `synced` says whether one that
    was acknowledged survives a power cut; all survive the end of a process.
    """
    if engine.dialect.name != "sqlite":
        return Short(engine)
    url = engine.url.set(drivername="sqlite")
    alone = create_engine(
        url, hide_parameters=True, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
    )
    _prepare_sqlite(alone, synced="FULL" if synced else "NORMAL")
    return Short(alone, ThreadPoolExecutor(1, "store"))


async def close_engine(engine: AsyncEngine) -> None:
    """Let go of every connection; also when whoever waits is cancelled."""
    await asyncio.shield(asyncio.ensure_future(engine.dispose()))


_DONE_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS vfc_done"
    " (key VARCHAR(128) PRIMARY KEY, done_at VARCHAR(32) NOT NULL, result TEXT)"
)
_LOCK: Final = 0x76666364
_CLAIM: Final = "INSERT INTO vfc_done (key, done_at) VALUES (:key, :at) ON CONFLICT (key) DO NOTHING"
_KEPT: Final = "SELECT result FROM vfc_done WHERE key = :key"
_KEEP: Final = "UPDATE vfc_done SET result = :result WHERE key = :key"


@dataclass(slots=True)
class Database:
    """A database whose statements stand in the settings."""

    engine: AsyncEngine = field(repr=False)
    _prepared: bool = False

    async def rows(self, statement: str, values: Mapping[str, Any], *, most: int) -> list[dict[str, Any]]:
        """At most so many rows of a statement that only reads. Raises OutsideFailure."""
        async with reading(self.engine) as connection:
            return _rows(await connection.execute(text(statement), dict(values)), most)

    async def do_once(self, statement: str, values: Mapping[str, Any], key: str) -> dict[str, Any]:
        """The first row of a statement that changes something ({} without one), in one transaction with a row
        of this key in `vfc_done`; where there is one already, what was answered then. Raises OutsideFailure.
        """
        await self._prepare()
        async with writing(self.engine) as connection:
            claimed = await connection.execute(text(_CLAIM), {"key": key, "at": _now()})
            if not claimed.rowcount:
                kept = (await connection.execute(text(_KEPT), {"key": key})).scalar()
                return dict(json.loads(kept or "{}"))
            row = next(iter(_rows(await connection.execute(text(statement), dict(values)), 1)), {})
            await connection.execute(text(_KEEP), {"key": key, "result": json.dumps(row)})
            return row

    async def _prepare(self) -> None:
        """Make the table of keys once; PostgreSQL does not make one for two who ask at the same time."""
        if self._prepared:
            return
        async with writing(self.engine) as connection:
            if self.engine.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.execute(text(_DONE_TABLE))
        self._prepared = True

    async def close(self) -> None:
        """Let go of every connection."""
        await close_engine(self.engine)


def open_database(url: URL, *, read_only: bool) -> Database:
    """The database at this address. Raises ValueError, in words, when its driver is not installed."""
    return Database(open_engine(url, read_only=read_only))


def parameters(statement: str) -> frozenset[str]:
    """The names of a statement's bound parameters."""
    return frozenset(text(statement)._bindparams)


def _rows(found: CursorResult[Any], most: int) -> list[dict[str, Any]]:
    if not found.returns_rows:
        return []
    return [{name: plain(value) for name, value in row._mapping.items()} for row in found.fetchmany(most)]


def plain(value: Any) -> Any:
    """A value of a database as JSON would hold it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case _:
            return str(value)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


@contextmanager
def failures() -> Iterator[None]:
    """Turns what a database raises into an OutsideFailure without its text, which may quote values."""
    try:
        yield
    except PoolTimeout:
        raise OutsideFailure("unavailable") from None
    except DBAPIError as error:
        raise OutsideFailure(_reason(error)) from None
    except (SQLAlchemyError, OSError, sqlite3.Error):
        raise OutsideFailure("unavailable") from None
    except TimeoutError:
        raise OutsideFailure("timeout") from None


def _reason(error: DBAPIError) -> str:
    if error.connection_invalidated:
        return "lost"
    state = str(getattr(error.orig, "sqlstate", "") or "")
    if state[:2] in ("08", "53", "57") or isinstance(error.orig, OSError):
        return "unavailable"
    if isinstance(error.orig, sqlite3.OperationalError):
        told = str(error.orig)
        return "unavailable" if any(sign in told for sign in _SIGNS) else "refused"
    return "refused"
