"""One media stream as a network carries it: the caller's frames out, the assistant's audio in, at the pace
of a telephone.

Laws
1. The caller's audio leaves in frames of 20 ms on an absolute schedule.
2. What the assistant sends is queued and played in order at real time; a mark comes back when all that was
   queued before it has been played.
3. `clear` throws the queue away; every pending mark comes back at once, where the network does so.
4. A message the network does not know is a protocol error (Twilio: 31924): the stream is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runtime import audio
from runtime.simulate.bad_line import BadLine, LineFaults
from runtime.simulate.carriers.base import Clear, JsonWire, Mark, ProtocolError, Wire

PROTOCOL_ERROR: Final = 31924
PROTOCOL_ERROR_CLOSE: Final = 1002

How = Literal["caller_hung_up", "assistant_closed", "protocol_error", "line_cut"]
GOOD: Final = LineFaults()


@dataclass(frozen=True, slots=True)
class Moment:
    """What the caller hears at one tick: whether assistant audio is being played, at milliseconds since the
    answer.
    """

    at_ms: int
    playing: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """What the caller does in one tick of 20 ms: 160 bytes of mu-law, perhaps a key, perhaps hanging up.

    `leaving`: the frames that leave now, where the network holds some back; None: this one.
    """

    frame: bytes
    key: str = ""
    hang_up: bool = False
    leaving: tuple[bytes, ...] | None = None


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
class Passed:
    """One message of the server's as the network took it. `queued_ms`: how much audio was waiting to be heard
    before it; `clock_s`: when, by the loop's clock.
    """

    at_ms: int
    what: Literal["media", "mark", "clear"]
    name: str
    size: int
    queued_ms: int
    clock_s: float = 0.0


class PlayQueue:
    """What the assistant sent and the caller has not heard yet: audio and marks, in order."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: deque[bytes | Mark] = deque()

    @property
    def ms(self) -> int:
        """How much audio is queued."""
        return sum(len(item) for item in self._items if isinstance(item, bytes)) // audio.BYTES_PER_MS

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


