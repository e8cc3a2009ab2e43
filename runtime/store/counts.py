"""How many calls began lately, asked before one more is taken."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection

from runtime.store.tables import CALLS

# Put together once: that costs more than what SQLite does with it.
_CALLS: Final = select(func.count()).select_from(CALLS)
_COUNT: Final = select(
    _CALLS.where(CALLS.c.caller == bindparam("who"), CALLS.c.started_ms >= bindparam("since"))
    .scalar_subquery()
    .label("theirs"),
    _CALLS.where(CALLS.c.started_ms >= bindparam("all_since")).scalar_subquery().label("everyones"),
)


def counted(connection: Connection, caller: str | None, since_ms: int, all_since_ms: int) -> tuple[int, int]:
    """This caller's since then (0 for a withheld number), and everybody's."""
    asked = {"who": caller, "since": since_ms, "all_since": all_since_ms}
    theirs, everyones = connection.execute(_COUNT, asked).one()
    return int(theirs), int(everyones)
