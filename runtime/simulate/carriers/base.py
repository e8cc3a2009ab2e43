"""What a fake network looks like: the wire of one media stream, and how it asks a webhook."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from runtime import audio
from runtime.simulate.twiml import Stream, Verb

Occasion = Literal[
    "ringing", "stream_ended", "dialled", "pressed", "person_answered", "redirected", "status", "room"
]


class ProtocolError(Exception):
    """The server sent something that the network refuses; the message says what, without its content."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the queue that is told once everything before it was played."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Throw away what is queued."""


class Wire(Protocol):
    """One stream's messages, seen from the network. Sound is mu-law at 8 kHz here, whatever the line carries.

    `marks_survive_clear`: marks of what was thrown away come back all the same. `most_queued_ms`: what the
    network's buffer holds.
    """

    marks_survive_clear: bool
    most_queued_ms: int

    def begin(self) -> list[str]: ...

    def media(self, frame: bytes) -> str | bytes: ...

    def mark(self, name: str) -> str: ...

    def key(self, digit: str) -> str: ...

    def stop(self) -> str | None: ...

    def take(self, message: str | bytes) -> bytes | Mark | Clear:
        """One message from the server. Raises ProtocolError."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """What the network wants to know, for one leg, or tells of it. `status`: how dialling or the leg went, or
    what happened in a room; `digit`: the key pressed; `over`: the leg has ended.
    """

    occasion: Occasion
    call_id: str
    caller: str | None
    number: str
    status: str = ""
    digit: str = ""
    leg_id: str = ""
    outbound: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Call this number."""

    number: str
    answer_url: str
    event_url: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class LegOrder:
    """A leg is to obey another document, given or at an address, or to hang up (neither)."""

    leg_id: str
    url: str = ""
    document: str = ""


class OrderError(Exception):
    """A request the REST interface does not take; the message says why."""


class Carrier(Protocol):
    """One network: a module with these names, or a `FormCarrier`."""

    @property
    def account(self) -> str: ...

    @property
    def room_returns(self) -> bool:
        """Whether a leg goes on with its document when its room is over."""
        ...

    def new_call_id(self) -> str: ...

    def person_call_id(self, call_id: str) -> str:
        """The id that webhooks on a dialled person's leg give."""
        ...

    def ask(self, secret: str, url: str, asking: Asking) -> tuple[dict[str, str], bytes]:
        """Headers and body of a signed webhook."""
        ...

    def upgrade(self, secret: str, stream: Stream) -> dict[str, str]:
        """The headers of the media socket's upgrade."""
        ...

    def read_order(self, method: str, path: str, body: bytes) -> PlaceOrder | LegOrder:
        """A request to the REST interface. Raises OrderError."""
        ...

    def placed(self, call_id: str, leg_id: str) -> bytes:
        """The REST interface's answer to a call just placed."""
        ...

    def new_leg_id(self, call_id: str) -> str:
        """What the REST interface calls a leg of this call."""
        ...

    def open_wire(self, call_id: str, stream: Stream) -> Wire: ...

    def read(self, document: str) -> tuple[Verb, ...]:
        """Raises TwimlError."""
        ...


class Transcoder:
    """mu-law at 8 kHz on the caller's side, a line's own format on the wire."""

    def __init__(self, kind: audio.Format) -> None:
        self._kind = kind
        self._out = audio.Resampler(audio.SAMPLE_RATE_HZ, kind.rate_hz)
        self._in = audio.Resampler(kind.rate_hz, audio.SAMPLE_RATE_HZ)
        self._pending = b""

    def to_wire(self, mulaw: bytes) -> bytes:
        """A frame for the wire, always of the same length."""
        if self._kind == audio.PCMU:
            return mulaw
        self._pending += self._out.feed(audio.mulaw_to_pcm16(mulaw))
        wanted = len(mulaw) * self._kind.bytes_per_ms // audio.BYTES_PER_MS
        frame, self._pending = self._pending[:wanted], self._pending[wanted:]
        return frame.ljust(wanted, b"\0")

    def from_wire(self, content: bytes) -> bytes:
        """What the caller hears of it, exactly as long."""
        if self._kind == audio.PCMU:
            return content
        mulaw = audio.pcm16_to_mulaw(self._in.feed(content))
        wanted = len(content) * audio.BYTES_PER_MS // self._kind.bytes_per_ms
        return mulaw[:wanted].ljust(wanted, audio.MULAW_SILENCE)


