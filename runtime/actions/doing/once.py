"""Doing a thing once: its intent is on the disk before anybody is asked, its outcome before anybody is told.

Laws
1. One key is one deed, however often it is asked for: at once, again, after a crash, from another process.
2. What was begun is finished even when nobody waits for it any more, and its outcome is written down.
3. A deed of which nobody knows whether it was done is repeated only with the same key, and only where the
   other side does one key once; else it stays unknown and is not done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from runtime.ports import Intent, Ledger, OutsideFailure, Settled, Standing, Unsure

log = structlog.get_logger()

LOOK_S: Final = 0.05
CLOSE_S: Final = 10.0
LOOKED: Final = "not_done"  # the other side was asked, and has not done it
Act = Callable[[], Awaitable[Mapping[str, Any]]]


@dataclass(slots=True)
class Once:
    """The deeds of one process. Without a ledger they are done once while it lives, and no longer."""

    ledger: Ledger | None
    _doing: dict[str, asyncio.Task[Mapping[str, Any]]] = field(default_factory=dict, repr=False)

    async def run(self, intent: Intent, act: Act) -> Mapping[str, Any]:
        """The result of this deed, done now, being done, or done before. Raises OutsideFailure."""
        task = self._doing.get(intent.key)
        if task is None:
            task = asyncio.create_task(self._do(intent, act))
            self._doing[intent.key] = task
            task.add_done_callback(lambda done: self._done(intent.key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what is being done, for a while."""
        if self._doing:
            _, late = await asyncio.wait(set(self._doing.values()), timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _done(self, key: str, task: asyncio.Task[Mapping[str, Any]]) -> None:
        del self._doing[key]
        if not task.cancelled():
            task.exception()  # whoever waited was told; nobody may be waiting any more

    async def _do(self, intent: Intent, act: Act) -> Mapping[str, Any]:
        standing = await self._claim(intent)
        match standing.state:
            case "done":
                return standing.result
            case "unknown":
                raise Unsure("unknown")
            case "taken":
                raise Unsure("under_way")
        try:
            result = await act()
        except OutsideFailure as failure:
            # Begun before by somebody who never told: a refusal now says nothing about then; a look does.
            told = not standing.again or failure.reason == LOOKED
            sure = not isinstance(failure, Unsure) and told
            await self._settle(intent, Settled("failed" if sure else "unknown", reason=failure.reason))
            raise (failure if sure else Unsure(failure.reason)) from None
        await self._settle(intent, Settled("done", dict(result)))
        return result

    async def _claim(self, intent: Intent) -> Standing:
        """Claim the deed; while another process is at it, wait for what comes of that."""
        if self.ledger is None:
            return Standing("mine")
        until = asyncio.get_running_loop().time() + intent.lease_ms / 1000
        while True:
            try:
                standing = await self.ledger.intend(intent)
            except OutsideFailure:
                raise OutsideFailure("not_recorded") from None
            if standing.state != "taken" or asyncio.get_running_loop().time() >= until:
                return standing
            await asyncio.sleep(LOOK_S)

    async def _settle(self, intent: Intent, settled: Settled) -> None:
        if self.ledger is None:
            return
        try:
            await self.ledger.settle(intent.key, settled)
        except OutsideFailure as failure:
            # The deed stands as begun; whoever asks for it next repeats the same key.
            log.error("deed.unsettled", action=intent.action, reason=failure.reason)
