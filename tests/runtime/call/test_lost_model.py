"""What the caller hears when the speech model fails in every way it can."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from runtime import audio
from runtime.record import replay
from runtime.session.stand_in import FaultPlan, StandIn
from runtime.voices.tones import Tones

pytestmark = pytest.mark.faults
HOLD = "Please hold on."
LOST = "I am sorry, I lost my thread. We will call you back."
QUESTION = "How many people are you?"
GOODBYE = "Your table is booked. Goodbye."
FIRST = frozenset({1})


def heard(call, words):
    return Tones().speak(words).strip(audio.MULAW_SILENCE) in bytes(call.tape.heard)


@pytest.mark.parametrize(
    "plan",
    [
        FaultPlan(connections=FIRST, abort_after_deltas=1),
        FaultPlan(connections=FIRST, close_after_deltas=(1, 1001)),
        FaultPlan(connections=FIRST, close_after_deltas=(1, 1011)),
        FaultPlan(connections=FIRST, stall_after_deltas=1),
    ],
    ids=["reset", "closed 1001", "closed 1011", "stall"],
)
def test_the_line_is_held_and_the_call_goes_on(world, mouth, plan):
    """A session lost in mid-sentence: the hold line starts within half a second, the model comes back, the
    call succeeds.
    """
    call = world.call(
        lambda: StandIn(voice="tones", faults=plan), mouth("four people", "four people"), stall_ms=900
    )
    assert call.notes("line_after_loss")[0]["after_ms"] <= 500
    assert heard(call, HOLD)
    assert len(call.events("SessionRestored")) == 2
    assert QUESTION in call.said
    assert call.said[-1] == GOODBYE
    assert replay(world.artifact, call.record.lines) is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_that_repeats_itself_is_not_tried_again(world, mouth, status):
    """A key that is not accepted is asked about once, and the caller hears the designed line after the
    disclosure.
    """
    stand_in = StandIn(voice="tones", faults=FaultPlan(refuse_status=status))
    call = world.call(lambda: stand_in, mouth("four people"))
    assert stand_in.connections == 1
    assert [event.get("final") for event in call.events("SessionLost")] == [True]
    assert heard(call, LOST)
    assert call.reason == "assistant_hangup"


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_that_may_pass_is_tried_three_times(world, mouth, status):
    """A busy server is tried three times in all; then the designed line is said."""
    stand_in = StandIn(voice="tones", faults=FaultPlan(refuse_status=status))
    call = world.call(lambda: stand_in, mouth("four people"))
    assert stand_in.connections == 3
    assert heard(call, LOST)


def test_a_model_that_cannot_be_reached_leaves_the_caller_with_the_designed_line(world, mouth):
    """Nobody listens at the model's address: the disclosure is heard all the same, then the designed line."""

    @asynccontextmanager
    async def nobody():
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        yield f"http://127.0.0.1:{port}/v1"

    call = world.call(nobody, mouth("four people"))
    assert heard(call, LOST)
    assert call.said[0].startswith("I am the AI assistant")


def test_a_slow_connection_is_waited_for_only_so_long(world, mouth):
    """A server that takes longer than the limit to accept counts as lost, and the second attempt is taken."""
    plan = FaultPlan(connections=FIRST, accept_delay_s=30)
    call = world.call(lambda: StandIn(voice="tones", faults=plan), mouth("four people"), connect_ms=500)
    assert call.events("SessionLost")[0]["reason"] == "connect_timeout"
    assert call.said[-1] == GOODBYE


@pytest.mark.parametrize(
    "plan",
    [
        FaultPlan(garbage_frames=True),
        FaultPlan(unknown_events=True),
        FaultPlan(double_done=True),
        FaultPlan(split_audio=True),
        FaultPlan(late_deltas=50),
    ],
    ids=["garbage", "unknown", "double done", "split audio", "late deltas"],
)
def test_a_babbling_model_harms_nothing(world, mouth, plan):
    """Garbage, unknown events, repeated ends and speech in several items do not disturb a call."""
    call = world.call(lambda: StandIn(voice="tones", faults=plan), mouth("four people"))
    assert call.said[1:] == [QUESTION, GOODBYE]


@pytest.mark.parametrize(
    "plan",
    [FaultPlan(failed_responses=frozenset({1})), FaultPlan(incomplete_responses=frozenset({1}))],
    ids=["failed", "incomplete"],
)
def test_speech_that_fails_once_is_asked_for_again(world, mouth, plan):
    """A response that fails or stays incomplete is told to the engine, which orders the speech once more."""
    call = world.call(lambda: StandIn(voice="tones", faults=plan), mouth("four people"))
    assert call.events("SpeechFailed")
    assert call.said[-1] == GOODBYE
