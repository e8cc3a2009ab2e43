"""Pitfalls A1 to A12: interruption, marks, truncation. Tests are named as in docs/pitfalls.md."""

from __future__ import annotations

import json
from base64 import b64encode

from runtime.audio import base64_bytes
from runtime.engine.effects import Respond
from runtime.session import wire
from runtime.session.ledger import Interrupted, Ledger, Send, Truncation
from runtime.session.model import Audio, Cut
from runtime.telephony.base.json_stream import StreamCodec
from tests.runtime.session.test_conversation_turns import ready

START = json.dumps(
    {
        "event": "start",
        "streamSid": "MZ" + "1" * 32,
        "start": {
            "accountSid": "AC" + "1" * 32,
            "callSid": "CA" + "1" * 32,
            "streamSid": "MZ" + "1" * 32,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        },
    }
)


def sound(ms: int) -> str:
    return b64encode(b"\x2a" * (8 * ms)).decode()


def speaking(ms: int, *, item: str = "i1", closed: bool = True) -> tuple[Ledger, list[str]]:
    """A ledger with so much of one speech on the line, and the names of its marks."""
    ledger = Ledger()
    ledger.open("s1", protected=False, scripted=False)
    ledger.add("s1", sound(ms), item)
    ledger.words("s1", "one two three four five six seven eight")
    if closed:
        ledger.close("s1")
    marks = [out.mark for out in ledger.take(0) if isinstance(out, Send)]
    return ledger, marks


def test_A1_truncation_never_past_the_audio() -> None:
    """However late the clock says it is, no truncation is longer than the audio that was sent."""
    ledger, _ = speaking(500, closed=False)
    (truncation,) = ledger.stop(at_ms=57_340).truncations
    assert truncation.audio_end_ms <= 500


def test_A2_truncation_at_what_was_heard_not_sent() -> None:
    """Ten seconds were sent and 240 ms were heard: the model is told those, and what the clock adds."""
    ledger, marks = speaking(10_000)
    ledger.mark_returned(marks[0], at_ms=240)
    assert ledger.stop(at_ms=250).truncations == (Truncation("i1", 0, 250),)


def test_A3_marks_a_clear_sends_back_prove_nothing() -> None:
    """After a clear every pending mark comes back; none of the next speech is taken for heard by them."""
    ledger, marks = speaking(1000)
    assert ledger.stop(at_ms=100).clear
    ledger.open("s2", protected=False, scripted=False)
    ledger.add("s2", sound(1000), "i2")
    ledger.take(100)
    for mark in marks:
        ledger.mark_returned(mark, at_ms=101)
    assert ledger.stop(at_ms=120).interrupted[0].heard_ms == 20


def test_A4_a_finished_response_is_interrupted_all_the_same() -> None:
    """The model is done with it, seconds of it wait at the carrier: they are cleared and truncated."""
    ledger, _ = speaking(5000, closed=True)
    stopped = ledger.stop(at_ms=300)
    assert stopped.clear
    assert stopped.truncations == (Truncation("i1", 0, 240),)


def test_A5_every_item_of_a_response_is_corrected() -> None:
    """Of two items the one that was heard is truncated there and the later one is taken out."""
    ledger, marks = speaking(480, closed=False)
    ledger.add("s1", sound(480), "i2")
    ledger.take(0)
    ledger.mark_returned(marks[0], at_ms=240)
    stopped = ledger.stop(at_ms=240)
    assert stopped.truncations == (Truncation("i1", 0, 240),)
    assert stopped.deletions == ("i2",)


def test_A6_an_item_nobody_heard_is_deleted_not_truncated() -> None:
    """Nothing of it was heard: no truncation at 0; and where there is no item yet, nothing at all."""
    ledger, _ = speaking(480)
    stopped = ledger.stop(at_ms=0)
    assert (stopped.truncations, stopped.deletions) == ((), ("i1",))
    empty = Ledger()
    empty.open("s1", protected=False, scripted=False)
    stopped = empty.stop(at_ms=0)
    assert (stopped.truncations, stopped.deletions) == ((), ())


def test_A7_late_deltas_of_a_cancelled_response() -> None:
    """Audio of a response that was cancelled is dropped until it is done, and of the next one is heard."""
    conversation = ready()
    conversation.respond(Respond(purpose="speak", speech_id="s1"))
    conversation.ask()
    conversation.take(wire.ResponseCreated(wire.Response("resp_1", metadata={"request": "r1"})))
    delta = wire.AudioDelta("resp_1", "i1", sound(20))
    assert any(isinstance(event, Audio) for event in conversation.take(delta))
    conversation.stop(Cut())
    assert conversation.take(delta) == []


def test_A8_our_own_words_stand_for_a_truncated_transcript() -> None:
    """What was heard of an interrupted speech is a beginning of our own words; the server is never asked."""
    ledger, _ = speaking(1000)
    (heard,) = ledger.stop(at_ms=500).interrupted
    assert isinstance(heard, Interrupted)
    assert heard.text
    assert "one two three four five six seven eight".startswith(heard.text)
    assert not hasattr(wire, "retrieve_item")


def test_A9_every_mark_has_a_name() -> None:
    """The message is `mark` with a `name`, as documented, for the stream it is about."""
    codec = StreamCodec()
    codec.decode(START)
    assert json.loads(codec.mark("g1:1")) == {
        "event": "mark",
        "streamSid": "MZ" + "1" * 32,
        "mark": {"name": "g1:1"},
    }


def test_A10_marks_that_never_return_are_forgotten() -> None:
    """A carrier that never tells a mark leaves nothing behind: a second late they are taken as told."""
    ledger, marks = speaking(5000)
    assert len(marks) > 10
    due = ledger.deadline_ms()
    assert due is not None
    assert ledger.expire(due)
    ledger.take(due)
    assert ledger.deadline_ms() is None
    assert not ledger.speaking


def test_A11_odd_pieces_become_whole_frames() -> None:
    """For a line of fixed frames deltas of any size go out as frames of exactly that size, the rest at the
    end.
    """
    ledger = Ledger(bytes_per_ms=48, frame_bytes=960)
    ledger.open("s1", protected=False, scripted=False)
    for size in (999, 33, 1500):
        ledger.add("s1", b64encode(bytes(size)).decode(), "i1")
    ledger.close("s1")
    sizes = [base64_bytes(out.payload) for out in ledger.take(0) if isinstance(out, Send)]
    assert sizes == [960, 960, 612]


def test_A12_the_disclosure_is_not_cut_by_hello() -> None:
    """A protected speech stays on the line whatever is stopped, and is finished by its own last mark."""
    ledger = Ledger()
    ledger.open("s1", protected=True, scripted=True, text="I am an assistant.")
    ledger.add("s1", sound(480))
    ledger.close("s1")
    marks = [out.mark for out in ledger.take(0) if isinstance(out, Send)]
    stopped = ledger.stop(at_ms=100)
    assert not stopped.clear
    assert stopped.interrupted == ()
    ledger.mark_returned(marks[-1], at_ms=480)
    assert [type(out).__name__ for out in ledger.take(480)] == ["Finished"]
