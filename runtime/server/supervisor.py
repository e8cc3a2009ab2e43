"""The supervisor: it starts workers that share one port, starts dead ones again, and passes signals on.

1. It carries no call and answers no request: whatever happens to it, calls go on until they end.
2. A worker that dies is started again, later each time; one that cannot stay up stops the server.
3. A worker whose loop stands still for `limits.hung_ms` is killed, after its stack was asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from runtime.alerts import Alerts
from runtime.metrics import SHARED, Metrics, share
from runtime.server.deploy import deploy
from runtime.server.fleet import socket_path
from runtime.server.renewal import Read, Refused, refuse, reread
from runtime.server.scoreboard import Scoreboard
from runtime.server.starting import check, listen, public_url
from runtime.server.tokens import shared_key
from runtime.server.worker import CANNOT_START, Order
from runtime.settings import Settings
from runtime.settings.keys import SettingsError
from voiceflow_compiler.artifact import Artifact, encode

log = structlog.get_logger()

LOOK_S: Final = 0.25
START_S: Final = 120.0  # exact words may have to be rendered first
STACK_S: Final = 1.0
BACKOFF_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
CRASHES: Final = 5
WITHIN_S: Final = 60.0
AFTER_DRAIN_S: Final = 30.0  # what a worker may take beyond its time to drain: turn boundaries, the store

Tell = Callable[[str], None]


class Stopped(Exception):
    """The server cannot go on; the message is one plain line."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is served, by how many. Workers read their settings from `settings_file` and `options`."""

    artifacts: Sequence[Artifact]
    settings: Settings
    settings_file: Path | None
    options: Mapping[str, Any]
    workers: int
    again: Read | None = None


@dataclass(slots=True)
class _Slot:
    """One place for a worker, and how often it died lately."""

    number: int
    process: asyncio.subprocess.Process | None = None
    crashes: deque[float] = field(default_factory=lambda: deque(maxlen=CRASHES))
    began_s: float = 0.0


async def supervise(
    plan: Plan, tell: Tell, stop: asyncio.Event, now: asyncio.Event, renew: asyncio.Event | None = None
) -> None:
    """Serve until `stop` (drain) and, should that be set too, `now`. With `renew`, take what the plan gives
    again. Raises SettingsError, Stopped.
    """
    check(plan.artifacts, plan.settings)
    listening = listen(plan.settings.listen.host, plan.settings.listen.port)
    with listening, tempfile.TemporaryDirectory(prefix="vfc-") as folder:
        listening.listen()
        supervisor = Supervisor(plan, tell, listening, Path(folder))
        async with supervisor.running():
            place = f"{public_url(plan.settings, listening)}/{plan.settings.telephony.provider}/voice"
            for artifact in plan.artifacts:
                tell(f"{artifact.flow}: {place} ({plan.workers} workers)")
            try:
                await _first(stop, supervisor.watch(renew or asyncio.Event()))
            finally:
                await supervisor.end(now)


