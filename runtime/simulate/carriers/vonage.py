"""Vonage's network: signed JSON, NCCO, and the binary stream of frames of exactly 20 ms.

What was queued is thrown away by `clear` together with its notifications: whether Vonage sends those is not
documented, and a bridge must not need them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runtime import audio
from runtime.simulate.carriers.base import (
    Asking,
    Clear,
    LegOrder,
    Mark,
    OrderError,
    PlaceOrder,
    ProtocolError,
    Transcoder,
    Wire,
)
from runtime.simulate.twiml import Dial, Gather, Redirect, Room, Say, Stream, TwimlError, Verb
from runtime.telephony.base.signed import sign_claims

account: Final = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"  # the application
CONTENT_TYPE: Final = "audio/l16;rate=24000"
MOST_HEADERS: Final = 512
MOST_QUEUED_MS: Final = 1024 * 20  # the smaller of the two buffers that documentation names
DIAL_STATUS: Final = {"busy": "busy", "no-answer": "timeout", "completed": "completed", "failed": "failed"}
room_returns: Final = False


@dataclass(slots=True)
class BinaryWire:
    """One stream. It names neither itself nor its call; what our document put into `headers` comes back."""

    headers: Mapping[str, str]
    content_type: str
    sound: Transcoder
    marks_survive_clear: bool = False
    most_queued_ms: int = MOST_QUEUED_MS

    def begin(self) -> list[str]:
        hello = {"event": "websocket:connected", "content-type": self.content_type}
        return [json.dumps(hello | dict(self.headers))]

    def media(self, frame: bytes) -> bytes:
        return self.sound.to_wire(frame)

    def mark(self, name: str) -> str:
        return json.dumps({"event": "websocket:notify", "payload": {"mark": name}})

    def key(self, digit: str) -> str:
        return json.dumps({"event": "websocket:dtmf", "digit": digit, "duration": 260})

    def stop(self) -> None:
        """There is no good-bye."""

    def take(self, message: str | bytes) -> bytes | Mark | Clear:
        if isinstance(message, bytes):
            if len(message) != audio.PCM24.frame_bytes:
                raise ProtocolError("an audio message that is not exactly 20 ms")
            return self.sound.from_wire(message)
        try:
            told = json.loads(message)
        except (ValueError, RecursionError):
            raise ProtocolError("a text message that is not JSON") from None
        match told:
            case {"action": "notify", "payload": {"mark": str(name)}}:
                return Mark(name)
            case {"action": "clear"}:
                return Clear()
        raise ProtocolError("a text message that is neither notify nor clear")


def new_call_id() -> str:
    return f"CON-{uuid.uuid4()}"


def person_call_id(call_id: str) -> str:
    """All legs are of one conversation."""
    return call_id


def ask(secret: str, url: str, asking: Asking) -> tuple[dict[str, str], bytes]:
    told: dict[str, Any] = {"conversation_uuid": asking.call_id, "uuid": asking.leg_id or str(uuid.uuid4())}
    told |= {"from": (asking.caller or "anonymous").removeprefix("+"), "to": asking.number.removeprefix("+")}
    match asking.occasion:
        case "stream_ended":
            told |= {"status": "disconnected", "to": "wss://socket", "direction": "outbound"}
        case "dialled":
            told |= {"status": DIAL_STATUS[asking.status], "direction": "outbound"}
        case "redirected":
            told["payload"] = {"after": "dial" if asking.status == "completed" else "stream"}
        case "status":
            told |= {"status": DIAL_STATUS[asking.status]}
            told["direction"] = "outbound" if asking.outbound else "inbound"
        case "pressed":
            told["dtmf"] = {"digits": asking.digit, "timed_out": False}
    body = json.dumps(told).encode()
    claims = {"iss": "Vonage", "iat": int(time.time()), "jti": secrets.token_hex(8)}
    claims |= {"application_id": account, "payload_hash": hashlib.sha256(body).hexdigest()}
    headers = {"Authorization": f"Bearer {sign_claims(secret, claims)}", "Content-Type": "application/json"}
    return headers, body


def new_leg_id(call_id: str) -> str:
    """All legs are of one conversation, and have ids of their own."""
    return str(uuid.uuid4())


def read_order(method: str, path: str, body: bytes) -> PlaceOrder | LegOrder:
    """https://developer.vonage.com/en/api/voice"""
    order = json.loads(body)
    leg_id = path.removeprefix("/v1/calls/")
    match method, order:
        case "POST", {"to": [to], "answer_url": [str(answer_url)]} if path == "/v1/calls":
            number = to["uri"] if to["type"] == "sip" else f"+{to['number']}"
            return PlaceOrder(number, answer_url, order["event_url"][0], float(order["ringing_timer"]))
        case "PUT", {"action": "hangup"}:
            return LegOrder(leg_id)
        case "PUT", {"action": "transfer", "destination": {"type": "ncco", "ncco": ncco}}:
            return LegOrder(leg_id, document=json.dumps(ncco))
    raise OrderError("no such resource")


