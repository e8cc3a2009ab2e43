"""A fake telephone: it rings the server's webhook, obeys the document it is given and holds the media stream,
on any provider's network.

It is a stranger to the server: all it has are the webhook's address, the shared token to sign with, and
what it hears. The person on the other end of a `<Dial>` is this module's too; one who is rung beside the
call has a telephone of their own (`colleague`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast
from urllib.parse import urljoin

import httpx2
from websockets.exceptions import InvalidHandshake

from runtime import audio
from runtime.simulate.bad_line import LineFaults
from runtime.simulate.carriers import CARRIERS
from runtime.simulate.carriers.base import Carrier, Occasion
from runtime.simulate.colleague import KEYS
from runtime.simulate.line import GOOD, MediaStream, Mouth, Passed, Tape, open_wired
from runtime.simulate.network import Ask, Leg, Network, NetworkError
from runtime.simulate.profile import Person
from runtime.simulate.twiml import Dial, Gather, Hangup, Pause, Redirect, Room, Say, Stream, TwimlError, Verb

MOST_DOCUMENTS: Final = 20  # a server that redirects in a circle is broken
RING_MS: Final = 300
PRESS_MS: Final = 100
TALK_MS: Final = 500
DROP_MS: Final = 1000
GATHER_MS: Final = 10_000
PATIENCE_S: Final = 30.0  # how long a caller stays in a room alone
GREETING: Final = "Hello, I have your notes in front of me. Let us go on from there."

Ending = Literal["caller_hung_up", "assistant_hung_up", "transferred", "failed"]
Speak = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Subscription:
    """The telephone number one calls: where its webhook is, and the token both sides sign with."""

    webhook: str
    token: str = field(repr=False)
    number: str = "+12025550100"
    provider: str = "twilio"
    network: Network | None = field(default=None, repr=False, compare=False)

    @property
    def events(self) -> str:
        """Where the subscriber is told how calls stand."""
        return self.webhook.removesuffix("/voice") + "/events"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened on the line, at milliseconds since the answer. `what` is from a closed set;
    `clock_s`: when, by the loop's clock, which also runs while nothing is on the line.
    """

    at_ms: int
    what: str
    detail: str = ""
    clock_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that is over: how, both tracks, and what happened on the line."""

    how: Ending
    call_id: str
    tape: Tape
    notes: tuple[Note, ...]
    passed: tuple[Passed, ...] = ()


class PhoneError(Exception):
    """The server did something no telephone network can work with; the message is one plain line."""


@dataclass(slots=True)
class _Leg:
    """One call in progress, and what it needs."""

    carrier: Carrier
    http: httpx2.AsyncClient
    subscription: Subscription
    caller_number: str | None
    person: Person
    mouth: Mouth
    speak: Speak
    call_id: str
    network: Network
    line: Leg
    tape: Tape = field(default_factory=Tape)
    notes: list[Note] = field(default_factory=list)
    faults: tuple[LineFaults, ...] = ()  # of the streams to come, in order
    passed: list[Passed] = field(default_factory=list)

    def note(self, what: str, detail: str = "") -> None:
        self.notes.append(Note(self.tape.at_ms, what, detail, asyncio.get_running_loop().time()))


async def place(
    subscription: Subscription,
    mouth: Mouth,
    *,
    caller_number: str | None,
    person: Person,
    speak: Speak,
    faults: LineFaults = GOOD,
    later: tuple[LineFaults, ...] = (),
) -> Ended:
    """Place one call and hold it to its end. `speak` gives `<Say>` and the person a voice; `faults` are the
    first stream's, `later` those of the streams after it. Raises PhoneError.
    """
    async with httpx2.AsyncClient(timeout=15.0) as http:
        carrier = CARRIERS[subscription.provider]
        network = subscription.network or Network(carrier, subscription.token, poster(http))
        call_id = carrier.new_call_id()
        line = network.begin(call_id, caller_number, subscription.number)
        leg = _Leg(carrier, http, subscription, caller_number, person, mouth, speak, call_id, network, line)
        leg.faults = (faults, *later)
        try:
            how = await _obey(leg)
        except TwimlError as error:
            raise PhoneError(f"the answer to the call cannot be obeyed: {error}") from None
        except NetworkError as error:
            raise PhoneError(str(error)) from None
        except (httpx2.HTTPError, OSError, InvalidHandshake) as error:
            raise PhoneError(f"the server cannot be reached: {type(error).__name__}") from None
        finally:
            network.end(line)
        return Ended(how, call_id, leg.tape, tuple(leg.notes), tuple(leg.passed))


def poster(http: httpx2.AsyncClient) -> Ask:
    """Asks webhooks over this client."""

    async def post(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        answer = await http.post(url, content=body, headers=dict(headers))
        return answer.status_code, answer.text

    return post


async def _obey(leg: _Leg) -> Ending:
    """Documents one after another until one of them, or the caller, ends the call."""
    url, verbs = leg.subscription.webhook, await _ask(leg, leg.subscription.webhook, "ringing")
    for _ in range(MOST_DOCUMENTS):
        after = await leg.network.obey(leg.line, _run(leg, url, verbs))
        if not isinstance(after, tuple):
            return cast(Ending, after) if after else "assistant_hung_up"
        url, verbs = after
    raise PhoneError("the server redirects for ever")


async def _run(leg: _Leg, url: str, verbs: tuple[Verb, ...]) -> Ending | tuple[str, tuple[Verb, ...]]:
    """One document: how the call ended in it, or the address and the verbs of the next one.

    A stream that ends, however it does, leads to its `action` unless the caller hung up.
    """
    for verb in verbs:
        match verb:
            case Stream():
                how = await _hold_stream(leg, verb)
                if how == "caller_hung_up":
                    return "caller_hung_up"
                if verb.action and (after := await _reached(leg, urljoin(url, verb.action), "stream_ended")):
                    return after
            case Dial():
                status = await _dial(leg, url, verb)
                if status == "joined":
                    await _talk_to_person(leg)
                    if leg.person != "drops" or not verb.action:
                        await _hang_up(leg, urljoin(url, verb.action) if verb.action else "")
                        return "transferred"
                    leg.note("left_alone")
                    status = "completed"
                if verb.action:
                    return await _next(leg, urljoin(url, verb.action), "dialled", status=status)
            case Room():
                if await _meet(leg, url, verb):
                    return "transferred"
                if not verb.action:
                    return "assistant_hung_up"
                return await _next(leg, urljoin(url, verb.action), "dialled", status="completed")
            case Redirect(target):
                if after := await _reached(leg, urljoin(url, target), "redirected"):
                    return after
            case Say(text):
                leg.note("say", text)
                leg.tape.add(b"", leg.speak(text))
            case Pause(seconds):
                leg.tape.add(b"", audio.silence(int(seconds * 1000)))
            case Hangup():
                return "assistant_hung_up"
            case Gather():
                raise TwimlError("<Gather> on the caller's leg is not known here")
    return "assistant_hung_up"


async def _reached(leg: _Leg, url: str, occasion: Occasion) -> tuple[str, tuple[Verb, ...]] | None:
    """The next document. None where nobody answers: then the network goes on in the present one. That is what
    a trailing verb is for; whether a network does so must be tried on its own lines.
    """
    try:
        return await _next(leg, url, occasion)
    except (httpx2.HTTPError, OSError):
        leg.note("nobody_answers", occasion)
        return None


async def _next(leg: _Leg, url: str, occasion: Occasion, **told: Any) -> tuple[str, tuple[Verb, ...]]:
    return url, await _ask(leg, url, occasion, **told)


async def _ask(leg: _Leg, url: str, occasion: Occasion, **told: Any) -> tuple[Verb, ...]:
    """Ask a webhook, signed, as the network does, and read the document that comes back."""
    return await leg.network.question(leg.line, url, occasion, **told)


async def _hold_stream(leg: _Leg, verb: Stream) -> str:
    headers = leg.carrier.upgrade(leg.subscription.token, verb)
    wire = leg.carrier.open_wire(leg.call_id, verb)
    faults = leg.faults[0] if leg.faults else GOOD
    leg.faults = leg.faults[1:]
    try:
        if leg.network.connect:
            connection = await leg.network.connect(verb.url, headers)
            stream = MediaStream(connection, lambda parameters: wire, leg.tape, faults)
        else:
            stream = await open_wired(verb.url, headers, lambda parameters: wire, leg.tape, faults)
    except (OSError, InvalidHandshake):
        if not verb.action:
            raise
        leg.note("stream_refused")  # to the network that is a stream that ended
        return "assistant_closed"
    stream.passed = leg.passed
    leg.note("stream_started")
    how = await stream.carry(leg.mouth, verb.parameters)
    leg.note("stream_ended", how)
    if stream.violation:
        raise PhoneError(f"the server broke the media protocol: {stream.violation}")
    return how


async def _dial(leg: _Leg, url: str, verb: Dial) -> str:
    """Ring the person: `joined`, or Twilio's DialCallStatus of a transfer that failed."""
    leg.note("ringing")
    await _pass(leg, RING_MS)
    match leg.person:
        case "busy":
            return "busy"
        case "no_answer":
            await _pass(leg, int(verb.timeout_s * 1000))
            return "no-answer"
    leg.note("person_answered")
    joined = (
        await _person_listens(leg, urljoin(url, verb.whisper))
        if verb.whisper
        else leg.person in ("accepts", "drops")
    )
    leg.note("joined" if joined else "person_declined")
    return "joined" if joined else "no-answer"


