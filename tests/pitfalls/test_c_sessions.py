"""Pitfalls C1 to C14: the session; each test is named after its trap in docs/pitfalls.md."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from runtime.engine.effects import Respond
from runtime.session import wire
from runtime.session.conversation import Conversation
from runtime.session.model import Noted, Patience, TurnDetection
from runtime.settings import load
from tests.faults.bed import Bed, Later, live
from tests.faults.conftest import bed, log_lines, made
from tests.runtime.session.test_conversation_turns import ready, settings

__all__ = ["bed", "log_lines", "made"]
ROOT = Path(__file__).parents[2]
HOUR_MS = 3_600_000


def configuration() -> dict[str, Any]:
    """What a session is configured with."""
    conversation = Conversation(settings(TurnDetection()))
    conversation.configure("You are an assistant.")
    (message,) = [json.loads(one) for one in conversation.drain()]
    return dict(message["session"])


def test_C1_a_session_moves_before_its_hour() -> None:
    """A new connection is made well before the sixty minutes, and taken by force before they are over (a call
    of 62 minutes: tests/runtime/session/test_long_call.py).
    """
    patience = Patience()
    assert patience.session_ms < patience.move_by_ms < HOUR_MS


def test_C2_a_polite_close_is_a_loss(bed: Any) -> None:
    """Close code 1001 in the middle of a call is a lost session, and the call goes on on a new one."""

    async def work() -> tuple[Bed, list[tuple[int, Later]]]:
        async with bed() as one:
            return one, await one.repeat(1, close_after_deltas=(2, 1001))

    _, ((_, later),) = live(work())
    assert later().of("note", "model_lost")[0]["reason"] == "closed_1001"
    assert later().outcome == "booked"


def test_C4_the_voice_is_set_once() -> None:
    """One session.update a connection: a brief, an answer and a response bring no second one."""
    conversation = ready()
    conversation.brief("Now at: size")
    conversation.answer("c1", "{}")
    conversation.respond(Respond(purpose="speak", speech_id="s1"))
    conversation.ask()
    assert "session.update" not in [json.loads(one)["type"] for one in conversation.drain()]


def test_C5_formats_are_objects() -> None:
    """mu-law is `{"type": "audio/pcmu"}` both ways, without a rate."""
    sound = configuration()["audio"]
    assert sound["input"]["format"] == sound["output"]["format"] == {"type": "audio/pcmu"}


def test_C6_no_temperature() -> None:
    """Nothing is sent that the session of today does not have."""
    assert not {"temperature", "modalities", "input_audio_format", "voice"} & set(configuration())


def test_C7_nothing_before_the_session_is_configured() -> None:
    """Orders wait: until session.updated only the configuration leaves, then everything else, in order."""
    conversation = Conversation(settings(TurnDetection()))
    conversation.configure("x")
    conversation.brief("Now at: hello")
    conversation.respond(Respond(purpose="speak", speech_id="s1"))
    conversation.ask()
    assert [json.loads(one)["type"] for one in conversation.drain()] == ["session.update"]
    conversation.take(wire.SessionUpdated())
    conversation.ask()
    kinds = [json.loads(one)["type"] for one in conversation.drain()]
    assert kinds == ["conversation.item.create", "response.create"]


def test_C8_an_unknown_event_is_only_unknown() -> None:
    """An event of a type nobody knows is told by its type, taken for no other, and changes nothing."""
    event = wire.decode('{"type": "conversation.created.anew", "conversation": {"id": "x"}}')
    assert event == wire.Unknown("conversation.created.anew")
    assert ready().take(event) == []


def test_C10_history_is_replayed_as_text() -> None:
    """What the assistant said is replayed as output_text, what the caller said as input_text."""
    kinds = [
        json.loads(wire.message_item(role, "x"))["item"]["content"][0]["type"]
        for role in ("assistant", "user")
    ]
    assert kinds == ["output_text", "input_text"]


def test_C11_the_prefix_never_changes() -> None:
    """A change of node is an item behind everything so far; instructions and tools stay as they were."""
    conversation = ready()
    conversation.brief("Now at: size")
    (message,) = [json.loads(one) for one in conversation.drain()]
    assert (message["type"], message["item"]["role"]) == ("conversation.item.create", "system")


def test_C13_the_sdk_s_extra_is_not_asked_for() -> None:
    """openai[realtime] holds websockets below 16; plain openai is what we depend on."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [one for one in wanted if one.startswith("openai")] == ["openai>=2.0"]


def test_C14_the_models_asked_for_are_not_about_to_end() -> None:
    """The defaults are no model whose end is announced."""
    chosen = load(None, {}, {"telephony.insecure": True, "model.base_url": "http://127.0.0.1/v1"})
    assert chosen.model.name == "gpt-realtime-2.1"
    assert chosen.model.transcription == "gpt-transcribe"


def test_C2_the_loss_is_told_at_once() -> None:
    """A session that moved says so, and is not taken for one that was lost."""
    conversation = ready()
    conversation.move()
    assert conversation.take(wire.SessionUpdated()) == [Noted("session_moved", "")]
