"""Row 46: a worker that stands still for too long is killed, and its calls go on elsewhere."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.stack.test_workers import most_loaded
from tests.stack.workers import open_fleet

CALLS = 4


@pytest.mark.faults
@pytest.mark.long
async def test_row_46_a_worker_that_stands_still_is_killed_and_its_calls_go_on(tmp_path: Path) -> None:
    """A worker is stopped in its tracks, its sockets open: after the time the settings give it the supervisor
    kills it. Its callers hear one sentence and come to their end with another worker; those of the other one
    notice nothing, and an operator is told."""
    async with open_fleet(tmp_path, toml="[limits]\nhung_ms = 10000\n") as fleet:
        calls = [asyncio.create_task(fleet.call(f"+1202555{one:04}")) for one in range(CALLS)]
        slot, hit = await most_loaded(fleet, CALLS)
        os.kill(fleet.worker(slot), signal.SIGSTOP)
        ended = await asyncio.gather(*calls)
        for one in ended:
            streams = [note.what for note in one.notes].count("stream_started")
            assert (streams, one.how) == (2 if one.call_id in hit else 1, "assistant_hung_up")
        for one in ended:
            if one.call_id in hit:
                assert "we were cut off" in next(note.detail for note in one.notes if note.what == "say")
    told = (tmp_path / "stderr").read_text()
    assert "worker.hung" in told
