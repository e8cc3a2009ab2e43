"""What a caller left to be taken back, when the process that should do it is killed."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runtime.actions import Actions, open_actions
from runtime.database import read_url
from runtime.engine.state import State
from runtime.ports import Intent, Owed, Settled
from runtime.server.taking_back import take_back
from runtime.store import Store, open_store
from runtime.store.store import now_ms
from tests.faults.bed import FULL
from tests.runtime.actions.desk import settings
from tests.runtime.call.conftest import build
from tests.runtime.call.hanging_up import UNDONE, tables
from tests.runtime.call.test_unknown import DEEDS
from tests.runtime.provider import provider
from voiceflow_compiler.artifact import Artifact

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[3]
LATER_MS = 900_000  # past every lease of the process that died
PATIENCE_S = 120


async def killed(mark: str, url: str, office: str, folder: Path, store: Store, held: asyncio.Event) -> None:
    """A call whose caller hangs up while the office is at it, in a process that dies at the mark."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.runtime.call.hanging_up", mark, url, office, str(folder)),
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    async with asyncio.timeout(PATIENCE_S):
        while not await store.undoing.owed("table", before_ms=store.clock()):
            assert child.returncode is None or mark == "owed"
            await asyncio.sleep(0.05)
        held.set()
        assert await child.wait() == -9


@pytest.mark.parametrize("mark", ["owed", "told", "kept", "undone"] if FULL else ["kept"])
async def test_row_38_what_is_owed_is_taken_back_by_whoever_lives(
    database_url: str, tmp_path: Path, mark: str
) -> None:
    """kill -9 once the caller has hung up, before and after the outcome is kept, and while it is taken back:
    another process does what is left, once, and looks in vain the next time.
    """
    held, told = asyncio.Event(), []
    store = await open_store(read_url(database_url, tmp_path), clock=lambda: now_ms() + LATER_MS)
    async with provider(held=held) as (office, deeds):
        await killed(mark, database_url, office, tmp_path, store, held)
        flow = build(tmp_path, UNDONE)
        actions = open_actions(DEEDS, settings(tmp_path, tables(office)), flow="table", ledger=store)

        async def served(name: str, content_hash: str) -> tuple[Artifact, Actions] | None:
            return (flow, actions) if (name, content_hash) == ("table", flow.content_hash) else None

        def alert(code: str, **about: Any) -> None:
            told.append(code)

        for _ in range(2):
            await actions.repeat(await store.left_over("table"))
            await take_back(store, "table", served, alert)
        await actions.close()
        assert len(deeds) == 2
        assert len(set(deeds)) == 2
        assert await store.undoing.owed("table", before_ms=store.clock()) == []
        assert told == []
    await store.close()


async def test_what_cannot_be_taken_back_is_told(database_url: str, tmp_path: Path) -> None:
    """A result without what the undo needs, and a deed nobody knows the end of for an hour: an alert each,
    and they are not looked at again. A deed that failed needs nothing."""
    told: list[tuple[str, str]] = []
    now = now_ms()
    store = await open_store(read_url(database_url, tmp_path), clock=lambda: now)
    flow = build(tmp_path, UNDONE)
    actions = open_actions(
        DEEDS, settings(tmp_path, tables("http://127.0.0.1:9")), flow="table", ledger=store
    )
    state = State(node="book", call_id="CA1", phase="ended", run="r1", runs={"r1": "book"}, undo_at="book")
    for key, ended in (("k1", Settled("done", {})), ("k2", None), ("k3", Settled("failed"))):
        await store.intend(Intent(key, "table", "book", {}, 1000, repeatable=False))
        if ended:
            await store.settle(key, ended)
        await store.undoing.owe(Owed(key, key, "table", flow.content_hash, "r1", msgspec.json.encode(state)))

    async def served(name: str, content_hash: str) -> tuple[Artifact, Actions]:
        return flow, actions

    def alert(code: str, *, call_id: str = "", artifact: str = "", detail: str = "") -> None:
        told.append((call_id, detail))

    for later_ms in (LATER_MS, 5 * LATER_MS):
        await take_back(replace(store, clock=lambda: now + later_ms), "table", served, alert)  # noqa: B023
        left = await store.undoing.owed("table", before_ms=now)
        assert [owed.key for owed, _ in left] == (["k2"] if later_ms == LATER_MS else [])
    assert told == [("k1", "impossible"), ("k2", "unknown")]
    await actions.close()
    await store.close()
