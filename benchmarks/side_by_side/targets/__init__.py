"""The bridges that are compared, each a program: `python -m benchmarks.side_by_side.targets.NAME MODEL_URL`.

It tells on its first line where it is reached, as JSON, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

Open = Callable[[str], AbstractAsyncContextManager[dict[str, str]]]


def main(opened: Open) -> None:
    """Run a bridge until standard input ends."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_live(opened, sys.argv[1]))


async def _live(opened: Open, model_url: str) -> None:
    async with opened(model_url) as address:
        print(json.dumps(address), flush=True)
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def uvicorn_on(app: Any, path: str) -> AsyncIterator[dict[str, str]]:
    """An ASGI application with a media socket at this path, on a free port."""
    import uvicorn

    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", access_log=False
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield {"media_url": f"ws://127.0.0.1:{port}{path}"}
    server.should_exit = True
    await task
