"""What somebody said into a microphone, as a turn: one short session of the speech model for each turn, told
what a call's session is told. The stand-in is such a model too.

The design alone decides what follows: the session reports, and nothing of it is spoken.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from runtime import audio
from runtime.engine.effects import Respond
from runtime.engine.fill import brief, instructions
from runtime.engine.state import State
from runtime.session import model
from runtime.session.events import Events
from runtime.session.model import Called, ModelSession, Patience, SessionSettings, TurnDetection
from runtime.session.openai import OpenAISession
from runtime.simulate.drive.hearing import REPORT
from runtime.simulate.drive.moves import Turn
from voiceflow_compiler.artifact import Artifact

RATE_HZ: Final = 24_000
CHUNK_BYTES: Final = RATE_HZ // 2 * audio.PCM16_BYTES
PAUSE_MS: Final = 1200  # whoever holds a button may think
PATIENCE_S: Final = 60.0
BEGINS_S: Final = 10.0  # from the last sound that was sent until the model noticed speech
SETTLES_S: Final = 0.3
WORDS_S: Final = 3.0
SENTIMENTS: Final = ("positive", "neutral", "negative")


class HearingError(Exception):
    """The model could not be asked; the message is one plain line."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """Which model hears, and which one speaks; both at one address. `voice` "": the flow's own."""

    base_url: str
    api_key: str = field(repr=False)
    name: str
    voice: str
    speech: str
    transcription: str


async def understand(
    speaking: Speaking, artifact: Artifact, state: State, said: str, pcm: bytes
) -> Turn | None:
    """The turn in this sound (PCM16 at 24 kHz), or None when nobody spoke in it. `said`: what the assistant
    said last. Raises HearingError.
    """
    session: ModelSession = OpenAISession(_settings(speaking, artifact))
    events = Events(session)
    session.connect()
    session.open(instructions(artifact, state))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _ready(events)
            session.brief(brief(artifact, state, None))
            session.said(said)
            session.flush()
            sound = pcm + bytes(RATE_HZ * audio.PCM16_BYTES * (PAUSE_MS + 500) // 1000)
            for start in range(0, len(sound), CHUNK_BYTES):
                session.hear(b64encode(sound[start : start + CHUNK_BYTES]).decode())
            turn_id = await _turn(events)
            return None if turn_id is None else await _report(session, events, turn_id, artifact)
    except TimeoutError:
        raise HearingError("the model did not answer in time") from None
    finally:
        await session.close()


def _settings(speaking: Speaking, artifact: Artifact) -> SessionSettings:
    tools = [
        {"type": "function", "name": one.name, "description": one.description, "parameters": one.parameters}
        for one in artifact.tools
    ]
    return SessionSettings(
        base_url=speaking.base_url,
        api_key=speaking.api_key,
        model=speaking.name,
        voice=speaking.voice or artifact.voice,
        speed=artifact.speed,
        tools=tools,
        language=artifact.locale.partition("-")[0],
        audio_format="audio/pcm",
        transcription_model=speaking.transcription,
        turns=TurnDetection(silence_duration_ms=PAUSE_MS),
        patience=Patience(connect_ms=10_000, configure_ms=10_000, stall_ms=25_000, attempts=1),
    )


async def _next(events: Events) -> model.SessionEvent:
    """The next event of a session that lives. Raises HearingError."""
    event = await events.receive()
    if event is None or isinstance(event, model.Lost):
        why = "closed" if event is None else event.reason
        raise HearingError(f"the model cannot be reached ({why.replace('_', ' ')})")
    return event


async def _ready(events: Events) -> None:
    while not isinstance(await _next(events), model.Ready):
        pass


async def _turn(events: Events) -> str | None:
    """The last turn that ended in what was sent; a pause for thought does not make two of one."""
    turn_id: str | None = None
    speaking = False
    while True:
        try:
            async with asyncio.timeout(None if speaking else BEGINS_S if turn_id is None else SETTLES_S):
                event = await _next(events)
        except TimeoutError:
            return turn_id
        match event:
            case model.Speaking():
                speaking = True
            case model.TurnEnded():
                turn_id, speaking = event.turn_id, False


async def _report(session: ModelSession, events: Events, turn_id: str, artifact: Artifact) -> Turn:
    session.respond(Respond(purpose="report", turn_id=turn_id))
    session.flush()
    words: list[str] = []
    called: Called | None = None
    while called is None:
        match await _next(events):
            case Called(name=name) as report if name == REPORT:
                called = report
            case model.Transcript(text=text):
                words.append(text)
            case model.Unreported(reason=reason):
                raise HearingError(f"the model reported nothing ({reason.replace('_', ' ')})")
    with suppress(TimeoutError):  # without its words a turn is still one
        async with asyncio.timeout(WORDS_S):
            while not words:
                if isinstance(event := await _next(events), model.Transcript):
                    words.append(event.text)
    return _as_turn(called.arguments, " ".join(words).strip(), artifact)


def _as_turn(told: Mapping[str, Any], words: str, artifact: Artifact) -> Turn:
    """A report as a move; what a model made up becomes unclear, as the engine takes it."""
    intent, slots = str(told.get("intent", "")), told.get("slots")
    sure = told.get("confidence")
    sentiment = told.get("sentiment")
    return Turn(
        intent if intent in artifact.intents else "unclear",
        {name: value for name, value in slots.items() if value is not None}
        if isinstance(slots, Mapping)
        else {},
        float(sure) if isinstance(sure, int | float) else 0.0,
        sentiment if isinstance(sentiment, str) and sentiment in SENTIMENTS else "neutral",
        words or str(told.get("heard") or ""),
    )
