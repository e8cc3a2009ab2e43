"""The stand-in as the official SDK sees it: session, items, responses and their errors."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from runtime import audio
from runtime.session.stand_in import Pace, StandIn
from runtime.voices import tones

TOOL = {
    "type": "function",
    "name": "book_table",
    "description": "Books.",
    "parameters": {
        "type": "object",
        "properties": {"people": {"type": "integer", "minimum": 1}},
        "required": ["people"],
    },
}


async def test_opening(peer: Any) -> None:
    """A connection opens with the session and then the conversation."""
    assert peer.types() == ["session.created", "conversation.created"]
    assert peer.seen[0]["session"]["model"] == "gpt-realtime-2.1"


async def test_update_merges(peer: Any) -> None:
    """A session update changes the fields it gives and leaves the others."""
    await peer.update(instructions="Be kind.", tools=[TOOL])
    session = await peer.telephone(type="server_vad", threshold=0.7)
    assert session["instructions"] == "Be kind."
    assert session["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    assert session["audio"]["input"]["turn_detection"]["prefix_padding_ms"] == 300


async def test_update_clears(peer: Any) -> None:
    """Empty text, an empty list and null clear instructions, tools and turn detection."""
    await peer.update(instructions="Be kind.", tools=[TOOL])
    session = await peer.update(instructions="", tools=[], audio={"input": {"turn_detection": None}})
    assert (session["instructions"], session["tools"]) == ("", [])
    assert session["audio"]["input"]["turn_detection"] is None


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"temperature": 0.8}, "unknown_parameter", "session.temperature"),
        (
            {"audio": {"input": {"format": {"type": "audio/pcmu", "rate": 8000}}}},
            "unknown_parameter",
            "session.audio.input.format.rate",
        ),
        ({"audio": {"output": {"speed": 2.0}}}, "decimal_above_max_value", "session.audio.output.speed"),
        ({"instructions": 5}, "invalid_type", "session.instructions"),
        ({"output_modalities": ["text", "audio"]}, "invalid_value", "session.output_modalities"),
        ({"tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
        ({"model": "another"}, "invalid_value", "session.model"),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 10}}}},
            "integer_below_min_value",
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
    ],
)
async def test_update_refused(peer: Any, session: dict[str, Any], code: str, param: str) -> None:
    """A wrong session parameter is refused by its full path, names our event, and changes nothing."""
    error = await peer.error("session.update", session={"type": "realtime", "instructions": "new", **session})
    assert (error["code"], error["param"]) == (code, param)
    assert (await peer.update())["instructions"] == ""


async def test_session_type_required(peer: Any) -> None:
    """A session update without a type is refused."""
    error = await peer.error("session.update", session={"instructions": "x"})
    assert (error["code"], error["param"]) == ("missing_required_parameter", "session.type")


async def test_voice_is_fixed_after_audio(peer: Any) -> None:
    """Once the assistant has spoken, even the same voice cannot be set again."""
    await peer.respond()
    error = await peer.error(
        "session.update", session={"type": "realtime", "audio": {"output": {"voice": "marin"}}}
    )
    assert error["code"] == "cannot_update_voice"
    assert error["message"] == "Cannot update a conversation's voice if assistant audio is present."


async def test_spoken_answer_order(peer: Any) -> None:
    """A spoken answer comes in the documented order, and its audio says what its transcript says."""
    await peer.telephone()
    await peer.write("hello there")
    start = len(peer.seen)
    response = await peer.respond(metadata={"purpose": "speak"})
    kinds = list(dict.fromkeys(peer.types()[start:]))
    assert kinds == [
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    (item,) = response["output"]
    assert item["content"] == [{"type": "output_audio", "transcript": "I heard: hello there"}]
    assert tones.decode(peer.audio_of(item["id"])) == "I heard: hello there"
    assert response["metadata"] == {"purpose": "speak"}


async def test_audio_at_24_khz(peer: Any) -> None:
    """The default format, PCM at 24 kHz, carries the same words in both directions."""
    await peer.update(audio={"input": {"turn_detection": None}})
    pcm = audio.resample(audio.mulaw_to_pcm16(tones.encode("how are you")), 8000, 24000)
    await peer.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())
    await peer.ask("input_audio_buffer.commit", "conversation.item.done")
    (item,) = (await peer.respond())["output"]
    answer = audio.pcm16_to_mulaw(audio.resample(peer.audio_of(item["id"]), 24000, 8000))
    assert tones.decode(answer) == "I heard: how are you"


async def test_text_answer(peer: Any) -> None:
    """A text session answers with output_text only."""
    await peer.update(output_modalities=["text"])
    await peer.write("good evening")
    (item,) = (await peer.respond())["output"]
    assert item["content"] == [{"type": "output_text", "text": "I heard: good evening"}]
    assert "response.output_audio.delta" not in peer.types()


async def test_forced_tool(peer: Any) -> None:
    """A forced tool is called with arguments that its schema accepts; its output can be given and
    answered."""
    await peer.update(tools=[TOOL])
    response = await peer.respond(tool_choice={"type": "function", "name": "book_table"})
    (call,) = response["output"]
    assert (call["type"], call["name"], call["arguments"]) == ("function_call", "book_table", '{"people": 1}')
    item = {"type": "function_call_output", "call_id": call["call_id"], "output": "booked"}
    await peer.ask("conversation.item.create", "conversation.item.done", item=item)
    (said,) = (await peer.respond(tool_choice="none"))["output"]
    assert said["content"][0]["transcript"] == "The tool answered: booked"


async def test_unknown_call_output(peer: Any) -> None:
    """An output for a call that is not in the conversation is refused."""
    item = {"type": "function_call_output", "call_id": "call_nobody", "output": "{}"}
    assert (await peer.error("conversation.item.create", item=item))["code"] == "invalid_tool_call_id"


async def test_one_default_response(connect: Any) -> None:
    """A second response in the conversation is refused with the real server's words until the first is
    done."""
    async with StandIn(voice="tones", pace=Pace(speed=0.5)) as slow, connect(slow) as peer:
        created = await peer.ask("response.create", "response.created")
        error = await peer.error("response.create")
        assert error["code"] == "conversation_already_has_active_response"
        assert error["message"] == (
            f"Conversation already has an active response in progress: {created['response']['id']}. "
            "Wait until the response is finished before creating a new one."
        )


async def test_out_of_band_beside(connect: Any) -> None:
    """Responses outside the conversation run beside an active one, see their own input, and leave no item
    behind."""
    async with StandIn(voice="tones", pace=Pace(speed=0.5)) as slow, connect(slow) as peer:
        await peer.ask("response.create", "response.created")
        message = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "only this"}],
        }
        for name in ("a", "b"):
            beside = {
                "conversation": "none",
                "output_modalities": ["text"],
                "input": [message],
                "metadata": {"name": name},
            }
            await peer.send("response.create", response=beside)
        done = [(await peer.until("response.done"))["response"] for _ in "ab"]
        assert sorted(one["metadata"]["name"] for one in done) == ["a", "b"]
        assert {one["output"][0]["content"][0]["text"] for one in done} == {"I heard: only this"}
        assert all(one["conversation_id"] is None for one in done)
        item_id = done[0]["output"][0]["id"]
        assert (await peer.error("conversation.item.retrieve", item_id=item_id))[
            "code"
        ] == "item_retrieve_invalid_item_id"


async def test_item_references(peer: Any) -> None:
    """A response's input may name items; an unknown name is refused."""
    first = await peer.write("first")
    await peer.write("second")
    asked = {"conversation": "none", "output_modalities": ["text"]}
    response = await peer.respond(**asked, input=[{"type": "item_reference", "id": first}])
    assert response["output"][0]["content"][0]["text"] == "I heard: first"
    error = await peer.error(
        "response.create", response={**asked, "input": [{"type": "item_reference", "id": "item_x"}]}
    )
    assert error["param"] == "response.input[0].id"


