"""Synthetic callers' voices."""

import random

import pytest

from runtime import audio
from runtime.simulate.crowd.kinds import KINDS
from runtime.simulate.sound.person import in_words
from runtime.simulate.sound.throats import broken, spoken
from runtime.voices import VoiceMissing, open_voice


def test_a_voice_is_understood_and_the_same_each_time() -> None:
    """A plain voice is heard word for word, and says a thing the same way twice."""
    sound = spoken("en-us+klatt6", 130, ("that is too expensive",), ())
    spoken.cache_clear()
    assert sound == spoken("en-us+klatt6", 130, ("that is too expensive",), ())
    phrases = ["that is too expensive", "yes please", "what does it cost"]
    assert open_voice("spoken").hear(sound, phrases) == "that is too expensive"


def test_voices_differ_and_a_pause_is_heard() -> None:
    """Another voice is another sound, and a pause makes a line longer by its length."""
    plain = spoken("en-us+klatt6", 130, ("yes", "please"), (500,))
    assert spoken("en+klatt6", 130, ("yes", "please"), (500,)) != plain
    longer = spoken("en-us+klatt6", 130, ("yes", "please"), (900,))
    assert audio.duration_ms(longer) - audio.duration_ms(plain) == 400


@pytest.mark.parametrize("share", [0, 30, 100])
def test_broken_words_are_the_same_words(share: int) -> None:
    """Pauses take no word away, and each stands between two pieces."""
    words = "well I think that would be this quarter"
    pieces, pauses = broken(words, share, random.Random(1))
    assert " ".join(pieces) == words
    assert len(pauses) == len(pieces) - 1
    assert (len(pieces) > 1) == (share > 0)


def test_every_kind_has_a_voice_that_speaks() -> None:
    """No kind names a voice that eSpeak does not have: each says a word, none sounds like another, and all
    say it the same way again.
    """
    voices = sorted({voice for kind in KINDS.values() for voice in kind.manner.voices})
    sounds = {voice: spoken(voice, 130, ("good afternoon",), ()) for voice in voices}
    assert len(set(sounds.values())) == len(voices)
    spoken.cache_clear()
    assert {voice: spoken(voice, 130, ("good afternoon",), ()) for voice in reversed(voices)} == sounds


def test_a_voice_that_is_not_there_is_said() -> None:
    """A name eSpeak does not know is an error, and not the voice that spoke before."""
    with pytest.raises(VoiceMissing, match="nobody"):
        spoken("nobody", 130, ("good afternoon",), ())


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("boolean", False, "no"),
        ("email", "dana@example.com", "d a n a at example dot com"),
        ("date", "2026-12-01", "december first"),
        ("date", "2026-12-22", "december twenty second"),
        ("date", "2026-12-31", "december thirty first"),
        ("time", "14:30", "two thirty"),
        ("digits", "102", "one zero two"),
        ("choice", "this_quarter", "this quarter"),
        ("integer", 20, "20"),
    ],
)
def test_a_value_is_said_as_people_say_it(kind: str, value: object, words: str) -> None:
    """Dates, addresses and numbers become words."""
    assert in_words(kind, value) == words
