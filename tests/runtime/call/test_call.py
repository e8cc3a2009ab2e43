"""Whole calls over loopback sockets, with tones for speech."""

import asyncio
import itertools
import json

import pytest
from websockets.exceptions import ConnectionClosedError

from runtime import audio
from runtime.record import replay
from runtime.session.ledger import CHUNK_CHARACTERS
from runtime.session.stand_in import StandIn, hostile_policy
from runtime.simulate.carriers.base import JsonWire
from runtime.simulate.line import Deed
from runtime.simulate.profile import Line
from runtime.voices.tones import Tones

QUESTION = "How many people are you?"
DISCLOSURE = "I am the AI assistant of Harbour House. This call is recorded. Ask for a person at any time."
DISCLOSURE_CHUNKS = -(-len(Tones().speak(DISCLOSURE)) // (CHUNK_CHARACTERS * 3 // 4))
GOODBYE = "Your table is booked. Goodbye."
HOLD = "Please hold on."
LOST = "I am sorry, I lost my thread. We will call you back."


IDS = {"account": "AC" + "0" * 32, "call": "CA" + "1" * 32, "stream": "MZ" + "2" * 32}
NUMBERS = itertools.count(100)


async def begin(stream):
    """connected and start, as a stream begins."""
    for message in JsonWire(IDS, {}).begin():
        await stream._connection.send(message)


async def put(stream, event, **body):
    """One message of the stream, past what the fake telephone would send."""
    head = {"event": event, "sequenceNumber": str(next(NUMBERS)), "streamSid": IDS["stream"]}
    await stream._connection.send(json.dumps(head | body))


class AfterDisclosure:
    """Where the call stands, as a caller could know it by the time that has passed."""

    def __init__(self):
        self.ticks = 0

    def __call__(self):
        self.ticks += 1
        return "hello" if self.ticks < 110 else "size"


def tones():
    return StandIn(voice="tones")


def test_a_call_is_carried_from_the_disclosure_to_the_goodbye(world, mouth):
    """The caller hears the disclosure, the question and the goodbye, the action runs once, and the call is
    hung up.
    """
    call = world.call(tones, mouth("four people"))
    assert (call.reason, call.how) == ("assistant_hangup", "assistant_closed")
    assert call.said == [DISCLOSURE, QUESTION, GOODBYE]
    assert [run.arguments for run in call.firm.runs] == [{"guests": 4}]
    assert call.record.lines[-1]["end"] == {"reason": "assistant_hangup", "outcome": "booked"}
    heard = bytes(call.tape.heard)
    for words in (DISCLOSURE, QUESTION, GOODBYE):
        assert Tones().speak(words).strip(audio.MULAW_SILENCE) in heard


def test_the_record_of_a_call_replays_to_the_same_effects(world, mouth):
    """Feeding the recorded events to the engine again gives exactly the recorded effects."""
    call = world.call(tones, mouth("four people"))
    assert call.record.whole
    assert replay(world.artifact, call.record.lines) is None


def test_both_sides_are_recorded(world, mouth):
    """The recording holds the caller left and the assistant right, as long as the call."""
    call = world.call(tones, mouth("four people"))
    seconds = (len(call.tracks.wav()) - 44) / 4 / 8000
    assert seconds == pytest.approx(call.tape.at_ms / 1000, abs=0.5)


def test_a_turn_has_its_latency_measured(world, mouth):
    """Each answered turn leaves a note of how long the caller waited, split into detection, model and
    bridge.
    """
    (note,) = world.call(tones, mouth("four people")).notes("latency")
    assert note["total_ms"] == note["detection_ms"] + note["model_ms"] + note["bridge_ms"]
    assert note["detection_ms"] >= 300


def test_speech_is_cut_where_the_caller_interrupts(world, mouth):
    """A caller who talks into the question stops it; what was heard is less than the whole, and the model
    is corrected.
    """
    call = world.call(
        tones, mouth(Line(at="size", say="four people", interrupt_after_ms=300), where=AfterDisclosure())
    )
    assert DISCLOSURE in call.said
    cut = [event for event in call.events("PlaybackInterrupted") if event.get("heard_ms")]
    assert cut
    assert 0 < cut[0]["heard_ms"] < audio.duration_ms(Tones().speak(QUESTION))
    assert QUESTION.startswith(cut[0]["text"])
    assert call.notes("model_error") == []
    assert GOODBYE in call.said


class At:
    """A caller who says one thing at one tick of the call, and says it again when asked again."""

    def __init__(self, tick, words):
        self.tick_at, self.frames, self.words, self.ticks, self.quiet = tick, [], words, 0, 0

    def tick(self, moment):
        self.ticks += 1
        self.quiet = 0 if moment.playing else self.quiet + 1
        if self.ticks == self.tick_at or (self.ticks > self.tick_at and self.quiet == 60):
            self.frames = list(audio.split_frames(Tones().speak(self.words)))
        return Deed(self.frames.pop(0) if self.frames else audio.MULAW_SILENCE * audio.FRAME_BYTES)


@pytest.mark.faults
@pytest.mark.parametrize("tick", range(90, 146, 5))
def test_a_caller_may_interrupt_at_any_moment(world, tick):
    """From the last words of the disclosure to the end of the question: the disclosure is whole, nothing
    is corrected wrongly.
    """
    call = world.call(tones, At(tick, "four people"))
    assert call.said[0] == DISCLOSURE
    assert call.notes("model_error") == []
    assert call.said[-1] == GOODBYE
    assert replay(world.artifact, call.record.lines) is None


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(4))
def test_a_hostile_model_cannot_break_a_call(world, mouth, seed):
    """Whatever the model says and calls, the call ends by its own rules and leaves a record that replays."""
    stand_in = StandIn(voice="tones", policy=hostile_policy(seed))
    call = world.call(lambda: stand_in, mouth(*["four people"] * 12))
    assert call.reason in ("assistant_hangup", "transferred")
    assert call.said[0] == DISCLOSURE
    assert replay(world.artifact, call.record.lines) is None


