"""What a conversation asks of the server about turns, and how it answers several tool calls at once."""

import json

import pytest

from runtime.engine.effects import Respond
from runtime.session import wire
from runtime.session.conversation import Conversation
from runtime.session.model import Answered, Called, Cut, SessionSettings, TurnDetection, TurnEnded

USAGE = {"input_token_details": {"text_tokens": 5}}


def settings(turns: TurnDetection, audio_format: str = "audio/pcmu") -> SessionSettings:
    return SessionSettings(
        base_url="http://127.0.0.1",
        api_key="any",
        model="m",
        voice="marin",
        speed=1.0,
        tools=[],
        turns=turns,
        audio_format=audio_format,
    )


def ready(turns: TurnDetection | None = None, audio_format: str = "audio/pcmu") -> Conversation:
    conversation = Conversation(settings(turns or TurnDetection(), audio_format))
    conversation.configure("You are an assistant.")
    conversation.drain()
    conversation.take(wire.SessionUpdated())
    return conversation


@pytest.mark.parametrize(
    ("turns", "detection"),
    [
        (
            TurnDetection(threshold=0.8, silence_duration_ms=700),
            {
                "type": "server_vad",
                "threshold": 0.8,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 700,
                "idle_timeout_ms": None,
            },
        ),
        (TurnDetection(kind="semantic", eagerness="low"), {"type": "semantic_vad", "eagerness": "low"}),
    ],
)
def test_the_flow_s_turn_detection_is_configured(turns: TurnDetection, detection: dict) -> None:
    """Every field of the flow's turn detection is sent; responses and interruption stay the bridge's (B5)."""
    conversation = Conversation(settings(turns))
    conversation.configure("x")
    session = json.loads(conversation.drain()[0])["session"]
    ours = {"create_response": False, "interrupt_response": False}
    assert session["audio"]["input"]["turn_detection"] == detection | ours


def test_a_line_of_pcm_is_configured_both_ways() -> None:
    """L16 at 24 kHz is the model's own format, with its rate (C5)."""
    conversation = Conversation(settings(TurnDetection(), "audio/pcm"))
    conversation.configure("x")
    audio = json.loads(conversation.drain()[0])["session"]["audio"]
    assert audio["input"]["format"] == audio["output"]["format"] == {"type": "audio/pcm", "rate": 24000}


def test_semantic_detection_claims_no_silence() -> None:
    """The time a semantic detector waited at the end is what was appended since, without a fixed silence."""
    conversation = ready(TurnDetection(kind="semantic"))
    conversation.appended_bytes += 8 * 900
    conversation.take(wire.CallerSilent("i1", 600))
    assert conversation.take(wire.Committed("i1")) == [TurnEnded("t1", 300)]


def test_several_tool_calls_are_answered_before_one_response() -> None:
    """All calls of one response are told; their answers go out first, then a single response (B10)."""
    conversation = ready()
    conversation.respond(Respond(purpose="answer", speech_id="s1", turn_id="t1"))
    conversation.ask()
    request = json.loads(conversation.drain()[-1])["response"]["metadata"]
    conversation.take(wire.ResponseCreated(wire.Response("r1", metadata=request)))
    calls = [
        wire.Item(f"i{n}", "function_call", "completed", "take_turn" if n == 1 else "look", f"c{n}", "{}")
        for n in (1, 2, 3)
    ]
    told = [event for call in calls for event in conversation.take(wire.ItemDone("r1", call))]
    assert [event.call_id for event in told if isinstance(event, Called)] == ["c1", "c2", "c3"]
    done = conversation.take(
        wire.ResponseDone(wire.Response("r1", "completed", metadata=request, usage=USAGE, output=calls))
    )
    assert [event.turn_id for event in done if isinstance(event, Answered)] == ["t1"]
    for call in calls:
        conversation.answer(call.call_id, "{}")
    conversation.respond(Respond(purpose="speak", speech_id="s2"))
    conversation.ask()
    kinds = [json.loads(message)["type"] for message in conversation.drain()]
    assert kinds == ["conversation.item.create"] * 3 + ["response.create"]


def test_what_an_old_connection_said_is_not_corrected_on_the_new_one() -> None:
    """After a move, a cut of what was said before sends nothing about items the new server never had."""
    conversation = ready()
    conversation.respond(Respond(purpose="speak", speech_id="s1"))
    conversation.ask()
    request = json.loads(conversation.drain()[-1])["response"]["metadata"]
    conversation.take(wire.ResponseCreated(wire.Response("r1", metadata=request)))
    conversation.take(wire.AudioDelta("r1", "item_old", "AAAA"))
    conversation.move()
    conversation.configure("x")
    conversation.drain()
    conversation.take(wire.SessionUpdated())
    conversation.drain()
    conversation.stop(Cut((("item_old", 0, 100),), ("item_old",)))
    assert conversation.drain() == []
