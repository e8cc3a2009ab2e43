"""Faults on purpose: each one is really on the wire, and the stand-in itself survives all of them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import APIStatusError, AsyncOpenAI
from websockets.asyncio.client import connect as connect_raw
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from runtime.session.stand_in import Call, Entry, FaultPlan, Pace, Say, StandIn, Turn, hostile_policy

pytestmark = pytest.mark.faults
SLOW = Pace(chunk_ms=100, speed=0.5)


def faulty(**faults: Any) -> StandIn:
    return StandIn(voice="tones", faults=FaultPlan(**faults), pace=Pace(chunk_ms=100))


async def test_abort(connect: Any) -> None:
    """The connection is cut without a close frame after so many deltas."""
    async with faulty(abort_after_deltas=2) as stand_in, connect(stand_in) as peer:
        await peer.send("response.create")
        with pytest.raises(ConnectionClosedError) as closed:
            await peer.until("response.done")
        assert closed.value.rcvd is None
        assert peer.types().count("response.output_audio.delta") <= 2


@pytest.mark.parametrize("code", [1001, 1008, 1011])
async def test_polite_close(connect: Any, code: int) -> None:
    """The connection is closed with the planned code."""
    async with faulty(close_after_deltas=(1, code)) as stand_in, connect(stand_in) as peer:
        await peer.send("response.create")
        with pytest.raises(ConnectionClosed) as closed:
            await peer.until("response.done")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def test_stall(connect: Any) -> None:
    """After so many deltas nothing more comes, though the connection stays."""
    async with faulty(stall_after_deltas=1) as stand_in, connect(stand_in) as peer:
        await peer.ask("response.create", "response.output_audio.delta")
        await peer.send("session.update", session={"type": "realtime"})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await peer.next()


async def test_late_deltas(connect: Any) -> None:
    """Audio of a cancelled response still comes before its end."""
    plan = FaultPlan(late_deltas=3)
    async with StandIn(voice="tones", pace=SLOW, faults=plan) as stand_in, connect(stand_in) as peer:
        await peer.telephone()
        await peer.ask("response.create", "response.output_audio.delta")
        start = len(peer.seen)
        await peer.ask("response.cancel", "response.done")
        assert peer.types()[start:].count("response.output_audio.delta") >= 3


async def test_double_done(connect: Any) -> None:
    """The end of a response is told twice."""
    async with faulty(double_done=True) as stand_in, connect(stand_in) as peer:
        first = await peer.respond()
        assert (await peer.until("response.done"))["response"]["id"] == first["id"]


async def test_split_audio(connect: Any) -> None:
    """One answer comes as several audio items."""
    plan = FaultPlan(split_audio=True)
    policy = lambda turn: (Say("One. Two? Three!"),)  # noqa: E731
    async with StandIn(voice="tones", faults=plan, policy=policy) as stand_in, connect(stand_in) as peer:
        said = [item["content"][0]["transcript"] for item in (await peer.respond())["output"]]
        assert said == ["One.", "Two?", "Three!"]


async def test_failed_and_incomplete(connect: Any) -> None:
    """Responses end failed or incomplete as planned, with the details of the real server."""
    plan = {"failed_responses": frozenset({1}), "incomplete_responses": frozenset({2})}
    async with faulty(**plan) as stand_in, connect(stand_in) as peer:
        failed = await peer.respond()
        assert (failed["status"], failed["output"]) == ("failed", [])
        assert failed["status_details"]["error"]["code"] == "inference_rate_limit_exceeded"
        incomplete = await peer.respond()
        assert incomplete["status_details"] == {"type": "incomplete", "reason": "content_filter"}
        assert (await peer.respond())["status"] == "completed"


async def test_garbage_and_unknown(stand_in: StandIn) -> None:
    """Frames that are no JSON, a binary frame, and an event type nobody knows come before a response."""
    stand_in.faults = FaultPlan(garbage_frames=True, unknown_events=True)
    url = stand_in.base_url.replace("http", "ws") + "/realtime?model=m"
    async with connect_raw(url, additional_headers={"Authorization": "Bearer k"}) as socket:
        await socket.send(json.dumps({"type": "response.create"}))
        frames: list[str | bytes] = []
        while not (frames and isinstance(frames[-1], str) and '"response.done"' in frames[-1]):
            frames.append(await asyncio.wait_for(socket.recv(), 90))
    assert "{this is no JSON" in frames
    assert any(isinstance(frame, bytes) for frame in frames)
    assert any("response.telepathy.delta" in str(frame) for frame in frames)


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_refused(connect: Any, status: int) -> None:
    """The upgrade and the speech endpoint are refused with the planned status."""
    async with faulty(refuse_status=status, speech_status=status) as stand_in:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(stand_in):
                pass
        assert refused.value.response.status_code == status
        async with AsyncOpenAI(base_url=stand_in.base_url, api_key="k", max_retries=0) as client:
            with pytest.raises(APIStatusError) as speech:
                await client.audio.speech.create(model="m", voice="marin", input="x", response_format="pcm")
        assert speech.value.status_code == status


async def test_slow_accept(stand_in: StandIn) -> None:
    """The upgrade waits as long as planned."""
    stand_in.faults = FaultPlan(accept_delay_s=30)
    url = stand_in.base_url.replace("http", "ws") + "/realtime"
    with pytest.raises(TimeoutError):
        await connect_raw(url, additional_headers={"Authorization": "Bearer k"}, open_timeout=0.3)


async def test_broken_policy_is_loud(connect: Any) -> None:
    """A policy that raises ends the call with an internal error instead of hanging it."""

    def broken(turn: Turn) -> tuple[Say, ...]:
        raise LookupError("a bug of the test's policy")

    async with StandIn(policy=broken) as stand_in, connect(stand_in) as peer:
        await peer.send("response.create")
        with pytest.raises(ConnectionClosed):
            await peer.until("response.done")


TOOL: Any = {
    "type": "function",
    "name": "take_turn",
    "parameters": {
        "type": "object",
        "properties": {"intent": {"type": "string", "enum": ["yes"]}, "slots": {"type": "object"}},
    },
}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**9))
def test_hostile_policy_repeats(seed: int) -> None:
    """A hostile model does the same things for the same seed, and over some turns both speaks and calls."""
    turn = Turn("", (TOOL,), "auto", (Entry("user", "hello"),), "audio", {})
    first, second = hostile_policy(seed), hostile_policy(seed)
    outputs = [first(turn) for _ in range(40)]
    assert outputs == [second(turn) for _ in range(40)]
    kinds = {type(one) for some in outputs for one in some}
    assert kinds == {Say, Call}


async def test_hostile_policy_on_the_wire(connect: Any) -> None:
    """Everything a hostile model does still comes as valid events, response after response."""
    async with (
        StandIn(policy=hostile_policy(7), pace=Pace(speed=0), voice="tones") as stand_in,
        connect(stand_in) as peer,
    ):
        await peer.update(tools=[TOOL])
        for _ in range(25):
            assert (await peer.respond())["status"] == "completed"