def test_the_disclosure_goes_on_over_the_caller(world, mouth):
    """Talking over the disclosure does not stop it: all of it reaches the caller's ear in one piece."""
    says = mouth(Line(say="four people", interrupt_after_ms=200), Line(say="four people"))
    call = world.call(tones, says)
    assert call.said[0] == DISCLOSURE
    assert Tones().speak(DISCLOSURE).strip(audio.MULAW_SILENCE) in bytes(call.tape.heard)


def test_a_caller_may_hang_up_in_mid_sentence(world, mouth):
    """A hang-up ends the call at once, whatever is being said."""
    call = world.call(tones, mouth(Line(hang_up=True, interrupt_after_ms=300)))
    assert call.reason == "caller_hangup"
    assert call.record.lines[-1]["end"]["outcome"] == "abandoned"


def test_a_failed_action_takes_the_designed_way(world, mouth, firm):
    """An action that fails outside is an event, and the flow says what the caller hears."""
    firm.failure = "down"
    call = world.call(tones, mouth("four people"), firm=firm)
    assert call.events("ActionFailed")[0]["reason"] == "down"
    assert call.said[-1] == "I could not book it. Someone will call you. Goodbye."


@pytest.mark.faults
def test_a_line_that_is_cut_is_lost(world):
    """A media socket that is reset in the middle of a sentence ends the call as lost."""

    async def cut(stream):
        await begin(stream)
        await stream._connection.recv()
        stream._connection.transport.abort()
        return "cut"

    assert world.call(tones, cut).reason == "line_lost"


@pytest.mark.faults
def test_nothing_is_changed_outside_without_a_record(world, mouth, firm):
    """When the disk refuses the record, an action that changes something is not run, and the caller is told
    the truth."""
    (world.folder / "call.jsonl").write_text("the name is taken, so that the record cannot be made")
    tape = world.call(tones, mouth("four people"), firm=firm, recorded=False).tape
    assert firm.runs == []
    told = "I could not book it. Someone will call you. Goodbye."
    assert Tones().speak(told).strip(audio.MULAW_SILENCE) in bytes(tape.heard)


@pytest.mark.faults
def test_a_line_that_falls_silent_is_gone(world):
    """Ten seconds without a frame and without a goodbye end the call as lost."""

    async def falls_silent(stream):
        await begin(stream)
        async for _ in stream._connection:
            pass
        return "server_closed"

    call = world.call(tones, falls_silent)
    assert call.reason == "line_lost"


