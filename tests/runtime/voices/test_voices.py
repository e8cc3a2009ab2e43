"""Voices by name, and the silent one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runtime import audio
from runtime.voices import VOICES, open_voice


@pytest.mark.parametrize("name", list(VOICES))
def test_by_name(name: str) -> None:
    """A voice is opened by its name."""
    assert open_voice(name, "caller").name == name


def test_unknown() -> None:
    """An unknown name is refused with the names there are."""
    with pytest.raises(ValueError, match="text, tones, spoken"):
        open_voice("whale")


def test_text_is_silent() -> None:
    """The text voice keeps the time and says nothing."""
    voice = open_voice("text")
    assert set(voice.speak("hello")) == {0xFF}
    assert audio.duration_ms(voice.speak("hello")) == 300
    assert voice.hear(voice.speak("hello"), ["hello"]) is None


def test_missing_extra() -> None:
    """Without its packages the spoken voice says in one line what to install."""
    program = (
        "import sys; sys.modules['pocketsphinx'] = None\n"
        "from runtime.voices import VoiceMissing, open_voice\n"
        "try:\n    open_voice('spoken')\n"
        "except VoiceMissing as missing:\n    print(missing)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip().endswith("pip install 'voiceflow-compiler[voice]'")


def test_imports_are_cheap() -> None:
    """Importing the stand-in and the voices loads neither openai nor the speech packages."""
    program = (
        "import sys, runtime.voices, runtime.session.stand_in\n"
        "import runtime.session.stand_in.server\n"
        "print(sorted({'openai', 'pocketsphinx', 'espeakng_loader', 'networkx'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
