"""The OpenAI session against the stand-in, and against a server that does exactly what a test says."""

import asyncio
import json
from base64 import b64encode
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from runtime import audio
from runtime.engine.effects import Respond
from runtime.session import model
from runtime.session.model import Cut, Patience, SessionSettings
from runtime.session.openai_speech import SpeechSettings, speech
from runtime.session.stand_in import StandIn
from runtime.voices.tones import Tones
from tests.runtime.inbox import HeardSession

TOOL = {
    "type": "function",
    "name": "take_turn",
    "description": "Report.",
    "parameters": {
        "type": "object",
        "additionalProperties": False,
        "required": ["intent"],
        "properties": {"intent": {"type": "string", "enum": ["agreement", "unclear"]}},
    },
}
FRAME = "/" * 212 + "//8="
WITHIN_S = 90


def settings(base_url, **patience):
    return SessionSettings(
        base_url=base_url,
        api_key="any",
        model="gpt-realtime-2.1",
        voice="marin",
        speed=1.0,
        tools=[TOOL],
        patience=Patience(**{"retry_ms": 10, **patience}),
    )


async def until(session, kind, seen=None):
    """The next event of this kind; the others go to `seen`."""
    async with asyncio.timeout(WITHIN_S):
        while (event := await session.receive()) is not None:
            if seen is not None:
                seen.append(event)
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the session ended without {kind.__name__}")


class Script:
    """A server that remembers what it got and sends what it is told."""

    def __init__(self):
        self.got = []
        self.connections = []
        self.arrived = asyncio.Event()

    async def serve(self, connection):
        self.connections.append(connection)
        try:
            await self.send({"type": "session.created", "event_id": "e", "session": {"type": "realtime"}})
            async for message in connection:
                event = json.loads(message)
                self.got.append(event)
                self.arrived.set()
                if event["type"] == "session.update":
                    await self.send({"type": "session.updated", "event_id": "e", "session": event["session"]})
        except ConnectionClosed:
            return

    async def send(self, *events):
        for event in events:
            await self.connections[-1].send(json.dumps(event))

    async def wait_for(self, kind, count=1):
        async with asyncio.timeout(WITHIN_S):
            while len(found := [event for event in self.got if event["type"] == kind]) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return found[count - 1]


