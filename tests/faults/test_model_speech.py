"""Rows 9 to 18: the model sends what no model should, and what the caller hears of it."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from runtime.session import wire
from runtime.session.conversation import Conversation
from runtime.session.model import SessionSettings
from runtime.session.stand_in import Call, Pace, Policy, Say, StandIn, Turn, decide, hostile_policy
from runtime.session.stand_in.faults import LATE
from tests.faults.bed import (
    BOOKS,
    DISCLOSURE,
    FLOW,
    GOODBYE,
    HOLD,
    LOST,
    QUESTION,
    Bed,
    Interrupter,
    Later,
    Placed,
    length_ms,
    live,
    profile,
    sized,
)
from tests.faults.conftest import Open

pytestmark = pytest.mark.faults
DELTA = "response.output_audio.delta"
LOUD = base64.b64decode(LATE)
LONG = "This is a long answer that goes on and on about tables. "


def one_call(
    bed: Open, who: Any = BOOKS, stand_in: StandIn | None = None, toml: str = "", **faults: Any
) -> tuple[Bed, Placed]:
    """One call whose first connection to the model is spoiled like this."""

    async def work() -> tuple[Bed, Later]:
        async with bed(stand_in, toml=toml) as one:
            ((_, later),) = await one.repeat(1, who=who, **faults)
            return one, later

    one, later = live(work())
    return one, later()


# ---- row 9


def mutants(event: dict[str, Any], chance: random.Random) -> Iterator[str | bytes]:
    """Things that are nearly this event and are not."""
    text = json.dumps(event)
    at = chance.randrange(len(text))
    name, value = chance.choice(list(event.items()))
    deep = '{"type": "error", "error": ' + "[" * 2000
    wrong: Sequence[Any] = (None, -1, 1e999, [], {}, "x" * 100_000, True, float("nan"))
    yield text[:at]
    yield text[:at] + chance.choice('\x00\ud7ff{}[]",:') + text[at + 1 :]
    yield json.dumps({**event, name: chance.choice(wrong)})
    yield json.dumps({key: one for key, one in event.items() if key != name})
    yield text[:-1] + f', "{name}": {json.dumps(value)}}}'
    yield text.encode()[: len(text) // 2] + b"\xff\xfe"
    yield json.dumps({"type": f"{event['type']}.unheard_of"})
    yield deep
    yield chance.choice(("null", "[]", "3", '"text"', "{}", '{"type": null}', "\n"))


def session_events() -> list[dict[str, Any]]:
    """One of each event a session sends that the bridge reads."""
    where = {"response_id": "resp_1", "item_id": "item_1", "content_index": 0}
    response = {"id": "resp_1", "status": "completed", "metadata": {"request": "r1"}, "output": []}
    item = {"id": "i", "type": "function_call", "status": "completed", "name": "take_turn", "call_id": "c"}
    return [
        {"type": "session.updated", "session": {}},
        {"type": "input_audio_buffer.speech_started", "item_id": "i", "audio_start_ms": 3},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "i", "audio_end_ms": 9},
        {"type": "input_audio_buffer.committed", "item_id": "i", "previous_item_id": None},
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i",
            "transcript": "four",
        },
        {"type": "response.created", "response": {**response, "status": "in_progress"}},
        {"type": DELTA, "delta": "/////w==", **where},
        {"type": "response.output_audio_transcript.delta", "delta": "How", **where},
        {"type": "response.output_item.done", "response_id": "resp_1", "item": {**item, "arguments": "{}"}},
        {"type": "response.done", "response": response},
        {"type": "error", "error": {"type": "invalid_request_error", "code": "x", "message": "m"}},
    ]


def test_row_09_ten_thousand_mutated_events() -> None:
    """Ten thousand events that are broken in one of nine ways are taken without an exception."""
    chance = random.Random(9)
    settings = SessionSettings("http://127.0.0.1/v1", "any", "gpt-realtime-2.1", "marin", 1.0, [])
    taken = 0
    while taken < 10_000:
        conversation = Conversation(settings)
        for event in session_events():
            for mutant in mutants(event, chance):
                conversation.take(wire.decode(mutant))
                taken += 1
            conversation.take(wire.decode(json.dumps(event)))
            conversation.drain()


def test_row_09_garbage_in_a_call(bed: Open) -> None:
    """Forty broken events between the good ones are not heard: counted, five of them noted, one alert."""
    chance = random.Random(10)
    sent: list[str | bytes] = []

    def spoil(event: dict[str, Any], number: int) -> Iterator[Any]:
        yield event
        for mutant in mutants(event, chance):
            if isinstance(wire.decode(mutant), wire.Malformed) and len(sent) < 40:
                sent.append(mutant)
                yield mutant

    one, call = one_call(bed, spoil=spoil)
    assert call.said == [DISCLOSURE, QUESTION, GOODBYE]
    assert call.of("note", "unreadable") == [{"kind": "unreadable", "line": 0, "model": 40}]
    assert len(call.of("note", "model_malformed")) == 5
    assert one.alerts("model.malformed") == 1


def test_row_09_a_model_that_only_babbles(bed: Open) -> None:
    """More than fifty broken events in ten seconds are a lost connection: held, and taken up again."""

    def spoil(event: dict[str, Any], number: int) -> Iterator[Any]:
        yield event
        if event["type"] == DELTA:
            yield from (f"{{broken {one}" for one in range(60))

    _, call = one_call(bed, spoil=spoil)
    assert call.of("note", "model_lost")[0]["reason"] == "babbles"
    assert call.at(HOLD) is not None
    assert call.outcome == "booked"
    assert call.dead_air_ms <= 3000


# ---- rows 10 to 14: what is heard


def second_response(event: dict[str, Any], number: int) -> Iterator[Any]:
    """Beside each response of ours the server begins one that nobody asked for, and speaks in it."""
    yield event
    if event["type"] == "response.created":
        other = {**event["response"], "id": f"resp_other{number}", "metadata": None}
        yield {"type": "response.created", "event_id": f"o{number}", "response": other}
        where = {"response_id": other["id"], "item_id": "item_other", "output_index": 0, "content_index": 0}
        yield from ({"type": DELTA, "event_id": f"o{number}.{n}", "delta": LATE, **where} for n in range(20))
        done = {**other, "status": "completed", "status_details": None}
        yield {"type": "response.done", "event_id": f"o{number}d", "response": done}


def test_row_10_two_responses_at_once(bed: Open) -> None:
    """A response nobody asked for beside each of ours: no sample of it is heard, and ours are heard whole."""
    one, call = one_call(bed, spoil=second_response)
    assert LOUD not in bytes(call.ended.tape.heard)
    assert call.times(QUESTION) == 1
    assert call.outcome == "booked"
    assert call.of("note", "response_unasked")
    assert one.alerts("response.suppressed") >= 2


def long_answers(times: int) -> Policy:
    """A model that answers at length."""
    return lambda turn: tuple(Say(LONG * times) if isinstance(one, Say) else one for one in decide(turn))


def test_row_11_deltas_after_the_cancel(bed: Open) -> None:
    """Fifty deltas of a response that was cancelled: none of them is heard after the clear."""
    mouth = Interrupter(length_ms(DISCLOSURE) + 1500)
    _, call = one_call(
        bed, stand_in=StandIn(voice="tones", policy=long_answers(8)), mouth=mouth, late_deltas=50
    )
    assert [one for one in call.ended.passed if one.what == "clear"]
    assert LOUD not in bytes(call.ended.tape.heard)
    assert call.outcome == "booked"


def test_row_12_audio_in_one_burst(bed: Open) -> None:
    """Half a minute of speech at once: it plays at its own pace, still stops within 250 ms of the word that
    interrupts it, and the call never holds more than five megabytes.
    """
    stand_in = StandIn(voice="tones", policy=long_answers(27), pace=Pace(speed=0))
    mouth = Interrupter(length_ms(DISCLOSURE) + 1500)
    _, call = one_call(bed, stand_in=stand_in, mouth=mouth, toml="[limits]\ncall_mb = 5\n")
    assert call.of("note", "over_budget") == []
    assert call.stopped_after(mouth.onset_ms) <= 250
    assert max(one.queued_ms for one in call.ended.passed) > 20_000
    assert call.outcome == "booked"


def test_row_13_audio_slower_than_it_is_heard(bed: Open) -> None:
    """Speech at 0.7 of its pace is heard whole, with gaps that are counted."""
    stand_in = StandIn(voice="tones", policy=long_answers(6), pace=Pace(chunk_ms=200, speed=0.7))
    one, call = one_call(bed, profile("four people", patience_ms=1500), stand_in)
    assert call.of("note", "audio_underrun")[0]["gap_ms"] > 1000
    assert call.outcome == "booked"
    assert one.alerts("audio.underrun") == 1


@pytest.mark.parametrize("delta", ["", "/" * 216], ids=["empty", "silence"])
def test_row_14_audio_of_nothing(bed: Open, delta: str) -> None:
    """Responses whose audio is empty or silent count as failed: asked once more, then the designed line; no
    three seconds of silence.
    """

    def spoil(event: dict[str, Any], number: int) -> Iterator[Any]:
        yield {**event, "delta": delta} if event["type"] == DELTA else event

    _, call = one_call(bed, spoil=spoil)
    assert [event["reason"] for event in call.of("event", "SpeechFailed")] == ["no_audio", "no_audio"]
    assert call.at(LOST) is not None
    assert call.dead_air_ms <= 3000


# ---- rows 15 to 18: what is said and asked


BAD_ARGUMENTS = (
    "{",
    '"null"',
    json.dumps(json.dumps({"intent": 5})),
    json.dumps({"intent": "book_it", "slots": {"guests": "four; drop table calls"}}),
    json.dumps({"intent": "answer", "confidence": "very", "slots": []}),
    json.dumps({"intent": "answer", "confidence": 0.9, "slots": {"guests": 10**9}}),
    json.dumps({"intent": "answer", "confidence": 0.9, "slots": {"guests": None}, "more": "x" * 1_000_000}),
    json.dumps({"intent": "answer", "confidence": 0.9, "slots": {"guests": "{{ canary_9f31 }}"}}),
)


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS[: sized(3, 8)], ids=[str(n) for n in range(sized(3, 8))])
def test_row_15_arguments_no_schema_allows(bed: Open, arguments: str) -> None:
    """A report that is no JSON, of wrong types, too large or an injection fills nothing and does nothing: the
    caller is asked again, and the second, good report counts.
    """
    asked: list[Turn] = []

    def policy(turn: Turn) -> Sequence[Any]:
        good = tuple(decide(turn))
        if good and isinstance(good[0], Call) and not asked:
            asked.append(turn)
            return (Call(good[0].name, arguments),)
        return good

    one, call = one_call(bed, stand_in=StandIn(voice="tones", policy=policy))
    assert call.outcome == "booked"
    assert [effect["arguments"] for effect in call.of("effect", "RunAction")] == [{"guests": 4}]
    assert call.dead_air_ms <= 3000
    assert "canary_9f31" not in json.dumps(one.lines, default=str)


def test_row_16_a_deed_the_model_only_claims(bed: Open) -> None:
    """A model that says the table is booked when nothing is: flagged, told, and set right within the turn."""

    def policy(turn: Turn) -> Sequence[Any]:
        return tuple(Say("Your table is booked.") if isinstance(one, Say) else one for one in decide(turn))

    one, call = one_call(bed, stand_in=StandIn(voice="tones", policy=policy))
    assert one.alerts("claim.unbacked") >= 1
    false = call.at("Your table is booked.")
    assert false is not None
    corrected = call.first_sound(false + 1500)
    assert corrected is not None
    assert call.dead_air_ms <= 3000


def test_row_17_a_model_off_the_graph(bed: Open) -> None:
    """A model that reports, asks and says anything at all moves the call only along its graph, and the
    disclosure was heard before a word of it.
    """

    async def work(seed: int) -> Later:
        async with bed(StandIn(voice="tones", policy=hostile_policy(seed))) as one:
            return await one.call(profile(*["four people"] * 30))

    for seed in range(sized(1, 20)):
        call = live(work(seed))()
        assert call.said[0] == DISCLOSURE
        assert call.record.whole


def test_row_18_a_model_that_goes_in_circles(bed: Open) -> None:
    """A model that takes every turn for confusion does not go on for ever: the bound's way out is taken."""

    def policy(turn: Turn) -> Sequence[Any]:
        return tuple(
            replace(
                one, arguments=json.dumps({**json.loads(one.arguments), "intent": "unclear", "slots": {}})
            )
            if isinstance(one, Call)
            else one
            for one in decide(turn)
        )

    flow = FLOW.replace(
        "fallback:", "limits: {turns: 40, minutes: 10, no_progress: 2, visits: 3, go: nobody}\nfallback:"
    )
    flow = flow.replace(
        'no_match: [{say: "Sorry, how many?"}, {go: nobody}]', 'no_match: [{say: "Sorry, how many?"}]'
    )

    async def work() -> tuple[Bed, Later]:
        async with bed(StandIn(voice="tones", policy=policy), flow=flow) as one:
            return one, await one.call(profile(*["four people"] * 30))

    one, later = live(work())
    assert later().outcome == "lost"
    assert len(later().of("event", "CallerTurn")) <= 5
    assert one.alerts("loop.detected") == 1
