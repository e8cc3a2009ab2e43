"""The Realtime protocol as values, judged by the official SDK's own types."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

from runtime.audio import base64_bytes, is_base64
from runtime.engine.effects import Respond
from runtime.session import wire
from runtime.session.conversation import Conversation
from runtime.session.model import Cut, SessionSettings

CLIENT = TypeAdapter(RealtimeClientEvent)
SERVER = TypeAdapter(RealtimeServerEvent)
RESPONSE = {
    "object": "realtime.response",
    "id": "resp_1",
    "status": "completed",
    "output": [],
    "metadata": {"request": "r1"},
}
CALL = {
    "id": "item_F",
    "object": "realtime.item",
    "type": "function_call",
    "status": "completed",
    "name": "take_turn",
    "call_id": "call_1",
    "arguments": '{"intent": "agreement"}',
}
PLACE = {"response_id": "resp_1", "item_id": "item_A", "output_index": 0, "content_index": 0}
EXAMPLES: dict[str, tuple[dict[str, Any], wire.ServerEvent]] = {
    "input_audio_buffer.speech_started": (
        {"audio_start_ms": 1000, "item_id": "u"},
        wire.CallerSpeaking("u", 1000),
    ),
    "input_audio_buffer.speech_stopped": (
        {"audio_end_ms": 2600, "item_id": "u"},
        wire.CallerSilent("u", 2600),
    ),
    "input_audio_buffer.committed": ({"previous_item_id": None, "item_id": "u"}, wire.Committed("u")),
    "input_audio_buffer.timeout_triggered": (
        {"audio_start_ms": 1, "audio_end_ms": 2, "item_id": "u"},
        wire.TimedOut("u"),
    ),
    "response.created": (
        {"response": {**RESPONSE, "status": "in_progress"}},
        wire.ResponseCreated(wire.Response("resp_1", "in_progress", metadata={"request": "r1"})),
    ),
    "response.done": (
        {"response": RESPONSE},
        wire.ResponseDone(wire.Response("resp_1", "completed", metadata={"request": "r1"})),
    ),
    "response.output_item.done": (
        {"response_id": "resp_1", "output_index": 1, "item": CALL},
        wire.ItemDone(
            "resp_1",
            wire.Item(
                "item_F", "function_call", "completed", "take_turn", "call_1", '{"intent": "agreement"}'
            ),
        ),
    ),
    "response.output_audio.delta": (
        {**PLACE, "delta": "//////8="},
        wire.AudioDelta("resp_1", "item_A", "//////8=", 0),
    ),
    "response.output_audio_transcript.delta": (
        {**PLACE, "delta": "Hi"},
        wire.TranscriptDelta("resp_1", "item_A", "Hi", 0),
    ),
    "conversation.item.input_audio_transcription.completed": (
        {
            "item_id": "u",
            "content_index": 0,
            "transcript": "yes",
            "usage": {"type": "duration", "seconds": 1},
        },
        wire.Transcribed("u", "yes"),
    ),
    "error": (
        {
            "error": {
                "type": "invalid_request_error",
                "code": "c",
                "message": "m",
                "param": None,
                "event_id": "r1",
            }
        },
        wire.ErrorReported(wire.ProtocolError("invalid_request_error", "c", "m", "r1")),
    ),
    "rate_limits.updated": ({"rate_limits": []}, wire.Unknown("rate_limits.updated")),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_server_event_is_read(kind):
    """An event the SDK accepts becomes the value that holds what the bridge needs of it, from text and
    from bytes.
    """
    fields, expected = EXAMPLES[kind]
    text = json.dumps({"type": kind, "event_id": "event_1", **fields})
    SERVER.validate_json(text)
    assert wire.decode(text) == wire.decode(text.encode()) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"\xff\x00", wire.Malformed("not_json")),
        ("{", wire.Malformed("not_json")),
        ("[]", wire.Malformed("wrong_fields")),
        ('{"type": 7}', wire.Malformed("wrong_fields")),
        ('{"type": "response.done"}', wire.Malformed("wrong_fields")),
        ('{"type": "response.output_audio.delta", "delta": 1}', wire.Malformed("wrong_fields")),
        ('{"type": "' + "x" * 500 + '"}', wire.Unknown("x" * 64)),
        ('{"type": "error", "error": ' + "[" * 100_000, wire.Malformed("not_json")),
    ],
)
def test_what_is_not_understood_is_told_apart(message, expected):
    """Garbage, wrong fields and unknown types become values."""
    assert type(wire.decode(message)) is type(expected)
    if not isinstance(message, str) or "[[[" not in message:
        assert wire.decode(message) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "status", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted(wire.TYPES)),
    st.dictionaries(st.sampled_from(["response", "item", "delta", "item_id", "error", "response_id"]), JSON),
)
def test_decoding_and_taking_never_raise(kind, fields):
    """No server event, however wrong in its fields, raises in the codec or in the conversation."""
    conversation = Conversation(SETTINGS)
    conversation.take(wire.decode(json.dumps({"type": kind, **fields})))


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_never_raise(message):
    """Whatever arrives is a value."""
    assert wire.decode(message) is not None


@given(st.binary(max_size=999))
def test_a_payload_is_counted_without_being_decoded(audio):
    """The size of base64 is known from its length and padding; a payload of the alphabet may be spliced."""
    payload = base64.b64encode(audio).decode()
    assert base64_bytes(payload) == len(audio)
    assert is_base64(payload)
    assert json.loads(wire.append_audio(payload)) == {"type": "input_audio_buffer.append", "audio": payload}


@pytest.mark.parametrize("payload", ['AAA"', "AAAA\n", "A", "AA=A", '","type":"x', "ÄAAA", "====="])
def test_a_payload_that_could_leave_its_string_is_refused(payload):
    """Only base64 is spliced."""
    assert not is_base64(payload)


SETTINGS = SessionSettings(
    base_url="http://127.0.0.1:1/v1",
    api_key="k",
    model="gpt-realtime-2.1",
    voice="marin",
    speed=1.0,
    tools=[{"type": "function", "name": "take_turn", "description": "d", "parameters": {"type": "object"}}],
)


def every_client_event():
    conversation = Conversation(SETTINGS)
    conversation.configure("Be kind.")
    yield from conversation.drain()
    conversation.take(wire.SessionUpdated())
    conversation.brief("Now at: size")
    conversation.said("Hello.")
    conversation.answer("call_1", '{"accepted": true}')
    for purpose in ("classify", "speak", "report", "answer"):
        conversation.respond(Respond(purpose=purpose, speech_id="s1", turn_id="t1"))
        conversation.ask()
        conversation.take(wire.ResponseDone(wire.Response("x", "completed", metadata={"request": "r2"})))
    conversation.stop(Cut((("item_A", 0, 120),), ("item_B",)))
    conversation.take(wire.ResponseCreated(wire.Response("resp_9", metadata={"request": "unasked"})))
    yield from conversation.drain()
    yield wire.append_audio("//////8=")
    yield wire.cancel_response(None, "c")
    yield wire.message_item("user", "yes", "item_1")


def test_every_client_event_is_one_the_sdk_would_send():
    """All that the session sends is valid by the SDK's types, field for field."""
    seen = set()
    for text in every_client_event():
        event = CLIENT.validate_json(text)
        assert json.loads(event.model_dump_json(exclude_unset=True)) == json.loads(text)
        seen.add(event.type)
    assert seen == {
        "session.update",
        "conversation.item.create",
        "conversation.item.truncate",
        "conversation.item.delete",
        "input_audio_buffer.append",
        "response.create",
        "response.cancel",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', ({"a": 1}, True)),
        ('"{\\"a\\": 1}"', ({"a": 1}, True)),
        ("[1]", ({}, False)),
        ("{", ({}, False)),
        ("", ({}, False)),
    ],
)
def test_arguments_are_read_defensively(text, expected):
    """Arguments may come twice encoded or broken; they are a dict or nothing."""
    assert wire.arguments_of(text) == expected
