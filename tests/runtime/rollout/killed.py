"""The command line, killed with SIGKILL at a marked point of what it does with the store.

The points are SQLAlchemy's own: before and after the rollout is read, before its row is changed, after that
but before the commit, and after the commit, before anything is told.
"""

import os
import signal
import sys
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from runtime.cli import main

READS, CHANGES = "FROM rollouts", "UPDATE rollouts"
seen: set[str] = set()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
    if READS in statement and point == "before_read":
        kill()
    if statement.startswith(CHANGES) and point == "before_change":
        kill()


def after(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
    if READS in statement and point == "after_read":
        kill()
    if statement.startswith(CHANGES):
        seen.add("changed")


def committing(connection: Any) -> None:
    if "changed" in seen:
        seen.add("committing")
        if point == "before_commit":
            kill()


def returned(*rest: Any) -> None:
    if "committing" in seen and point == "after_commit":
        kill()


if __name__ == "__main__":
    point = sys.argv.pop(1)
    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    event.listen(Engine, "commit", committing)
    event.listen(Pool, "checkin", returned)
    main()
