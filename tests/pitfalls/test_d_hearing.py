"""Pitfalls D1 to D11: the caller's audio and turns; each test is named after its trap in docs/pitfalls.md."""

from __future__ import annotations

import json
from typing import Any

from runtime.session import wire
from runtime.session.conversation import Conversation
from runtime.session.model import Transcript, TurnDetection, TurnEnded
from runtime.telephony.base import Dtmf
from runtime.telephony.base.json_stream import StreamCodec
from tests.pitfalls.test_a_playback import START
from tests.runtime.engine import test_overlap
from tests.runtime.session import test_openai
from tests.runtime.session.test_conversation_turns import ready, settings

test_D1_what_is_said_while_the_model_connects = (
    test_openai.test_the_newest_three_seconds_before_ready_are_not_lost
)
test_D3_a_carrier_that_stops_sending_in_mid_speech = (
    test_openai.test_silence_of_the_carrier_does_not_leave_the_turn_open
)
test_D11_uh_huh_does_not_stop_the_assistant = test_overlap.test_a_murmur_does_not_stop_the_assistant


def listening() -> dict[str, Any]:
    """What a session is told about hearing."""
    conversation = Conversation(settings(TurnDetection()))
    conversation.configure("x")
    return dict(json.loads(conversation.drain()[0])["session"]["audio"]["input"])


def test_D2_the_caller_s_audio_is_never_thrown_away() -> None:
    """No message we can send clears the input buffer, so no onset is lost with it."""
    assert not [name for name in dir(wire) if "clear" in name]


def test_D4_every_field_of_turn_detection_is_sent() -> None:
    """Documented and actual defaults differ, so none is left to the server."""
    assert set(listening()["turn_detection"]) == {
        "type",
        "threshold",
        "prefix_padding_ms",
        "silence_duration_ms",
        "idle_timeout_ms",
        "create_response",
        "interrupt_response",
    }


def test_D5_silence_is_timed_by_what_was_heard() -> None:
    """The server's idle timer, which guesses what was heard, is off; ours counts from the last mark."""
    assert listening()["turn_detection"]["idle_timeout_ms"] is None


def test_D7_noise_does_not_interrupt_by_default() -> None:
    """The threshold is well above the server's, and telephone sound is not filtered twice."""
    assert listening()["turn_detection"]["threshold"] >= 0.6
    assert listening()["noise_reduction"] is None


def committed(conversation: Conversation, item: str) -> str:
    (event,) = conversation.take(wire.Committed(item))
    assert isinstance(event, TurnEnded)
    return event.turn_id


def test_D8_transcripts_find_their_turn_in_any_order() -> None:
    """Two transcripts that come in the other order, and late, are each of their own turn."""
    conversation = ready()
    first, second = committed(conversation, "i1"), committed(conversation, "i2")
    assert conversation.take(wire.Transcribed("i2", "two")) == [Transcript(second, "two")]
    assert conversation.take(wire.Transcribed("i1", "one")) == [Transcript(first, "one")]


def test_D9_the_server_s_times_count_audio() -> None:
    """How long detection waited is measured in audio that was appended, whatever the clock did meanwhile."""
    conversation = ready(TurnDetection(silence_duration_ms=300))
    conversation.appended_bytes += 8 * 1000
    conversation.take(wire.CallerSpeaking("i1", 100))
    conversation.take(wire.CallerSilent("i1", 900))
    (event,) = conversation.take(wire.Committed("i1"))
    assert event == TurnEnded("t1", 100 + 300)


def test_D6_detection_is_its_own_part_of_a_wait() -> None:
    """What detection took is told apart from the model's time and ours: it alone may be half a second."""
    conversation = ready(TurnDetection(silence_duration_ms=500))
    (event,) = conversation.take(wire.Committed("i1"))
    assert isinstance(event, TurnEnded)
    assert event.detection_ms >= 500


def test_D10_keys_come_from_the_carrier() -> None:
    """A key is the carrier's own message, and becomes an event of the call."""
    codec = StreamCodec()
    codec.decode(START)
    message = {"event": "dtmf", "streamSid": "MZ" + "1" * 32, "sequenceNumber": "5"}
    assert codec.decode(json.dumps(message | {"dtmf": {"track": "inbound_track", "digit": "7"}})) == Dtmf("7")
