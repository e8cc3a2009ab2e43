import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from runtime import audio
from runtime.simulate.carriers.base import Mark
from runtime.simulate.clock import idle
from runtime.simulate.line import Deed, Moment, PlayQueue, Tape, open_stream

IDS = {"account": "AC1", "call": "CA1", "stream": "MZ1"}
SILENT = audio.MULAW_SILENCE * audio.FRAME_BYTES


class Listener:
    """Says nothing and hangs up after so many ticks."""

    def __init__(self, ticks: int = 10_000, key_at: int = 0) -> None:
        self.ticks, self.key_at, self.heard_ms = ticks, key_at, 0

    def tick(self, moment: Moment) -> Deed:
        self.ticks -= 1
        self.key_at -= 1
        self.heard_ms += audio.FRAME_MS if moment.playing else 0
        return Deed(SILENT, key="5" if self.key_at == 0 else "", hang_up=self.ticks <= 0)


def media(data: bytes) -> str:
    payload = b64encode(data).decode()
    return json.dumps({"event": "media", "streamSid": "MZ1", "media": {"payload": payload}})


def mark(name: str) -> str:
    return json.dumps({"event": "mark", "streamSid": "MZ1", "mark": {"name": name}})


CLEAR = json.dumps({"event": "clear", "streamSid": "MZ1"})