class MediaStream:
    """One stream from its beginning to its end."""

    def __init__(
        self,
        connection: ClientConnection,
        open_wire: Callable[[Mapping[str, str]], Wire],
        tape: Tape,
        faults: LineFaults = GOOD,
    ) -> None:
        self.passed: list[Passed] = []
        self._bad = BadLine(faults)
        self._frames = 0
        self._late: set[asyncio.TimerHandle] = set()
        self._telling: set[asyncio.Task[None]] = set()
        self._connection = connection
        self._open_wire = open_wire
        self._tape = tape
        self._queue = PlayQueue()
        self.violation = ""

    async def carry(self, mouth: Mouth, parameters: Mapping[str, str]) -> How:
        """Hold the stream until one side ends it."""
        self._wire = self._open_wire(parameters)
        for message in self._wire.begin():
            await self._connection.send(message)
        reader = asyncio.create_task(self._read())
        try:
            return await self._talk(mouth, reader)
        except asyncio.CancelledError:  # another document took the leg: the stream says good-bye, too
            goodbye = self._wire.stop()
            with contextlib.suppress(ConnectionClosed):
                if goodbye is not None:
                    await self._connection.send(goodbye)
            raise
        finally:
            for timer in self._late:
                timer.cancel()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            await self._connection.close()

    async def _talk(self, mouth: Mouth, reader: asyncio.Task[None]) -> How:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            while True:
                await self._until(started + self._frames * audio.FRAME_MS / 1000, reader)
                if reader.done():
                    return self._closed()
                self._frames += 1
                hung_up = await self._tick(mouth)
                if end := self._bad.ends(self._frames):
                    return await self._cut(end)
                if hung_up:
                    goodbye = self._wire.stop()
                    if goodbye is not None:
                        await self._connection.send(goodbye)
                    return "caller_hung_up"
        except ConnectionClosed:
            return self._closed()

    def _closed(self) -> How:
        return "protocol_error" if self.violation else "assistant_closed"

    async def _until(self, when: float, reader: asyncio.Task[None]) -> None:
        """Wait for the next tick or the end of the stream. A late tick is made up for at once."""
        pause = when - asyncio.get_running_loop().time()
        await asyncio.wait([reader], timeout=max(0.0, pause))

    async def _tick(self, mouth: Mouth) -> bool:
        """20 ms of both directions. True: the caller hung up."""
        heard, names = self._queue.play(audio.FRAME_BYTES)
        deed = mouth.tick(Moment(self._tape.at_ms, bool(heard)))
        self._tape.add(deed.frame, heard)
        await self._tell(names)
        if deed.key:
            await self._connection.send(self._wire.key(deed.key))
        for frame in (deed.frame,) if deed.leaving is None else deed.leaving:
            for message in self._bad.out(self._frames, self._wire.media(frame)):
                await self._connection.send(message)
        if self._bad.plan.deaf:
            self._listen(deaf=self._bad.deaf(self._tape.at_ms))
        return deed.hang_up

    def _listen(self, *, deaf: bool) -> None:
        transport = self._connection.transport
        (transport.pause_reading if deaf else transport.resume_reading)()

    async def _cut(self, end: str) -> How:
        if end in ("reset", "cut"):
            self._connection.transport.abort()
        else:
            await self._connection.close()
        return "assistant_closed" if end == "cut" else "line_cut"

    async def _tell(self, names: list[str]) -> None:
        """Say that these marks were reached, as the line does it."""
        if not self._bad.plan.marks_late_ms:
            await self._send_marks(names)
        elif names:
            loop, late = asyncio.get_running_loop(), self._bad.plan.marks_late_ms / 1000
            self._late.add(loop.call_later(late, self._tell_late, names))

    def _tell_late(self, names: list[str]) -> None:
        task = asyncio.create_task(self._send_marks(names))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _send_marks(self, names: list[str]) -> None:
        try:
            for name in self._bad.marks(names):
                await self._connection.send(self._wire.mark(name))
        except ConnectionClosed:
            return

    async def _read(self) -> None:
        try:
            async for message in self._connection:
                await self._tell(self._take(message))
        except ConnectionClosed:
            return
        except ProtocolError as error:
            self.violation = str(error)
            await self._connection.close(PROTOCOL_ERROR_CLOSE, f"{PROTOCOL_ERROR}")

    def _take(self, message: str | bytes) -> list[str]:
        """Obey one message from the server; the marks that come back because of it. Raises ProtocolError."""
        at_ms, queued_ms = self._tape.at_ms, self._queue.ms
        now = asyncio.get_running_loop().time()
        match self._wire.take(message):
            case Clear():
                self.passed.append(Passed(at_ms, "clear", "", 0, queued_ms, now))
                names = self._queue.clear()
                return names if self._wire.marks_survive_clear else []
            case Mark(name) as mark:
                self.passed.append(Passed(at_ms, "mark", name, 0, queued_ms, now))
                self._queue.add(mark)
            case audio_:
                self.passed.append(Passed(at_ms, "media", "", len(audio_), queued_ms, now))
                self._queue.add(audio_)
        if self._wire.most_queued_ms and self._queue.ms > self._wire.most_queued_ms:
            raise ProtocolError("more audio than the network's buffer holds")
        return []


async def open_stream(url: str, signature: str, ids: Mapping[str, str], tape: Tape) -> MediaStream:
    """Open a media WebSocket as Twilio does. `ids` has `account`, `call` and `stream`. Raises OSError or
    websockets' InvalidHandshake.
    """
    headers = {"X-Twilio-Signature": signature}
    return await open_wired(url, headers, lambda parameters: JsonWire(ids, parameters), tape)


async def open_wired(
    url: str,
    headers: Mapping[str, str],
    open_wire: Callable[[Mapping[str, str]], Wire],
    tape: Tape,
    faults: LineFaults = GOOD,
) -> MediaStream:
    """Open a media WebSocket of any network. Raises OSError or websockets' InvalidHandshake."""
    options: dict[str, Any] = {"sock": await _small(url)} if faults.deaf else {}
    connection = await connect(
        url, additional_headers=dict(headers), max_size=None, compression=None, **options
    )
    return MediaStream(connection, open_wire, tape, faults)


async def _small(url: str) -> socket.socket:
    """A connected socket that holds next to nothing for a reader who does not read."""
    parts = urlsplit(url)
    made = socket.socket(socket.AF_INET6 if ":" in (parts.hostname or "") else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, (parts.hostname, parts.port or 80))
    return made
