"""One worker process of a supervisor: `python -m runtime.server.worker`, told on stdin what to serve.

Its stdin stays open as long as the supervisor lives: at its end the worker drains and goes.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from runtime.server.fleet import Fleet
from runtime.server.logs import log_json
from runtime.server.loops import new_loop
from runtime.server.run import Shared, start, until_told
from runtime.server.scoreboard import Scoreboard
from runtime.settings import Settings, load
from runtime.settings.keys import SettingsError
from voiceflow_compiler.artifact import Artifact, ArtifactError, decode

early: list[int] = []  # SIGHUPs before the loop took them
CANNOT_START = 3  # the exit code that says: starting again will not help


class Order(msgspec.Struct, frozen=True):
    """What a worker is told. `descriptor`: the socket it listens on with the others."""

    settings: str | None
    options: dict[str, Any]
    artifacts: tuple[str, ...]
    folder: str
    slot: int
    workers: int
    descriptor: int
    key: bytes


def main() -> int:
    """Serve until told to stop; the exit code."""
    faulthandler.enable()  # a supervisor that gives us up asks for our stack with SIGABRT
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    log_json("info", worker=order.slot)  # all of them write to the supervisor's stderr
    try:
        chosen = load(Path(order.settings) if order.settings else None, os.environ, order.options)
        artifacts = read_artifacts(order)
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_serve(order, artifacts, chosen))
    except (SettingsError, ArtifactError, OSError) as error:
        for line in getattr(error, "problems", None) or [str(error)]:
            sys.stderr.write(f"vfc: {line}\n")
        return CANNOT_START
    return 0


def read_artifacts(order: Order) -> list[Artifact]:
    """What the supervisor serves now. Raises OSError, ArtifactError."""
    return [decode(Path(path).read_bytes()) for path in order.artifacts]


async def _serve(order: Order, artifacts: Sequence[Artifact], chosen: Settings) -> None:
    board = Scoreboard(Path(order.folder) / "board", order.workers)
    listening = socket.socket(fileno=order.descriptor)
    fleet = Fleet(Path(order.folder), order.slot, board)
    running = await start(artifacts, chosen, shared=Shared(listening, order.key, fleet))
    again = partial(read_artifacts, order)
    if early:
        await running.renewal.renew(again)
    orphaned = asyncio.Event()
    watching = asyncio.create_task(_stdin_ended(orphaned))
    try:
        await until_told(running, chosen.limits.drain_ms, orphaned=orphaned, again=again)
    finally:
        watching.cancel()
        await running.aclose()


async def _stdin_ended(orphaned: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    orphaned.set()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the loop takes it: Ctrl-C is the supervisor's
    signal.signal(signal.SIGHUP, lambda number, _: early.append(number))
    sys.exit(main())
