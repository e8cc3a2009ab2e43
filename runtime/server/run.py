"""The server as a process: a socket, uvicorn on it, and the way it stops.

SIGTERM takes no further call and lets the live ones finish; SIGINT does the same, and a second one stops at
once.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from runtime.alerts import Alerts
from runtime.call import carry
from runtime.console import Console
from runtime.handoff import Board
from runtime.metrics import Metrics
from runtime.ports import OutsideFailure
from runtime.retention import keep_pruning
from runtime.server.calls import Calls, Carry, Watch
from runtime.server.deploy import Deployment, Tell, deploy
from runtime.server.dialled import Dialled
from runtime.server.invited import Invited
from runtime.server.keeping import Index, mend
from runtime.server.measured import Measured
from runtime.server.media import Media
from runtime.server.people import open_spool
from runtime.server.place import Place
from runtime.server.rest import Rest
from runtime.server.split import Split
from runtime.server.upgrade import upgrades
from runtime.server.webhooks import Webhooks
from runtime.settings import Settings, is_loopback_url
from runtime.settings.keys import SettingsError
from runtime.store import Store, open_store, store_url
from runtime.telephony import PROVIDERS
from voiceflow_compiler.artifact import Artifact

log = structlog.get_logger()

UNSENT: Final = 4096  # bytes; a third of a second of mu-law in JSON
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
) -> Running:
    """Start a server for these flows on the running loop; it takes calls when this returns. `aclose` ends it.

    Port 0 takes any free one. `watch(call_id, line)` sees every line of every call record as it is written.
    Raises SettingsError.
    """
    _check(artifacts, settings)
    async with contextlib.AsyncExitStack() as undo:
        listening = undo.enter_context(_listen(settings.listen.host, settings.listen.port))
        store = await _store(settings, undo)
        alerts = Alerts(Metrics())
        index = Index(store)
        undo.push_async_callback(index.close)
        deployments: dict[str, Deployment] = {}
        for artifact in artifacts:
            deployments[artifact.flow] = await deploy(artifact, settings, tell, store, alerts)
            undo.push_async_callback(deployments[artifact.flow].close)
        mending = asyncio.create_task(mend(store, [one.actions for one in deployments.values()]))
        undo.push_async_callback(_cancel, mending)
        undo.push_async_callback(_cancel, asyncio.create_task(keep_pruning(store, settings)))
        calls = Calls(
            settings,
            deployments,
            alerts=alerts,
            carry=carry,
            watch=watch,
            index=index,
            packages=store,
            board=Board() if settings.desk_token else None,
            spool=await open_spool(settings, deployments.values(), alerts, undo),
        )
        split = Split(store, settings, {one.flow: one.content_hash for one in artifacts})
        await split.begin()
        undo.push_async_callback(_cancel, asyncio.create_task(split.watch()))
        # Once it runs, all of this is the running server's to let go of.
        return await _run(listening, settings, calls, split, undo)


async def serve(artifacts: Sequence[Artifact], settings: Settings, tell: Tell) -> None:
    """Take calls until a signal says to stop; `tell` gets a line for each flow. Raises SettingsError."""
    running = await start(artifacts, settings, tell=tell)
    stop, now = asyncio.Event(), asyncio.Event()
    acts: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGTERM: stop.set,
        signal.SIGINT: lambda: (now if stop.is_set() else stop).set(),
    }
    try:
        with _on_signals(acts):
            for flow in running.calls.deployments:
                numbers = [number for number, name in settings.numbers.items() if name == flow]
                tell(f"{flow}: {running.voice_url} ({', '.join(numbers) or 'every number'})")
            await _first(stop.wait(), running.wait())
            if running.calls.live:
                within = settings.limits.drain_ms // 1000
                tell(f"stopping: {running.calls.live} live calls may finish within {within} s")
            await _first(running.drain(settings.limits.drain_ms), now.wait())
    finally:
        await running.aclose()


async def _store(settings: Settings, undo: contextlib.AsyncExitStack) -> Store:
    try:
        store = await open_store(store_url(settings))
    except OutsideFailure as failure:
        why = f"store.url: the store cannot be opened ({failure.reason}); set VFC_STORE_URL to one that can."
        raise SettingsError([why]) from None
    undo.push_async_callback(store.close)
    return store


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _run(
    listening: socket.socket,
    settings: Settings,
    calls: Calls,
    split: Split,
    undo: contextlib.AsyncExitStack,
) -> Running:
    name = settings.telephony.provider
    place, provider = Place(_public_url(settings, listening), name), PROVIDERS[name]
    media = Media(calls, provider, place)
    rest = Rest(settings, provider)
    undo.push_async_callback(rest.aclose)
    webhooks = Webhooks(calls, provider, place, split, rest)
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
        routes += Console(calls.board, settings.desk_token, place.public_url, alert=calls.alert).routes()
    server = _Uvicorn(_config(Starlette(routes=routes), media))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    await _first(server.listening.wait(), _join(task))
    return Running(place, calls, dialled, server, task, undo.pop_all())


def _public_url(settings: Settings, listening: socket.socket) -> str:
    """The public address; on this machine alone, with a port taken as it came, that port."""
    host, port = settings.listen.host, listening.getsockname()[1]
    public = settings.public_url
    if public and not (settings.listen.port == 0 and is_loopback_url(public)):
        return public
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _config(app: Starlette, media: Media) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws=upgrades(media.admit),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=16_384,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=5,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named; with it a frame may wait 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        # Sound that a carrier does not take must wait with us, where it is dropped once it is old, and not in
        # megabytes of the system's buffers. Sockets that are accepted have it from this one.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise SettingsError(
            [f"listen.port: {host}:{port} cannot be listened on ({error.strerror}): set VFC_PORT to another."]
        ) from None
    return listening


def _check(artifacts: Sequence[Artifact], settings: Settings) -> None:
    flows = {artifact.flow for artifact in artifacts}
    names = ", ".join(sorted(flows))
    problems = [
        f"numbers.{number} names the flow {flow!r}, which is not served: name one of {names}."
        for number, flow in settings.numbers.items()
        if flow not in flows
    ]
    if len(flows) < len(artifacts):
        problems.append("two of the flows have the same name: give each its own `flow:`.")
    if len(flows) > 1 and not settings.numbers:
        problems.append("with several flows, say which answers which number: write [numbers] in vfc.toml.")
    problems += _line_problems(settings)
    if problems:
        raise SettingsError(problems)


def _line_problems(settings: Settings) -> list[str]:
    telephony = settings.telephony
    provider = PROVIDERS.get(telephony.provider)
    if provider is None:
        return [f"telephony.provider must be one of {', '.join(PROVIDERS)}: set it in vfc.toml."]
    names = [one.name for one in provider.FORMATS]
    if telephony.audio and telephony.audio not in names:
        return [f"telephony.audio: {telephony.provider} carries {' or '.join(names)}: leave it away."]
    return []


@contextlib.contextmanager
def _on_signals(acts: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
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
