"""The server as a process: a socket, uvicorn on it, and the way it stops.

SIGTERM takes no further call and lets the live ones finish; SIGINT does the same, and a second one stops at
once.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from runtime.alerts import Alerts
from runtime.call import carry
from runtime.console import Console
from runtime.gate.complaints import note as note_complaint
from runtime.handoff import Board, SharedBoard
from runtime.metrics import Metrics
from runtime.ports import OutsideFailure, Watch
from runtime.retention import keep_pruning
from runtime.server.calls import Calls, Carry
from runtime.server.deploy import Deployment, Tell, deploy
from runtime.server.dialled import Dialled
from runtime.server.fleet import Fleet
from runtime.server.invited import Invited
from runtime.server.keeping import Index, mend
from runtime.server.leasing import Leasing
from runtime.server.loops import keep_for_good
from runtime.server.measured import Measured
from runtime.server.media import Media
from runtime.server.net import Net
from runtime.server.people import open_spool
from runtime.server.place import Place
from runtime.server.pulse import Pulse
from runtime.server.renewal import Read, Renewal
from runtime.server.rest import Rest
from runtime.server.split import Split
from runtime.server.starting import check, listen, public_url
from runtime.server.tokens import Tokens, shared_key
from runtime.server.upgrade import Requests, upgrades
from runtime.server.versions import Versions
from runtime.server.webhooks import Webhooks
from runtime.server.weight import Weight, bound
from runtime.settings import Settings
from runtime.settings.keys import SettingsError
from runtime.store import Lease, Store, WaitingRows, open_store, store_url
from runtime.telephony import PROVIDERS
from runtime.writing import DISK, Disk
from voiceflow_compiler.artifact import Artifact

log = structlog.get_logger()

STOP_S: Final = 5.0
BACKLOG: Final = 2048
LINGER_S: Final = 2.0  # after the last call, for the provider's question what to do next


class _Uvicorn(uvicorn.Server):
    """uvicorn, but signals are ours (its own way out would cut live calls), and it says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes calls."""

    place: Place
    calls: Calls
    dialled: Dialled
    renewal: Renewal
    _uvicorn: _Uvicorn
    _task: asyncio.Task[None]
    _undo: contextlib.AsyncExitStack

    @property
    def url(self) -> str:
        """The server's address, as the provider knows it."""
        return self.place.public_url

    @property
    def voice_url(self) -> str:
        """What the provider asks when the telephone rings."""
        return self.place.url(self.place.voice)

    async def wait(self) -> None:
        """Wait until it stops by itself, which it should not."""
        await asyncio.wait([self._task])

    async def drain(self, within_ms: int) -> None:
        """Take no further call and let the live ones finish."""
        busy = self.calls.live > 0
        await self.calls.drain(within_ms)
        if busy:
            await asyncio.sleep(LINGER_S)

    async def aclose(self) -> None:
        """Stop now: live calls are ended, sockets closed."""
        await self.calls.close()
        self._uvicorn.should_exit = True
        await self._task
        await self._undo.aclose()


