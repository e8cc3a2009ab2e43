"""Pitfalls B1 to B13: the life of a response; each test is named after its trap in docs/pitfalls.md."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from runtime.engine.effects import Respond
from runtime.session import wire
from runtime.session.conversation import Conversation
from runtime.session.model import Called, Cut, Lost, SpeechEnded, TurnDetection, Unreported
from tests.faults.bed import DISCLOSURE, GOODBYE, WAIT, Later, live
from tests.faults.conftest import bed, log_lines, made
from tests.runtime.session.test_conversation_turns import ready, settings

__all__ = ["bed", "log_lines", "made"]


def sent(conversation: Conversation) -> list[dict[str, Any]]:
    """What would go to the server now."""
    return [json.loads(one) for one in conversation.drain()]


def asked(conversation: Conversation, *, purpose: Any = "speak", number: int = 1) -> dict[str, Any]:
    """Ask for one response; what was sent for it."""
    turn = "t1" if purpose != "speak" else None
    conversation.respond(Respond(purpose=purpose, speech_id=f"s{number}", turn_id=turn))
    conversation.ask()
    return next(one for one in sent(conversation) if one["type"] == "response.create")


def created(conversation: Conversation, number: int = 1) -> None:
    conversation.take(
        wire.ResponseCreated(wire.Response(f"resp_{number}", metadata={"request": f"r{number}"}))
    )


def done(conversation: Conversation, number: int = 1, **more: Any) -> list[Any]:
    told = {"status": "completed", "metadata": {"request": f"r{number}"}} | more
    return conversation.take(wire.ResponseDone(wire.Response(f"resp_{number}", **told)))


def test_B1_another_response_is_active() -> None:
    """Refused because another one is active, a response is asked for again once that one is done."""
    conversation = ready()
    create = asked(conversation)
    error = wire.ProtocolError(
        code="conversation_already_has_active_response",
        message="Conversation already has an active response in progress: resp_other.",
        event_id=create["event_id"],
    )
    assert not [
        one for one in conversation.take(wire.ErrorReported(error)) if isinstance(one, Lost | SpeechEnded)
    ]
    conversation.ask()
    assert sent(conversation) == []
    conversation.take(wire.ResponseDone(wire.Response("resp_other", status="completed")))
    conversation.ask()
    assert [one["type"] for one in sent(conversation)] == ["response.create"]


def test_B2_nothing_is_asked_between_cancel_and_done() -> None:
    """After a cancel the next response waits for the end of that very one, whatever else ends meanwhile."""
    conversation = ready()
    asked(conversation)
    created(conversation)
    conversation.stop(Cut())
    conversation.respond(Respond(purpose="speak", speech_id="s2"))
    conversation.ask()
    assert [one["type"] for one in sent(conversation)] == ["response.cancel"]
    done(conversation, 9)
    conversation.ask()
    assert sent(conversation) == []
    done(conversation, 1, status="cancelled")
    conversation.ask()
    assert [one["type"] for one in sent(conversation)] == ["response.create"]


def test_B3_a_cancel_that_came_too_late() -> None:
    """The server's error about it is nothing: no note, no loss."""
    error = wire.ProtocolError(code="response_cancel_not_active", event_id="cancel-r1")
    assert ready().take(wire.ErrorReported(error)) == []


def test_B4_done_without_created() -> None:
    """A response whose beginning was never told still ends, and the next may be asked for."""
    conversation = ready()
    asked(conversation)
    assert [one for one in done(conversation) if isinstance(one, SpeechEnded)]
    assert asked(conversation, number=2)


def test_B5_neither_created_nor_interrupted_by_the_server() -> None:
    """Both switches of turn detection are off: one alone would still cut the assistant off."""
    conversation = Conversation(settings(TurnDetection()))
    conversation.configure("x")
    detection = sent(conversation)[0]["session"]["audio"]["input"]["turn_detection"]
    assert (detection["create_response"], detection["interrupt_response"]) == (False, False)