@pytest.mark.faults
def test_bad_frames_do_not_end_a_call_but_a_flood_does(world):
    """Single malformed frames are noted and survived; a hundred in a second close the line with 1008."""

    async def babbles(stream):
        await begin(stream)
        for bad in ("{", "[]", '{"event":"media"}', "\x00", '{"event":"media","media":{"payload":"!!!"}}'):
            await stream._connection.send(bad)
        async with asyncio.timeout(2):
            await stream._connection.recv()
        for _ in range(101):
            await stream._connection.send("{")
        try:
            async for _ in stream._connection:
                pass
        except ConnectionClosedError:
            pass  # how the client sees 1008
        return str(stream._connection.close_code)

    call = world.call(tones, babbles)
    assert (call.reason, call.how) == ("malformed_flood", "1008")
    assert len(call.notes("line_malformed")) == 5


@pytest.mark.faults
def test_marks_that_never_return_do_not_stop_a_call(world):
    """A carrier that returns no mark: each speech counts as played a second after its audio must have
    ended.
    """

    async def markless(stream):
        await begin(stream)
        silence = {"track": "inbound", "chunk": "1", "timestamp": "0", "payload": "/" * 214 + "8="}

        async def frames():
            while True:
                await put(stream, "media", media=silence)
                await asyncio.sleep(0.02)

        sending = asyncio.create_task(frames())
        async for _ in stream._connection:
            pass  # the audio is taken, and no mark is ever sent back
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return "closed"

    call = world.call(tones, markless)
    assert call.said[0] == DISCLOSURE
    assert call.notes("marks_missing")


def test_a_second_stream_is_the_same_call(world):
    """When the carrier opens a new stream in the middle of the disclosure, all of it is said again on that
    stream.
    """

    async def moves(stream):
        await begin(stream)
        marks = 0
        async for message in stream._connection:
            event = json.loads(message)
            marks += event["event"] == "mark"
            if marks == 1 and event["event"] == "mark":
                await begin(stream)
            if marks == 2 * DISCLOSURE_CHUNKS:
                await put(stream, "mark", mark=event["mark"])
                await put(stream, "stop", stop={"accountSid": "AC1", "callSid": "CA1"})
                return "moved"
        return "ended"

    call = world.call(tones, moves)
    assert call.how == "moved"
    assert call.notes("stream_restarted")
    assert [event["speech_id"] for event in call.events("PlaybackInterrupted")] == ["s1"]
    assert [order["text"] for order in call.effects("PlayScript")][:2] == [DISCLOSURE, DISCLOSURE]
    assert call.said == [DISCLOSURE]
    assert call.reason == "caller_hangup"


@pytest.mark.faults
def test_a_bug_inside_a_call_ends_that_call_with_a_designed_line(world, mouth, firm):
    """Something unforeseen raised by the outside world of one call is recorded by kind, and the caller is
    told.
    """

    async def explode(order):
        raise RuntimeError("private words")

    firm.run = explode
    call = world.call(tones, mouth("four people"), firm=firm)
    assert call.reason == "internal_error"
    assert call.notes("internal_error")[0]["error"] == "RuntimeError"
    assert Tones().speak(LOST).strip(audio.MULAW_SILENCE) in bytes(call.tape.heard)
    assert "private words" not in json.dumps([dict(line) for line in call.record.lines])


async def machine():
    await asyncio.sleep(1.5)
    return "machine"


async def person():
    await asyncio.sleep(1.5)
    return "person"


def test_a_placed_call_is_silent_until_a_person_is_known(world, mouth):
    """Nothing is heard before the verdict, then the disclosure from its first word."""
    call = world.call(tones, mouth("four people"), answerer=person)
    heard = bytes(call.tape.heard)
    assert heard[: 8 * 1400] == audio.silence(1400)
    assert call.said[0] == DISCLOSURE
    assert call.events("AnswererDetected")[0]["by"] == "person"
    assert replay(world.artifact, call.record.lines) is None


def test_a_machine_hears_nothing(world, mouth):
    """A machine that answered a placed call hears silence, and the call is over."""
    call = world.call(tones, mouth("four people"), answerer=machine)
    assert bytes(call.tape.heard).strip(audio.MULAW_SILENCE) == b""
    assert call.record.lines[-1]["end"]["outcome"] == "machine_answered"
    assert call.said == []