async def _meet(leg: _Leg, url: str, room: Room) -> bool:
    """Wait in a room for the person, and talk to them. True: the caller has hung up, content; False: the room
    is over.
    """
    leg.note("entered_room")
    leg.network.enter(leg.line, room)
    parted = [asyncio.ensure_future(one.wait()) for one in (leg.line.over, leg.line.alone)]
    began = asyncio.ensure_future(leg.line.began.wait())
    try:
        await asyncio.wait({*parted, began}, return_when=asyncio.FIRST_COMPLETED)
        if began.done():
            leg.note("joined")
            greeting = leg.speak(GREETING)
            parted.append(asyncio.ensure_future(leg.line.leaves.wait()))
            lasts_s = audio.duration_ms(greeting) / 1000 + TALK_MS / 1000
            await asyncio.wait(parted, timeout=lasts_s, return_when=asyncio.FIRST_COMPLETED)
            leg.tape.add(b"", greeting)
        if leg.line.leaves.is_set() or not any(one.done() for one in parted):
            await _hang_up(leg, urljoin(url, room.action) if room.action else "")
            return True
        leg.note("left_alone")
        if (
            not leg.line.over.is_set()
        ):  # nobody says what follows: the provider is told, or the caller gives up
            await asyncio.sleep(PATIENCE_S)
            await _hang_up(leg, "")
            return True
        leg.network.leave(leg.line)
        return False
    finally:
        for one in (*parted, began):
            one.cancel()