@asynccontextmanager
async def peer(talk: Callable[[ServerConnection], Awaitable[None]]) -> Any:
    """A server at the other end of the stream, and the address to reach it at."""
    async with serve(talk, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def held(url: str, mouth: Listener) -> tuple[str, Tape, str]:
    tape = Tape()
    stream = await open_stream(url, "signed", IDS, tape)
    how = await stream.carry(mouth, {"call_token": "opaque"})
    return how, tape, stream.violation


def run(coroutine: Any) -> Any:
    """Run on a fast clock, as a call takes real time otherwise."""
    with asyncio.Runner(loop_factory=idle(50)) as runner:
        return runner.run(coroutine)


async def received(connection: ServerConnection, event: str) -> dict[str, Any]:
    """The next message of this kind."""
    while True:
        message: dict[str, Any] = json.loads(await connection.recv())
        if message["event"] == event:
            return message


def test_a_stream_begins_as_twilio_s_does() -> None:
    """connected comes first, without a stream id; start carries the ids, the format and the parameters."""
    seen: list[dict[str, Any]] = []

    async def talk(connection: ServerConnection) -> None:
        seen.extend([json.loads(await connection.recv()) for _ in range(3)])
        assert connection.request is not None
        seen.append(dict(connection.request.headers))

    async def go() -> None:
        async with peer(talk) as url:
            await held(url, Listener())

    run(go())
    connected, start, first, headers = seen
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["start"]["customParameters"] == {"call_token": "opaque"}
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    assert (first["event"], first["sequenceNumber"], first["media"]["chunk"]) == ("media", "2", "1")
    assert first["media"]["timestamp"] == "0"
    assert "signed" in headers.values()


def test_a_mark_comes_back_when_all_before_it_was_played() -> None:
    """A mark behind 200 ms of audio comes back after 200 ms of it were heard, and not before."""
    mouth = Listener()
    at: list[int] = []

    async def talk(connection: ServerConnection) -> None:
        await received(connection, "start")
        await connection.send(media(b"\x00" * 1600))
        await connection.send(mark("m1"))
        assert (await received(connection, "mark"))["mark"] == {"name": "m1"}
        at.append(mouth.heard_ms)

    async def go() -> Tape:
        async with peer(talk) as url:
            return (await held(url, mouth))[1]

    tape = run(go())
    assert at[0] >= 180
    assert bytes(tape.heard).count(b"\x00") == 1600


def test_clear_brings_all_marks_back_and_drops_the_audio() -> None:
    """After clear every pending mark comes back at once, in order, and nothing more of the audio is heard."""
    back: list[str] = []

    async def talk(connection: ServerConnection) -> None:
        await received(connection, "start")
        for name in ("m1", "m2"):
            await connection.send(media(b"\x00" * 80_000))
            await connection.send(mark(name))
        await connection.send(CLEAR)
        back.extend([(await received(connection, "mark"))["mark"]["name"] for _ in range(2)])

    async def go() -> Tape:
        async with peer(talk) as url:
            return (await held(url, Listener()))[1]

    tape = run(go())
    assert back == ["m1", "m2"]
    assert bytes(tape.heard).count(b"\x00") < 80_000


@pytest.mark.parametrize(
    "message",
    [
        '{"event":"hello","streamSid":"MZ1"}',
        '{"event":"media","streamSid":"MZ2","media":{"payload":""}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"***"}}',
        '{"event":"mark","streamSid":"MZ1"}',
        "not json",
        b"bytes",
    ],
)
def test_an_odd_message_is_a_protocol_error(message: str | bytes) -> None:
    """Whatever Twilio would refuse with 31924 ends the stream and is told."""
    closed: list[int | None] = []

    async def talk(connection: ServerConnection) -> None:
        await received(connection, "start")
        await connection.send(message)
        await connection.wait_closed()
        closed.append(connection.close_code)

    async def go() -> tuple[str, Tape, str]:
        async with peer(talk) as url:
            return await held(url, Listener())

    how, _, violation = run(go())
    assert (how, closed) == ("protocol_error", [1002])
    assert violation


def test_hanging_up_stops_the_stream() -> None:
    """A caller who hangs up sends stop, then closes."""
    seen: list[dict[str, Any]] = []

    async def talk(connection: ServerConnection) -> None:
        seen.append(await received(connection, "stop"))
        await connection.wait_closed()

    async def go() -> str:
        async with peer(talk) as url:
            return (await held(url, Listener(ticks=5)))[0]

    assert run(go()) == "caller_hung_up"
    assert seen[0]["stop"] == {"accountSid": "AC1", "callSid": "CA1"}


def test_a_key_is_sent() -> None:
    """A key the caller presses arrives as dtmf."""
    seen: list[dict[str, Any]] = []

    async def talk(connection: ServerConnection) -> None:
        seen.append(await received(connection, "dtmf"))

    async def go() -> str:
        async with peer(talk) as url:
            return (await held(url, Listener(key_at=3)))[0]

    assert run(go()) == "assistant_closed"
    assert seen[0]["dtmf"] == {"track": "inbound_track", "digit": "5"}


Items = st.lists(st.one_of(st.binary(min_size=1, max_size=400), st.text(min_size=1, max_size=3).map(Mark)))


@given(Items, st.integers(min_value=1, max_value=300))
def test_everything_is_played_once_and_in_order(items: list[bytes | Mark], count: int) -> None:
    """Whatever the pieces, all audio is played in order, and each mark comes when what stood before it is
    out.
    """
    queue = PlayQueue()
    for item in items:
        queue.add(item)
    played, names = b"", []
    while True:
        some, marks = queue.play(count)
        names += marks
        played += some
        for name in marks:
            place = [i for i, item in enumerate(items) if isinstance(item, Mark)][len(names) - len(marks)]
            assert len(played) >= sum(len(item) for item in items[:place] if isinstance(item, bytes))
            assert name in [item.name for item in items if isinstance(item, Mark)]
        if not some:
            break
    assert played == b"".join(item for item in items if isinstance(item, bytes))
    assert names == [item.name for item in items if isinstance(item, Mark)]


@given(Items, st.integers(min_value=0, max_value=500))
def test_clear_forgets_audio_and_returns_every_mark(items: list[bytes | Mark], played: int) -> None:
    """The marks that came back by playing and by clearing are together all of them, once."""
    queue = PlayQueue()
    for item in items:
        queue.add(item)
    _, before = queue.play(played)
    names = before + queue.clear()
    assert names == [item.name for item in items if isinstance(item, Mark)]
    assert queue.play(1000) == (b"", [])


def test_both_tracks_of_a_tape_stay_aligned() -> None:
    """The shorter side of a stretch is filled up with silence, so that both tracks keep one clock."""
    tape = Tape()
    tape.add(b"\x00" * 160, b"")
    tape.add(b"", b"\x01" * 80)
    assert len(tape.said) == len(tape.heard) == 240
    assert tape.at_ms == 30
    assert tape.wav()[:4] == b"RIFF"
