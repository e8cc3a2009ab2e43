"""Packages on their way: tried at once, kept on the disk while a channel does not take them, tried later.

1. What is to be sent lies on the disk before it is tried, and goes from it only when it was taken: a crash
   sends twice, never not at all. The other side knows the second by its key.
2. Waits double from half a minute to an hour. After a day a person must look: `handoff.undelivered` is logged
   as an error with `alert`, and the file stays under another name.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import stamina
import structlog
from msgspec import Struct
from msgspec.structs import replace

from runtime.handoff.channels import Channel, Delivery
from runtime.handoff.channels.folder import file_name, write_file
from runtime.handoff.destinations import Way
from runtime.ports import Alert, OutsideFailure, untold
from runtime.seals import SealError, of_process, opened, sealed

log = structlog.get_logger()

AT_ONCE_S: Final = 4.5  # all attempts of the first delivery
PASSING: Final = frozenset({"unreachable", "lost", "broken", "timeout"})
FIRST_WAIT_MS: Final = 30_000
LONGEST_WAIT_MS: Final = 3_600_000
GIVE_UP_MS: Final = 86_400_000
LOOK_EVERY_S: Final = 10.0


class _Unsent(Struct, frozen=True):
    call_id: str
    handoff_id: str
    handoff: str
    way: str
    package: dict[str, Any]
    content: str
    since_ms: int
    due_ms: int
    tries: int = 0


async def send(channel: Channel, delivery: Delivery, within_s: float = AT_ONCE_S) -> str:
    """Deliver now, with a few attempts where the trouble may pass; the receipt. Raises OutsideFailure."""
    try:
        async with asyncio.timeout(within_s):
            async for attempt in stamina.retry_context(
                on=_passes, attempts=4, wait_initial=0.2, wait_max=1.5, wait_jitter=0.2
            ):
                with attempt:
                    return await channel.deliver(delivery)
    except TimeoutError:
        raise OutsideFailure("timeout") from None
    raise OutsideFailure("timeout")


def _passes(error: Exception) -> bool:
    return isinstance(error, OutsideFailure) and error.reason in PASSING


@dataclass(slots=True)
class Spool:
    """What is not delivered yet, in a folder. `ways`: every channel there is, by handoff and name."""

    folder: Path
    ways: Mapping[tuple[str, str], Way]
    clock: Callable[[], float] = time.time
    alert: Alert = untold
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set, repr=False)
    _sending: set[Path] = field(default_factory=set, repr=False)

    async def send(self, way: Way, delivery: Delivery) -> str:
        """Deliver by this channel, now or later; the receipt. Raises OutsideFailure when not now."""
        if not way.channel.lasting:
            return await send(way.channel, delivery)
        path = self.folder / f"{file_name(delivery.call_id, delivery.handoff_id, way.name)}.json"
        now = self._now()
        unsent = _Unsent(
            delivery.call_id,
            delivery.handoff_id,
            delivery.handoff,
            way.name,
            dict(delivery.package),
            delivery.content.decode(),
            now,
            now + FIRST_WAIT_MS,
            1,
        )
        self._sending.add(path)
        try:
            await write_file(path, sealed(msgspec.json.encode(unsent), of_process()))
            receipt = await send(way.channel, delivery)
            await asyncio.to_thread(path.unlink, missing_ok=True)
        except OutsideFailure as failure:
            log.warning("handoff.spooled", channel=way.name, reason=failure.reason)
            raise
        finally:
            self._sending.discard(path)
        return receipt

    def begin(self, way: Way, delivery: Delivery) -> None:
        """Deliver by this channel, now or later; nobody waits for it."""
        task = asyncio.create_task(self._unwatched(way, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _unwatched(self, way: Way, delivery: Delivery) -> None:
        try:
            await self.send(way, delivery)
        except OutsideFailure as failure:
            log.warning("handoff.undelivered_yet", channel=way.name, reason=failure.reason)

    async def look(self) -> int:
        """Try once whatever is due; how many packages still wait."""
        paths = await asyncio.to_thread(lambda: sorted(self.folder.glob("*.json")))
        left = 0
        for path in paths:
            if path in self._sending or not await self._again(path):
                left += 1
        return left

    async def watch(self) -> None:
        """Look again and again, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def close(self) -> None:
        """Let what is being sent end, if it does so soon."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=AT_ONCE_S + 0.5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _again(self, path: Path) -> bool:
        """Whether this one no longer waits."""
        try:
            content = opened(await asyncio.to_thread(path.read_bytes), of_process())
            unsent = msgspec.json.decode(content, type=_Unsent)
        except (OSError, msgspec.MsgspecError, SealError):
            self.alert("handoff.spool_failed", detail="unread")
            return False
        if unsent.due_ms > self._now():
            return False
        way = self.ways.get((unsent.handoff, unsent.way))
        reason = "no_such_channel"
        if way:
            try:
                await send(way.channel, _delivery(unsent))
            except OutsideFailure as failure:
                reason = failure.reason
            else:
                await asyncio.to_thread(path.unlink, missing_ok=True)
                log.info("handoff.delivered_late", channel=unsent.way, tries=unsent.tries + 1)
                return True
        return await self._put_off(path, unsent, reason)

    async def _put_off(self, path: Path, unsent: _Unsent, reason: str) -> bool:
        now = self._now()
        if now - unsent.since_ms >= GIVE_UP_MS:
            self.alert("handoff.package_lost", call_id=unsent.call_id, detail=reason)
            await asyncio.to_thread(path.rename, path.with_suffix(".undelivered"))
            return True
        wait = min(FIRST_WAIT_MS * 2**unsent.tries, LONGEST_WAIT_MS)
        again = replace(unsent, tries=unsent.tries + 1, due_ms=now + wait)
        try:
            await write_file(path, sealed(msgspec.json.encode(again), of_process()))
        except OutsideFailure:
            self.alert("handoff.spool_failed", detail="unwritten")
        return False

    def _now(self) -> int:
        return int(self.clock() * 1000)


def _delivery(unsent: _Unsent) -> Delivery:
    return Delivery(
        unsent.call_id, unsent.handoff_id, unsent.handoff, unsent.package, unsent.content.encode()
    )