@pytest.mark.parametrize("purpose", ["report", "answer", "classify", "speak"])
def test_B6_no_response_replaces_the_instructions(purpose: str) -> None:
    """No response carries instructions of its own, which would stand instead of the session's."""
    assert "instructions" not in asked(ready(), purpose=purpose)["response"]


@pytest.mark.parametrize("status", ["incomplete", "in_progress", "cancelled"])
def test_B7_a_call_that_is_not_complete(status: str) -> None:
    """A function call that was cut does nothing; the turn it was about is told as unreported."""
    conversation = ready()
    asked(conversation, purpose="report")
    created(conversation)
    item = wire.Item(type="function_call", status=status, name="take_turn", call_id="c", arguments='{"inte')
    assert conversation.take(wire.ItemDone("resp_1", item)) == []
    told = done(conversation, status="incomplete", output=[item])
    assert not [one for one in told if isinstance(one, Called)]
    assert [one.reason for one in told if isinstance(one, Unreported)] == ["incomplete"]


def test_B8_a_slow_tool_does_not_stop_the_call(bed: Any) -> None:
    """While an action takes its time the caller hears that it does, can speak, and is not left in silence."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(1.6)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n")
        writer.write(b'Connection: close\r\n\r\n{"at":"seven"}')
        writer.close()

    async def work() -> Later:
        server = await asyncio.start_server(slow, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, bed(action=f'executor = "http"\nurl = "http://127.0.0.1:{port}/book"') as one:
            later: Later = await one.call()
            return later

    call = live(work())()
    assert call.times(WAIT) == 1
    assert call.outcome == "booked"
    assert call.dead_air_ms <= 2000


def test_B9_the_last_words_are_heard_before_the_line_is_closed(bed: Any) -> None:
    """An end waits for the mark of its last speech: the goodbye is heard whole, then we hang up."""

    async def work() -> Later:
        async with bed() as one:
            later: Later = await one.call()
            return later

    call = live(work())()
    assert call.said[0] == DISCLOSURE
    assert call.times(GOODBYE) == 1
    assert call.ended.how == "assistant_hung_up"


def test_B10_all_outputs_before_one_response() -> None:
    """Two calls in one response are both answered before the next response is asked for."""
    conversation = ready()
    asked(conversation, purpose="report")
    created(conversation)
    for call_id in ("c1", "c2"):
        item = wire.Item(
            type="function_call", status="completed", name="take_turn", call_id=call_id, arguments="{}"
        )
        conversation.take(wire.ItemDone("resp_1", item))
    done(conversation)
    for call_id in ("c1", "c2"):
        conversation.answer(call_id, "{}")
    conversation.respond(Respond(purpose="speak", speech_id="s2"))
    conversation.ask()
    kinds = [one["type"] for one in sent(conversation)]
    assert kinds == ["conversation.item.create", "conversation.item.create", "response.create"]


def test_B11_no_tool_is_forced_on_the_session() -> None:
    """The session's tool choice is `auto`; a report is forced for its own response alone."""
    conversation = Conversation(settings(TurnDetection()))
    conversation.configure("x")
    assert sent(conversation)[0]["session"]["tool_choice"] == "auto"
    assert asked(ready(), purpose="report")["response"]["tool_choice"] == {
        "type": "function",
        "name": "take_turn",
    }
    assert asked(ready())["response"]["tool_choice"] == "none"


@pytest.mark.parametrize("status", ["failed", "incomplete"])
def test_B12_a_failed_response_is_not_silence(status: str) -> None:
    """A response that failed ends its speech with that reason, so that the call does something about it."""
    conversation = ready()
    asked(conversation)
    created(conversation)
    ended = [one for one in done(conversation, status=status) if isinstance(one, SpeechEnded)]
    assert [one.reason for one in ended] == [status]


def test_B13_room_for_thinking() -> None:
    """The budget of a response has room for a report and its reasoning; running out of it is a failure."""
    conversation = Conversation(settings(TurnDetection()))
    conversation.configure("x")
    assert sent(conversation)[0]["session"]["max_output_tokens"] >= 1024
