"""What a server keeps in its store: its calls, and the deeds a dead process left."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.database import read_url
from runtime.ports import Intent
from runtime.server.keeping import Index
from runtime.store import Store, open_store
from runtime.telephony.base import LineCall
from tests.runtime.postgres import Server
from tests.runtime.provider import provider
from tests.runtime.switchboard import (
    CALL,
    CALLER,
    PATIENCE_S,
    artifact,
    open_switchboard,
    stop_message,
)

BOOK = """[outbound]
private_hosts = ["127.0.0.1"]
[actions.book_demo]
executor = "http"
url = "{url}/demos"
"""


async def store_in(folder: Path, *, ms_ago: int = 0) -> Store:
    """The server's embedded store, as another process sees it, with a clock that is so much behind."""
    url = read_url("sqlite:///records/store.db", folder)
    return await open_store(url, clock=lambda: int(time.time() * 1000) - ms_ago)


async def test_a_call_stands_in_the_index_with_its_end(tmp_path: Path) -> None:
    """A carried call has one row: who called, which flow, where its record is, how it ended."""
    async with open_switchboard(tmp_path) as board:
        token = await board.answer()
        async with board.stream(token) as socket:
            await socket.send(stop_message())
            assert await board.over() == "caller_hangup"
    store = await store_in(tmp_path)
    (call,) = await store.calls(caller=CALLER)
    await store.close()
    assert (call["call_id"], call["reason"]) == (CALL, "caller_hangup")
    assert call["record"].endswith(f"{CALL}.jsonl")


@pytest.mark.faults
async def test_a_deed_a_dead_process_left_is_done_once_by_the_next(tmp_path: Path) -> None:
    """A server that starts finds what was begun and never settled, and does it with its own key."""
    (tmp_path / "records").mkdir()
    store = await store_in(tmp_path, ms_ago=60_000)
    arguments = {"email": "dana@example.com"}
    await store.intend(Intent("k1", "lead-qualification", "book_demo", arguments, 1000, True))
    await store.close()
    async with provider() as (url, deeds), open_switchboard(tmp_path, toml=BOOK.format(url=url)):
        store = await store_in(tmp_path)
        async with asyncio.timeout(PATIENCE_S):
            while (deed := await store.deed("k1")) is None or deed.state != "done":  # noqa: ASYNC110 - a row
                await asyncio.sleep(0.01)
        await store.close()
    assert deeds == ["k1"]


@pytest.mark.faults
async def test_rows_wait_while_the_store_is_away(postgres_server: Server, tmp_path: Path) -> None:
    """PostgreSQL stops and comes back: the calls of meanwhile are in the index afterwards."""
    store = await open_store(read_url(postgres_server.new(), tmp_path))
    index = Index(store)
    call = LineCall("CA1", "AC1", None, None, "inbound")
    index.begin(call, artifact(), Path("x"))
    postgres_server.stop()
    try:
        index.begin(replace(call, call_id="CA2"), artifact(), Path("y"))
        index.end("CA2", "caller_hangup", None)
    finally:
        postgres_server.start()
    await index.close()
    rows = {row["call_id"]: row["reason"] for row in await store.calls()}
    await store.close()
    assert rows == {"CA1": None, "CA2": "caller_hangup"}
