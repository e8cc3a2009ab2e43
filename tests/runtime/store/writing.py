"""A process that writes to a store and is killed the moment a write has returned, for tests: URL, what."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from runtime.database import read_url
from runtime.ports import Intent, Settled
from runtime.store import open_store

CALL = {"flow": "lead", "flow_version": "1", "artifact": "a", "caller": None, "called": None}


async def main(url: str, what: str) -> None:
    """Write, and die."""
    store = await open_store(read_url(url, Path()))
    await store.begin_call({"call_id": "CA1", **CALL, "direction": "inbound", "record": "x"})
    match what:
        case "end":
            await store.end_call("CA1", "caller_hangup", None)
        case "package":
            await store.keep_package("CA1", "h1", "sales", b"{}")
            await store.acknowledge_package("CA1", "h1", "r-1")
        case "deed":
            await store.intend(Intent("k1", "lead", "book", {}, 1000, True))
            await store.settle("k1", Settled("done", {"time": "3 pm"}))
        case "rollout":
            await store.change_rollout("lead", 0, {"share": 5})
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
