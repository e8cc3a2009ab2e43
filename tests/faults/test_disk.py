"""Row 49: the disk is full in the middle of a call, a real one that is small."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.simulate.phone import Ended
from runtime.simulate.profile import Line
from tests.faults import bed as beds
from tests.faults.bed import BOOKS, GOODBYE, QUESTION, live, profile, sound

pytestmark = pytest.mark.faults

SIZE = "8m"
SORRY = "I could not book it. Someone will call you. Goodbye."
SLOW = profile(Line(say="four people"), Line(say="four people"), patience_ms=2500)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which is small."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", path], check=False)
    if mounted.returncode:
        pytest.skip("only root may mount a disk")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def fill(path: Path) -> None:
    """Take every byte that is left."""
    with path.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"\x00" * os.statvfs(path).f_bsize)
            except OSError:
                return


def heard(ended: Ended, words: str) -> bool:
    return sound(words) in bytes(ended.tape.heard)


def test_row_49_a_full_disk_ends_no_call_and_no_deed_is_done_without_a_record(disk: Path) -> None:
    """The disk fills up while a call lives: it goes on to its end, what it was to do is not done and the
    caller hears so; another one that begins meanwhile hears the same, and neither leaves its file open. With
    room again the next call is booked."""

    async def full() -> tuple[beds.Bed, bytes]:
        async with beds.open_bed(disk) as one:
            first = asyncio.create_task(one.call(SLOW))
            await one.begun(1)
            await asyncio.sleep(2)
            fill(disk / "filler")
            assert not first.done()
            await first
            await one.call(BOOKS)
            done = disk / "records" / "actions.jsonl"
            before = done.read_bytes() if done.exists() else b""
            assert one.alerts("record.failed") >= 1
            (disk / "filler").unlink()
            await one.call(BOOKS)
            return one, before

    one, before = live(full())
    live_one, meanwhile, after = one.ended
    assert before == b""
    for ended in (live_one, meanwhile):
        assert heard(ended, QUESTION)
        assert heard(ended, SORRY)
        assert not heard(ended, GOODBYE)
    assert heard(after, GOODBYE)
    assert [ended.how for ended in one.ended] == ["assistant_hung_up"] * 3
