"""Complaints about calls: one small file each, beside the call records, by whoever heard of it.

1. A complaint names a call and who took it, and holds nothing that was said.
2. Said twice it is one complaint.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

log = structlog.get_logger()

FOLDER: Final = "complaints"
CALL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")


class NoSuchCall(Exception):
    """No record of such a call lies here."""


def mark(records: Path, call_id: str, *, by: str, at_ms: int) -> bool:
    """Note a complaint about a call whose record lies in `records`; False when it is noted already.

    Raises NoSuchCall, OSError.
    """
    if not CALL_ID.fullmatch(call_id) or next(records.rglob(f"{call_id}.jsonl"), None) is None:
        raise NoSuchCall(call_id)
    kept: dict[str, Any] = {"complaint": 1, "call_id": call_id, "by": by, "at_ms": at_ms}
    path = records / FOLDER / f"{call_id}.json"
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(msgspec.json.encode(kept) + b"\n")
    except FileExistsError:
        return False
    return True


def note(records: Path, call_id: str, by: str) -> None:
    """Mark a complaint now; one that cannot be kept is logged, since nobody waits for it."""
    try:
        mark(records, call_id, by=by, at_ms=int(time.time() * 1000))
    except (NoSuchCall, OSError) as failure:
        log.warning("rollout.complaint_lost", kind=type(failure).__name__)


def marked(records: Path) -> frozenset[str]:
    """The calls that were complained about. The file's name counts, so that one cut short does too."""
    return frozenset(path.stem for path in (records / FOLDER).glob("*.json"))
