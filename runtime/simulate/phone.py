"""A fake telephone: it rings the server's webhook, obeys the document it is given and holds the media stream,
on any provider's network.

It is a stranger to the server: all it has are the webhook's address, the shared token to sign with, and
what it hears. The person on the other end of a transfer is this module's too: they accept, decline, are
busy or do not pick up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from urllib.parse import urljoin

import httpx2
from websockets.exceptions import InvalidHandshake

from runtime import audio
from runtime.simulate.carriers import CARRIERS
from runtime.simulate.carriers.base import Asking, Carrier, Occasion
from runtime.simulate.line import Mouth, Tape, open_wired
from runtime.simulate.profile import Person
from runtime.simulate.twiml import Dial, Gather, Hangup, Pause, Redirect, Say, Stream, TwimlError, Verb

MOST_DOCUMENTS: Final = 20  # a server that redirects in a circle is broken
RING_MS: Final = 300
PRESS_MS: Final = 100
TALK_MS: Final = 500
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


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened on the line, at milliseconds since the answer. `what` is from a closed set."""

    at_ms: int
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that is over: how, both tracks, and what happened on the line."""

    how: Ending
    call_id: str
    tape: Tape
    notes: tuple[Note, ...]


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
    tape: Tape = field(default_factory=Tape)
    notes: list[Note] = field(default_factory=list)

    def note(self, what: str, detail: str = "") -> None:
        self.notes.append(Note(self.tape.at_ms, what, detail))


async def place(
    subscription: Subscription, mouth: Mouth, *, caller_number: str | None, person: Person, speak: Speak
) -> Ended:
    """Place one call and hold it to its end. `speak` gives `<Say>` and the person a voice. Raises
    PhoneError.
    """
    async with httpx2.AsyncClient(timeout=15.0) as http:
        carrier = CARRIERS[subscription.provider]
        call_id = carrier.new_call_id()
        leg = _Leg(carrier, http, subscription, caller_number, person, mouth, speak, call_id)
        try:
            how = await _obey(leg)
        except TwimlError as error:
            raise PhoneError(f"the answer to the call cannot be obeyed: {error}") from None
        except (httpx2.HTTPError, OSError, InvalidHandshake) as error:
            raise PhoneError(f"the server cannot be reached: {type(error).__name__}") from None
        return Ended(how, call_id, leg.tape, tuple(leg.notes))


async def _obey(leg: _Leg) -> Ending:
    """Documents one after another until one of them, or the caller, ends the call."""
    url, verbs = leg.subscription.webhook, await _ask(leg, leg.subscription.webhook, "ringing")
    for _ in range(MOST_DOCUMENTS):
        after = await _run(leg, url, verbs)
        if not isinstance(after, tuple):
            return after
        url, verbs = after
    raise PhoneError("the server redirects for ever")


async def _run(leg: _Leg, url: str, verbs: tuple[Verb, ...]) -> Ending | tuple[str, tuple[Verb, ...]]:
    """One document: how the call ended in it, or the address and the verbs of the next one."""
    for verb in verbs:
        match verb:
            case Stream():
                how = await _hold_stream(leg, verb)
                if how == "caller_hung_up":
                    return "caller_hung_up"
                if verb.action:
                    return await _next(leg, urljoin(url, verb.action), "stream_ended")
            case Dial():
                status = await _dial(leg, url, verb)
                if status == "joined":
                    await _talk_to_person(leg, url, verb)
                    return "transferred"
                if verb.action:
                    return await _next(leg, urljoin(url, verb.action), "dialled", status=status)
            case Redirect(target):
                return await _next(leg, urljoin(url, target), "redirected")
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


async def _next(leg: _Leg, url: str, occasion: Occasion, **told: str) -> tuple[str, tuple[Verb, ...]]:
    return url, await _ask(leg, url, occasion, **told)


async def _ask(leg: _Leg, url: str, occasion: Occasion, **told: str) -> tuple[Verb, ...]:
    """Ask a webhook, signed, as the network does, and read the document that comes back."""
    asking = Asking(occasion, leg.call_id, leg.caller_number, leg.subscription.number, **told)
    headers, body = leg.carrier.ask(leg.subscription.token, url, asking)
    answer = await leg.http.post(url, content=body, headers=headers)
    if answer.status_code not in (200, 204):
        raise PhoneError(f"the webhook answered {answer.status_code}")
    return leg.carrier.read(answer.text) if answer.status_code == 200 else ()


async def _hold_stream(leg: _Leg, verb: Stream) -> str:
    headers = leg.carrier.upgrade(leg.subscription.token, verb)
    wire = leg.carrier.open_wire(leg.call_id, verb)
    stream = await open_wired(verb.url, headers, lambda parameters: wire, leg.tape)
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
        await _person_listens(leg, urljoin(url, verb.whisper)) if verb.whisper else leg.person == "accepts"
    )
    leg.note("joined" if joined else "person_declined")
    return "joined" if joined else "no-answer"


async def _talk_to_person(leg: _Leg, url: str, verb: Dial) -> None:
    """The two talk, then the person hangs up; nobody obeys what the server answers to that."""
    greeting = leg.speak(GREETING)
    await asyncio.sleep(audio.duration_ms(greeting) / 1000)
    leg.tape.add(b"", greeting)
    await _pass(leg, TALK_MS)
    if verb.action:
        await _ask(leg, urljoin(url, verb.action), "dialled", status="completed")


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
        await _pass(leg, PRESS_MS)
        url, verbs = await _next(
            own, urljoin(url, gather.action), "pressed", digit="1" if leg.person == "accepts" else "2"
        )
    raise PhoneError("the whisper never ends")


def _person_leg(leg: _Leg) -> _Leg:
    """The person's leg of the same call: another call id, and nothing of it is on the caller's tape."""
    return replace(leg, call_id=leg.carrier.person_call_id(leg.call_id), tape=Tape(), notes=[])


async def _pass(leg: _Leg, ms: int) -> None:
    """Time in which the caller hears nothing."""
    await asyncio.sleep(ms / 1000)
    leg.tape.add(b"", audio.silence(ms))