def placed(call_id: str, leg_id: str) -> bytes:
    told = {"conversation_uuid": call_id, "uuid": leg_id, "direction": "outbound", "status": "started"}
    return json.dumps(told).encode()


def upgrade(secret: str, stream: Stream) -> dict[str, str]:
    return {"Authorization": stream.authorization} if stream.authorization else {}


def open_wire(call_id: str, stream: Stream) -> Wire:
    if stream.codec != CONTENT_TYPE:
        raise TwimlError("the endpoint's content-type is not known")
    if len(json.dumps(stream.parameters)) > MOST_HEADERS:
        raise TwimlError("the endpoint's headers are longer than 512 bytes")
    return BinaryWire(stream.parameters, stream.codec, Transcoder(audio.PCM24))


# --- NCCO ---


def read(document: str) -> tuple[Verb, ...]:
    """The actions of an NCCO as the verbs they amount to. Raises TwimlError."""
    if not document:
        return ()
    try:
        actions = json.loads(document)
    except (ValueError, RecursionError):
        raise TwimlError("the answer is not JSON") from None
    if not isinstance(actions, list):
        raise TwimlError("the answer is no list of actions")
    verbs: list[Verb] = []
    for action in actions:
        verb = _verb(action)
        if isinstance(verb, Gather):  # what is said before an input is said while it listens
            says = tuple(one for one in verbs if isinstance(one, Say))
            verbs = [one for one in verbs if not isinstance(one, Say)]
            verb = Gather(says, verb.action)
        verbs.append(verb)
    return tuple(verbs)


def _verb(action: Any) -> Verb:
    match action:
        case {"action": "connect", "endpoint": [{"type": "websocket"} as endpoint], **rest}:
            return Stream(
                endpoint["uri"],
                endpoint.get("headers", {}),
                _only(rest.get("eventUrl")),
                endpoint.get("content-type", ""),
                endpoint.get("authorization", {}).get("value", ""),
            )
        case {"action": "connect", "endpoint": [{"type": "phone" | "sip"} as endpoint], **rest}:
            number = endpoint.get("uri") or "+" + endpoint["number"]
            whisper = endpoint.get("onAnswer", {}).get("url", "")
            return Dial(number, float(str(rest.get("timeout", 60))), _only(rest.get("eventUrl")), whisper)
        case {"action": "notify", "eventUrl": [str(url)]}:
            return Redirect(url)
        case {"action": "talk", "text": str(text)}:
            return Say(text)
        case {"action": "input", "type": ["dtmf"], "eventUrl": [str(url)]}:
            return Gather((), url)
        case {"action": "conversation", "name": str(name), **rest}:
            begins, ends = bool(rest.get("startOnEnter", True)), bool(rest.get("endOnExit", False))
            return Room(name, begins=begins, ends=ends)
    raise TwimlError("an action that is not known here")


def _only(urls: Any) -> str:
    match urls:
        case None:
            return ""
        case [str(url)]:
            return url
    raise TwimlError("an eventUrl that is no list of one address")
