"""Warm transfers by conference: a person is rung beside the call, and both meet in a room of their own.

1. The caller hears the assistant until a person has said that they take the call.
2. A person has the caller once both were in the room for the least time a talk takes. Whoever leaves sooner
   brings the caller back to the assistant.
3. However a transfer ends, no leg of it is left: whoever was rung and has not the caller is hung up.
4. Where the REST interface does not do its part, the network rings the person itself (`Line.ring`), and a
   caller who must be moved is moved by ending their stream.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from runtime.handoff import Ring, Tell, Transferred
from runtime.server.line import Line
from runtime.server.meeting import Gathering, Meeting, Person
from runtime.server.place import Place
from runtime.server.rest import ATTEMPTS, Rest, RestFailed
from runtime.telephony.base import Answerer, LineCall, Placing

log = structlog.get_logger()

AHEAD_MS: Final = 1_500  # we stop ringing this much before the time is over, so that the caller is told in it
LEAST_RING_MS: Final = 5_000
WHISPER_MS: Final = 40_000  # how long a person may take to hear the whisper and press a key
JOIN_MS: Final = 20_000  # what is being said to the caller ends before they are moved
MOVED_MS: Final = 3_000  # how soon the provider asks what to do once a stream has ended
RETURN_MS: Final = 1_500  # how soon it asks once a conference has ended
BACK_MS: Final = 10_000  # how soon a caller who was fetched is back
FETCHES: Final = 4

Keep = Callable[[Coroutine[Any, Any, Any]], object]
Note = Callable[[Gathering | None], Coroutine[Any, Any, None]]


class Conference:
    """Implements Ringer for one call, and answers what the webhooks of its people ask.

    `connect`: the document that brings the caller back to us; `keep`: runs what must outlive the transfer;
    `note`: what another worker must know if this one dies.
    """

    def __init__(
        self,
        call: LineCall,
        line: Line,
        rest: Rest,
        place: Place,
        *,
        from_number: str,
        connect: Callable[[], str],
        keep: Keep,
        note: Note,
    ) -> None:
        self._call, self._line, self._rest, self._place = call, line, rest, place
        self._provider = rest.provider
        self._from_number, self._connect, self._keep, self._note = from_number, connect, keep, note
        self._meeting: Meeting | None = None
        self._settled: Person | None = None

    # --- for the desk ---

    async def ring(self, ring: Ring, tell: Tell) -> Transferred:
        """Ring people one after the other; back once one has the caller, or nobody does."""
        if self._meeting or self._line.over or not self._line.streaming:
            return Transferred("unanswered", "failed")
        if ring.refer or not self._from_number:
            return await self._line.ring(ring, tell)
        meeting = self._meeting = Meeting(ring, tell)
        tell("beside")
        try:
            return await self._bring(meeting)
        except RestFailed:
            # Nobody could be rung beside the call: the network rings, and the caller hears it.
            self._meeting = None
            return await self._line.ring(ring, tell)
        finally:
            self._meeting = None
            if not self._settled:
                self._keep(self._note(None))

    async def join(self) -> None:
        """Whatever was being said to the caller has ended: they may be moved."""
        if self._meeting:
            self._meeting.join_ordered.set()
        else:
            await self._line.join()

    def person_answered_elsewhere(self, *, accepted: bool) -> None:
        """The person said on a page whether they take the call; it counts when they pick up, or have."""
        meeting = self._meeting
        if meeting is None:
            return self._line.person_answered_elsewhere(accepted=accepted)
        meeting.taken = accepted
        return None if accepted else self.give_up()

    def give_up(self) -> None:
        """Whoever presses a key from now on is too late."""
        meeting = self._meeting
        if meeting is None:
            return self._line.give_up()
        meeting.refused = True
        if meeting.person and not meeting.person.waits:
            meeting.person.settle("refused", "declined")
        return None

    # --- ringing ---

    async def _bring(self, meeting: Meeting) -> Transferred:
        went = Transferred("unanswered", "failed")
        for number in (meeting.ring.number, *meeting.ring.others):
            if meeting.refused:
                return Transferred("refused", "declined")
            person = meeting.person = Person(secrets.token_urlsafe(12))
            try:
                went = await self._ring_one(meeting, person, number)
                if went.result == "accepted":
                    went = await self._meet(meeting, person)
            finally:
                if person is not self._settled:
                    self._keep(self._hang_up(person))
            if went.result != "unanswered" or went.reason == "left" or self._line.over:
                break
        return went

    async def _ring_one(self, meeting: Meeting, person: Person, number: str) -> Transferred:
        within_ms = max(LEAST_RING_MS, meeting.ring.timeout_ms - AHEAD_MS)
        try:
            async with asyncio.timeout(within_ms / 1000) as person.limit:
                await self._place_call(meeting, person, number)
                meeting.tell("ringing")
                self._keep(self._remember(meeting, person))
                return await person.result
        except TimeoutError:
            return Transferred("unanswered", "voicemail" if person.answered_as else "no_answer")
        except RestFailed as failure:
            if failure.status in (400, 422):  # this number cannot be called; another may be
                return Transferred("unanswered", "failed")
            raise

    async def _place_call(self, meeting: Meeting, person: Person, number: str) -> None:
        """Order the call. An order under way is not taken back: what came of it must be known to be ended.
        Raises RestFailed.
        """
        person.placing = asyncio.create_task(self._placing(meeting, person, number))
        await asyncio.shield(person.placing)

    async def _placing(self, meeting: Meeting, person: Person, number: str) -> None:
        """Order the call, once more if nobody knows what came of it. Raises RestFailed."""
        about = self._about(person)
        order = self._provider.place_call(
            self._rest.account,
            Placing(
                number=number,
                from_number=self._from_number,
                answer_url=about,
                event_url=about + "/event",
                ring_ms=meeting.ring.timeout_ms,
                detect=meeting.ring.detect,
            ),
        )
        for left in reversed(range(ATTEMPTS)):
            person.orders += 1
            try:
                placed = self._provider.read_placed(await self._rest.send(order))
            except RestFailed as failure:
                if failure.why != "unsure":
                    person.orders -= 1
                if failure.why == "refused" or (not left and not person.legs):
                    raise
                if person.legs:  # its webhook came before its answer: it rings
                    return
            else:
                if placed:
                    person.legs.add(placed.leg_id)
                return

    async def _remember(self, meeting: Meeting, person: Person, *, sent: bool = False) -> None:
        least_ms = meeting.ring.least_talk_ms
        await self._note(Gathering(person.name, self._leg, tuple(person.legs), least_ms, sent))

    async def _hang_up(self, person: Person) -> None:
        person.settle("unanswered", "failed")
        if person.placing:
            await asyncio.wait({person.placing})
            person.placing.exception()  # whoever waited for it was told
        for leg in tuple(person.legs):
            await self._rest.try_to(self._provider.end_call(self._rest.account, leg))

    def _about(self, person: Person) -> str:
        return self._place.url(f"{self._place.person}/{self._call.call_id}/{person.name}")

    # --- meeting ---

    async def _meet(self, meeting: Meeting, person: Person) -> Transferred:
        """A person waits: bring the caller to them, and see that both stay."""
        ordered = asyncio.create_task(meeting.join_ordered.wait())
        try:
            waits: set[asyncio.Future[Any]] = {ordered, meeting.parted}
            await asyncio.wait(waits, timeout=JOIN_MS / 1000, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ordered.cancel()
        if meeting.parted.done():
            return Transferred("unanswered", "left")
        await self._remember(meeting, person, sent=True)
        if not await self._move(meeting, person):
            meeting.tell("not_moved")
            return Transferred("unanswered", "failed")
        meeting.tell("joined")
        try:
            async with asyncio.timeout(meeting.ring.least_talk_ms / 1000):
                who = await asyncio.shield(meeting.parted)
        except TimeoutError:
            return self._settle(meeting, person)
        except asyncio.CancelledError:
            self._line.settle()
            self._settled = person  # the call is being ended, but these two talk
            raise
        meeting.tell(who)
        if who == "caller_gone":
            self._line.settle()
            return Transferred("accepted")
        await self._fetch(meeting, person)
        return Transferred("unanswered", "left")

    def _settle(self, meeting: Meeting, person: Person) -> Transferred:
        self._settled = person
        self._line.settle()
        meeting.tell("settled")
        return Transferred("accepted")

    async def _move(self, meeting: Meeting, person: Person) -> bool:
        """Take the caller to the room; whether they went."""
        document = self._room(person, person_side=False)
        url = self._about(person) + "/caller"
        self._line.let_go(document)
        order = self._provider.redirect_call(self._rest.account, self._leg, url=url, document=document)
        done = await self._rest.try_to(order)
        if not self._provider.CONFERENCE_RETURNS and (done or not self._line.streaming):
            return True  # the document went with the order: nothing more is asked
        if not done:
            self._line.drop_stream()
        try:
            async with asyncio.timeout(MOVED_MS / 1000):
                await meeting.moved.wait()
        except TimeoutError:  # nobody is there to be moved
            self._line.stay()
            return False
        return True

    async def _fetch(self, meeting: Meeting, person: Person) -> None:
        """Bring the caller back from the room: they come by themselves where the network asks, else by
        order.
        """
        if self._provider.CONFERENCE_RETURNS and await self._returned(RETURN_MS):
            return
        url = self._about(person) + "/back"
        for _ in range(FETCHES):
            order = self._provider.redirect_call(
                self._rest.account, self._leg, url=url, document=self._connect()
            )
            if self._line.over or await self._returned(
                BACK_MS if await self._rest.try_to(order) else RETURN_MS
            ):
                return
        log.error("transfer.caller_lost", call_id=self._call.call_id, alert=True)
        self._line.caller_gone()

    async def _returned(self, within_ms: int) -> bool:
        try:
            async with asyncio.timeout(within_ms / 1000):
                await self._line.back.wait()
        except TimeoutError:
            return False
        return True

    @property
    def _leg(self) -> str:
        return self._call.leg_id or self._call.call_id

    def _room(self, person: Person, *, person_side: bool) -> str:
        about = self._about(person)
        return self._provider.conference(
            name=f"handoff-{person.name}",
            after_url=about + ("/left" if person_side else "/back"),
            event_url=about + "/room",
            person=person_side,
        )

    # --- for the webhooks ---

    def picked_up(self, name: str, call: LineCall) -> str:
        """A person picked up: who is calling, or the room at once."""
        meeting, person = self._ringing(name)
        if meeting is None or person is None or person.answered_as not in ("", call.leg_id):
            return self._provider.turn_away()
        person.legs.add(call.leg_id)
        person.answered_as = call.leg_id
        meeting.tell("picked_up")
        if person.limit and not person.limit.expired():
            person.limit.reschedule(asyncio.get_running_loop().time() + WHISPER_MS / 1000)
        if meeting.ring.whisper is None or meeting.taken:
            return self._accept(meeting, person)
        return self._provider.whisper(text=meeting.ring.whisper, answer_url=self._about(person) + "/key")

    def pressed(self, name: str, digit: str) -> str:
        """A person pressed a key, or none in time."""
        meeting, person = self._ringing(name)
        if meeting is None or person is None:
            return self._provider.turn_away()
        if digit == "1" or (meeting.taken and not digit):
            return self._accept(meeting, person)
        person.settle(*(("refused", "declined") if digit else ("unanswered", "voicemail")))
        return self._provider.turn_away()

    def caller_document(self) -> str | None:
        """A caller on their way asks where to; None for one who stays."""
        meeting, document = self._meeting, self._line.away
        if meeting is None or document is None:
            return None
        meeting.moved.set()
        return document

    def caller_returned(self, name: str, call: LineCall) -> str:
        """The room is over for the caller, or they were fetched from it."""
        meeting = self._meeting
        if call.ended:
            self.caller_gone()
            return self._provider.hang_up()
        if meeting is None or meeting.person is None or meeting.person.name != name or self._line.over:
            return self._provider.hang_up()
        meeting.part("person_left")
        return self._connect()

    def caller_gone(self) -> None:
        """The caller's leg is over, as the provider tells."""
        if self._meeting and not self._line.streaming:
            self._meeting.part("caller_gone")
            self._line.caller_gone()

    def person_over(self, name: str, call: LineCall, why: str | None) -> None:
        """A person's leg is over: they hung up, or were never reached (`why`)."""
        meeting, settled = self._meeting, self._settled
        if settled and settled.name == name and not self._provider.CONFERENCE_RETURNS:
            # nobody is left alone in a room
            self._keep(self._rest.try_to(self._provider.end_call(self._rest.account, self._leg)))
        person = meeting.person if meeting else None
        if meeting is None or person is None or person.name != name:
            return
        person.ended += 1
        person.legs.discard(call.leg_id)
        if person.waits:
            if call.leg_id == person.answered_as:
                meeting.part("person_left")
        elif person.answered_as == call.leg_id:
            person.settle("unanswered", "voicemail")
        elif person.ended >= person.orders and not person.answered_as:
            person.settle("unanswered", why or "failed")

    def answered_by(self, name: str, by: Answerer) -> None:
        """What picked up, as the network judges."""
        _, person = self._ringing(name)
        if person and by == "machine":
            person.settle("unanswered", "voicemail")

    def happened(self, name: str, what: str, call: LineCall) -> None:
        """Something happened in the room; it is recorded. Why the caller left it is asked elsewhere."""
        meeting, person = self._meeting, self._meeting.person if self._meeting else None
        if meeting is None or person is None or person.name != name:
            return
        meeting.tell(f"room_{what}")
        if what == "left" and call.leg_id == person.answered_as:
            meeting.part("person_left")

    def _accept(self, meeting: Meeting, person: Person) -> str:
        person.waits = True
        person.settle("accepted")
        meeting.tell("accepted")
        return self._room(person, person_side=True)

    def _ringing(self, name: str) -> tuple[Meeting | None, Person | None]:
        """The person of this name, while they may still take the call."""
        meeting = self._meeting
        person = meeting.person if meeting else None
        if meeting is None or person is None or person.name != name or person.result.done():
            return None, None
        return (None, None) if meeting.refused or self._line.over else (meeting, person)
