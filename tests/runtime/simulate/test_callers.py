from collections.abc import Iterator
from itertools import pairwise

from runtime import audio
from runtime.session.stand_in.vad import TurnDetector
from runtime.simulate.callers import Caller, mumble
from runtime.simulate.line import Deed, Moment
from runtime.simulate.profile import Line, Profile
from runtime.voices import tones


def caller(*lines: Line, node: str | None = None, spoken: bool = False) -> Caller:
    profile = Profile(name="Ada", says=lines, patience_ms=200)
    return Caller(profile, tones.encode, where=lambda: node, spoken=spoken)


def ticks(one: Caller, heard: str) -> Iterator[Deed]:
    """A deed for each letter: `x` while the assistant is heard, `.` while it is not."""
    for place, letter in enumerate(heard):
        yield one.tick(Moment(place * audio.FRAME_MS, letter == "x"))


def test_the_caller_answers_after_the_assistant_fell_silent() -> None:
    """The line begins when the assistant has been silent for the caller's patience, and is heard whole."""
    said = b"".join(deed.frame for deed in ticks(caller(Line(say="hello")), "x" * 20 + "." * 60))
    assert tones.decode(said) == "hello"
    assert said[: 20 * audio.FRAME_BYTES] == audio.silence(400)


def test_the_caller_does_not_speak_unasked() -> None:
    """Before the assistant was heard, and twice after one speech, nothing is said."""
    one = caller(Line(say="a"), Line(say="b"))
    list(ticks(one, "." * 100 + "x" + "." * 200))
    assert [line.say for _, line in one.lines] == ["a"]


def test_a_short_pause_is_not_the_end() -> None:
    """A gap in the assistant's speech shorter than the patience is no turn."""
    one = caller(Line(say="a"))
    list(ticks(one, "xxx" + "....." + "xxx" + "....."))
    assert one.lines == []


def test_an_interruption_comes_into_the_speech() -> None:
    """A line with interrupt_after_ms begins that long after the assistant began."""
    one = caller(Line(at="greeting", say="hello", interrupt_after_ms=400), node="greeting")
    list(ticks(one, "." * 10 + "x" * 60))
    assert [at_ms for at_ms, _ in one.lines] == [200 + 400]


def test_keys_are_pressed_one_by_one() -> None:
    """Each key of a line is one press, in order, with a pause between."""
    deeds = list(ticks(caller(Line(key="12#")), "x" + "." * 60))
    pressed = [(place, deed.key) for place, deed in enumerate(deeds) if deed.key]
    assert [key for _, key in pressed] == ["1", "2", "#"]
    assert all(later - earlier > 5 for (earlier, _), (later, _) in pairwise(pressed))


def test_hanging_up_is_a_deed() -> None:
    """A caller who hangs up does so once it is their turn."""
    deeds = list(ticks(caller(Line(hang_up=True)), "x" + "." * 20))
    assert [deed.hang_up for deed in deeds].count(True) == 1


def test_a_mumble_is_speech_without_words() -> None:
    """The mumble is heard as a turn by a voice detector, and holds no text."""
    detector = TurnDetector(
        {"type": "server_vad", "threshold": 0.6, "prefix_padding_ms": 300, "silence_duration_ms": 500}
    )
    sound = audio.silence(500) + mumble() + audio.silence(1500)
    seen = [
        detector.feed(frame, (place + 1) * audio.FRAME_MS)
        for place, frame in enumerate(audio.split_frames(sound))
    ]
    assert [type(one).__name__ for one in seen if one] == ["Started", "Stopped"]
    assert tones.decode(sound) is None


def test_noise_is_between_lines() -> None:
    """With a spoken voice there is no digital silence between lines, and nothing is laid over a line."""
    deeds = list(ticks(caller(Line(say="hello"), spoken=True), "x" * 5 + "." * 60))
    said = b"".join(deed.frame for deed in deeds)
    assert 20 < audio.mulaw_rms(deeds[0].frame) < 400
    assert tones.encode("hello") in said
