"""A part of the measured world in a process of its own: `python -m benchmarks.child ROLE`, with its orders
on stdin.

The first line in is a JSON object of what the role needs; the first line out tells its address. Then
each line in is a question: `cpu` is answered with the CPU time of this process so far, and the end of
stdin ends it.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any, Final

from runtime.simulate.clock import hurried

Json = dict[str, Any]


@asynccontextmanager
async def _model(wanted: Json) -> AsyncIterator[str]:
    """A stand-in that hears and speaks in tones. `texts`: what it says one after the other, instead of
    thinking.
    """
    from runtime.session.stand_in import StandIn
    from runtime.session.stand_in.policy import decide
    from runtime.session.stand_in.turns import Output, Say, Turn

    texts: list[str] | None = wanted["texts"]

    def recite(turn: Turn) -> list[Output]:
        place = sum(entry.kind == "assistant" for entry in turn.entries)
        return [Say(text) for text in (texts or [])[place : place + 1]]

    async with StandIn(voice="tones", policy=decide if texts is None else recite) as stand_in:
        yield stand_in.base_url


@asynccontextmanager
async def _bridge(wanted: Json) -> AsyncIterator[str]:
    """What `vfc serve` runs: the server with one compiled flow."""
    import structlog

    from runtime import server, settings
    from voiceflow_compiler.artifact import decode

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    options = {
        "model.base_url": wanted["model_url"],
        "model.api_key": "none",
        "telephony.auth_token": wanted["token"],
        "limits.calls": 200,
    }
    chosen = settings.load(Path(wanted["settings"]), {}, options)
    artifact = decode(await asyncio.to_thread(Path(wanted["artifact"]).read_bytes))
    running = await server.start([artifact], replace(chosen, public_url=""))
    try:
        yield running.voice_url
    finally:
        await running.aclose()


@asynccontextmanager
async def _relay(wanted: Json) -> AsyncIterator[str]:
    """The bare relay on the server's own configuration of uvicorn."""
    import socket

    import uvicorn

    from benchmarks import relay

    config = uvicorn.Config(
        relay.app(wanted["model_url"]),
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/twilio/voice"
        server.should_exit = True
        await task


ROLES: Final[dict[str, Callable[[Json], AbstractAsyncContextManager[str]]]] = {
    "model": _model,
    "bridge": _bridge,
    "relay": _relay,
}


async def _live(role: str) -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    wanted = json.loads(await orders.readline())
    async with ROLES[role](wanted) as address:
        print(json.dumps({"address": address}), flush=True)
        while await orders.readline():
            print(json.dumps({"cpu_s": process_time()}), flush=True)


def main() -> None:
    """Run the role named on the command line. BENCH_PROFILE=FOLDER leaves a cProfile of it there."""
    role, speed = sys.argv[1], float(sys.argv[2])
    folder = os.environ.get("BENCH_PROFILE")
    profile = cProfile.Profile() if folder else None
    with asyncio.Runner(loop_factory=hurried(speed)) as runner:
        if profile:
            profile.enable()
        runner.run(_live(role))
        if profile:
            profile.disable()
            profile.dump_stats(f"{folder}/{role}.prof")


if __name__ == "__main__":
    main()
