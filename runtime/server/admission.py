"""Whether one more call is taken: what cannot be served well is refused while it costs a sentence.

1. The answer does not wait: what the store counts is asked for a moment, and a store that is away refuses
   nobody.
2. A machine that has become too slow takes fewer calls by itself, and more again once it is not.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from runtime.ports import OutsideFailure
from runtime.server.calls import Calls
from runtime.server.fleet import Fleet
from runtime.telephony.base import LineCall

if TYPE_CHECKING:
    from runtime.store import Store

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
WITHIN_S: Final = 0.15

Refusal = Literal["draining", "full", "slow", "memory", "number", "day"]


@dataclass(frozen=True, slots=True)
class Admission:
    """The bounds of `limits`, for one worker or for all that share a port."""

    calls: Calls
    fleet: Fleet | None
    store: Store | None = None

    async def refusal(self, call: LineCall) -> Refusal | None:
        """Why this call is not taken; None: it is."""
        why = await self._counted(call)
        # Looked at last, since nothing is awaited between this and the call's taking its place.
        pulse = self.calls.pulse
        if self.calls.draining:
            return "draining"
        if self.full:
            return "full"
        if pulse is not None and pulse.steady_lag_ms > self.calls.settings.limits.lag_ms:
            return "slow"
        if self.calls.weight is not None and self.calls.weight.over:
            return "memory"
        return why

    @property
    def full(self) -> bool:
        """Whether every place is taken: those of all workers, where there are several."""
        if self.fleet is None:
            return self.calls.full
        live, most = self.fleet.calls(self.calls.live)
        return live >= most

    async def _counted(self, call: LineCall) -> Refusal | None:
        limits, store = self.calls.settings.limits, self.store
        if store is None or not (limits.number_per_hour or limits.calls_per_day):
            return None
        now = store.clock()
        asked = asyncio.create_task(
            store.count_calls(call.caller_number, since_ms=now - HOUR_MS, all_since_ms=now - DAY_MS)
        )
        self.calls.keep(_heard(asked))
        try:
            async with asyncio.timeout(WITHIN_S):
                theirs, everyones = await asyncio.shield(asked)
        except (OutsideFailure, TimeoutError):
            return None
        if limits.number_per_hour and theirs >= limits.number_per_hour:
            return "number"
        return "day" if limits.calls_per_day and everyones >= limits.calls_per_day else None


async def _heard(asked: asyncio.Task[tuple[int, int]]) -> None:
    await asyncio.wait([asked])
    if not asked.cancelled():
        asked.exception()
