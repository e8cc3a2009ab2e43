"""The stand-in as a server: keys, expiry, the speech endpoint, policies, and connections side by side."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI, AuthenticationError
from websockets.exceptions import ConnectionClosed, InvalidStatus

from runtime import audio
from runtime.session.stand_in import FaultPlan, Say, StandIn
from runtime.voices import tones


async def test_expiry(connect: Any) -> None:
    """At its maximum length a session ends with session_expired and close code 1001."""
    now = [1000.0]
    async with StandIn(voice="text", clock=lambda: now[0]) as stand_in, connect(stand_in) as peer:
        assert peer.seen[0]["session"]["expires_at"] == 4600
        now[0] = 4600.5
        await peer.send("response.create")
        error = await peer.until("error")
        assert error["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed) as closed:
            await peer.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


async def test_keys(connect: Any) -> None:
    """Without a key, or with another than the one asked for, the door stays shut with 401."""
    async with StandIn(key="sesame") as stand_in:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(stand_in):
                pass
        assert refused.value.response.status_code == 401
        async with AsyncOpenAI(base_url=stand_in.base_url, api_key="wrong", max_retries=0) as client:
            with pytest.raises(AuthenticationError):
                await client.audio.speech.create(
                    model="tts", voice="marin", input="hello", response_format="pcm"
                )


async def test_speech_endpoint(stand_in: StandIn) -> None:
    """The speech endpoint renders exact lines as 24 kHz PCM that says the input."""
    line = "This call is recorded."
    async with AsyncOpenAI(base_url=stand_in.base_url, api_key="any", max_retries=0) as client:
        made = await client.audio.speech.create(model="tts", voice="marin", input=line, response_format="pcm")
    assert tones.decode(audio.pcm16_to_mulaw(audio.resample(made.content, 24000, 8000))) == line


async def test_refused_and_slow_upgrade(connect: Any) -> None:
    """A fault plan can refuse one upgrade and leave the next connection alone."""
    async with StandIn(faults=FaultPlan(refuse_status=503, connections=frozenset({1}))) as stand_in:
        with pytest.raises(InvalidStatus):
            async with connect(stand_in):
                pass
        async with connect(stand_in) as peer:
            assert peer.types()[0] == "session.created"


async def test_policy_is_replaceable(connect: Any) -> None:
    """A test's own policy decides everything, several items included."""
    async with (
        StandIn(policy=lambda turn: (Say("one"), Say("two")), voice="tones") as stand_in,
        connect(stand_in) as peer,
    ):
        await peer.telephone()
        response = await peer.respond()
        assert [tones.decode(peer.audio_of(item["id"])) for item in response["output"]] == ["one", "two"]


async def test_many_connections(stand_in: StandIn, connect: Any) -> None:
    """Connections do not see each other."""

    async def converse(name: str) -> str:
        async with connect(stand_in) as peer:
            await peer.write(name)
            response = await peer.respond(output_modalities=["text"])
            return str(response["output"][0]["content"][0]["text"])

    names = [f"caller {number}" for number in range(8)]
    assert await asyncio.gather(*map(converse, names)) == [f"I heard: {name}" for name in names]
