"""What a killed process had written is there."""

import asyncio
import sys
from pathlib import Path

import pytest

from runtime.database import read_url
from runtime.store import open_store

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("what", ["begin", "end", "package", "deed", "rollout"])
async def test_a_write_that_returned_survives_kill_9(database_url: str, what: str) -> None:
    """The process dies the moment its write has returned; the next one reads it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).parent / "writing.py"),
        database_url,
        what,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert await child.wait() == -9
    store = await open_store(read_url(database_url, Path()))
    try:
        (call,) = await store.calls()
        assert call["reason"] == ("caller_hangup" if what == "end" else None)
        assert [kept.receipt for kept in await store.packages("CA1")] == ["r-1"] * (what == "package")
        deed = await store.deed("k1")
        assert (deed.state if deed else None) == ("done" if what == "deed" else None)
        rollout = await store.rollout("lead")
        assert (rollout.state if rollout else None) == ({"share": 5} if what == "rollout" else None)
    finally:
        await store.close()
