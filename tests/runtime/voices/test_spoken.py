"""Synthetic speech over mu-law: a phrase that is expected is understood, anything else is not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runtime import audio
from runtime.voices import Voice, open_voice

PHRASES = [
    "yes",
    "no thanks",
    "that's too expensive",
    "let me talk to a person",
    "monthly reports",
    "this year",
    "dana at example dot com",
    "<number>",
    "about <number> people",
]


@pytest.fixture(scope="module")
def ear() -> Voice:
    """A listener: the assistant's side."""
    return open_voice("spoken", "assistant")


@pytest.fixture(scope="module")
def caller() -> Voice:
    """A speaker: the caller's side."""
    return open_voice("spoken", "caller")


@pytest.mark.parametrize(
    "words",
    [
        "yes",
        "no thanks",
        "that's too expensive",
        "let me talk to a person",
        "dana at example dot com",
        "twenty five",
        "about two hundred people",
    ],
)
def test_understood(ear: Voice, caller: Voice, words: str) -> None:
    """An expected phrase is heard word for word, in digital silence as on a telephone line."""
    assert ear.hear(audio.silence(300) + caller.speak(words) + audio.silence(500), PHRASES) == words


@pytest.mark.parametrize(
    "words", ["my dog ran away", "can we meet the queen", "i would like some tea", "hmm"]
)
def test_rejected(ear: Voice, caller: Voice, words: str) -> None:
    """What is not among the phrases is not forced into one of them."""
    assert ear.hear(caller.speak(words), PHRASES) is None


def test_nothing_to_hear(ear: Voice, caller: Voice) -> None:
    """Silence, a click, and a turn without any expected phrase are not understood."""
    assert ear.hear(audio.silence(1000), PHRASES) is None
    assert ear.hear(audio.silence(40), PHRASES) is None
    assert ear.hear(caller.speak("yes"), []) is None


def test_unknown_word_is_survived(ear: Voice, caller: Voice) -> None:
    """A phrase with a word that the dictionary lacks does not stop the others from being heard."""
    assert ear.hear(caller.speak("yes"), ["yes", "ask for Xqzanthip"]) == "yes"


def test_two_voices(ear: Voice, caller: Voice) -> None:
    """Caller and assistant do not sound alike, and the same words sound the same every time."""
    assert caller.speak("hello") != ear.speak("hello")
    assert caller.speak("hello") == caller.speak("hello")


def test_threads_that_speak_at_once_for_the_first_time() -> None:
    """A process in which several calls begin to speak in one moment goes on, and each is heard whole."""
    script = (
        "from concurrent.futures import ThreadPoolExecutor as Threads\n"
        "from runtime.voices import open_voice\n"
        "with Threads(8) as threads:\n"
        "    said = list(threads.map(open_voice('spoken').speak, ['hello there'] * 8))\n"
        "print(len(set(map(len, said))), len(said[0]) > 4000)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stdout == "1 True\n", ran.stderr
