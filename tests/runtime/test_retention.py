"""What calls leave is pruned by age and forgotten whole, and sealed it is readable with its keys alone."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from runtime import record, retention
from runtime.database import read_url, reading
from runtime.engine import effects, events
from runtime.handoff.channels.folder import write_file
from runtime.ports import Intent, Owed, Settled
from runtime.record import Header, Recorder
from runtime.seals import SealError, Seals, is_sealed, new_key, opened, seals_of
from runtime.settings import Retention, load
from runtime.store import Store, open_store
from runtime.store.leases import Answered
from runtime.store.tables import METADATA
from runtime.store.waiting import WaitingRows

DAY_MS = retention.DAY_MS
DANA, SAM = "+12025550101", "+12025550102"
CANARY = "Quentin Xylophone"
ROOT = Path(__file__).parents[2]
OPTIONS = {
    "telephony.insecure": True,
    "public_url": "http://127.0.0.1",
    "model.base_url": "http://127.0.0.1/v1",
}


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    one = await open_store(read_url(database_url, Path()))
    yield one
    await one.close()


async def leave(store: Store, records: Path, call_id: str, caller: str) -> None:
    """Everything a call may leave."""
    row = {"flow": "lead", "flow_version": "1", "artifact": "a", "caller": caller, "called": None}
    await store.begin_call({"call_id": call_id, **row, "direction": "inbound", "record": "x"})
    await store.keep_package(call_id, "h1", "sales", json.dumps({"name": CANARY}).encode())
    await store.intend(Intent(f"key-{call_id}", "lead", "book", {"name": CANARY}, 1000, True))
    await store.settle(f"key-{call_id}", Settled("done", {"name": CANARY}))
    recorder = Recorder(
        records / "calls" / f"{call_id}.jsonl", Header(call_id, "2026", "0" * 64, "lead", "1")
    )
    recorder.event(events.CallStarted(at_ms=0, call_id=call_id, caller_number=caller))
    recorder.effect(1, effects.RunAction("r1", "book", {"name": CANARY}, f"key-{call_id}", 1000))
    recorder.end(2, "caller_hangup", None)
    assert await recorder.durable()
    again = Recorder(records / "calls" / f"{call_id}.2.jsonl", Header(call_id, "2026", "0" * 64, "lead", "1"))
    again.effect(1, effects.RunAction("r2", "book", {"name": CANARY}, f"more-{call_id}", 1000))
    again.end(2, "caller_hangup", None)
    assert await again.durable()
    await store.intend(Intent(f"more-{call_id}", "lead", "book", {"name": CANARY}, 1000, True))
    await store.undoing.owe(Owed(f"key-{call_id}", call_id, "lead", "a", "r1", CANARY.encode()))
    await store.leases.begin(Answered(call_id, "lead", "a", caller, "token"))
    waiting = WaitingRows(store)
    await waiting.post(f"desk-{call_id}", call_id, "h1", "sales", 1)
    await waiting.accessed(f"desk-{call_id}", call_id, "Ana", "shown")
    for path in (
        f"calls/{call_id}.wav",
        f"calls/complaints/{call_id}.json",
        f"handoffs/{call_id}-h1.json",
        f"handoffs/spool/{call_id}-h1-w.json",
    ):
        await write_file(records / path, CANARY.encode())
    with (records / "actions.jsonl").open("a") as file:
        file.write(json.dumps({"idempotency_key": f"key-{call_id}", "arguments": {"name": CANARY}}) + "\n")


def names(records: Path) -> set[str]:
    return {path.name for path in records.rglob("*") if path.is_file()}


def age(records: Path) -> None:
    """Make every file look as old as files can be."""
    for path in records.rglob("CA1*"):
        os.utime(path, (0, 0))


async def test_a_caller_is_forgotten_whole(store: Store, tmp_path: Path) -> None:
    """Record, sound, packages, spool, deeds and rows of that number are gone; another caller's are there."""
    for call_id, caller in (("CA1", DANA), ("CA2", DANA), ("CA3", SAM)):
        await leave(store, tmp_path, call_id, caller)
    gone = await retention.forget_caller(store, tmp_path, DANA)
    assert (gone.calls, gone.files, gone.rows) == (2, 12, 16)
    assert [call["call_id"] for call in await store.calls()] == ["CA3"]
    assert await store.packages("CA1") == []
    assert await store.deed("key-CA1") is None
    assert await store.deed("key-CA3") is not None
    assert names(tmp_path) >= {"CA3.jsonl", "CA3.wav", "CA3-h1.json", "CA3-h1-w.json"}
    assert not [name for name in names(tmp_path) if name.startswith(("CA1", "CA2"))]
    lines = [line for line in (tmp_path / "actions.jsonl").read_text().splitlines() if line.strip()]
    assert [json.loads(line)["idempotency_key"] for line in lines] == ["key-CA3"]
    assert (await retention.forget_caller(store, tmp_path, DANA)).calls == 0


async def dump(store: Store, records: Path) -> str:
    """Every row of every table, and every file's name and content."""
    rows: list[str] = []
    async with reading(store.engine) as connection:
        for table in METADATA.sorted_tables:
            rows += [f"{table.name} {tuple(row)}" for row in await connection.execute(select(table))]
    return "\n".join(rows + contents(records))


def contents(records: Path) -> list[str]:
    """Every file, those of the database too."""
    files = [path for path in records.rglob("*") if path.is_file()]
    return [f"{path.name} {path.read_bytes().decode('utf-8', 'replace')}" for path in files]


