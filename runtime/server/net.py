"""The net under every call: what a caller gets whose stream ended and whose call had not.

1. The first time, one honest sentence and a new stream that goes on where the call stood; whichever worker
   gets it carries it. The second time, a person: those the flow hands over to, where they are there now,
   then the fallback number.
2. Nothing is said before a disclosure that was not heard.
3. A call that left on purpose (`drained`) has not failed.
4. A person who was being brought to the caller by a worker that is gone is hung up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from runtime.server.calls import Calls
from runtime.server.live import PLANNED, LiveCall, Told, unsealed
from runtime.server.meeting import Gathering
from runtime.server.place import Place
from runtime.server.rest import Rest
from runtime.telephony.base import LineCall, Provider, bearer

if TYPE_CHECKING:
    from runtime.store.leases import Lease

log = structlog.get_logger()

MOST_ATTEMPTS: Final = 1
MOST_TRIES: Final = 1  # for a first stream that did not come

CUT_OFF: Final = "I'm sorry, we were cut off for a moment."
SORRY: Final = "I'm sorry, something went wrong on our side, and I could not go on."
NEXT: Final = "I'm trying somebody else now."
NOBODY: Final = "I'm sorry, nobody can take your call right now. Please call again in a few minutes."
SORRY_PERSON: Final = "I'm sorry, something went wrong on our side. I'm connecting you with a person."


class _Stood(msgspec.Struct):
    """What a kept state says of where the call stood."""

    disclosed: bool = False


@dataclass(frozen=True, slots=True)
class Net:
    """Answers for calls whose stream broke."""

    calls: Calls
    provider: Provider
    place: Place
    rest: Rest | None = None
    clock: Callable[[], float] = time.time

    async def go_on(self, call: LineCall) -> str:
        """Go on with a call that nobody carries (any more), or say that we cannot."""
        leasing = self.calls.leasing
        # Workers of one supervisor were asked already whose call it is.
        find = leasing and (leasing.find_left if self.calls.alone else leasing.find)
        lease = await find(call.call_id) if find else None
        if leasing is None or lease is None:
            return self.sorry(call)
        if lease.ended:
            return self.provider.hang_up() if lease.reason in PLANNED else self.sorry(call)
        self._let_go(lease)
        counts = lease.reason != "drained"
        if self.calls.draining or (counts and lease.attempts >= MOST_ATTEMPTS):
            return self.sorry(call)
        deployment = await self.calls.deployment_of(lease.flow, lease.artifact)
        if deployment is None:
            return self.sorry(call)
        told = _told(lease, call)
        reopened = await leasing.reopen(
            lease, self.calls.new_token(told, lease.flow, lease.artifact), counts=counts
        )
        if reopened is None:
            return self.sorry(call)
        log.info("call.goes_on", call_id=call.call_id, attempt=reopened.attempts)
        return self.connect(told, reopened.token, say=CUT_OFF if _disclosed(lease) else "")

    def _let_go(self, lease: Lease) -> None:
        """Hang up whoever was rung for this call."""
        if not lease.room or self.rest is None:
            return
        for leg in Gathering.read(lease.room).people:
            self.calls.keep(self.rest.try_to(self.provider.end_call(self.rest.account, leg)))

    async def try_again(self, live: LiveCall) -> str:
        """The provider could not reach our media address, or was turned away there: once more."""
        live.tries += 1
        if live.tries <= MOST_TRIES:
            return self.connect(live.call, live.token)
        self.calls.miss(live)
        return self.sorry(live.call)

    def connect(self, call: LineCall, token: str, *, say: str = "") -> str:
        """The document that opens a media stream for this call."""
        secret = self.calls.settings.telephony.auth_token
        # For the day on which nobody answers: nothing can be asked then, so that one number must do.
        fallback = self.calls.settings.telephony.fallback_number
        person = fallback or next(iter(self._people(self._flow(call))), None)
        return self.provider.connect(
            media_url=self.place.media_url,
            after_url=self.place.url(self.place.after_stream),
            token=token,
            call=call,
            bearer=bearer(secret, self.place.media_url) if secret else "",
            wanted=self.calls.audio,
            say=say,
            last_words=SORRY_PERSON if person else SORRY,
            person=person,
        )

    def sorry(self, call: LineCall) -> str:
        """Say that we failed, and ring a person where there is one."""
        people = self._people(self._flow(call))
        return self._ring(call, people, 0, SORRY_PERSON) if people else self.provider.apologise(text=SORRY)

    def ring_next(self, call: LineCall, place: str) -> str:
        """Nobody took the call who was rung before this place among the people."""
        people, at = self._people(self._flow(call)), int(place) if place.isdecimal() else 0
        if at < len(people):
            return self._ring(call, people, at, NEXT)
        return self.provider.apologise(text=NOBODY)

    def apologise(self, text: str, call: LineCall) -> str:
        """One honest sentence, and the fallback number where there is one."""
        number = self.calls.settings.telephony.fallback_number
        return self.provider.apologise(text=text, number=number, from_number=call.called_number)

    def _ring(self, call: LineCall, people: Sequence[str], at: int, text: str) -> str:
        after = f"{self.place.url(self.place.after_people)}?next={at + 1}"
        ours = call.called_number
        return self.provider.apologise(text=text, number=people[at], from_number=ours, after_url=after)

    def _flow(self, call: LineCall) -> str:
        live = self.calls.find(call.call_id)
        if live is not None:
            return live.flow
        deployment = self.calls.deployment(call.called_number)
        return deployment.artifact.flow if deployment else ""

    def _people(self, flow: str) -> list[str]:
        """Whom to ring, in order: the first of the flow's destinations that is open, then the fallback."""
        served = self.calls.deployments.get(flow)
        destinations = served.destinations.values() if served else ()
        now = self.clock()
        opened = [one.numbers for one in destinations if one.numbers and one.hours.open_at(now)]
        fallback = self.calls.settings.telephony.fallback_number
        return list(dict.fromkeys([*(opened[0] if opened else ()), *([fallback] if fallback else [])]))


def _told(lease: Lease, call: LineCall) -> LineCall:
    """The call as it was told when it began: what is asked later may leave out who called."""
    told = msgspec.json.decode(unsealed(lease.call), type=Told)
    return LineCall(
        call.call_id, told.account_id, told.caller, told.called, told.direction, leg_id=told.leg_id
    )


def _disclosed(lease: Lease) -> bool:
    return lease.state is not None and msgspec.json.decode(unsealed(lease.state), type=_Stood).disclosed
