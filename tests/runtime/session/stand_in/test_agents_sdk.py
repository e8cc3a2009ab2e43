"""A client that is not ours: the OpenAI Agents SDK's realtime runner holds a conversation with the
stand-in."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from agents import function_tool
    from agents.realtime import RealtimeAgent, RealtimeRunner

from runtime import audio
from runtime.session.stand_in import StandIn
from runtime.voices import tones

PATIENCE_S = 90


async def conversation(stand_in: StandIn, agent: Any, turns: list[Any]) -> list[Any]:
    """Hold the turns (text, or mu-law audio) one after the other; every event until the answer to the last
    one ended."""
    model_config: Any = {
        "url": stand_in.base_url.replace("http", "ws") + "/realtime?model=gpt-realtime-2.1",
        "api_key": "any",
        "initial_model_settings": {
            "input_audio_format": "g711_ulaw",
            "output_audio_format": "g711_ulaw",
            "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
        },
    }
    session = await RealtimeRunner(agent, config={"tracing_disabled": True}).run(model_config=model_config)
    seen: list[Any] = []
    async with session, asyncio.timeout(PATIENCE_S):
        for turn in turns:
            if isinstance(turn, bytes):
                for frame in audio.split_frames(turn):
                    await session.send_audio(frame)
            else:
                await session.send_message(turn)
            async for event in session:
                seen.append(event)
                assert event.type != "error", event
                if event.type == "audio_end":
                    break
    return seen


def heard(events: list[Any]) -> str | None:
    """The words in all the audio the runner handed out."""
    return tones.decode(b"".join(event.audio.data for event in events if event.type == "audio"))


async def test_talks() -> None:
    """Typed and spoken turns are answered in audio that says what was understood."""
    agent = RealtimeAgent(name="assistant", instructions="Be brief.")
    async with StandIn(voice="tones") as stand_in:
        spoken = audio.silence(200) + tones.encode("and spoken") + audio.silence(700)
        events = await conversation(stand_in, agent, ["typed first", spoken])
    assert heard(events) == "I heard: typed first I heard: and spoken"
    transcripts = [
        part.transcript
        for event in events
        if event.type in ("history_added", "history_updated")
        for item in (event.history if event.type == "history_updated" else [event.item])
        if item.type == "message" and item.role == "user"
        for part in item.content
        if part.type == "input_audio"
    ]
    assert transcripts[-1] == "and spoken"


async def test_calls_tools() -> None:
    """A tool that the caller names is called, run by the runner, and its result is spoken."""
    asked: list[str] = []

    @function_tool
    def opening_hours() -> str:
        """Tell when we are open."""
        asked.append("hours")
        return "nine to five"

    agent = RealtimeAgent(name="assistant", instructions="Be brief.", tools=[opening_hours])
    async with StandIn(voice="tones") as stand_in:
        events = await conversation(stand_in, agent, ["what are your opening hours"])
    assert asked == ["hours"]
    assert heard(events) == "The tool answered: nine to five"
