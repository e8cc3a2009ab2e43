"""Caller audio at the stand-in: turn detection, interruption, transcripts and time-outs, on tones."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from runtime import audio
from runtime.session.stand_in import Pace, StandIn
from runtime.voices import tones

VAD = {"type": "server_vad", "silence_duration_ms": 400, "prefix_padding_ms": 200}


async def test_spoken_turn(peer: Any) -> None:
    """A spoken turn starts, stops, is committed, transcribed and answered without a request."""
    await peer.telephone(**VAD)
    start = len(peer.seen)
    await peer.speak("what does it cost")
    done = await peer.until("response.done")
    if "conversation.item.input_audio_transcription.completed" not in peer.types():
        await peer.until("conversation.item.input_audio_transcription.completed")
    kinds = [kind for kind in dict.fromkeys(peer.types()[start:]) if "transcription" not in kind]
    assert kinds[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    told = {event["type"]: event for event in peer.seen}
    user = told["input_audio_buffer.committed"]["item_id"]
    assert told["input_audio_buffer.speech_started"]["item_id"] == user
    transcript = told["conversation.item.input_audio_transcription.completed"]
    assert (transcript["item_id"], transcript["transcript"]) == (user, "what does it cost")
    assert done["response"]["output"][0]["content"][0]["transcript"] == "I heard: what does it cost"


async def test_times_count_audio(peer: Any) -> None:
    """Start and end are positions in the appended audio: the start with its padding, the end with its
    silence."""
    await peer.telephone(**VAD)
    packet = tones.encode("hello")  # begins with 40 ms of silence, ends with 20
    await peer.play(audio.silence(1000) + packet + audio.silence(600))
    stopped = await peer.until("input_audio_buffer.speech_stopped")
    started = next(event for event in peer.seen if event["type"] == "input_audio_buffer.speech_started")
    assert started["audio_start_ms"] == 1000 + 40 - 200
    assert stopped["audio_end_ms"] == 1000 + audio.duration_ms(packet) - 20 + 400


async def test_threshold_is_obeyed(peer: Any) -> None:
    """What is quieter than the threshold is no speech."""
    loud = tones.encode("hello") + audio.silence(600)
    quiet = audio.pcm16_to_mulaw(audio.scale(audio.mulaw_to_pcm16(loud), 0.02))
    await peer.telephone(**VAD)
    await peer.play(quiet)
    await peer.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
    assert "input_audio_buffer.speech_started" not in peer.types()
    await peer.telephone(**VAD, threshold=0.0)
    await peer.play(audio.pcm16_to_mulaw(audio.scale(audio.mulaw_to_pcm16(loud), 0.1)))
    await peer.until("input_audio_buffer.speech_stopped")


async def test_create_response_off(peer: Any) -> None:
    """With create_response off a turn is committed and nothing is answered until it is asked for."""
    await peer.telephone(**VAD, create_response=False)
    await peer.speak("good morning")
    await peer.until("conversation.item.input_audio_transcription.completed")
    assert "response.created" not in peer.types()
    (item,) = (await peer.respond())["output"]
    assert tones.decode(peer.audio_of(item["id"])) == "I heard: good morning"


async def test_interruption(connect: Any) -> None:
    """Speech during a response cancels it, tells why, and is answered next."""
    async with StandIn(voice="tones", pace=Pace(speed=0.2)) as slow, connect(slow) as peer:
        await peer.telephone(**VAD)
        await peer.write("a first sentence of some length")
        await peer.ask("response.create", "response.output_audio.delta")
        await peer.speak("stop")
        response = (await peer.until("response.done"))["response"]
        assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        kinds = peer.types()
        assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.done")
        assert (await peer.until("response.created"))["response"]["id"] != response["id"]
        await peer.until("response.output_audio.delta")  # a client with much unread is slow to close


async def test_interruption_off(connect: Any) -> None:
    """With interrupt_response off the response goes on, and the automatic answer fails beside it."""
    async with StandIn(voice="tones", pace=Pace(speed=0.5)) as slow, connect(slow) as peer:
        await peer.telephone(**VAD, interrupt_response=False)
        await peer.ask("response.create", "response.output_audio.delta")
        await peer.speak("stop")
        error = await peer.until("error")
        assert error["error"]["code"] == "conversation_already_has_active_response"
        assert (await peer.until("response.done"))["response"]["status"] == "completed"


async def test_manual_turns(peer: Any) -> None:
    """Without turn detection the client commits; too little audio cannot be committed, and clearing throws it
    away."""
    await peer.telephone()
    error = await peer.error("input_audio_buffer.commit")
    assert error["code"] == "input_audio_buffer_commit_empty"
    await peer.speak("forget this")
    await peer.ask("input_audio_buffer.clear", "input_audio_buffer.cleared")
    assert (await peer.error("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
    await peer.speak("keep this")
    await peer.ask("input_audio_buffer.commit", "conversation.item.done")
    (item,) = (await peer.respond())["output"]
    assert item["content"][0]["transcript"] == "I heard: keep this"
    assert "input_audio_buffer.speech_started" not in peer.types()


async def test_no_transcription_unless_asked(peer: Any) -> None:
    """Without input.transcription nobody is told the words, though the model heard them."""
    await peer.telephone()
    await peer.update(audio={"input": {"transcription": None}})
    await peer.speak("secret")
    await peer.ask("input_audio_buffer.commit", "conversation.item.done")
    assert (await peer.respond())["output"][0]["content"][0]["transcript"] == "I heard: secret"
    assert not [kind for kind in peer.types() if "transcription" in kind]


async def test_late_transcript(connect: Any) -> None:
    """A transcript may come after the answer to it."""
    async with StandIn(voice="tones", transcript_delay_ms=600) as late, connect(late) as peer:
        await peer.telephone()
        await peer.speak("slowly now")
        await peer.ask("input_audio_buffer.commit", "conversation.item.done")
        assert (await peer.respond())["output"][0]["content"][0]["transcript"] == "I heard: slowly now"
        assert not [kind for kind in peer.types() if "transcription" in kind]
        event = await peer.until("conversation.item.input_audio_transcription.completed")
        assert event["transcript"] == "slowly now"


async def test_unintelligible(peer: Any) -> None:
    """Noise that holds no words is a turn with an empty transcript."""
    await peer.telephone(**VAD)
    hum = audio.mulaw_to_pcm16(tones.encode("x" * 20))[2 * 1600 :]
    await peer.play(audio.pcm16_to_mulaw(hum[: 2 * 2400]) + audio.silence(600))
    event = await peer.until("conversation.item.input_audio_transcription.completed")
    assert event["transcript"] == ""
    done = await peer.until("response.done")
    assert done["response"]["output"][0]["content"][0]["transcript"] == "I could not hear you."


async def test_idle_timeout(peer: Any) -> None:
    """After a response, silence for idle_timeout_ms is committed as a turn of its own and answered."""
    await peer.telephone(**VAD, idle_timeout_ms=5000)
    response = await peer.respond()
    said_ms = audio.duration_ms(peer.audio_of(response["output"][0]["id"]))
    await peer.play(audio.silence(said_ms + 5100))
    event = await peer.until("input_audio_buffer.timeout_triggered")
    assert (event["audio_start_ms"], event["audio_end_ms"]) == (said_ms, -(-(said_ms + 5000) // 20) * 20)
    assert (await peer.until("input_audio_buffer.committed"))["item_id"] == event["item_id"]
    assert (await peer.until("response.done"))["response"]["status"] == "completed"


@pytest.mark.parametrize(("eagerness", "silence_ms"), [("high", 2000), ("auto", 4000), ("low", 8000)])
async def test_semantic_turns(peer: Any, eagerness: str, silence_ms: int) -> None:
    """Semantic turn detection waits for a fragment as long as its eagerness allows, and not for a whole
    sentence."""
    await peer.telephone(type="semantic_vad", eagerness=eagerness)
    await peer.speak("this is a whole sentence", tail_ms=700)
    await peer.until("input_audio_buffer.speech_stopped")
    fragment = tones.encode("")
    await peer.play(fragment[: len(fragment) - 160] + audio.silence(silence_ms - 100))
    await peer.ask("input_audio_buffer.append", "error", audio="!")
    assert peer.types().count("input_audio_buffer.speech_stopped") == 1
    await peer.play(audio.silence(200))
    await peer.until("input_audio_buffer.speech_stopped")


@pytest.mark.parametrize("form", ["audio/pcma", "audio/pcmu"])
async def test_telephone_formats(peer: Any, form: str) -> None:
    """Both telephone formats carry words in and out."""
    await peer.update(
        audio={
            "input": {"format": {"type": form}, "turn_detection": None},
            "output": {"format": {"type": form}},
        }
    )
    mulaw = tones.encode("either law")
    data = audio.pcm16_to_alaw(audio.mulaw_to_pcm16(mulaw)) if form == "audio/pcma" else mulaw
    await peer.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())
    await peer.ask("input_audio_buffer.commit", "conversation.item.done")
    (item,) = (await peer.respond())["output"]
    answer = peer.audio_of(item["id"])
    if form == "audio/pcma":
        answer = audio.pcm16_to_mulaw(audio.alaw_to_pcm16(answer))
    assert tones.decode(answer) == "I heard: either law"


async def test_append_limits(peer: Any) -> None:
    """Bad base64 and more than 15 MiB at once are errors; the line stays open."""
    assert (await peer.error("input_audio_buffer.append", audio="?"))["param"] == "audio"
    big = base64.b64encode(bytes(15 * 1024 * 1024 + 1)).decode()
    assert (await peer.error("input_audio_buffer.append", audio=big))["code"] == "invalid_value"
    assert (await peer.respond())["status"] == "completed"


async def test_audio_item_by_client(peer: Any) -> None:
    """A user item that brings its own audio is heard."""
    await peer.telephone()
    part = {"type": "input_audio", "audio": base64.b64encode(tones.encode("by item")).decode()}
    item = {"type": "message", "role": "user", "content": [part]}
    await peer.ask("conversation.item.create", "conversation.item.done", item=item)
    assert (await peer.respond())["output"][0]["content"][0]["transcript"] == "I heard: by item"