class Supervisor:
    """The workers of one server."""

    def __init__(self, plan: Plan, tell: Tell, listening: socket.socket, folder: Path) -> None:
        self._plan, self._tell, self._listening, self._folder = plan, tell, listening, folder
        self._board = Scoreboard(folder / "board", plan.workers)
        self._slots = [_Slot(number) for number in range(plan.workers)]
        self._key = shared_key(plan.settings.telephony.auth_token or secrets.token_hex(16))
        self._stopping = False
        self._hung_s = plan.settings.limits.hung_ms / 1000
        (folder / "numbers").mkdir()
        share(folder / "numbers")  # what is told here is counted with what the workers tell
        self._alert = Alerts(Metrics())

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All workers up, the first before the others, so that what they share is made once."""
        for number, artifact in enumerate(self._plan.artifacts):
            self._write(number, artifact)
        try:
            await self._up(self._slots[0])
            await asyncio.gather(*(self._up(slot) for slot in self._slots[1:]))
            yield
        finally:
            await self._kill_all()
            self._board.close()

    async def watch(self, renew: asyncio.Event) -> None:
        """Start again what dies, give up what hangs; take a new version when told. Raises Stopped."""
        await asyncio.gather(self._renew(renew), *(self._keep_up(slot) for slot in self._slots))

    async def _renew(self, renew: asyncio.Event) -> None:
        while True:
            await renew.wait()
            renew.clear()
            try:
                await self._take()
            except (Refused, SettingsError) as error:
                refuse(error, self._alert)

    async def _take(self) -> None:
        """Make a new version ready here first: a worker that is started later must be able to serve it."""
        plan = self._plan
        if plan.again is None:
            return
        artifacts = await reread(plan.again, [one.flow for one in plan.artifacts])
        for artifact in artifacts:
            made = await deploy(artifact, plan.settings, self._tell)
            await made.close()
        places = {one.flow: number for number, one in enumerate(plan.artifacts)}
        for artifact in artifacts:
            self._write(places[artifact.flow], artifact)
        _signal([one.process for one in self._slots if one.process is not None], signal.SIGHUP)

    def _write(self, number: int, artifact: Artifact) -> None:
        """Put a flow where workers read it: whole, whenever one of them looks."""
        path = self._folder / f"{number}.json"
        path.with_suffix(".new").write_bytes(encode(artifact))
        path.with_suffix(".new").replace(path)

    async def end(self, now: asyncio.Event) -> None:
        """Let every worker drain; with `now`, as soon as they can."""
        self._stopping = True
        living = [slot.process for slot in self._slots if slot.process and slot.process.returncode is None]
        calls = sum(row.calls for row in self._board.rows())
        within_s = self._plan.settings.limits.drain_ms / 1000
        if calls:
            self._tell(f"stopping: {calls} live calls may finish within {within_s:.0f} s")
        _signal(living, signal.SIGTERM)
        gone = asyncio.gather(*(process.wait() for process in living))
        hurry = asyncio.create_task(self._hurry(living, now))
        try:
            async with asyncio.timeout(within_s + AFTER_DRAIN_S):
                await asyncio.shield(gone)
        except TimeoutError:
            log.error("workers.late")
        hurry.cancel()
        await self._kill_all()
        await gone

    async def _hurry(self, living: Sequence[asyncio.subprocess.Process], now: asyncio.Event) -> None:
        await now.wait()
        for _ in range(2):  # workers take a second SIGINT for: at once
            _signal(living, signal.SIGINT)
            await asyncio.sleep(LOOK_S)

    async def _keep_up(self, slot: _Slot) -> None:
        loop = asyncio.get_running_loop()
        while True:
            process = slot.process
            assert process is not None
            waiting = asyncio.create_task(process.wait())
            while not waiting.done():
                await asyncio.wait([waiting], timeout=max(LOOK_S, self._hung_s / 20))
                if not waiting.done() and self._hung(slot):
                    await self._give_up(slot, process)
            if self._stopping:
                return
            code = waiting.result()
            self._alert("worker.died", detail=f"w{slot.number}")
            log.error("worker.ended", worker=slot.number, how=_ending(code))
            self._forget(slot, process.pid)
            slot.crashes.append(loop.time())
            self._check_crashes(slot, code)
            await asyncio.sleep(BACKOFF_S[min(len(slot.crashes), len(BACKOFF_S)) - 1])
            await self._up(slot)

    def _check_crashes(self, slot: _Slot, code: int) -> None:
        now = asyncio.get_running_loop().time()
        while slot.crashes and now - slot.crashes[0] > WITHIN_S:
            slot.crashes.popleft()
        if code == CANNOT_START or len(slot.crashes) >= CRASHES:
            raise Stopped(
                f"worker {slot.number} ended {len(slot.crashes)} times within {WITHIN_S:.0f} s"
                f" (last: {_ending(code)}); the server stops. What it said is above."
            )

    def _hung(self, slot: _Slot) -> bool:
        row = self._board.row(slot.number)
        return row.pid != 0 and time.monotonic() - row.beat_s > self._hung_s

    async def _give_up(self, slot: _Slot, process: asyncio.subprocess.Process) -> None:
        self._alert("worker.hung", detail=f"w{slot.number}")
        _signal([process], signal.SIGABRT)  # its fault handler writes where it stands
        await asyncio.sleep(STACK_S)
        _signal([process], signal.SIGKILL)
        self._board.clear(slot.number)

    async def _up(self, slot: _Slot) -> None:
        """Start a worker and wait until its loop turns. Raises Stopped when it does not."""
        loop = asyncio.get_running_loop()
        slot.process = await self._spawn(slot)
        until = loop.time() + START_S
        while not self._board.row(slot.number).live:
            if slot.process.returncode is not None:
                code = slot.process.returncode
                slot.crashes.append(loop.time())
                self._check_crashes(slot, code)
                await asyncio.sleep(BACKOFF_S[min(len(slot.crashes), len(BACKOFF_S)) - 1])
                slot.process = await self._spawn(slot)
            if loop.time() > until:
                raise Stopped(f"worker {slot.number} did not start within {START_S:.0f} s")
            await asyncio.sleep(LOOK_S / 5)

    async def _spawn(self, slot: _Slot) -> asyncio.subprocess.Process:
        plan, descriptor = self._plan, self._listening.fileno()
        order = Order(
            settings=str(plan.settings_file) if plan.settings_file else None,
            options=dict(plan.options),
            artifacts=tuple(str(self._folder / f"{number}.json") for number in range(len(plan.artifacts))),
            folder=str(self._folder),
            slot=slot.number,
            workers=plan.workers,
            descriptor=descriptor,
            key=self._key,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "runtime.server.worker",
            str(slot.number),  # for whoever reads a list of processes
            stdin=asyncio.subprocess.PIPE,
            pass_fds=(descriptor,),
            env={**os.environ, SHARED: str(self._folder / "numbers")},
            start_new_session=True,  # Ctrl-C is ours to pass on
        )
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        return process

    def _forget(self, slot: _Slot, pid: int) -> None:
        """A dead worker leaves neither its row, nor its socket, nor its share of what is counted as live."""
        self._board.clear(slot.number)
        socket_path(self._folder, slot.number).unlink(missing_ok=True)
        for left in (self._folder / "numbers").glob(f"gauge_live*_{pid}.db"):
            left.unlink(missing_ok=True)

    async def _kill_all(self) -> None:
        left = [slot.process for slot in self._slots if slot.process and slot.process.returncode is None]
        _signal(left, signal.SIGKILL)
        await asyncio.gather(*(process.wait() for process in left))


def _signal(processes: Sequence[asyncio.subprocess.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


def _ending(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


async def _first(stop: asyncio.Event, watching: Any) -> None:
    """Until told to stop, or the watch ends; what it raises is raised."""
    tasks = [asyncio.create_task(stop.wait()), asyncio.create_task(watching)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