async def start(
    artifacts: Sequence[Artifact],
    settings: Settings,
    *,
    tell: Tell = lambda line: None,
    watch: Watch | None = None,
    carry: Carry = carry,
    shared: Shared | None = None,
    disk: Disk = DISK,
) -> Running:
    """Start a server for these flows on the running loop; it takes calls when this returns. `aclose` ends it.

    Port 0 takes any free one. `watch(call_id, line)` sees every line of every call record as it is written.
    `shared`: what workers of one supervisor share; `disk`: where records go. Raises SettingsError.
    """
    check(artifacts, settings)
    async with contextlib.AsyncExitStack() as undo:
        host, port = settings.listen.host, settings.listen.port
        listening = undo.enter_context(shared.listening if shared else listen(host, port))
        store = await _store(settings, undo)
        alerts = Alerts(Metrics())
        index = Index(store)
        undo.push_async_callback(index.close)
        deployments: dict[str, Deployment] = {}
        undo.push_async_callback(_close_all, deployments)
        for artifact in artifacts:
            deployments[artifact.flow] = await deploy(artifact, settings, tell, store, alerts)
        stopping = asyncio.Event()
        pruning = asyncio.create_task(keep_pruning(store, settings, stopping))
        undo.push_async_callback(_finish, pruning, stopping)
        versions = Versions(settings, store, alerts, tell)
        undo.push_async_callback(versions.close)
        calls = Calls(
            settings,
            deployments,
            alerts=alerts,
            carry=carry,
            watch=watch,
            index=index,
            packages=store,
            board=Board() if settings.desk_token else None,
            undoing=store.undoing,
            spool=await open_spool(settings, deployments.values(), alerts, undo),
            tokens=Tokens(shared.key) if shared else _tokens(settings),
            find_deployment=versions.find,
            alone=shared is None,
            disk=disk,
        )
        mending = asyncio.create_task(mend(store, calls.deployments, calls.deployment_of, alerts, stopping))
        undo.push_async_callback(_finish, mending, stopping)
        calls.leasing = _leasing(store, calls, index, shared.fleet if shared else None)
        hashes = {one.flow: one.content_hash for one in artifacts}
        renewal = Renewal(settings, deployments, hashes, store, alerts, tell, calls.runs_on)
        undo.push_async_callback(renewal.close)
        _let_go_with_calls(calls, renewal, versions)
        split = Split(store, settings, hashes)
        await split.begin()
        undo.push_async_callback(_cancel, asyncio.create_task(split.watch()))
        # Once it runs, all of this is the running server's to let go of.
        return await _run(listening, settings, calls, split, renewal, store, shared, undo)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the workers of a supervisor share: the socket they listen on, the key of their tokens."""

    listening: socket.socket
    key: bytes = field(repr=False)
    fleet: Fleet


def _tokens(settings: Settings) -> Tokens | None:
    """Tokens that every machine of a fleet reads, where there is a secret that all of them have."""
    secret = settings.telephony.auth_token
    return Tokens(shared_key(secret)) if secret else None


def _leasing(store: Store, calls: Calls, index: Index, fleet: Fleet | None) -> Leasing:
    async def swept(lease: Lease) -> None:
        await calls.bury(lease.call_id, lease.fence, lease.reason or "worker_lost")

    owner = f"{fleet.name if fleet else 'w0'}.{secrets.token_hex(6)}"
    return Leasing(store.leases, owner, index=index, alert=calls.alert, swept=swept)


async def serve(
    artifacts: Sequence[Artifact], settings: Settings, tell: Tell, again: Read | None = None
) -> None:
    """Take calls until a signal says to stop; `tell` gets a line for each flow. `again`: what SIGHUP takes
    from the next call on. Raises SettingsError.
    """
    running = await start(artifacts, settings, tell=tell)
    lines = []
    others = "every number" if len(running.calls.deployments) == 1 else "no number calls it"
    for flow in running.calls.deployments:
        numbers = [number for number, name in settings.numbers.items() if name == flow]
        lines.append(f"{flow}: {running.voice_url} ({', '.join(numbers) or others})")
    try:
        await until_told(running, settings.limits.drain_ms, lines, tell, again=again)
    finally:
        await running.aclose()


async def until_told(
    running: Running,
    drain_ms: int,
    lines: Sequence[str] = (),
    tell: Tell = lambda line: None,
    *,
    orphaned: asyncio.Event | None = None,
    again: Read | None = None,
) -> None:
    """Take calls until a signal (or the end of the supervisor) says to stop, then drain. `lines` are told
    once signals are heard.
    """
    stop, now = orphaned or asyncio.Event(), asyncio.Event()
    acts: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGTERM: stop.set,
        signal.SIGINT: lambda: (now if stop.is_set() else stop).set(),
    }
    if again is not None:
        acts[signal.SIGHUP] = lambda: _renew(running, again)
    keep_for_good()
    with on_signals(acts):
        for line in lines:
            tell(line)
        await _first(stop.wait(), running.wait())
        running.calls.draining = True
        if running.calls.live:
            tell(f"stopping: {running.calls.live} live calls may finish within {drain_ms // 1000} s")
        await _first(running.drain(drain_ms), now.wait())


def _renew(running: Running, again: Read) -> None:
    running.calls.keep(running.renewal.renew(again))


def _let_go_with_calls(calls: Calls, renewal: Renewal, versions: Versions) -> None:
    versions.runs = calls.runs_on
    calls.released = lambda: (calls.keep(renewal.let_go()), calls.keep(versions.let_go()))


async def _close_all(deployments: Mapping[str, Deployment]) -> None:
    for one in deployments.values():
        await one.close()


async def _store(settings: Settings, undo: contextlib.AsyncExitStack) -> Store:
    try:
        store = await open_store(store_url(settings))
    except OutsideFailure as failure:
        why = f"store.url: the store cannot be opened ({failure.reason}); set VFC_STORE_URL to one that can."
        raise SettingsError([why]) from None
    undo.push_async_callback(store.close)
    return store


async def _finish(task: asyncio.Task[None], stopping: asyncio.Event) -> None:
    """Let what is under way come to its end, for a while: a connection torn away would be left open."""
    stopping.set()
    await asyncio.wait([task], timeout=STOP_S)
    await _cancel(task)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _run(
    listening: socket.socket,
    settings: Settings,
    calls: Calls,
    split: Split,
    renewal: Renewal,
    store: Store,
    shared: Shared | None,
    undo: contextlib.AsyncExitStack,
) -> Running:
    name, fleet = settings.telephony.provider, shared.fleet if shared else None
    place, provider = Place(public_url(settings, listening), name), PROVIDERS[name]
    media = Media(calls, provider, place, fleet)
    rest = Rest(settings, provider)
    undo.push_async_callback(rest.aclose)
    webhooks = Webhooks(calls, provider, place, split, Net(calls, provider, place, rest), rest, fleet, store)
    invited = Invited(calls, webhooks, rest)
    calls.ringer = invited.ringer
    dialled = Dialled(calls, webhooks, provider, place)
    routes: list[BaseRoute] = [
        *webhooks.routes(),
        *dialled.routes(),
        *invited.routes(),
        Measured(calls.alert, place, settings.metrics_token).route(),
    ]
    if calls.board:
        desk = SharedBoard(calls.board, WaitingRows(store))
        desk.begin()
        undo.push_async_callback(desk.close)
        noted = partial(note_complaint, settings.records / "calls")
        shown = Console(desk, settings.desk_token, place.public_url, alert=calls.alert, complain=noted)
        routes += shown.routes()
    server = _Uvicorn(_config(Starlette(routes=routes), media))
    sockets = [listening]
    if fleet is not None:
        sockets.append(undo.enter_context(fleet.listen()))
        undo.push_async_callback(fleet.close)
    pulse = Pulse(calls.alert, fleet.pulse_of(calls) if fleet else lambda lag_ms: None)
    undo.push_async_callback(pulse.close)
    calls.pulse = pulse
    workers = fleet.board.workers if fleet else 1
    calls.weight = Weight(calls.alert, bound(settings.limits.memory_mb, workers))
    undo.push_async_callback(calls.weight.close)
    task = asyncio.create_task(server.serve(sockets=sockets))
    await _first(server.listening.wait(), _join(task))
    listening.listen(BACKLOG)
    return Running(place, calls, dialled, renewal, server, task, undo.pop_all())


def _config(app: Starlette, media: Media) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Requests,
        ws=upgrades(media.admit),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=16_384,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=5,
        # asyncio takes so many connections at a time, too: one each leaves the rest to other workers.
        backlog=1,
    )


@contextlib.contextmanager
def on_signals(acts: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number, act in acts.items():
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in acts:
            loop.remove_signal_handler(number)


async def _join(task: asyncio.Task[None]) -> None:
    await asyncio.shield(task)


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Run until the first is done; the others are cancelled. What the first raises is raised."""
    tasks = [asyncio.create_task(one) for one in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