async def _hang_up(leg: _Leg, action: str) -> None:
    """The caller hangs up while they are away from us: the network says so where it was told to."""
    leg.network.end(leg.line)
    if action:
        await _ask(leg, action, "dialled", status="completed", over=True)
    elif not leg.carrier.room_returns:
        await _ask(leg, leg.subscription.events, "status", status="completed")


async def _talk_to_person(leg: _Leg) -> None:
    """The two talk, until one of them hangs up."""
    if leg.person == "drops":
        await _pass(leg, DROP_MS)
        return
    greeting = leg.speak(GREETING)
    await asyncio.sleep(audio.duration_ms(greeting) / 1000)
    leg.tape.add(b"", greeting)
    await _pass(leg, TALK_MS)


async def _person_listens(leg: _Leg, whisper: str) -> bool:
    """The person's own leg: they hear the whisper, press 1 or 2, and are joined when no document hangs up."""
    own = _person_leg(leg)
    url, verbs = whisper, await _ask(own, whisper, "person_answered")
    for _ in range(MOST_DOCUMENTS):
        gather = next((verb for verb in verbs if isinstance(verb, Gather)), None)
        if gather is None:
            return not any(isinstance(verb, Hangup) for verb in verbs)
        for say in gather.says:
            leg.note("whisper", say.text)
        key = KEYS.get(leg.person, "")
        await _pass(leg, PRESS_MS if key else GATHER_MS)
        url, verbs = await _next(own, urljoin(url, gather.action), "pressed", digit=key)
    raise PhoneError("the whisper never ends")


def _person_leg(leg: _Leg) -> _Leg:
    """The person's leg of the same call: another call id, and nothing of it is on the caller's tape."""
    call_id = leg.carrier.person_call_id(leg.call_id)
    line = Leg(call_id, leg.carrier.new_leg_id(call_id), leg.caller_number, leg.subscription.number)
    return replace(leg, call_id=call_id, line=line, tape=Tape(), notes=[])


async def _pass(leg: _Leg, ms: int) -> None:
    """Time in which the caller hears nothing."""
    await asyncio.sleep(ms / 1000)
    leg.tape.add(b"", audio.silence(ms))
