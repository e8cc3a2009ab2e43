"""What is to be taken back: kept when a caller hangs up on an action under way, gone once that is settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.database import reading, writing
from runtime.ports import Owed
from runtime.seals import Seals, opened, sealed
from runtime.store.tables import UNDOING

_INSERTS: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True, slots=True)
class Undoings:
    """The table of a store. Methods raise OutsideFailure when it cannot be used."""

    engine: AsyncEngine
    clock: Callable[[], int]
    seals: Seals | None = field(repr=False)

    async def owe(self, owed: Owed) -> None:
        """Keep it; on the disk before this returns. The same key again leaves the first as it is."""
        row = {
            "key": owed.key,
            "call_id": owed.call_id,
            "flow": owed.flow,
            "artifact": owed.artifact,
            "run_id": owed.run_id,
            "state": sealed(owed.state, self.seals).decode(),
            "kept_ms": self.clock(),
        }
        insert = _INSERTS[self.engine.dialect.name](UNDOING).values(row).on_conflict_do_nothing()
        async with writing(self.engine) as connection:
            await connection.execute(insert)

    async def clear(self, key: str) -> None:
        """It is taken back, or needs not be."""
        async with writing(self.engine) as connection:
            await connection.execute(delete(UNDOING).where(UNDOING.c.key == key))

    async def owed(self, flow: str, *, before_ms: int) -> list[tuple[Owed, int]]:
        """What was kept before this time, with that time, the oldest first."""
        old = (UNDOING.c.flow == flow) & (UNDOING.c.kept_ms <= before_ms)
        async with reading(self.engine) as connection:
            rows = await connection.execute(select(UNDOING).where(old).order_by(UNDOING.c.kept_ms))
            return [
                (
                    Owed(
                        row.key,
                        row.call_id,
                        row.flow,
                        row.artifact,
                        row.run_id,
                        opened(row.state.encode(), self.seals),
                    ),
                    row.kept_ms,
                )
                for row in rows
            ]
