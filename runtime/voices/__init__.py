"""Ways to speak and to hear over 8 kHz mu-law without a speech model: silent text, exact tones, synthetic
speech.

A voice is one file here and one line in VOICES. `open_voice` makes one listener-and-speaker; it keeps state
between turns, so every call (and every side of a call) opens its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

Role = Literal["assistant", "caller"]


class Voice(Protocol):
    """Both directions of one way to speak. Neither method touches the event loop; unless the voice is
    `quick`, run them in a thread when a loop is waiting."""

    @property
    def name(self) -> str: ...

    @property
    def quick(self) -> bool:
        """Whether both methods take so little time that a thread would cost more."""
        ...

    def speak(self, text: str) -> bytes:
        """The text as mu-law audio, 8 kHz."""
        ...

    def hear(self, mulaw: bytes, phrases: Sequence[str]) -> str | None:
        """The words in the audio, or None when nothing could be made out. `phrases` are what is likely to be
        said."""
        ...


class VoiceMissing(RuntimeError):
    """A voice whose packages are not installed; the message says what to install."""


def _text(role: Role) -> Voice:
    from runtime.voices.text import Text

    return Text()


def _tones(role: Role) -> Voice:
    from runtime.voices.tones import Tones

    return Tones()


def _spoken(role: Role) -> Voice:
    from runtime.voices.spoken import open_spoken

    return open_spoken(role)


VOICES: dict[str, Callable[[Role], Voice]] = {"text": _text, "tones": _tones, "spoken": _spoken}


def open_voice(name: str, role: Role = "assistant") -> Voice:
    """A voice by name. Raises ValueError for an unknown name, VoiceMissing when its packages are not
    installed."""
    if name not in VOICES:
        raise ValueError(f"no voice is called {name!r}; there are {', '.join(VOICES)}")
    return VOICES[name](role)