async def test_nothing_anywhere_names_a_forgotten_caller(store: Store, tmp_path: Path) -> None:
    """In no table and no file is the number, the name or the id of a call that was forgotten; every table
    that names calls held some of it before."""
    await leave(store, tmp_path, "CA1", DANA)
    before = await dump(store, tmp_path)
    named = {table.name for table in METADATA.sorted_tables if "call_id" in table.c} | {"deeds"}
    told = {line.partition(" ")[0] for line in before.splitlines() if "CA1" in line}
    assert named <= told
    await retention.forget_caller(store, tmp_path, DANA)
    after = await dump(store, tmp_path)
    for canary in ("CA1", CANARY, DANA, DANA[1:]):
        assert canary not in after, canary


async def test_what_is_older_than_it_is_kept_goes(store: Store, tmp_path: Path) -> None:
    """Each kind by its own days; 0 keeps for ever."""
    settings = replace(load(None, {}, OPTIONS), records=tmp_path)
    await leave(store, tmp_path, "CA1", DANA)
    assert (await retention.prune(store, settings)) == retention.Gone()
    age(tmp_path)
    sounds = replace(settings, retention=Retention(0, 0, 7, 0, 0))
    assert (await retention.prune(store, sounds)).files == 1
    later = replace(store, clock=lambda: store.clock() + 8 * DAY_MS)
    packages = replace(settings, retention=Retention(0, 0, 0, 7, 7))
    gone = await retention.prune(later, packages)
    assert (gone.files, gone.rows) == (2, 2)
    assert len(await store.calls()) == 1
    assert (await retention.prune(later, replace(settings, retention=Retention(7, 0, 0, 0, 0)))).calls == 1
    assert await store.calls() == []
    assert not [name for name in names(tmp_path) if name.startswith("CA1")]


async def test_deeds_nobody_knows_the_end_of_are_kept(store: Store, tmp_path: Path) -> None:
    """A person must still see to them, however old they are."""
    await store.intend(Intent("k1", "lead", "book", {}, 1000, False))
    await store.settle("k1", Settled("unknown"))
    later = replace(store, clock=lambda: store.clock() + 800 * DAY_MS)
    assert await later.forget_deeds_before(later.clock()) == 0


async def test_sealed_rows_are_read_with_a_key_alone(store: Store) -> None:
    """Packages and deeds are unreadable in the database, whole with their key, and refused without."""
    sealing = replace(store, seals=seals_of({"VFC_SEAL_KEYS": new_key()}))
    await sealing.keep_package("CA1", "h1", "sales", CANARY.encode())
    await sealing.intend(Intent("k1", "lead", "book", {"name": CANARY}, 1000, True))
    await sealing.settle("k1", Settled("done", {"name": CANARY}))
    assert (await sealing.packages("CA1"))[0].content == CANARY.encode()
    deed = await sealing.deed("k1")
    assert deed is not None
    assert (deed.arguments, deed.result) == ({"name": CANARY}, {"name": CANARY})
    with pytest.raises(SealError):
        await replace(store, seals=None).packages("CA1")
    with pytest.raises(SealError):
        await replace(store, seals=seals_of({"VFC_SEAL_KEYS": new_key()})).deed("k1")


def test_keys_rotate() -> None:
    """A new key in front seals; what the old one sealed is opened until the old one is taken away."""
    old, new = new_key(), new_key()
    first = seals_of({"VFC_SEAL_KEYS": old})
    both = seals_of({"VFC_SEAL_KEYS": f"{new}, {old}"})
    last = seals_of({"VFC_SEAL_KEYS": new})
    assert isinstance(first, Seals)
    assert isinstance(both, Seals)
    assert opened(first.seal(b"x"), both) == b"x"
    assert opened(both.seal(b"x"), last) == b"x"
    with pytest.raises(SealError):
        opened(first.seal(b"x"), last)
    assert opened(b"plain", None) == b"plain"


def test_a_changed_seal_is_refused() -> None:
    """One byte changed, and nothing is told."""
    seals = seals_of({"VFC_SEAL_KEYS": new_key()})
    assert seals is not None
    token = bytearray(seals.seal(b"x"))
    token[30] ^= 1
    with pytest.raises(SealError):
        opened(bytes(token), seals)


SEALED = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.runtime.test_retention import leave
from runtime.database import read_url
from runtime.store import open_store
async def main():
    store = await open_store(read_url("sqlite:///store.db", Path({folder!r})))
    await leave(store, Path({folder!r}), "CA1", "+12025550101")
    await store.close()
asyncio.run(main())
"""


def test_a_sealed_record_is_read_by_who_has_the_key(tmp_path: Path) -> None:
    """A process with a key leaves a record nobody reads without it; `vfc store open` does with it."""
    environment = {"VFC_SEAL_KEYS": new_key(), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    script = SEALED.format(root=str(ROOT), folder=str(tmp_path))
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=ROOT, check=True, timeout=120)
    path = tmp_path / "calls" / "CA1.jsonl"
    assert all(is_sealed(line) for line in path.read_bytes().splitlines())
    assert CANARY.encode() not in path.read_bytes() + (tmp_path / "store.db").read_bytes()
    with pytest.raises(record.RecordError, match="VFC_SEAL_KEYS"):
        record.read(path)
    command = [sys.executable, "-m", "runtime", "store", "open", str(path)]
    told = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True, timeout=120)
    assert CANARY.encode() in told.stdout
    assert json.loads(told.stdout.splitlines()[-1])["end"]["reason"] == "caller_hangup"
    refused = subprocess.run(
        command, env={**environment, "VFC_SEAL_KEYS": ""}, cwd=ROOT, capture_output=True, timeout=120
    )
    assert refused.returncode == 2
    assert b"VFC_SEAL_KEYS" in refused.stderr
