"""Row 58 towards the model: what a peer takes too late is dropped, and never queued."""

import asyncio
import json
import socket
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from runtime.session.model import Lost, Patience, Ready, SessionSettings
from runtime.session.unsent import Unsent
from tests.runtime.inbox import HeardSession
from tests.runtime.jumping import Parrot
from tests.runtime.meeting import Scene, staged

pytestmark = pytest.mark.faults
WITHIN_S = 60
NEWEST = 20  # frames of 20 ms: what the row allows
SECONDS = 50
APPEND = "input_audio_buffer.append"


class Peer:
    """A model's server that can stop to read."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self._wire: Any = None
        self._came = asyncio.Event()

    async def serve(self, connection: ServerConnection) -> None:
        """Take what comes."""
        self._wire = connection.transport
        async for message in connection:
            event = json.loads(message)
            self.got.append(event)
            if event["type"] == "session.update":
                await connection.send(
                    json.dumps({"type": "session.updated", "event_id": "e", "session": event["session"]})
                )
            self._came.set()

    def reading(self, *, on: bool) -> None:
        """Read, or leave everything on the wire."""
        (self._wire.resume_reading if on else self._wire.pause_reading)()

    async def until(self, there: Callable[[], bool]) -> None:
        """Wait until this is so of what came."""
        async with asyncio.timeout(WITHIN_S):
            while not there():
                self._came.clear()
                await self._came.wait()

    @property
    def heard(self) -> list[int]:
        """The numbers of the frames that came."""
        sounds = [event["audio"] for event in self.got if event["type"] == APPEND]
        return [int.from_bytes(b64decode(sound)[:4], "big") for sound in sounds]


def frame(number: int) -> str:
    """20 ms of sound that says which it is."""
    return b64encode(number.to_bytes(4, "big") + b"\x00" * 156).decode()


async def speak(session: HeardSession, numbers: range) -> None:
    """Give the session these frames; the system may send in between."""
    for number in numbers:
        session.hear(frame(number))
        await asyncio.sleep(0)


@asynccontextmanager
async def opened(listening: socket.socket) -> AsyncIterator[tuple[HeardSession, Peer]]:
    """A session that is ready, and its peer."""
    peer = Peer()
    async with serve(peer.serve, sock=listening, ping_interval=None, max_queue=None, close_timeout=0.1):
        settings = SessionSettings(
            base_url=f"http://127.0.0.1:{listening.getsockname()[1]}/v1",
            api_key="any",
            model="gpt-realtime-2.1",
            voice="marin",
            speed=1.0,
            tools=[],
            patience=Patience(connect_ms=WITHIN_S * 1000, configure_ms=WITHIN_S * 1000, attempts=1),
        )
        session = HeardSession(settings)
        session.connect()
        session.open("Be kind.")
        try:
            async with asyncio.timeout(WITHIN_S):
                while not isinstance(await session.receive(), Ready):
                    pass
            yield session, peer
        finally:
            await session.close()


async def end(session: HeardSession) -> str:
    """Why the session was lost."""
    while not isinstance(event := await session.receive(), Lost):
        pass
    return event.reason


def narrow() -> socket.socket:
    """A server's socket whose connections hold little on its side of the wire."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listening.bind(("127.0.0.1", 0))
    return listening


async def test_row_58_a_model_that_reads_again_hears_the_newest_sound() -> None:
    """A peer that reads nothing for twenty seconds of sound gets what was on the wire, every order, and the
    newest 400 ms; what was older is counted, and sound goes on at once.
    """
    spoken = 20 * SECONDS
    async with opened(narrow()) as (session, peer):
        peer.reading(on=False)
        await speak(session, range(spoken // 2))
        session.brief("Now at: size")
        session.flush()
        await speak(session, range(spoken // 2, spoken))
        assert session.held < 20_000
        peer.reading(on=True)
        await peer.until(lambda: spoken - 1 in peer.heard)
        await speak(session, range(spoken, spoken + 1))
        await peer.until(lambda: spoken in peer.heard)
        *wire, _ = peer.heard
        assert wire == sorted(set(wire))
        assert wire[-NEWEST:] == list(range(spoken - NEWEST, spoken))
        assert session.dropped == spoken - len(wire) > spoken // 2
        briefs = [event for event in peer.got if event["type"] == "conversation.item.create"]
        assert len(briefs) == 1


async def test_row_58_a_model_that_never_reads_again_is_lost() -> None:
    """Half a minute of sound that nobody takes ends the session, though hardly any of it is kept."""
    async with opened(narrow()) as (session, peer):
        peer.reading(on=False)
        lost, number = asyncio.create_task(end(session)), 0
        async with asyncio.timeout(WITHIN_S):
            while not lost.done():
                await speak(session, range(number, number + SECONDS))
                assert session.held < 20_000
                number += SECONDS
        assert lost.result() == "not_reading"


def test_row_58_sound_from_before_the_session_is_not_late() -> None:
    """Three seconds spoken while the session opened are kept whole, also for a peer whose socket fills."""
    waiting = Unsent()
    for number in range(150):
        waiting.put(str(number))
    dropped = [waiting.put_live(f"live {number}", 160) for number in range(NEWEST + 5)]
    assert dropped == [0] * NEWEST + [160] * 5
    left = [waiting.take() for _ in range(150 + NEWEST)]
    assert left == [str(number) for number in range(150)] + [f"live {number}" for number in range(5, 25)]
    assert not waiting


def test_row_58_a_call_says_how_much_its_model_never_heard(tmp_path: Path) -> None:
    """The record has the count, from which the alert is made."""

    class Deaf(Parrot):
        dropped = 7

    async def talk(scene: Scene) -> None:
        await scene.until_joined()
        await scene.over()

    scene = staged(tmp_path, "twilio", "accepts", talk, parrot=Deaf())
    notes = [line["note"] for _, line in scene.lines if "note" in line]
    assert [note["caller_frames"] for note in notes if note["kind"] == "audio_dropped"] == [7]
