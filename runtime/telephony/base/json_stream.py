"""The media stream that Twilio and SignalWire speak: JSON text, base64 audio, marks and clear.

1. Nothing here sends, waits or reads a clock; nothing raises for what a provider can send.
2. Whatever is spliced into a message was checked here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from runtime.audio import PCM24, PCMU, Format, is_base64
from runtime.telephony.base import (
    Dtmf,
    Ignored,
    LineEvent,
    Malformed,
    MarkReturned,
    Media,
    StreamStarted,
    StreamStopped,
)

MAX_MESSAGE: Final = 65_536
MAX_PAYLOAD: Final = 32_768  # half a second of 24 kHz and more: nobody sends that in one frame
DIGITS: Final = frozenset("0123456789*#ABCD")
ENCODINGS: Final = {"audio/x-mulaw": PCMU, "audio/x-L16": PCM24}

# --- What is written on the stream. Numbers arrive as strings ("sequenceNumber": "4"). ---

Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]{1,64}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Parameter = Annotated[str, Meta(max_length=1024)]


class _Format(Struct, rename="camel"):
    encoding: str
    sample_rate: Count
    channels: Count


class _StartBody(Struct, rename="camel"):
    account_sid: Identifier
    stream_sid: Identifier
    call_sid: Identifier
    media_format: _Format
    custom_parameters: Annotated[dict[Parameter, Parameter], Meta(max_length=64)] = {}


class _MediaBody(Struct, rename="camel"):
    payload: Annotated[str, Meta(min_length=1, max_length=MAX_PAYLOAD)]
    timestamp: Count
    track: str = "inbound"


class _DtmfBody(Struct):
    digit: str


class _MarkBody(Struct):
    name: Name


class _Message(Struct, rename="camel", tag_field="event"):
    stream_sid: str | None = None
    sequence_number: Count | None = None


class _Start(_Message, tag="start", kw_only=True):
    start: _StartBody


class _Media(_Message, tag="media", kw_only=True):
    media: _MediaBody


class _Dtmf(_Message, tag="dtmf", kw_only=True):
    dtmf: _DtmfBody


class _Mark(_Message, tag="mark", kw_only=True):
    mark: _MarkBody


class _Stop(_Message, tag="stop"):
    pass


class _AnyMessage(Struct):
    event: Annotated[str, Meta(max_length=64)]


_Known = _Start | _Media | _Dtmf | _Mark | _Stop
_KNOWN_EVENTS: Final = frozenset({"start", "media", "dtmf", "mark", "stop"})
_read: Final[Callable[[str | bytes], _Known]] = msgspec.json.Decoder(_Known, strict=False).decode
_read_any = msgspec.json.Decoder(_AnyMessage)
_quote = msgspec.json.Encoder()


@dataclass(slots=True)
class StreamCodec:
    """The codec of one call's streams: it learns the stream id from each `start` message.

    SignalWire leaves the stream id away on most messages and numbers its marks not at all.
    """

    audio: Format = PCMU
    stream_id: str = ""
    frame_bytes: int = 0
    at_close: Literal["line_lost", "caller_hangup"] = "line_lost"
    _media_head: str = field(default="", repr=False)

    def decode(self, message: str | bytes) -> LineEvent:
        """What a message says; anything else is Malformed. Never raises."""
        if len(message) > MAX_MESSAGE:
            return Malformed("too_long")
        try:
            return self._event(_read(message))
        except msgspec.ValidationError:
            return _unknown(message)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return Malformed("not_json")

    def media(self, payload: str) -> str:
        """A message that queues this base64 audio on the line."""
        return f'{self._media_head}{payload}"}}}}'

    def mark(self, name: str) -> str:
        """A message that comes back when everything queued before it was played (or cleared)."""
        quoted = _quote.encode(name).decode()
        return f'{{"event":"mark","streamSid":"{self.stream_id}","mark":{{"name":{quoted}}}}}'

    def clear(self) -> str:
        """A message that throws away what is queued; all pending marks come back."""
        return f'{{"event":"clear","streamSid":"{self.stream_id}"}}'

    def _event(self, message: _Known) -> LineEvent:
        stream = message.stream_sid
        if stream is not None and stream != self.stream_id and not isinstance(message, _Start):
            return Malformed("other_stream")
        match message:
            case _Media():  # nearly all of them
                return _media(message)
            case _Start(start=start):
                return self._started(start)
            case _Mark(mark=mark):
                return MarkReturned(mark.name)
            case _Dtmf(dtmf=dtmf):
                return Dtmf(dtmf.digit) if dtmf.digit in DIGITS else Malformed("digit")
            case _Stop():
                return StreamStopped()

    def _started(self, start: _StartBody) -> LineEvent:
        told = start.media_format
        known = ENCODINGS.get(told.encoding)
        if known != self.audio or (told.sample_rate, told.channels) != (self.audio.rate_hz, 1):
            return Malformed("audio_format")
        self.stream_id = start.stream_sid
        self._media_head = f'{{"event":"media","streamSid":"{start.stream_sid}","media":{{"payload":"'
        return StreamStarted(
            stream_id=start.stream_sid,
            call_id=start.call_sid,
            account_id=start.account_sid,
            audio_format=self.audio.name,
            sample_rate_hz=self.audio.rate_hz,
            parameters=start.custom_parameters,
        )


def _media(message: _Media) -> LineEvent:
    media = message.media
    if media.track != "inbound":
        return Ignored("media of another track")
    # The payload is spliced into JSON for the model, so nothing but base64 may pass.
    if not is_base64(media.payload):
        return Malformed("payload")
    return Media(media.payload, media.timestamp, message.sequence_number)


def _unknown(message: str | bytes) -> LineEvent:
    try:
        event = _read_any.decode(message).event
    except (msgspec.DecodeError, ValueError, RecursionError):
        return Malformed("not_a_message")
    return Malformed(f"bad_{event}") if event in _KNOWN_EVENTS else Ignored(event)
