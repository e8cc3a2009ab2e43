"""Reading TwiML, the document a webhook answers with: a list of verbs to obey in order.

Only what a call needs is known; another verb is an error, as it would be a surprise on a real line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree


class TwimlError(Exception):
    """A document no telephone network would obey; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Stream:
    """`<Connect><Stream>`: hold a media stream, then ask `action`."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    action: str = ""
    codec: str = ""
    authorization: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring a person. `whisper` is asked when they answer, before the two are joined; `action` when it is
    over.
    """

    number: str
    timeout_s: float
    action: str = ""
    whisper: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """Enter a conference. `begins`: it may begin with this leg; `ends`: it is over for all when this leg
    leaves; `events`: the address that is told who comes and goes; `action` is asked when it is over.
    """

    name: str
    action: str = ""
    begins: bool = True
    ends: bool = False
    events: str = ""


@dataclass(frozen=True, slots=True)
class Gather:
    """Say something and wait for a key, then ask `action` with it."""

    says: tuple[Say, ...]
    action: str


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


Verb = Stream | Say | Pause | Dial | Room | Gather | Redirect | Hangup


def read(document: str) -> tuple[Verb, ...]:
    """The verbs of a document, in order. Raises TwimlError."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError:
        raise TwimlError("the answer is not XML") from None
    if root.tag != "Response":
        raise TwimlError("the answer has no <Response>")
    return tuple(_verb(element) for element in root)


def _verb(element: ElementTree.Element) -> Verb:
    text = (element.text or "").strip()
    match element.tag:
        case "Connect":
            return _stream(element)
        case "Say":
            return Say(text)
        case "Pause":
            return Pause(float(element.get("length", "1")))
        case "Dial":
            return _dial(element)
        case "Gather":
            says = tuple(Say((child.text or "").strip()) for child in element if child.tag == "Say")
            return Gather(says, element.get("action", ""))
        case "Redirect":
            return Redirect(text)
        case "Hangup" | "Reject":
            return Hangup()
    raise TwimlError(f"<{element.tag}> is not known here")


def _stream(connect: ElementTree.Element) -> Stream:
    stream = connect.find("Stream")
    url = stream.get("url", "") if stream is not None else ""
    if stream is None or not url.startswith(("ws://", "wss://")) or "?" in url:
        raise TwimlError("<Connect> needs a <Stream> with a ws address without a query (31920, 31922)")
    parameters = {
        child.get("name", ""): child.get("value", "") for child in stream if child.tag == "Parameter"
    }
    action, codec = connect.get("action", ""), stream.get("codec", "")
    return Stream(url, parameters, action, codec, stream.get("authBearerToken", ""))


def _dial(element: ElementTree.Element) -> Dial | Room:
    timeout_s, action = float(element.get("timeout", "30")), element.get("action", "")
    room = element.find("Conference")
    if room is not None:
        return Room(
            (room.text or "").strip(),
            action,
            begins=room.get("startConferenceOnEnter", "true") == "true",
            ends=room.get("endConferenceOnExit", "false") == "true",
            events=room.get("statusCallback", ""),
        )
    for child in element:
        if child.tag in ("Number", "Sip"):
            return Dial((child.text or "").strip(), timeout_s, action, child.get("url", ""))
    return Dial((element.text or "").strip(), timeout_s, action)
