"""What every telephony provider looks like to the bridge: what came from the line, and the codec that reads and writes it.

A codec is pure: text or bytes in, events out, and back. It never sends, never waits, never raises for what a provider can send.
"""

from collections.abc import Mapping
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
    """One frame of the caller's audio. `payload` is base64 text as it came (spliced on, not decoded); `timestamp_ms` from stream start."""

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
    """Something a correct provider does not send. `reason` is one of a closed set and holds nothing of the content."""

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
    """The media WebSocket as the bridge sees it, whatever server accepted it. `receive` returns None once the line is gone."""

    async def receive(self) -> str | bytes | None: ...

    async def send(self, message: str | bytes) -> None: ...

    async def close(self, code: int = 1000) -> None: ...
