"""The official SDK as a peer of the stand-in: every raw event must be exactly what the SDK's types say."""

from __future__ import annotations

import asyncio
import base64
import json
import typing
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter

from runtime import audio
from runtime.session.stand_in import StandIn
from runtime.voices.tones import Tones

PATIENCE_S = 90
EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
# The real server sends these in a session; the SDK's type (made for requests) does not list them.
UNLISTED = {".session.object", ".session.id", ".session.expires_at"}
CLASSES = {
    typing.get_args(cls.model_fields["type"].annotation)[0]: cls
    for cls in typing.get_args(typing.get_args(RealtimeServerEvent)[0])
}


def parse(raw: bytes | str) -> dict[str, Any]:
    """One server event, refused unless the SDK parses it strictly into the class of its type, with no stray
    field."""
    event: dict[str, Any] = json.loads(raw)
    cls = CLASSES[event["type"]]
    model = cls.model_validate_json(raw, strict=True)
    assert type(EVENTS.validate_json(raw)) is cls
    assert set(stray(model)) <= UNLISTED, event["type"]
    return event


def stray(value: Any, path: str = "") -> Any:
    """Every field, at any depth, that the SDK's models do not know."""
    match value:
        case BaseModel():
            yield from (f"{path}.{name}" for name in value.model_extra or ())
            for name in type(value).model_fields:
                yield from stray(getattr(value, name), f"{path}.{name}")
        case list():
            for number, one in enumerate(value):
                yield from stray(one, f"{path}[{number}]")


class Peer:
    """A client of the SDK with the raw events it saw."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.seen: list[dict[str, Any]] = []

    async def send(self, type: str, **fields: Any) -> None:  # noqa: A002 - the protocol's own word
        await self.connection.send({"type": type, **fields})

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            event = parse(await self.connection.recv_bytes())
        self.seen.append(event)
        return event

    async def until(self, type: str) -> dict[str, Any]:  # noqa: A002
        while (event := await self.next())["type"] != type:
            pass
        return event

    async def ask(self, type: str, answer: str, **fields: Any) -> dict[str, Any]:  # noqa: A002
        await self.send(type, **fields)
        return await self.until(answer)

    async def error(self, type: str, **fields: Any) -> dict[str, Any]:  # noqa: A002
        """Send what must be refused; the error object, which names our event."""
        event = await self.ask(type, "error", event_id="mine", **fields)
        assert event["error"]["event_id"] == "mine"
        return dict(event["error"])

    async def update(self, **session: Any) -> dict[str, Any]:
        event = await self.ask("session.update", "session.updated", session={"type": "realtime", **session})
        return dict(event["session"])

    async def telephone(self, **turn_detection: Any) -> dict[str, Any]:
        """Set mu-law both ways, transcripts, and this turn detection (none: manual)."""
        turns = turn_detection or None
        sound = {
            "format": {"type": "audio/pcmu"},
            "transcription": {"model": "gpt-transcribe"},
            "turn_detection": turns,
        }
        return await self.update(audio={"input": sound, "output": {"format": {"type": "audio/pcmu"}}})

    async def write(self, text: str, role: str = "user", **fields: Any) -> str:
        item = {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}
        event = await self.ask("conversation.item.create", "conversation.item.done", item=item, **fields)
        return str(event["item"]["id"])

    async def play(self, mulaw: bytes) -> None:
        """Append mu-law in 20 ms frames, as a telephone does."""
        for frame in audio.split_frames(mulaw):
            await self.send("input_audio_buffer.append", audio=base64.b64encode(frame).decode())

    async def speak(self, text: str, tail_ms: int = 800) -> None:
        await self.play(audio.silence(100) + Tones().speak(text) + audio.silence(tail_ms))

    async def respond(self, **response: Any) -> dict[str, Any]:
        event = await self.ask("response.create", "response.done", response=response)
        return dict(event["response"])

    def types(self) -> list[str]:
        return [event["type"] for event in self.seen]

    def audio_of(self, item_id: str) -> bytes:
        """The mu-law audio received for an item."""
        deltas = (
            one
            for one in self.seen
            if one["type"] == "response.output_audio.delta" and one["item_id"] == item_id
        )
        return b"".join(base64.b64decode(one["delta"]) for one in deltas)


Connect = Callable[[StandIn], AbstractAsyncContextManager[Peer]]


@pytest.fixture
def connect() -> Connect:
    """Connect the SDK to a stand-in; the opening events are already read."""

    @asynccontextmanager
    async def connected(stand_in: StandIn) -> AsyncIterator[Peer]:
        client = AsyncOpenAI(base_url=stand_in.base_url, api_key="any", max_retries=0)
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            peer = Peer(connection)
            await peer.until("conversation.created")
            yield peer

    return connected


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    """A stand-in that speaks tones."""
    async with StandIn(voice="tones") as running:
        yield running


@pytest.fixture
async def peer(stand_in: StandIn, connect: Connect) -> AsyncIterator[Peer]:
    """The SDK connected to it."""
    async with connect(stand_in) as connected:
        yield connected
