"""What every telephony provider looks like: the events of a line, the codec, the documents of a call.

A codec is pure: text or bytes in, events out, and back. It never sends, never waits, never raises for what
a provider can send.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

AudioFormat = Literal["audio/pcmu", "audio/pcma", "audio/pcm"]


@dataclass(frozen=True, slots=True)
class StreamStarted:
    stream_id: str
    call_id: str
    account_id: str
    audio_format: AudioFormat
    sample_rate_hz: int
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Media:
    """One frame of the caller's audio. `payload` is checked base64 text as it came (spliced on, not decoded).

    `timestamp_ms` counts from the start of the stream.
    """

    payload: str
    timestamp_ms: int
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Dtmf:
    digit: str


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """A mark came back: played to here, or cleared (the ledger knows which by its generation)."""

    name: str


@dataclass(frozen=True, slots=True)
class StreamStopped:
    pass


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something a correct provider does not send. `reason` is of a closed set and quotes nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something correct that the bridge has no use for (connected, an unknown event)."""

    event: str


LineEvent = StreamStarted | Media | Dtmf | MarkReturned | StreamStopped | Malformed | Ignored


class Codec(Protocol):
    """One media stream's codec. Made per stream; `decode` learns the stream id from the start message."""

    def decode(self, message: str | bytes) -> LineEvent: ...

    def media(self, payload: str) -> str | bytes:
        """A message that queues audio (base64 of the stream's format) on the line."""
        ...

    def mark(self, name: str) -> str: ...

    def clear(self) -> str: ...


class MediaSocket(Protocol):
    """The media WebSocket as the bridge sees it. `receive` returns None once the line is gone."""

    async def receive(self) -> str | bytes | None: ...

    async def send(self, message: str | bytes) -> None: ...

    async def close(self, code: int = 1000) -> None: ...


@dataclass(frozen=True, slots=True)
class LineCall:
    """The call a webhook speaks of. Numbers are E.164, or None when withheld; `ended`: the call is over."""

    call_id: str
    account_id: str
    caller_number: str | None
    called_number: str | None
    direction: Literal["inbound", "outbound"] = "inbound"
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Dialled:
    """How dialling a person went. `reason` is busy, no_answer, failed, or "" when it was answered."""

    result: Literal["answered", "unanswered"]
    reason: str


class Provider(Protocol):
    """One provider: a module with these names, all pure. Documents are text to answer a webhook with."""

    SIGNATURE_HEADER: str
    TOKEN_PARAMETER: str

    def open_codec(self) -> Codec: ...

    def verify(
        self, tokens: Iterable[str], url: str, parameters: Iterable[tuple[str, str]], signature: str | None
    ) -> bool: ...

    def read_call(self, form: Mapping[str, str]) -> LineCall | None: ...

    def read_dialled(self, form: Mapping[str, str]) -> Dialled: ...

    def read_digit(self, form: Mapping[str, str]) -> str: ...

    def connect(self, *, media_url: str, after_url: str, token: str) -> str: ...

    def dial(self, *, number: str, timeout_ms: int, after_url: str, whisper_url: str | None) -> str: ...

    def whisper(self, *, text: str, answer_url: str) -> str: ...

    def join(self) -> str: ...

    def hang_up(self) -> str: ...

    def apologise(self, *, text: str, number: str | None = None) -> str: ...
