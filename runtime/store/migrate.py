"""Bringing a store to the newest version, by whichever process comes first."""

import asyncio
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

NEWEST: Final = "0005"
_LOCK: Final = 0x76666373  # one number for all our processes
_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_STEPS: Final = Path(__file__).parent / "migrations"


async def bring_up(connection: AsyncConnection) -> None:
    """Migrate within this connection's transaction, one store of this process after the other.

    Alembic keeps its context in a global, which two migrations on one loop would share.
    """
    async with _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        await connection.run_sync(migrate)


def migrate(connection: Connection) -> None:
    """Make every step that is missing, in the connection's transaction. Two processes take turns."""
    if connection.dialect.name == "postgresql":  # SQLite has taken its write lock already
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if version(connection) == NEWEST:
        return
    # Alembic is imported only when there is something to do: most starts find nothing.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_STEPS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def version(connection: Connection) -> str | None:
    """The version a store has; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
