"""How long what calls leave is kept, and how a call or a caller is forgotten.

Law: what points to a thing goes after the thing. Files go before the row of the index that names them, so
that whatever is interrupted is found and finished by the next time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from runtime import record
from runtime.database import reading
from runtime.ports import OutsideFailure
from runtime.settings import Settings

if TYPE_CHECKING:
    from runtime.store import Store

log = structlog.get_logger()

DAY_MS: Final = 86_400_000
LOOK_EVERY_S: Final = 3600.0
AT_ONCE: Final = 500
CALLS, HANDOFFS, ACTIONS = "calls", "handoffs", "actions.jsonl"


@dataclass(slots=True)
class Gone:
    """What was taken away: files, and rows of the store."""

    calls: int = 0
    files: int = 0
    rows: int = 0


async def forget_call(store: Store, records: Path, call_id: str) -> Gone:
    """Take everything a call left away: record, sound, packages and their spool, deeds, what the desk had of
    it, complaints, and the row of the index last. Raises OutsideFailure.
    """
    keys = await asyncio.to_thread(_keys, records / CALLS, call_id)
    files = await asyncio.to_thread(_remove, _files(records, call_id))
    await asyncio.to_thread(_blank, records / ACTIONS, keys)
    rows = await store.forget_deeds(sorted(keys))
    rows += await store.forget_call(call_id)
    return Gone(1, files, rows)


async def forget_caller(store: Store, records: Path, number: str) -> Gone:
    """Take away everything the calls from (or to) a number left."""
    gone = Gone()
    while calls := await store.calls_with(number, limit=AT_ONCE):
        for call_id in calls:
            _add(gone, await forget_call(store, records, call_id))
    await scrub(store)
    return gone


async def scrub(store: Store) -> None:
    """Let SQLite's log hold nothing of what was forgotten; PostgreSQL vacuums by itself."""
    if store.engine.dialect.name == "sqlite":
        async with reading(store.engine) as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


async def prune(store: Store, settings: Settings) -> Gone:
    """Take away what is older than the settings keep it. Raises OutsideFailure."""
    kept, records, now = settings.retention, settings.records, store.clock()
    gone = Gone()
    if kept.calls_days:
        while calls := await store.calls_before(now - kept.calls_days * DAY_MS, limit=AT_ONCE):
            for call_id in calls:
                _add(gone, await forget_call(store, records, call_id))
    for days, folder, ends in (
        (kept.records_days, CALLS, (".jsonl",)),
        (kept.sound_days, CALLS, (".wav", ".wav.sealed")),
        (kept.packages_days, HANDOFFS, (".json", ".undelivered")),
    ):
        if days:
            old = _older(records / folder, ends, (now - days * DAY_MS) / 1000)
            gone.files += await asyncio.to_thread(_remove, old)
    if kept.packages_days:
        gone.rows += await store.forget_packages_before(now - kept.packages_days * DAY_MS)
    if kept.deeds_days:
        gone.rows += await store.forget_deeds_before(now - kept.deeds_days * DAY_MS)
    return gone


async def keep_pruning(store: Store, settings: Settings, stopping: asyncio.Event) -> None:
    """Prune now and every hour, until it is time to stop."""
    while not stopping.is_set():
        try:
            gone = await prune(store, settings)
            if gone.files or gone.rows:
                log.info("pruned", files=gone.files, rows=gone.rows)
        except (OutsideFailure, OSError) as failure:
            log.warning("prune.failed", kind=type(failure).__name__)
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await stopping.wait()
        except TimeoutError:
            pass  # time to look again


def _add(total: Gone, one: Gone) -> None:
    total.calls, total.files, total.rows = (
        total.calls + one.calls,
        total.files + one.files,
        total.rows + one.rows,
    )


def _files(records: Path, call_id: str) -> list[Path]:
    from runtime.handoff.channels.folder import file_name

    # One record and sound for each stream the call went on with, and what of them could not be read.
    found = list((records / CALLS).rglob(f"{call_id}.*"))
    for folder in (records / HANDOFFS, records / HANDOFFS / "spool"):
        found += folder.glob(f"{file_name(call_id)}-*") if folder.is_dir() else ()
    return found


def _older(folder: Path, ends: tuple[str, ...], before_s: float) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name.endswith(ends) and path.stat().st_mtime < before_s
    ]


def _remove(files: Iterable[Path]) -> int:
    count = 0
    for path in files:
        try:
            path.unlink()
            count += 1
        except FileNotFoundError:
            continue
    return count


def _keys(folder: Path, call_id: str) -> set[str]:
    """The keys of the actions that the parts of a call's record ordered."""
    orders: list[dict[str, Any]] = []
    for path in folder.glob(f"{call_id}.*jsonl"):
        try:
            orders += [line.get("effect", {}) for line in record.read(path).lines]
        except (OSError, record.RecordError):
            continue
    return {order["idempotency_key"] for order in orders if order.get("type") == "RunAction"}


def _blank(path: Path, keys: set[str]) -> None:
    """Overwrite these actions' lines with spaces, in place: whoever appends meanwhile is not disturbed."""
    if not keys or not path.is_file():
        return
    descriptor = os.open(path, os.O_RDWR)
    try:
        at = 0
        for line in path.read_bytes().splitlines(keepends=True):
            if _key(line) in keys:
                os.pwrite(descriptor, b" " * (len(line) - 1), at)
            at += len(line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _key(line: bytes) -> str:
    try:
        return str(msgspec.json.decode(line, type=dict[str, Any]).get("idempotency_key", ""))
    except msgspec.MsgspecError:
        return ""
