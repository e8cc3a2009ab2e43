"""One media stream as Twilio carries it: the caller's frames out, the assistant's audio in, at the pace of
a telephone.

Laws (https://www.twilio.com/docs/voice/media-streams/websocket-messages)
1. The caller's audio leaves in frames of 20 ms on an absolute schedule; numbers in messages are decimal
   strings.
2. What the assistant sends is queued and played in order at real time; a mark comes back when all that was
   queued before it has been played.
3. `clear` throws the queue away, and every pending mark comes back at once.
4. A message that is none of media, mark and clear is a protocol error (31924): the stream is closed.
"""

from __future__ import annotations

import asyncio
import binascii
import json
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runtime import audio

PROTOCOL_ERROR: Final = 31924
PROTOCOL_ERROR_CLOSE: Final = 1002

How = Literal["caller_hung_up", "assistant_closed", "protocol_error"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What the caller hears at one tick: whether assistant audio is being played, at milliseconds since the
    answer.
    """

    at_ms: int
    playing: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """What the caller does in one tick of 20 ms: 160 bytes of mu-law, perhaps a key, perhaps hanging up."""

    frame: bytes
    key: str = ""
    hang_up: bool = False


class Mouth(Protocol):
    """Whoever holds the receiver: asked once every 20 ms."""

    def tick(self, moment: Moment) -> Deed: ...


@dataclass(slots=True)
class Tape:
    """Both directions as the caller's telephone had them, one byte of mu-law a sample since the answer."""

    said: bytearray = field(default_factory=bytearray)
    heard: bytearray = field(default_factory=bytearray)

    @property
    def at_ms(self) -> int:
        return len(self.heard) // audio.BYTES_PER_MS

    def add(self, said: bytes, heard: bytes) -> None:
        """The same stretch of both tracks; the shorter one is filled up with silence."""
        length = max(len(said), len(heard))
        self.said += said.ljust(length, audio.MULAW_SILENCE)
        self.heard += heard.ljust(length, audio.MULAW_SILENCE)

    def wav(self) -> bytes:
        """A stereo WAV file: the caller left, what they heard right."""
        return audio.stereo_wav([(0, bytes(self.said))], [(0, bytes(self.heard))])


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


class PlayQueue:
    """What the assistant sent and the caller has not heard yet: audio and marks, in order."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: deque[bytes | Mark] = deque()

    def add(self, item: bytes | Mark) -> None:
        """Queue audio, or a mark behind it."""
        self._items.append(item)

    def clear(self) -> list[str]:
        """Throw the audio away; the names of all pending marks, in order."""
        names = [item.name for item in self._items if isinstance(item, Mark)]
        self._items.clear()
        return names

    def play(self, count: int) -> tuple[bytes, list[str]]:
        """The next bytes, at most `count`, and the marks that were reached by playing them."""
        played, names = bytearray(), []
        while self._items:
            item = self._items[0]
            if isinstance(item, Mark):
                names.append(item.name)
                self._items.popleft()
                continue
            if len(played) == count:
                break
            room = count - len(played)
            played += item[:room]
            if len(item) > room:
                self._items[0] = item[room:]
            else:
                self._items.popleft()
        return bytes(played), names


class ProtocolError(Exception):
    """The server sent something that Twilio refuses; the message says what, without its content."""


class MediaStream:
    """One stream from `start` to its end."""

    def __init__(self, connection: ClientConnection, ids: Mapping[str, str], tape: Tape) -> None:
        self._connection = connection
        self._ids = ids
        self._tape = tape
        self._queue = PlayQueue()
        self._sequence = 0
        self.violation = ""

    async def carry(self, mouth: Mouth, parameters: Mapping[str, str]) -> How:
        """Hold the stream until one side ends it."""
        await self._connection.send(
            json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        )
        await self._send("start", start=self._start(parameters))
        reader = asyncio.create_task(self._read())
        try:
            return await self._talk(mouth, reader)
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            await self._connection.close()

    async def _talk(self, mouth: Mouth, reader: asyncio.Task[None]) -> How:
        loop = asyncio.get_running_loop()
        started, chunk = loop.time(), 0
        try:
            while True:
                await self._until(started + chunk * audio.FRAME_MS / 1000, reader)
                if reader.done():
                    return self._closed()
                chunk += 1
                if await self._tick(mouth, chunk):
                    await self._send(
                        "stop", stop={"accountSid": self._ids["account"], "callSid": self._ids["call"]}
                    )
                    return "caller_hung_up"
        except ConnectionClosed:
            return self._closed()

    def _closed(self) -> How:
        return "protocol_error" if self.violation else "assistant_closed"

    async def _until(self, when: float, reader: asyncio.Task[None]) -> None:
        """Wait for the next tick or the end of the stream. A late tick is made up for at once."""
        pause = when - asyncio.get_running_loop().time()
        await asyncio.wait([reader], timeout=max(0.0, pause))

    async def _tick(self, mouth: Mouth, chunk: int) -> bool:
        """20 ms of both directions. True: the caller hung up."""
        heard, names = self._queue.play(audio.FRAME_BYTES)
        deed = mouth.tick(Moment(self._tape.at_ms, bool(heard)))
        self._tape.add(deed.frame, heard)
        for name in names:
            await self._send("mark", mark={"name": name})
        if deed.key:
            await self._send("dtmf", dtmf={"track": "inbound_track", "digit": deed.key})
        await self._send("media", media=_media(deed.frame, chunk))
        return deed.hang_up

    async def _read(self) -> None:
        try:
            async for message in self._connection:
                for name in self._take(message):
                    await self._send("mark", mark={"name": name})
        except ConnectionClosed:
            return
        except ProtocolError as error:
            self.violation = str(error)
            await self._connection.close(PROTOCOL_ERROR_CLOSE, f"{PROTOCOL_ERROR}")

    def _take(self, message: str | bytes) -> list[str]:
        """Obey one message from the server; the marks that come back because of it. Raises ProtocolError."""
        match _plain(message):
            case {"event": "media", "streamSid": sid, "media": {"payload": str(payload)}} if (
                sid == self._ids["stream"]
            ):
                self._queue.add(_audio(payload))
                return []
            case {"event": "mark", "streamSid": sid, "mark": {"name": str(name)}} if (
                sid == self._ids["stream"] and name
            ):
                self._queue.add(Mark(name))
                return []
            case {"event": "clear", "streamSid": sid} if sid == self._ids["stream"]:
                return self._queue.clear()
        raise ProtocolError("a message that is none of media, mark and clear, or of another stream")

    async def _send(self, event: str, **body: Any) -> None:
        self._sequence += 1
        message = {
            "event": event,
            "sequenceNumber": str(self._sequence),
            "streamSid": self._ids["stream"],
            **body,
        }
        await self._connection.send(json.dumps(message))

    def _start(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        return {
            "accountSid": self._ids["account"],
            "streamSid": self._ids["stream"],
            "callSid": self._ids["call"],
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": audio.SAMPLE_RATE_HZ, "channels": 1},
            "customParameters": dict(parameters),
        }


async def open_stream(url: str, signature: str, ids: Mapping[str, str], tape: Tape) -> MediaStream:
    """Open the media WebSocket. `ids` has `account`, `call` and `stream`. Raises OSError or websockets'
    InvalidHandshake.
    """
    connection = await connect(
        url, additional_headers={"X-Twilio-Signature": signature}, max_size=None, compression=None
    )
    return MediaStream(connection, ids, tape)


def _media(frame: bytes, chunk: int) -> dict[str, str]:
    timestamp = str((chunk - 1) * audio.FRAME_MS)
    return {
        "track": "inbound",
        "chunk": str(chunk),
        "timestamp": timestamp,
        "payload": b64encode(frame).decode(),
    }


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
