"""Callers and people who were being brought together by a worker that is gone: seen to by whichever worker
the provider asks about them.

1. A caller who has been with a person for the least time a talk takes was handed over: nobody fetches them
   back, and nobody is left alone when the other leaves.
2. A caller who has not is the net's, as after any stream that broke.
3. A caller comes back by themselves where the network asks, else by order, and once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from runtime.server.calls import Calls
from runtime.server.meeting import Gathering
from runtime.server.net import Net
from runtime.server.place import Place
from runtime.server.rest import Rest
from runtime.telephony.base import LineCall

if TYPE_CHECKING:
    from runtime.store.leases import Lease

log = structlog.get_logger()

RETURN_S: Final = 1.5  # how soon the network asks once a conference has ended
FETCHES: Final = 4


@dataclass(frozen=True, slots=True)
class Bereft:
    """Answers about meetings no worker here knows of."""

    calls: Calls
    net: Net
    rest: Rest
    place: Place

    async def returned(self, call: LineCall) -> str:
        """The room is over for the caller, or they were fetched from it."""
        lease = await self._lease(call.call_id)
        if self.calls.leasing is None or lease is None:
            return self.net.provider.hang_up()
        if self.calls.leasing.met(lease) or call.ended:
            await self.calls.leasing.handed_over(lease)
            return self.net.provider.hang_up()
        return await self.net.go_on(call)

    async def person_over(self, call: LineCall, call_id: str, name: str) -> None:
        """A person's leg is over: the caller is not left alone in the room."""
        leasing, provider = self.calls.leasing, self.net.provider
        lease = await self._lease(call_id)
        if leasing is None or lease is None or not lease.room or not self.rest.usable:
            return
        room = Gathering.read(lease.room)
        if room.name != name or not room.sent or call.leg_id not in room.people:
            return
        if provider.CONFERENCE_RETURNS and await self._asked(lease):
            return
        if leasing.met(lease) or lease.ended:
            await leasing.handed_over(lease)
            await self.rest.try_to(provider.end_call(self.rest.account, room.leg))
            return
        caller = replace(call, call_id=call_id, leg_id=room.leg)
        document = "" if provider.CONFERENCE_RETURNS else await self.net.go_on(caller)
        url = self.place.url(f"{self.place.person}/{call_id}/{name}/back")
        order = provider.redirect_call(self.rest.account, room.leg, url=url, document=document)
        if not await self.rest.try_to(order, FETCHES):
            log.error("transfer.caller_lost", call_id=call_id, alert=True)

    async def _asked(self, seen: Lease) -> bool:
        """Whether the network asked about the caller by itself, in a moment."""
        await asyncio.sleep(RETURN_S)
        lease = await self._lease(seen.call_id)
        return lease is None or lease.ended or lease.fence != seen.fence

    async def _lease(self, call_id: str) -> Lease | None:
        return await self.calls.leasing.find(call_id) if self.calls.leasing else None