async def test_cancel(connect: Any) -> None:
    """A cancelled response closes its item as incomplete and tells why; cancelling again is a harmless
    error."""
    async with StandIn(voice="tones", pace=Pace(speed=0.5)) as slow, connect(slow) as peer:
        await peer.telephone()
        await peer.ask("response.create", "response.output_audio.delta")
        response = (await peer.ask("response.cancel", "response.done"))["response"]
        assert response["status"] == "cancelled"
        assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert response["output"][0]["status"] == "incomplete"
        error = await peer.error("response.cancel")
        assert (error["code"], error["message"]) == (
            "response_cancel_not_active",
            "Cancellation failed: no active response found",
        )


async def test_truncate(peer: Any) -> None:
    """Truncation shortens the audio and removes the transcript; beyond the audio it is refused with both
    lengths."""
    await peer.telephone()
    (item,) = (await peer.respond())["output"]
    length = audio.duration_ms(peer.audio_of(item["id"]))
    where = {"item_id": item["id"], "content_index": 0}
    error = await peer.error("conversation.item.truncate", **where, audio_end_ms=length + 40)
    assert error["message"] == f"Audio content of {length}ms is already shorter than {length + 40}ms"
    event = await peer.ask(
        "conversation.item.truncate", "conversation.item.truncated", **where, audio_end_ms=100
    )
    assert (event["item_id"], event["audio_end_ms"]) == (item["id"], 100)
    event = await peer.ask("conversation.item.retrieve", "conversation.item.retrieved", item_id=item["id"])
    (part,) = event["item"]["content"]
    assert part["transcript"] is None
    assert len(base64.b64decode(part["audio"])) == 800