@asynccontextmanager
async def scripted(**patience):
    script = Script()
    async with serve(script.serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        session = HeardSession(settings(f"http://127.0.0.1:{port}/v1", **patience))
        session.connect()
        try:
            yield session, script
        finally:
            await session.close()


@asynccontextmanager
async def ready(**patience):
    async with scripted(**patience) as (session, script):
        session.open("Be kind.")
        await until(session, model.Ready)
        yield session, script


def response(kind, request, response_id="resp_1", **fields):
    body = {
        "object": "realtime.response",
        "id": response_id,
        "output": [],
        "metadata": {"request": request},
        **fields,
    }
    return {"type": kind, "event_id": "e", "response": body}


def error(code, event_id, message=""):
    return {
        "type": "error",
        "event_id": "e",
        "error": {"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id},
    }


async def test_the_session_is_configured_once_before_anything_else():
    """One session.update leaves first, with every field of the turn detection; then what was ordered
    before, in order.
    """
    async with scripted() as (session, script):
        session.brief("Now at: size")
        session.hear(FRAME)
        session.open("Be kind.")
        await until(session, model.Ready)
        await script.wait_for("input_audio_buffer.append")
        types = [event["type"] for event in script.got]
        assert types == ["session.update", "conversation.item.create", "input_audio_buffer.append"]
        body = script.got[0]["session"]
        assert body["instructions"] == "Be kind."
        assert body["audio"]["input"]["turn_detection"] == {
            "type": "server_vad",
            "threshold": 0.6,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 500,
            "idle_timeout_ms": None,
            "create_response": False,
            "interrupt_response": False,
        }


async def test_the_newest_three_seconds_before_ready_are_not_lost():
    """Audio that came before the session was ready is sent when it is: the newest 150 frames."""
    async with scripted() as (session, script):
        for _ in range(400):
            session.hear(FRAME)
        session.open("x")
        await script.wait_for("input_audio_buffer.append", 150)
        session.brief("end")
        session.flush()
        await script.wait_for("conversation.item.create")
        assert sum(event["type"] == "input_audio_buffer.append" for event in script.got) == 150


async def test_one_response_at_a_time():
    """A second response of the conversation is asked for only when the first is done; a classification
    goes beside.
    """
    async with ready() as (session, script):
        session.respond(Respond(purpose="speak", speech_id="s1"))
        session.respond(Respond(purpose="speak", speech_id="s2"))
        session.respond(Respond(purpose="classify", turn_id="t1"))
        session.flush()
        await script.wait_for("response.create", 2)
        asked = [
            event["response"]["metadata"]["purpose"]
            for event in script.got
            if event["type"] == "response.create"
        ]
        assert sorted(asked) == ["classify", "speak"]
        await script.send(
            response("response.created", "r1"), response("response.done", "r1", status="completed")
        )
        await until(session, model.Answered)
        session.flush()
        third = await script.wait_for("response.create", 3)
        assert third["response"]["metadata"]["request"] == "r2"


async def test_after_a_cancel_the_next_response_waits_for_the_end_of_the_old():
    """Stopping cancels the response under way; the next is asked for only after its response.done."""
    async with ready() as (session, script):
        session.respond(Respond(purpose="speak", speech_id="s1"))
        session.flush()
        await script.wait_for("response.create")
        await script.send(response("response.created", "r1"))
        await script.send({"type": "rate_limits.updated", "event_id": "e", "rate_limits": []})
        session.stop(Cut((("item_A", 0, 120),), ("item_B",)))
        session.respond(Respond(purpose="speak", speech_id="s2"))
        session.flush()
        await script.wait_for("conversation.item.delete")
        tail = [event["type"] for event in script.got][-3:]
        assert tail == ["response.cancel", "conversation.item.truncate", "conversation.item.delete"]
        await script.send(response("response.done", "r1", status="cancelled"))
        assert (await until(session, model.SpeechEnded)).speech_id == "s1"
        session.flush()
        assert (await script.wait_for("response.create", 2))["response"]["metadata"]["request"] == "r2"


async def test_a_stop_ends_what_was_queued_too():
    """An answer that was never asked for, because it was stopped in the queue, ends like any other:
    unreported, cut.
    """
    async with ready() as (session, _):
        session.respond(Respond(purpose="answer", speech_id="s1", turn_id="t1"))
        session.stop(Cut())
        assert await until(session, model.Unreported) == model.Unreported("t1", "cancelled")
        assert await until(session, model.SpeechEnded) == model.SpeechEnded("s1", "cancelled")


async def test_a_response_refused_because_another_is_active_is_asked_for_again():
    """The error about an active response is no failure: the request waits for that response's end and goes
    out again.
    """
    async with ready() as (session, script):
        session.respond(Respond(purpose="speak", speech_id="s1"))
        session.flush()
        await script.wait_for("response.create")
        text = "Conversation already has an active response in progress: resp_9. Wait until it is finished."
        await script.send(error("conversation_already_has_active_response", "r1", text))
        await script.send(response("response.done", "other", "resp_9", status="completed"))
        await script.send(error("some_code", None))
        assert (await until(session, model.Noted)).detail == "some_code"
        session.flush()
        assert (await script.wait_for("response.create", 2))["response"]["metadata"]["request"] == "r1"


async def test_a_cancel_that_came_too_late_is_harmless():
    """response_cancel_not_active is not told to anyone."""
    async with ready() as (session, script):
        await script.send(error("response_cancel_not_active", "cancel-r1"), error("marker", None))
        seen: list[Any] = []
        await until(session, model.Noted, seen)
        assert [event.detail for event in seen] == ["marker"]


async def test_a_response_nobody_asked_for_is_cancelled_and_not_heard():
    """One voice only: a response the server began by itself is cancelled, and its audio goes nowhere."""
    async with ready() as (session, script):
        delta = {
            "type": "response.output_audio.delta",
            "event_id": "e",
            "response_id": "resp_7",
            "item_id": "i",
            "output_index": 0,
            "content_index": 0,
            "delta": "AAAA",
        }
        await script.send(response("response.created", "unasked", "resp_7"), delta, error("marker", None))
        seen: list[Any] = []
        while not any(isinstance(event, model.Noted) and event.detail == "marker" for event in seen):
            seen.append(await session.receive())
        assert not any(isinstance(event, model.Audio) for event in seen)
        assert (await script.wait_for("response.cancel"))["response_id"] == "resp_7"


@pytest.mark.parametrize(
    ("status", "acted"), [("completed", True), ("incomplete", False), ("in_progress", False)]
)
async def test_a_tool_call_counts_only_when_it_is_complete(status, acted):
    """Arguments of a call that was cut off are never acted on; the turn is told as unreported."""
    async with ready() as (session, script):
        session.respond(Respond(purpose="report", turn_id="t1"))
        session.flush()
        await script.wait_for("response.create")
        call = {
            "id": "f",
            "type": "function_call",
            "status": status,
            "name": "take_turn",
            "call_id": "c1",
            "arguments": '{"intent": "agreement"}',
        }
        item = {
            "type": "response.output_item.done",
            "event_id": "e",
            "response_id": "resp_1",
            "output_index": 0,
            "item": call,
        }
        await script.send(
            response("response.created", "r1"), item, response("response.done", "r1", status="cancelled")
        )
        seen: list[Any] = []
        await until(session, model.Answered, seen)
        assert any(isinstance(event, model.Called) for event in seen) is acted
        assert any(event == model.Unreported("t1", "cancelled") for event in seen) is not acted


@pytest.mark.parametrize(
    ("delta", "reason"),
    [
        ("/" * 640, "no_audio"),
        ("", "no_audio"),
        ("!!!!", "no_audio"),
        ("/" * 320 + "KioqKg" + "/" * 310 + "//==", ""),
    ],
)
async def test_speech_without_a_sound_is_no_speech(delta, reason):
    """A response that is completed but holds only silence, nothing, or no base64 failed; with any sound it is
    whole."""
    async with ready() as (session, script):
        session.respond(Respond(purpose="speak", speech_id="s1"))
        session.flush()
        await script.wait_for("response.create")
        place = {"response_id": "resp_1", "item_id": "i", "output_index": 0, "content_index": 0}
        await script.send(
            response("response.created", "r1"),
            {"type": "response.output_audio.delta", "event_id": "e", **place, "delta": delta},
            response("response.done", "r1", status="completed"),
        )
        assert await until(session, model.SpeechEnded) == model.SpeechEnded("s1", reason)


async def test_silence_of_the_carrier_does_not_leave_the_turn_open():
    """When frames stop while the caller speaks, a second of silence is appended, since the server's VAD
    runs on audio.
    """
    async with ready(silence_ms=100) as (session, script):
        session.hear(FRAME)
        await script.send(
            {
                "type": "input_audio_buffer.speech_started",
                "event_id": "e",
                "audio_start_ms": 0,
                "item_id": "u",
            }
        )
        await until(session, model.Speaking)
        padding = await script.wait_for("input_audio_buffer.append", 2)
        assert len(padding["audio"]) > 10_000
        assert set(padding["audio"]) == {"/"}


async def test_a_response_without_progress_is_a_loss():
    """A model that says nothing while it owes a response is given up after the limit, whatever its socket
    does.
    """
    async with ready(stall_ms=200) as (session, _):
        session.respond(Respond(purpose="speak", speech_id="s1"))
        session.flush()
        assert await until(session, model.Lost) == model.Lost("stalled", final=False)
        assert (await until(session, model.SpeechEnded)).reason == "lost"


async def test_what_was_said_is_told_to_the_next_connection():
    """After a loss the new session gets the configuration, then the text of both sides in order, and is
    ready.
    """
    async with ready() as (session, script):
        session.said("I am an assistant.")
        session.heard("How many people?")
        await script.send({"type": "input_audio_buffer.committed", "event_id": "e", "item_id": "u1"})
        await script.send(
            {
                "type": "conversation.item.input_audio_transcription.completed",
                "event_id": "e",
                "item_id": "u1",
                "content_index": 0,
                "transcript": "four",
                "usage": {"type": "duration", "seconds": 1},
            }
        )
        assert await until(session, model.Transcript) == model.Transcript("t1", "four")
        session.flush()
        await script.wait_for("conversation.item.create")
        script.got.clear()
        await script.connections[-1].close(1001)
        assert await until(session, model.Lost) == model.Lost("closed_1001", final=False)
        await until(session, model.Ready)
        await script.wait_for("conversation.item.create", 3)
        assert script.got[0]["type"] == "session.update"
        told = [(event["item"]["role"], event["item"]["content"][0]) for event in script.got[1:]]
        assert told == [
            ("assistant", {"type": "output_text", "text": "I am an assistant."}),
            ("assistant", {"type": "output_text", "text": "How many people?"}),
            ("user", {"type": "input_text", "text": "four"}),
        ]


async def test_a_session_is_given_up_after_its_attempts():
    """A server that accepts and closes at once is tried three times in all; later orders end at once."""
    async with scripted() as (session, script):
        session.open("x")
        for _ in range(3):
            await script.wait_for("session.update")
            script.got.clear()
            await script.connections[-1].close(1008)
            lost = await until(session, model.Lost)
        assert lost.final
        session.respond(Respond(purpose="speak", speech_id="s9"))
        assert await until(session, model.SpeechEnded) == model.SpeechEnded("s9", "lost")


@pytest.mark.parametrize("code", ["insufficient_quota", "invalid_api_key"])
async def test_a_fatal_error_is_final(code):
    """An account that cannot go on is not asked again."""
    async with ready() as (session, script):
        await script.send(error(code, None))
        assert await until(session, model.Lost) == model.Lost(code, final=True)
        assert len(script.connections) == 1


async def test_a_spoken_turn_is_heard_transcribed_and_reported():
    """Against the stand-in: tones in, one turn, its transcript, and the report the session asked for."""
    async with StandIn(voice="tones") as stand_in:
        session = HeardSession(settings(stand_in.base_url))
        session.connect()
        session.open('# What a caller may mean\n- agreement (agreement): accepts. Examples: "yes"')
        await until(session, model.Ready)
        for payload in _frames(Tones().speak("yes")):
            session.hear(payload)
        turn = await until(session, model.TurnEnded)
        session.respond(Respond(purpose="report", turn_id=turn.turn_id))
        session.flush()
        called = await until(session, model.Called)
        assert (called.turn_id, called.name, called.parsed) == (turn.turn_id, "take_turn", True)
        assert called.arguments["intent"] == "agreement"
        await session.close()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("model-")]


def _frames(mulaw):
    return [b64encode(frame).decode() for frame in audio.split_frames(mulaw + audio.silence(1200))]


async def test_the_key_is_not_shown():
    """Settings can be printed without giving the key away."""
    assert "secret" not in repr(SpeechSettings("http://x", "secret", "m", "v", 1.0))
    assert "any" not in repr(settings("http://x"))


async def test_exact_words_are_rendered_by_the_speech_endpoint():
    """The speech endpoint gives PCM16 at 24 kHz of the words asked for."""
    async with StandIn(voice="tones") as stand_in:
        speak = speech(SpeechSettings(stand_in.base_url, "any", "gpt-4o-mini-tts", "marin", 1.0))
        pcm = await speak("Good morning.")
    mulaw = audio.pcm16_to_mulaw(audio.resample(pcm, 24_000, 8_000))
    assert Tones().hear(mulaw, []) == "Good morning."
