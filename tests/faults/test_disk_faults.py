"""Row 49: a disk that refuses, is read only, breaks or is slow, under the records of live calls."""

import asyncio
import errno
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.fernet import Fernet

from runtime import record
from runtime.record import Header, Recorder
from runtime.seals import opened, seals_of
from runtime.writing import MOST_KEPT, Disk
from tests.faults import bed as beds
from tests.faults.bed import BOOKS, FULL, GOODBYE, QUESTION, live, sound
from tests.faults.conftest import Open

pytestmark = pytest.mark.faults

SORRY = "I could not book it. Someone will call you. Goodbye."
HEADER = Header("CA1", "2026-11-22T10:00:00Z", "0" * 64, "table", "1")
SLOW_S = 2.0
PATIENCE_S = 60
ROOT = Path(__file__).parents[2]


@dataclass
class Broken(Disk):
    """A disk that fails at what `at` names, with `error` after half of what it was to write, or is slow."""

    at: frozenset[str] = frozenset()
    error: int = errno.EIO
    sync_s: float = 0.0
    threads: set[int] = field(default_factory=set)
    syncs: int = 0

    def _pass(self, deed: str) -> None:
        self.threads.add(threading.get_ident())
        if deed in self.at:
            raise OSError(self.error, os.strerror(self.error))

    def open(self, path: Path, *, new: bool) -> int:
        self._pass("open")
        return super().open(path, new=new)

    def write(self, descriptor: int, content: memoryview) -> int:
        if "write" in self.at and len(content) > 1:
            return super().write(descriptor, content[: len(content) // 2])
        self._pass("write")
        return super().write(descriptor, content)

    def cut(self, descriptor: int, size: int) -> None:
        self._pass("cut")
        super().cut(descriptor, size)

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        time.sleep(self.sync_s)
        self._pass("sync")
        super().sync(descriptor)


KINDS = {
    "full": (frozenset({"write"}), errno.ENOSPC),
    "read-only": (frozenset({"open", "write", "cut"}), errno.EROFS),
    "io": (frozenset({"open", "write", "cut", "sync"}), errno.EIO),
    "sync": (frozenset({"sync"}), errno.EIO),
}


@pytest.mark.parametrize("kind", KINDS if FULL else ["full", "io"])
def test_row_49_a_disk_that_fails_ends_no_call_and_leaves_no_half_line(bed: Open, kind: str) -> None:
    """The disk of all records fails in the middle of a call: every call goes on to its end and in time, what
    one was to do is not done and its caller hears so. Mended, it has every line of every record, none of them
    half, and the next call is booked."""
    at, error = KINDS[kind]
    disk = Broken(error=error)

    async def work() -> tuple[beds.Bed, list[beds.Placed]]:
        async with bed(disk=disk) as one:
            first = asyncio.create_task(one.call(BOOKS))
            await asyncio.sleep(2)
            disk.at = at
            broken = await first
            assert one.alerts("record.failed") >= 1
            disk.at = frozenset()
            well = await one.call(BOOKS)
        await whole(one)
        return one, [broken(), well()]

    one, (broken, well) = live(work())
    heard = bytes(broken.ended.tape.heard)
    assert sound(QUESTION) in heard
    assert sound(SORRY) in heard
    assert sound(GOODBYE) not in heard
    assert broken.ended.how == "assistant_hung_up"
    assert well.outcome == "booked"
    assert broken.of("note", "record_failed")
    assert threading.get_ident() not in disk.threads
    done = (one.folder / "records" / "actions.jsonl").read_bytes().splitlines()
    assert len(done) == 1


async def whole(one: beds.Bed) -> None:
    """Wait until the record of every call that is over has its end, and nothing after it."""
    paths = (one.folder / "records" / "calls").glob("*.jsonl")
    async with asyncio.timeout(PATIENCE_S * beds.SPEED):
        while not all((kept := record.read(path)).whole and not kept.torn for path in paths):
            await asyncio.sleep(1)
            paths = (one.folder / "records" / "calls").glob("*.jsonl")


def test_row_49_a_slow_disk_is_waited_for_by_nobody_but_a_deed(bed: Open) -> None:
    """Each time a record is brought to the disk two seconds pass: no frame of any other call is later for it,
    nothing of it runs where the calls do, and the deed that waits for it is done."""
    disk = Broken(sync_s=SLOW_S / beds.SPEED)

    async def work() -> beds.Placed:
        async with bed(disk=disk) as one:
            made = await one.call(BOOKS)
        await whole(one)
        return made()

    call = live(work())
    assert call.outcome == "booked"
    assert call.at(GOODBYE) is not None
    assert disk.syncs >= 2
    assert threading.get_ident() not in disk.threads


async def test_row_49_a_disk_that_never_answers_lets_no_deed_be_done(tmp_path: Path) -> None:
    """Whoever waits for a disk that hangs is told after five seconds that nothing is kept."""
    hangs = threading.Event()

    class Hanging(Disk):
        def sync(self, descriptor: int) -> None:
            hangs.wait(PATIENCE_S)

    one = Recorder(tmp_path / "call.jsonl", HEADER, Hanging())
    try:
        assert not await one.durable()
    finally:
        hangs.set()
    assert await one.durable()
    one.end(0, "caller_hangup", None)
    await kept(one)


async def kept(one: Recorder) -> None:
    """Wait until nothing of a record waits any more."""
    async with asyncio.timeout(PATIENCE_S):
        while one.held:  # noqa: ASYNC110 - another thread writes
            await asyncio.sleep(0.05)


def spilled(lines: list[Any]) -> list[Any]:
    return [one["line"] for one in lines if one["event"] == "record.spilled"]


@pytest.mark.parametrize("more", [0, 1])
async def test_row_49_a_thousand_lines_wait_and_the_rest_is_told(
    tmp_path: Path, log_lines: list[Any], more: int
) -> None:
    """Of a record whose disk refuses a thousand lines wait and are all written when it takes them again. One
    more, and these and every later one are told on stderr, in order, each without what anybody said; the file
    then ends with the last whole line it had."""
    disk = Broken()
    one = Recorder(tmp_path / "call.jsonl", HEADER, disk)
    assert await one.durable()
    disk.at = frozenset({"open", "write"})
    one.note(0, "mark", number=0)
    assert not await one.durable()
    for number in range(1, MOST_KEPT - 1):
        one.note(0, "mark", number=number)
    for words in ("private words",) * (1 + more):
        one.append({"at_ms": 9, "event": {"type": "CallerTurn", "at_ms": 9, "turn_id": "t1", "text": words}})
    await one.durable()
    disk.at = frozenset()
    one.end(10, "caller_hangup", None)
    await kept(one)
    told, (_, *lines) = spilled(log_lines), (one.path.read_bytes().splitlines())
    async with asyncio.timeout(PATIENCE_S):
        while more == 0 and not record.read(one.path).whole:  # noqa: ASYNC110 - another thread writes
            await asyncio.sleep(0.05)
    assert "private words" not in json.dumps(told)
    if more:
        assert lines == []
        assert [line["seq"] for line in told] == list(range(1, MOST_KEPT + 3))
        assert told[MOST_KEPT]["event"] == {"type": "CallerTurn", "at_ms": 9, "turn_id": "t1"}
        assert told[-1]["end"]["reason"] == "caller_hangup"
    else:
        assert told == []
        assert len(record.read(one.path).lines) == MOST_KEPT + 1
    assert record.read(one.path).torn == 0


PROGRAM = """
import sys
from pathlib import Path
from runtime.record import Header, Recorder
one = Recorder(Path(sys.argv[1]) / "call.jsonl", Header("CA1", "2026-11-22T10:00:00Z", "0" * 64, "f", "1"))
said = {"type": "CallerTurn", "at_ms": 9, "turn_id": "t1", "text": "private words"}
one.append({"at_ms": 9, "event": said})
one.end(10, "caller_hangup", None)
"""


@pytest.mark.parametrize("key", ["", Fernet.generate_key().decode()], ids=["plain", "sealed"])
def test_row_49_a_process_that_ends_tells_what_it_could_not_write(tmp_path: Path, key: str) -> None:
    """Lines that still wait when the process ends are on stderr: with a key sealed and whole, without one but
    not what was said."""
    folder = tmp_path / "taken"
    folder.write_text("a file where a folder is needed")
    environment = {**os.environ, "VFC_SEAL_KEYS": key, "PYTHONPATH": str(ROOT)}
    program = "from runtime.server.logs import log_json\nlog_json('info')\n" + PROGRAM
    ran = subprocess.run(
        [sys.executable, "-c", program, str(folder)], env=environment, capture_output=True, check=True
    )
    told = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [one["event"] for one in told] == ["record.spilled"] * 3
    assert b"private words" not in ran.stderr
    if key:
        seals = seals_of({"VFC_SEAL_KEYS": key})
        assert seals is not None
        lines = [msgspec.json.decode(opened(one["sealed"].encode(), seals)) for one in told]
        assert lines[1]["event"]["text"] == "private words"
        assert [line["seq"] for line in lines] == [0, 1, 2]
    else:
        assert [one["line"]["seq"] for one in told] == [0, 1, 2]


async def test_row_49_a_file_that_lost_what_it_had_is_not_gone_on_with(
    tmp_path: Path, log_lines: list[Any]
) -> None:
    """When a disk comes back without what was written to it, no line is put after the gap: they are told."""
    disk = Broken()
    one = Recorder(tmp_path / "call.jsonl", HEADER, disk)
    assert await one.durable()
    disk.at = frozenset({"write"})
    one.note(0, "mark")
    assert not await one.durable()
    one.path.write_bytes(b"")
    disk.at = frozenset()
    assert not await one.durable()
    one.end(1, "caller_hangup", None)
    await kept(one)
    assert one.path.read_bytes() == b""
    assert [line["seq"] for line in spilled(log_lines)] == [1, 2]
