"""What a server keeps in the store beside its calls: the index of them, and the deeds a dead process left.

1. Nothing here holds up a call: rows are written in order by one task, a moment later, when the call has
   begun to speak; and they wait while the store is away.
2. A deed that was begun and never settled is repeated with its own key, where that is harmless, so that it is
   neither lost nor done twice.
3. A deed of which the caller was told that nobody knows is asked after, where the other side can be asked,
   and never done anew.
4. What a caller who hung up left to be taken back is taken back, whoever dies meanwhile (`taking_back`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from runtime.actions import Actions
from runtime.ports import Alert, OutsideFailure
from runtime.server.deploy import Deployment
from runtime.server.taking_back import take_back
from runtime.telephony.base import LineCall
from voiceflow_compiler.artifact import Artifact

if TYPE_CHECKING:
    from runtime.store import Store

log = structlog.get_logger()

MOST_WAITING: Final = 10_000
LATER_S: Final = 0.2
RETRY_S: Final = 1.0
LOOK_EVERY_S: Final = 30.0
NO_OLDER_MS: Final = 3_600_000  # past this a person decides: `vfc action unknown`
CLOSE_S: Final = 5.0

Write = Callable[[], Awaitable[None]]


class Index:
    """The index of calls, written behind the calls' backs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: asyncio.Queue[Write] = asyncio.Queue(MOST_WAITING)
        self._writer = asyncio.create_task(self._write())

    def begin(self, call: LineCall, artifact: Artifact, record: Path) -> None:
        """A call began, by this flow and with this record."""
        row = {
            "call_id": call.call_id,
            "flow": artifact.flow,
            "flow_version": artifact.flow_version,
            "artifact": artifact.content_hash,
            "caller": call.caller_number,
            "called": call.called_number,
            "direction": call.direction,
            "record": str(record),
        }
        self._put(lambda: self._store.begin_call(row))

    def end(self, call_id: str, reason: str, outcome: str | None) -> None:
        """A call ended."""
        self._put(lambda: self._store.end_call(call_id, reason, outcome))

    async def close(self) -> None:
        """Write what waits, if the store takes it soon."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._waiting.join()
        except TimeoutError:
            log.error("index.lost", rows=self._waiting.qsize())
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)

    def _put(self, write: Write) -> None:
        try:
            self._waiting.put_nowait(write)
        except asyncio.QueueFull:
            log.error("index.full")

    async def _write(self) -> None:
        while True:
            if self._waiting.empty():
                write = await self._waiting.get()
                await asyncio.sleep(LATER_S)
            else:
                write = self._waiting.get_nowait()
            while not await _written(write):  # noqa: ASYNC110 - nobody tells when a database is back
                await asyncio.sleep(RETRY_S)
            self._waiting.task_done()


async def _written(write: Write) -> bool:
    try:
        await write()
    except OutsideFailure as failure:
        log.warning("index.waits", reason=failure.reason)
        return failure.reason == "refused"  # a row the store will never take must not hold up the others
    return True


async def mend(
    store: Store,
    served: Mapping[str, Deployment],
    find: Callable[[str, str], Awaitable[Deployment | None]],
    alert: Alert,
    stopping: asyncio.Event,
) -> None:
    """Look for deeds left over, and for what is to be taken back, now and then, until it is time to stop."""

    async def ready(flow: str, content_hash: str) -> tuple[Artifact, Actions] | None:
        found = await find(flow, content_hash)
        return (found.artifact, found.actions) if found else None

    while not stopping.is_set():
        for one in list(served.values()):
            await _mend(store, one.actions)
            try:
                await take_back(store, one.artifact.flow, ready, alert)
            except OutsideFailure as failure:
                log.warning("undoing.unread", reason=failure.reason)
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await stopping.wait()
        except TimeoutError:
            pass  # time to look again


async def _mend(store: Store, actions: Actions) -> None:
    try:
        left = await store.left_over(actions.flow, since_ms=store.clock() - NO_OLDER_MS)
        unknown = await store.unknown(actions.flow, since_ms=store.clock() - NO_OLDER_MS)
    except OutsideFailure as failure:
        log.warning("deeds.unread", reason=failure.reason)
        return
    for key, ended in (await actions.repeat(left)).items():
        log.warning("deed.repeated", key=key, ended=ended)
    for key, ended in (await actions.look_up(unknown)).items():
        log.warning("deed.looked_up", key=key, ended=ended)