NUMBERED: Final = frozenset({"start", "media", "dtmf", "stop"})


@dataclass(slots=True)
class JsonWire:
    """The JSON stream of Twilio and SignalWire. `lean`: without what SignalWire leaves away."""

    ids: Mapping[str, str]
    parameters: Mapping[str, str]
    kind: audio.Format = audio.PCMU
    version: str = "1.0.0"
    lean: bool = False
    marks_survive_clear: bool = True
    most_queued_ms: int = 0
    _sequence: int = 0
    _chunk: int = 0
    _sound: Transcoder | None = None

    def begin(self) -> list[str]:
        """connected, then start."""
        self._sound = Transcoder(self.kind)
        hello = {"event": "connected", "protocol": "Call", "version": self.version}
        return [json.dumps(hello), self._message("start", start=self._start())]

    def media(self, frame: bytes) -> str:
        self._chunk += 1
        body = {"track": "inbound", "chunk": str(self._chunk)}
        body["timestamp"] = str((self._chunk - 1) * audio.FRAME_MS)
        body["payload"] = b64encode(self.sound.to_wire(frame)).decode()
        return self._message("media", media=body)

    def mark(self, name: str) -> str:
        return self._message("mark", mark={"name": name})

    def key(self, digit: str) -> str:
        told: dict[str, Any] = {"digit": digit, "duration": 200} if self.lean else {"digit": digit}
        return self._message("dtmf", dtmf=told if self.lean else {"track": "inbound_track", **told})

    def stop(self) -> str:
        about = {"accountSid": self.ids["account"], "callSid": self.ids["call"]}
        return self._message("stop", **({} if self.lean else {"stop": about}))

    def take(self, message: str | bytes) -> bytes | Mark | Clear:
        match _plain(message):
            case {"event": "media", "streamSid": sid, "media": {"payload": str(payload)}} if self._ours(sid):
                return self.sound.from_wire(_audio(payload))
            case {"event": "mark", "streamSid": sid, "mark": {"name": str(name)}} if self._ours(sid) and name:
                return Mark(name)
            case {"event": "clear", "streamSid": sid} if self._ours(sid):
                return Clear()
        raise ProtocolError("a message that is none of media, mark and clear, or of another stream")

    @property
    def sound(self) -> Transcoder:
        assert self._sound is not None
        return self._sound

    def _ours(self, stream_id: object) -> bool:
        return stream_id == self.ids["stream"]

    def _message(self, event: str, **body: Any) -> str:
        message: dict[str, Any] = {"event": event}
        if not self.lean or event in NUMBERED:
            self._sequence += 1
            message["sequenceNumber"] = str(self._sequence)
        if not self.lean or event in ("dtmf", "mark"):
            message["streamSid"] = self.ids["stream"]
        return json.dumps(message | body)

    def _start(self) -> dict[str, Any]:
        encoding = "audio/x-mulaw" if self.kind == audio.PCMU else "audio/x-L16"
        start = {
            "accountSid": self.ids["account"],
            "streamSid": self.ids["stream"],
            "callSid": self.ids["call"],
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": encoding, "sampleRate": self.kind.rate_hz, "channels": 1},
        }
        if self.parameters or not self.lean:
            start["customParameters"] = dict(self.parameters)
        return start


def _plain(message: str | bytes) -> Any:
    if isinstance(message, bytes):
        raise ProtocolError("a binary message")
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        raise ProtocolError("a message that is not JSON") from None


def _audio(payload: str) -> bytes:
    try:
        return b64decode(payload, validate=True)
    except binascii.Error:
        raise ProtocolError("audio that is not base64") from None
