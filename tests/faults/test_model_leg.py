"""Rows 1 to 8: the connection to the model fails in every way it can, and what the caller hears of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.bed import (
    DISCLOSURE,
    GOODBYE,
    HOLD,
    LOST,
    PERSON,
    QUESTION,
    Bed,
    Later,
    Placed,
    live,
    plan,
    sized,
)
from tests.faults.conftest import Open

pytestmark = pytest.mark.faults
LEFT = "I am sorry, we will call you back."


def went_on(call: Placed, lost_ms: int, hold_ms: int, speech_ms: int) -> None:
    """Held, taken up again where it was, and brought to its end."""
    held = call.at(HOLD, max(0, lost_ms - 100))
    assert held is not None
    assert held - lost_ms <= hold_ms
    again = call.first_sound(held + 1000) if call.at(QUESTION, held) is None else call.at(QUESTION, held)
    assert again is not None
    assert again - lost_ms <= speech_ms
    assert call.times(DISCLOSURE) == 1
    assert call.outcome == "booked"
    assert call.dead_air_ms <= 3000


def test_row_01_reset_in_mid_response(bed: Open) -> None:
    """A connection dropped in mid-sentence: the hold line within a second, speech again within three, the
    greeting not repeated, the booking made.
    """

    async def work() -> tuple[Bed, list[tuple[int, Later]]]:
        async with bed() as one:
            return one, await one.repeat(sized(3, 20), abort_after_deltas=3)

    one, calls = live(work())
    for number, later in calls:
        call = later()
        went_on(call, call.on_tape(one.model_at("fault", "drop", number)), 1000, 3000)
    assert one.alerts("model.lost") == len(calls)


def stalls(bed: Open, **fault: Any) -> None:
    async def work() -> tuple[Bed, list[tuple[int, Later]]]:
        async with bed() as one:
            return one, await one.repeat(sized(2, 20), **fault)

    one, calls = live(work())
    for number, later in calls:
        call, stalled = later(), one.model_at("fault", "stall", number)
        assert call.of("note", "model_lost")[0]["reason"] == "stalled"
        went_on(call, call.on_tape(stalled), 2500, 5000)
        assert one.model_at("out", "session.updated", number + 1) - stalled <= 5
    assert one.alerts("model.stalled") == len(calls)


def test_row_02_stall_with_the_socket_open(bed: Open) -> None:
    """A model that falls silent is left by the watchdog: hold line within 2.5 s, a new session within 5."""
    stalls(bed, stall_after_deltas=3)


def test_row_03_frozen_peer(bed: Open) -> None:
    """A peer that reads nothing and answers no ping is left as fast: nobody waits for 50 s of pings."""
    stalls(bed, freeze_after_deltas=3)


def test_row_04_session_expired(bed: Open) -> None:
    """A session that the server ends politely (an error, then close code 1001) is taken up as any that broke;
    that a long call moves before is shown by tests/runtime/session/test_long_call.py.
    """

    def expired(event: dict[str, Any], number: int) -> Iterator[Any]:
        yield event
        if event["type"] == "response.output_audio.delta":
            told = {"type": "invalid_request_error", "code": "session_expired", "message": "60 minutes"}
            yield {"type": "error", "event_id": f"e{number}", "error": told}

    async def work() -> tuple[Bed, list[tuple[int, Later]]]:
        async with bed() as one:
            return one, await one.repeat(sized(2, 20), spoil=expired, close_after_deltas=(3, 1001))

    one, calls = live(work())
    for _, later in calls:
        call = later()
        went_on(call, call.when("note", "model_lost"), 1000, 3000)
    assert one.alerts("model.lost") == len(calls)


@pytest.mark.parametrize(
    ("faults", "most", "code"),
    [
        ({"refuse_status": 401}, 1, "model.unusable"),
        ({"refuse_status": 429, "refuse_code": "insufficient_quota"}, 1, "model.unusable"),
        ({"refuse_status": 429}, 3, "model.unreachable"),
        ({"refuse_status": 503}, 3, "model.unreachable"),
    ],
    ids=["401", "quota", "429", "503"],
)
def test_row_05_refused_at_start(bed: Open, faults: dict[str, Any], most: int, code: str) -> None:
    """A model that takes no connection: the disclosure is heard, then within 1.5 s what the flow says for a
    lost model; a refusal that repeats itself is asked once, any other at most three times.
    """

    async def work() -> tuple[Bed, Later]:
        async with bed() as one:
            one.stand_in.faults = plan(100, **faults)
            return one, await one.call()

    one, later = live(work())
    left_with_the_designed_line(later())
    assert one.stand_in.connections <= most
    assert one.alerts(code) == 1


def left_with_the_designed_line(call: Placed) -> None:
    """Disclosed, then told honestly and let go, within six seconds of the answer."""
    disclosed, lost = call.at(DISCLOSURE), call.at(LOST)
    assert disclosed is not None
    assert lost is not None
    assert lost <= 6000
    first = call.first_sound(call.when("note", "played"))
    assert first is not None
    assert first - call.when("note", "played") <= 1500
    assert call.reason == "assistant_hangup"
    assert call.dead_air_ms <= 3000


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/v1", "https"], ids=["refused", "TLS"])
def test_row_05_nobody_at_the_model_s_address(bed: Open, address: str) -> None:
    """A closed port, and a server that speaks no TLS, are as any refusal."""

    async def work() -> tuple[Bed, Later]:
        async with bed() as one:
            secure = one.stand_in.base_url.replace("http:", "https:")
            one.model_lives_at(secure if address == "https" else address)
            return one, await one.call()

    one, later = live(work())
    left_with_the_designed_line(later())
    assert one.alerts("model.unreachable") == 1


def test_row_06_accepted_and_closed_at_once(bed: Open) -> None:
    """A key that lets us connect and then closes on us (1008): three connects at most, and from then on new
    calls ask for ten seconds no more; after that one may try again.
    """

    async def work() -> tuple[Bed, list[Later], list[int]]:
        async with bed() as one:
            one.stand_in.faults = plan(100, close_on_open=1008)
            first = await one.call()
            counts = [one.stand_in.connections]
            second = await one.call()
            counts.append(one.stand_in.connections)
            one.stand_in.faults = plan(0)
            await asyncio.sleep(10)
            third = await one.call()
            return one, [first, second, third], counts

    one, (first, second, third), counts = live(work())
    assert counts[0] <= 3
    assert counts[1] == counts[0]
    left_with_the_designed_line(first())
    left_with_the_designed_line(second())
    assert third().outcome == "booked"
    assert one.alerts("model.unusable") >= 1


@pytest.mark.parametrize("how", ["failed_responses", "incomplete_responses"])
def test_row_07_a_response_that_fails(bed: Open, how: Any) -> None:
    """A response that fails or is cut by a filter is asked for once more; when all of them fail the designed
    line is heard, and nobody waits longer than three seconds.
    """

    first: dict[str, Any] = {how: frozenset({1})}
    every: dict[str, Any] = {how: frozenset(range(100))}

    async def work() -> tuple[Bed, Later, Later]:
        async with bed() as one:
            ((_, once),) = await one.repeat(1, **first)
            ((_, always),) = await one.repeat(1, **every)
            return one, once, always

    one, once, always = live(work())
    assert once().outcome == "booked"
    assert once().dead_air_ms <= 3000
    assert once().of("event", "SpeechFailed")
    assert always().at(LOST) is not None
    assert always().dead_air_ms <= 3000
    assert one.alerts("response.failed") >= 3


def test_row_08_errors_that_change_nothing(bed: Open) -> None:
    """A hundred error events with codes known and unknown disturb nothing."""
    chance = random.Random(8)
    known = [
        "item_truncate_invalid_item_id",
        "invalid_value",
        "response_cancel_not_active",
        "unknown_parameter",
    ]

    def errors(event: dict[str, Any], number: int) -> Iterator[Any]:
        yield event
        if event["type"] == "response.output_audio.delta":
            for one in range(20):
                code = chance.choice([*known, f"error_{chance.randrange(1000)}"])
                told = {"type": "invalid_request_error", "code": code, "message": f"About {PERSON}."}
                yield {"type": "error", "event_id": f"e{number}.{one}", "error": told}

    async def work() -> tuple[Bed, Later]:
        async with bed() as one:
            ((_, later),) = await one.repeat(1, spoil=errors)
            return one, later

    one, later = live(work())
    assert later().said == [DISCLOSURE, QUESTION, GOODBYE]
    assert one.alerts("model.error") >= 60
