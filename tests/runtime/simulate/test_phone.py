import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from runtime import audio
from runtime.simulate.clock import idle
from runtime.simulate.line import Deed, Moment
from runtime.simulate.phone import Ended, PhoneError, Subscription, place
from runtime.simulate.profile import Person
from runtime.telephony.base.cxml import verify

TOKEN = "secret"
Answer = Callable[[str, Mapping[str, str]], str]


class Mute:
    def tick(self, moment: Moment) -> Deed:
        return Deed(audio.silence(20))


def call(answer: Answer, person: Person = "accepts", status: int = 200) -> tuple[Ended, list[Any]]:
    """Call a server that answers each webhook with `answer(path, form)`; what it was asked."""
    asked: list[Any] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        signature = next(
            line.partition(": ")[2]
            for line in head.split("\r\n")
            if line.lower().startswith("x-twilio-signature")
        )
        form = dict(parse_qsl(body, keep_blank_values=True))
        asked.append((path, form, signature, f"http://{headers['host']}{path}"))
        text = answer(path, form).encode()
        writer.write(
            f"HTTP/1.1 {status} OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode()
            + text
        )
        await writer.drain()
        writer.close()

    async def go() -> Ended:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            to = Subscription(f"http://127.0.0.1:{port}/voice", TOKEN)
            return await place(
                to, Mute(), caller_number="+12025550101", person=person, speak=lambda text: audio.silence(200)
            )

    with asyncio.Runner(loop_factory=idle(50)) as runner:
        return runner.run(go()), asked


def test_the_webhook_is_asked_as_twilio_asks() -> None:
    """The first request names the call and both numbers, and its signature is Twilio's."""
    ended, asked = call(lambda path, form: "<Response><Hangup/></Response>")
    path, form, signature, url = asked[0]
    assert path == "/voice"
    assert form["CallSid"] == ended.call_id
    assert (form["From"], form["CallStatus"]) == ("+12025550101", "ringing")
    assert verify([TOKEN], url, form.items(), signature)
    assert ended.how == "assistant_hung_up"


def test_say_is_heard_by_the_caller() -> None:
    """What a document says is on the caller's tape for as long as it lasts."""
    ended, _ = call(lambda path, form: "<Response><Say>Sorry.</Say><Pause length='1'/></Response>")
    assert [note.detail for note in ended.notes if note.what == "say"] == ["Sorry."]
    assert ended.tape.at_ms == 1200


DIAL = (
    '<Response><Dial timeout="20" action="/after">'
    '<Number url="/whisper">+12025550199</Number></Dial></Response>'
)
GATHER = '<Response><Gather numDigits="1" action="/answer"><Say>Dana.</Say></Gather><Hangup/></Response>'


def person(path: str, form: Mapping[str, str]) -> str:
    match path:
        case "/voice":
            return DIAL
        case "/whisper":
            return GATHER
        case "/answer":
            return "<Response/>" if form["Digits"] == "1" else "<Response><Hangup/></Response>"
    return "<Response><Hangup/></Response>"


@pytest.mark.parametrize(
    ("who", "how", "status"),
    [
        ("accepts", "transferred", "completed"),
        ("declines", "assistant_hung_up", "no-answer"),
        ("busy", "assistant_hung_up", "busy"),
        ("no_answer", "assistant_hung_up", "no-answer"),
    ],
)
def test_the_person_does_as_told(who: Person, how: str, status: str) -> None:
    """A person who accepts is joined to the caller; the dial's action hears what became of it."""
    ended, asked = call(person, who)
    assert ended.how == how
    assert asked[-1][0] == "/after"
    assert asked[-1][1]["DialCallStatus"] == status
    paths = [path for path, *_ in asked]
    assert ("/whisper" in paths) == (who in ("accepts", "declines"))


def test_the_person_s_leg_is_a_call_of_its_own() -> None:
    """The whisper is asked with another call id than the caller's."""
    ended, asked = call(person)
    whisper = next(form for path, form, *_ in asked if path == "/whisper")
    assert whisper["CallSid"] != ended.call_id


def test_a_person_without_a_whisper_is_joined_at_once() -> None:
    """A dial without a whisper joins the two as soon as the person answers."""
    plain = DIAL.replace(' url="/whisper"', "")
    ended, _ = call(lambda path, form: plain if path == "/voice" else "<Response/>")
    assert ended.how == "transferred"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("<Response><Redirect>/voice</Redirect></Response>", 200),
        ("no document", 200),
        ("<Response/>", 403),
        ('<Response><Connect><Stream url="ws://127.0.0.1:9/media"/></Connect></Response>', 200),
    ],
)
def test_a_server_nobody_can_work_with_is_told(text: str, status: int) -> None:
    """Redirecting for ever, no TwiML, a refusal and a stream nobody accepts each end in one plain line."""
    with pytest.raises(PhoneError) as told:
        call(lambda path, form: text, status=status)
    assert "\n" not in str(told.value)
