"""Vonage's media stream: audio in binary messages of exactly 20 ms of PCM16 at 24 kHz, all else in text.

A stream names neither itself nor its call, and says no good-bye: our headers name the call, and a socket that
closes is a caller who hung up.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from runtime.audio import PCM24, Format
from runtime.telephony.base import (
    Dtmf,
    Ignored,
    LineEvent,
    Malformed,
    MarkReturned,
    Media,
    StreamStarted,
)

CONTENT_TYPE: Final = "audio/l16;rate=24000"
MAX_TEXT: Final = 4096
MAX_AUDIO: Final = 50 * PCM24.frame_bytes  # a second in one message: nobody sends that
DIGITS: Final = frozenset("0123456789*#ABCD")

Word = Annotated[str, Meta(max_length=512)]


class _Notified(Struct):
    mark: Annotated[str, Meta(min_length=1, max_length=256)]


class _Text(Struct):
    event: Annotated[str, Meta(max_length=64)]
    content_type: Word = msgspec.field(default="", name="content-type")
    call_token: Word = ""
    call_id: Word = ""
    account_id: Word = ""
    digit: Word = ""
    payload: msgspec.Raw = msgspec.Raw(b"null")


_read_text = msgspec.json.Decoder(_Text)
_read_notified = msgspec.json.Decoder(_Notified)
_quote = msgspec.json.Encoder()


@dataclass(slots=True)
class StreamCodec:
    """The codec of one call's streams."""

    audio: Format = PCM24
    frame_bytes: int = PCM24.frame_bytes
    at_close: Literal["line_lost", "caller_hangup"] = "caller_hangup"
    _frames: int = 0

    def decode(self, message: str | bytes) -> LineEvent:
        """What a message from Vonage says; anything else is Malformed. Never raises."""
        if isinstance(message, bytes):
            return self._media(message)
        if len(message) > MAX_TEXT:
            return Malformed("too_long")
        try:
            return self._event(_read_text.decode(message))
        except msgspec.ValidationError:
            return Malformed("not_a_message")
        except (msgspec.DecodeError, ValueError, RecursionError):
            return Malformed("not_json")

    def media(self, payload: str) -> bytes:
        """A message that queues this base64 PCM16 on the line, filled up with silence to 20 ms."""
        return b64decode(payload).ljust(self.frame_bytes, b"\0")

    def mark(self, name: str) -> str:
        """A message that comes back when everything queued before it was played."""
        return f'{{"action":"notify","payload":{{"mark":{_quote.encode(name).decode()}}}}}'

    def clear(self) -> str:
        """A message that throws away what is queued. Whether pending notifications come back is not
        documented: the ledger takes it either way.
        """
        return '{"action":"clear"}'

    def _media(self, message: bytes) -> LineEvent:
        if not message or len(message) % 2 or len(message) > MAX_AUDIO:
            return Malformed("payload")
        at_ms, self._frames = self._frames, self._frames + len(message) // self.audio.bytes_per_ms
        return Media(b64encode(message).decode(), at_ms)

    def _event(self, told: _Text) -> LineEvent:
        match told.event:
            case "websocket:connected":
                return self._started(told)
            case "websocket:dtmf":
                return Dtmf(told.digit) if told.digit in DIGITS else Malformed("digit")
            case "websocket:notify":
                return _notified(bytes(told.payload))
        return Ignored(told.event)

    def _started(self, told: _Text) -> LineEvent:
        if told.content_type.replace(" ", "").lower() != CONTENT_TYPE:
            return Malformed("audio_format")
        self._frames = 0
        parameters = {"call_token": told.call_token}
        return StreamStarted(
            "", told.call_id, told.account_id, self.audio.name, self.audio.rate_hz, parameters
        )


def _notified(payload: bytes) -> LineEvent:
    try:
        return MarkReturned(_read_notified.decode(payload).mark)
    except (msgspec.MsgspecError, RecursionError):
        return Malformed("bad_notify")