async def test_truncate_refused(peer: Any) -> None:
    """Only spoken items can be truncated, only at their one content part, and only known ones."""
    user = await peer.write("hello")
    (spoken,) = (await peer.respond())["output"]
    cut = {"content_index": 0, "audio_end_ms": 0}
    error = await peer.error("conversation.item.truncate", item_id=user, **cut)
    assert (error["code"], error["message"]) == (
        "unsupported_content_type",
        "Only model output audio messages can be truncated",
    )
    error = await peer.error("conversation.item.truncate", item_id="item_x", **cut)
    assert error["code"] == "item_truncate_invalid_item_id"
    error = await peer.error(
        "conversation.item.truncate", item_id=spoken["id"], content_index=1, audio_end_ms=0
    )
    assert error["param"] == "content_index"
    error = await peer.error(
        "conversation.item.truncate", item_id=spoken["id"], content_index=0, audio_end_ms=-1
    )
    assert error["code"] == "integer_below_min_value"


async def test_item_places(peer: Any) -> None:
    """Items keep the client's ids, go where they are told (root is first), and each id exists once."""
    item = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "x"}]}
    for name, previous, expected in (
        ("a", None, None),
        ("b", None, "a"),
        ("c", "a", "a"),
        ("d", "root", None),
    ):
        fields: dict[str, Any] = {"item": {**item, "id": name}} | (
            {"previous_item_id": previous} if previous else {}
        )
        event = await peer.ask("conversation.item.create", "conversation.item.added", **fields)
        assert (event["item"]["id"], event["previous_item_id"]) == (name, expected)
    assert (await peer.error("conversation.item.create", item={**item, "id": "a"}))["param"] == "item.id"
    error = await peer.error("conversation.item.create", item=item, previous_item_id="item_x")
    assert error["code"] == "item_create_invalid_previous_item_id"


async def test_delete(peer: Any) -> None:
    """A deleted item is gone for the model; deleting it again is an error."""
    first = await peer.write("first")
    second = await peer.write("second")
    assert (await peer.ask("conversation.item.delete", "conversation.item.deleted", item_id=second))[
        "item_id"
    ] == second
    assert (await peer.error("conversation.item.delete", item_id=second))[
        "code"
    ] == "item_delete_invalid_item_id"
    response = await peer.respond(output_modalities=["text"])
    assert response["output"][0]["content"][0]["text"] == "I heard: first"
    await peer.ask("conversation.item.delete", "conversation.item.deleted", item_id=first)


async def test_assistant_audio_cannot_be_created(peer: Any) -> None:
    """History of the assistant is replayed as text: an audio item without text is refused."""
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "audio": None}]}
    error = await peer.error("conversation.item.create", item=item)
    assert (error["code"], error["message"]) == (
        "missing_required_parameter",
        "Missing required parameter: 'item.content[0].text'.",
    )


async def test_nonsense_keeps_the_line(peer: Any) -> None:
    """Text that is no JSON, an event without a type and an unknown type are errors; the connection stays
    open."""
    for raw in ("{no json", '{"event_id": "e"}', '{"type": "response.dance"}', "[1]", "null"):
        await peer.connection._connection.send(raw)
        error = await peer.until("error")
        assert error["error"]["code"] == "invalid_event"
    assert (await peer.respond())["status"] == "completed"


async def test_output_budget(peer: Any) -> None:
    """A response that runs out of tokens is incomplete and says so."""
    await peer.write("a rather long sentence that costs more than it may " * 4)
    response = await peer.respond(max_output_tokens=20)
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"


async def test_usage_and_cache(peer: Any) -> None:
    """The second response finds the unchanged prefix in the cache; changed instructions make it all new."""
    await peer.update(instructions="You are a careful assistant. " * 40, output_modalities=["text"])
    used = [(await peer.respond())["usage"] for _ in range(2)]
    assert [one["input_token_details"]["cached_tokens"] > 250 for one in used] == [False, True]
    assert all(one["total_tokens"] == one["input_tokens"] + one["output_tokens"] for one in used)
    await peer.update(instructions="You are another assistant. " * 40)
    assert (await peer.respond())["usage"]["input_token_details"]["cached_tokens"] == 0
