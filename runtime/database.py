"""Databases, embedded (SQLite) and shared (PostgreSQL): opened by one address, spoken to in one way.

1. Values go in as bound parameters; no statement is ever put together from them, and no error shows them.
2. What goes wrong outside is an OutsideFailure: `unavailable` (nothing was done), `timeout` and `lost`
   (nobody knows), `refused` (the database said no).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runtime.ports import OutsideFailure

DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
BUSY_MS: Final = 5000
CONNECTIONS: Final = {"sqlite": 2, "postgresql": 8}
_READS: Final = {"isolation_level": "AUTOCOMMIT"}


def read_url(text: str, folder: Path) -> URL:
    """The address of a database; a SQLite file is relative to `folder`. Raises ValueError, in words."""
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
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


def open_database(url: URL, *, durable: bool = False) -> AsyncEngine:
    """The database at this address; nothing is connected to yet.

    `durable`: a write that was acknowledged survives a power cut, not only a crash. Raises ValueError, in
    words, when its driver is not installed.
    """
    kind = url.get_backend_name()
    try:
        engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=CONNECTIONS[kind],
            max_overflow=0,
            pool_timeout=BUSY_MS / 1000,
            # A PostgreSQL that was restarted leaves dead connections; one question finds that out.
            pool_pre_ping=kind == "postgresql",
            connect_args={"timeout": BUSY_MS / 1000},
        )
    except (ImportError, NoSuchModuleError):
        raise ValueError(
            "one whose driver is installed: pip install 'voiceflow-compiler[postgres]'"
        ) from None
    if kind == "sqlite":
        _prepare_sqlite(engine, durable=durable)
    return engine


def _prepare_sqlite(engine: AsyncEngine, *, durable: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        if durable:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
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


async def close_database(engine: AsyncEngine) -> None:
    """Let go of every connection; also when whoever waits is cancelled."""
    await asyncio.shield(asyncio.ensure_future(engine.dispose()))


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
        text = str(error.orig)
        return "unavailable" if "locked" in text or "unable to open" in text or "I/O" in text else "refused"
    return "refused"
