"""The net under every call: what a caller gets whose stream ended and whose call had not.

1. The first time, one honest sentence and a new stream that goes on where the call stood; whichever worker
   gets it carries it. The second time, a person.
2. Nothing is said before a disclosure that was not heard.
3. A call that left on purpose (`drained`) has not failed.
4. A person who was being brought to the caller by a worker that is gone is hung up.
"""

from __future__ import annotations

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

    async def go_on(self, call: LineCall) -> str:
        """Go on with a call that nobody carries (any more), or say that we cannot."""
        leasing = self.calls.leasing
        lease = await leasing.find(call.call_id) if leasing else None
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
        return self.provider.connect(
            media_url=self.place.media_url,
            after_url=self.place.url(self.place.after_stream),
            token=token,
            call=call,
            bearer=bearer(secret, self.place.media_url) if secret else "",
            wanted=self.calls.audio,
            say=say,
            last_words=self._last_words,
            person=self._person,
        )

    def sorry(self, call: LineCall) -> str:
        """Say that we failed, and ring a person where there is one."""
        return self.apologise(self._last_words, call)

    def apologise(self, text: str, call: LineCall) -> str:
        """One honest sentence, and a person where there is one."""
        return self.provider.apologise(text=text, number=self._person, from_number=call.called_number)

    @property
    def _person(self) -> str | None:
        return self.calls.settings.telephony.fallback_number

    @property
    def _last_words(self) -> str:
        return SORRY_PERSON if self._person else SORRY


def _told(lease: Lease, call: LineCall) -> LineCall:
    """The call as it was told when it began: what is asked later may leave out who called."""
    told = msgspec.json.decode(unsealed(lease.call), type=Told)
    return LineCall(
        call.call_id, told.account_id, told.caller, told.called, told.direction, leg_id=told.leg_id
    )


def _disclosed(lease: Lease) -> bool:
    return lease.state is not None and msgspec.json.decode(unsealed(lease.state), type=_Stood).disclosed
