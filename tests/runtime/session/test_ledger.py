"""The playback ledger and its laws, over every order of speech, marks, stops and time."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.session.ledger import (
    CHUNK_CHARACTERS,
    MOST_WAITING_MS,
    Failed,
    Finished,
    Interrupted,
    Ledger,
    Send,
    Truncation,
)


def sound(ms: int) -> str:
    return b64encode(b"\x2a" * (8 * ms)).decode()


def sends(out):
    return [one for one in out if isinstance(one, Send)]


def spoken(
    ledger, speech_id="s1", *, protected=False, scripted=False, ms=180, item="i1", text="one two three"
):
    ledger.open(speech_id, protected=protected, scripted=scripted, text=text if scripted else "")
    ledger.add(speech_id, sound(ms), None if scripted else item)
    if not scripted:
        ledger.words(speech_id, text)


def test_audio_leaves_in_whole_frames_each_with_its_mark():
    """Audio is cut into pieces of twelve frames, each with a mark of its own; a usual delta stays whole."""
    ledger = Ledger()
    spoken(ledger, ms=800)
    out = sends(ledger.take(0))
    assert "".join(one.payload for one in out) == sound(800)
    assert [len(one.payload) for one in out[:-1]] == [CHUNK_CHARACTERS] * 3
    assert len({one.mark for one in out}) == len(out)


def test_a_speech_finishes_with_its_last_mark():
    """Finished is said when the last mark of a closed speech came back, not before."""
    ledger = Ledger()
    spoken(ledger)
    ledger.close("s1")
    out = sends(ledger.take(0))
    for one in out[:-1]:
        ledger.mark_returned(one.mark, 0)
    assert ledger.take(0) == []
    ledger.mark_returned(out[-1].mark, 0)
    assert ledger.take(0) == [Finished("s1", 180, "one two three", scripted=False)]
    assert not ledger.speaking


def test_a_stop_truncates_what_was_heard_and_deletes_what_was_not():
    """The item in the ear is truncated where marks and clock say, the items behind it are deleted, and the
    line is cleared.
    """
    ledger = Ledger()
    spoken(ledger, item="i1", ms=300)
    ledger.add("s1", sound(60), "i2")
    spoken(ledger, "s2", item="i3")
    ledger.close("s1")
    out = sends(ledger.take(0))
    ledger.mark_returned(out[0].mark, 240)
    stopped = ledger.stop(250)
    assert stopped.clear
    assert stopped.truncations == (Truncation("i1", 0, 250),)
    assert stopped.deletions == ("i2", "i3")
    assert stopped.interrupted == (
        Interrupted("s1", 250, "one two", scripted=False),
        Interrupted("s2", 0, "", scripted=False),
    )


@pytest.mark.parametrize(("at_ms", "heard_ms"), [(100, 0), (140, 40), (9000, 240)])
def test_the_clock_tells_the_place_within_a_piece(at_ms, heard_ms):
    """Between two marks as much was heard as time has passed since the piece began, never more than the
    piece."""
    ledger = Ledger()
    spoken(ledger, ms=480)
    ledger.take(100)
    assert ledger.stop(at_ms).interrupted[0].heard_ms == heard_ms


def test_marks_that_come_back_because_of_a_clear_prove_nothing():
    """After a stop the carrier returns all pending marks; none of them counts as played."""
    ledger = Ledger()
    spoken(ledger)
    old = sends(ledger.take(0))
    ledger.stop(0)
    spoken(ledger, "s2", item="i2")
    fresh = sends(ledger.take(0))
    for one in old:
        ledger.mark_returned(one.mark, 0)
    assert ledger.stop(0).truncations == ()
    assert {one.mark for one in old} & {one.mark for one in fresh} == set()


def test_late_audio_of_a_stopped_speech_is_dropped():
    """Deltas that still come after a stop never reach the line."""
    ledger = Ledger()
    spoken(ledger)
    ledger.take(0)
    ledger.stop(0)
    ledger.add("s1", sound(100), "i1")
    assert ledger.take(0) == []
    assert ledger.dropped_bytes == 800


def test_nothing_shares_the_line_with_a_protected_speech():
    """A protected speech waits until the line is empty, everything behind it waits for its end, and a stop
    leaves it alone.
    """
    ledger = Ledger()
    spoken(ledger, "s1")
    ledger.close("s1")
    spoken(ledger, "s2", protected=True, scripted=True)
    ledger.close("s2")
    spoken(ledger, "s3", item="i3")
    first = sends(ledger.take(0))
    assert {one.speech_id for one in first} == {"s1"}
    ledger.mark_returned(first[-1].mark, 0)
    second = sends(ledger.take(0))
    assert {one.speech_id for one in second} == {"s2"}
    stopped = ledger.stop(0)
    assert (stopped.clear, [one.speech_id for one in stopped.interrupted]) == (False, ["s3"])
    ledger.mark_returned(second[-1].mark, 0)
    assert ledger.take(0) == [Finished("s2", 180, "one two three", scripted=True)]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("unspoken", []),
        ("failed", [Failed("s1", "failed", "", scripted=False)]),
        ("", [Failed("s1", "no_audio", "", scripted=False)]),
    ],
)
def test_a_speech_without_audio_ends_at_once(reason, expected):
    """Nothing to hear ends silently where nothing had to be said, and as a failure otherwise, even behind
    other speech.
    """
    ledger = Ledger()
    spoken(ledger, "s0", item="i0")
    ledger.take(0)
    ledger.open("s1", protected=False, scripted=False)
    ledger.close("s1", reason)
    assert ledger.take(0) == expected


def test_a_mark_that_never_returns_is_taken_as_returned_a_second_late():
    """When the audio must have ended a second ago, the speech counts as heard."""
    ledger = Ledger()
    spoken(ledger, ms=600)
    ledger.close("s1")
    ledger.take(1000)
    assert ledger.deadline_ms() == 2600
    assert not ledger.expire(2599)
    assert ledger.expire(2600)
    assert isinstance(ledger.take(2600)[0], Finished)
    assert ledger.deadline_ms() is None


def test_only_what_the_model_still_makes_is_cut_when_it_is_lost():
    """A whole speech is played out when the model goes, unless the clear takes it along; a script behind
    it stays.
    """
    ledger = Ledger()
    spoken(ledger, "s1")
    ledger.close("s1")
    ledger.take(0)
    ledger.open("s2", protected=False, scripted=False)
    spoken(ledger, "s3", scripted=True)
    ledger.close("s3")
    stopped = ledger.stop(0, only_unfinished=True)
    assert (stopped.clear, [one.speech_id for one in stopped.interrupted]) == (False, ["s2"])
    assert {one.speech_id for one in sends(ledger.take(0))} == {"s3"}


def test_a_flood_is_bounded():
    """More than five minutes of waiting speech is not kept."""
    ledger = Ledger()
    spoken(ledger, "s0", protected=True, scripted=True)
    ledger.take(0)
    ledger.open("s1", protected=False, scripted=False)
    for _ in range(400):
        ledger.add("s1", sound(1000), "i1")
    assert ledger.dropped_bytes == 400 * 8000 - MOST_WAITING_MS * 8


def test_gaps_inside_a_speech_are_measured():
    """Audio that comes later than the one before was heard leaves a gap; the pause between two speeches is
    none."""
    ledger = Ledger()
    spoken(ledger, ms=100)
    ledger.take(0)
    ledger.add("s1", sound(60), "i1")
    ledger.take(140)
    assert ledger.gap_ms == 40
    ledger.close("s1")
    spoken(ledger, "s2", item="i2")
    ledger.take(900)
    assert ledger.gap_ms == 40


def test_a_new_stream_ends_what_was_on_the_old_one():
    """Speech that was on the old stream is interrupted; what had not begun is sent on the new one."""
    ledger = Ledger()
    spoken(ledger, "s1")
    ledger.take(0)
    spoken(ledger, "s2", scripted=True)
    ledger.close("s2")
    assert [one.speech_id for one in ledger.restart(0)] == ["s1"]
    assert {one.speech_id for one in sends(ledger.take(0))} == {"s2"}


def size(one):
    return len(one.payload) * 3 // 4 - one.payload.count("=")


class Line(RuleBasedStateMachine):
    """A model, a carrier and a caller who do everything in any order, and the ledger between them."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger()
        self.count = 0
        self.open = {}  # speech -> closed?
        self.protected = set()
        self.on_line = []  # sends the carrier has not played, oldest first
        self.played = {}  # speech -> bytes truly played
        self.sent = {}  # item -> bytes sent
        self.received = {}
        self.ended = []
        self.now = 0
        self.began = 0  # when the carrier began to play the oldest piece on the line

    def settle(self):
        for one in self.ledger.take(self.now):
            if isinstance(one, Send):
                self.began = self.began if self.on_line else self.now
                self.on_line.append(one)
            else:
                self.finish(one.speech_id, one)

    def finish(self, speech_id, ending):
        assert speech_id not in self.ended
        self.ended.append(speech_id)
        closed = self.open.pop(speech_id)
        if isinstance(ending, Finished):
            assert closed
            assert self.played.get(speech_id, 0) == self.received.get(speech_id, 0)

    @rule(protected=st.booleans(), scripted=st.booleans())
    def order(self, protected, scripted):
        self.count += 1
        speech_id = f"s{self.count}"
        self.ledger.open(
            speech_id, protected=protected and scripted, scripted=scripted, text="some words to be said"
        )
        self.open[speech_id] = False
        if protected and scripted:
            self.protected.add(speech_id)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), ms=st.integers(1, 300), item=st.integers(0, 1))
    def make(self, data, ms, item):
        speech_id = data.draw(st.sampled_from(sorted(self.open)))
        if not self.open[speech_id]:
            self.received[speech_id] = self.received.get(speech_id, 0) + 8 * ms
            key = f"{speech_id}.{item}"
            self.sent[key] = self.sent.get(key, 0) + 8 * ms
        self.ledger.add(speech_id, sound(ms), f"{speech_id}.{item}")
        self.settle()

    @precondition(lambda self: self.open)
    @rule(data=st.data(), reason=st.sampled_from(["", "unspoken", "failed"]))
    def complete(self, data, reason):
        speech_id = data.draw(st.sampled_from(sorted(self.open)))
        self.ledger.close(speech_id, reason)
        self.open[speech_id] = True
        if reason == "unspoken" and not self.received.get(speech_id):
            self.open.pop(speech_id)
        self.settle()

    @precondition(lambda self: self.on_line)
    @rule(count=st.integers(1, 5))
    def play(self, count):
        for one in self.on_line[:count]:
            self.played[one.speech_id] = self.played.get(one.speech_id, 0) + size(one)
            self.ledger.mark_returned(one.mark, self.now)
            self.began = self.now
        del self.on_line[:count]
        self.settle()

    @rule(ms=st.integers(1, 400))
    def wait(self, ms):
        self.now += ms

    @rule(name=st.sampled_from(["g1:1", "g99:1", "", "g1:", "g1:x", "g1:99999999999999", "mark"]))
    def nonsense(self, name):
        if not name.startswith("g1:1") or self.on_line:
            return
        self.ledger.mark_returned(name, 0)
        self.settle()

    @rule(only_unfinished=st.booleans())
    def stop(self, only_unfinished):
        playing = self.on_line[0] if self.on_line else None
        stopped = self.ledger.stop(self.now, only_unfinished=only_unfinished)
        if stopped.clear:
            assert not any(one.speech_id in self.protected for one in self.on_line)
            cleared, self.on_line = self.on_line, []
            for one in cleared:
                self.ledger.mark_returned(one.mark, self.now)
        for cut in stopped.truncations:
            assert 0 < cut.audio_end_ms * 8 <= self.sent[cut.item_id]
        for one in stopped.interrupted:
            marked = self.played.get(one.speech_id, 0)
            within = size(playing) if playing is not None and playing.speech_id == one.speech_id else 0
            assert marked // 8 <= one.heard_ms <= (marked + min(within, 8 * (self.now - self.began))) // 8
            assert one.speech_id not in self.protected
            self.finish(one.speech_id, one)
        self.settle()

    @invariant()
    def a_protected_speech_is_alone(self):
        speakers = {one.speech_id for one in self.on_line}
        assert len(speakers) <= 1 or not speakers & self.protected

    def teardown(self):
        for speech_id in list(self.open):
            self.ledger.close(speech_id)
            self.open[speech_id] = True
        self.settle()
        for _ in range(1000):
            if not self.on_line:
                break
            self.play(5)
        assert not self.open
        assert not self.ledger.speaking


TestLine = Line.TestCase


@given(st.lists(st.integers(1, 500), min_size=1, max_size=6), st.integers(0, 30))
def test_heard_text_is_a_beginning_of_what_was_said(sizes, marks):
    """What the caller is said to have heard is a prefix of the words, in whole words."""
    ledger, words = Ledger(), "The quick brown fox jumps over the lazy dog"
    ledger.open("s1", protected=False, scripted=False)
    for size in sizes:
        ledger.add("s1", sound(size), "i1")
    ledger.words("s1", words)
    for one in sends(ledger.take(0))[:marks]:
        ledger.mark_returned(one.mark, 0)
    text = ledger.stop(0).interrupted[0].text
    assert words.startswith(text)
    assert text == "" or words[len(text) :][:1] in ("", " ")
