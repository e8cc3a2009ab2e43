"""A voice that says nothing aloud: its audio is silence as long as the words would take, so that only text
carries meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime import audio

MS_PER_CHARACTER = 60  # about 165 words a minute


@dataclass(frozen=True, slots=True)
class Text:
    """The silent voice: it keeps the timing of a call and leaves the words to the transcript."""

    name: str = "text"
    quick: bool = True

    def speak(self, text: str) -> bytes:
        """Silence of 60 ms a character."""
        return audio.silence(MS_PER_CHARACTER * len(text))

    def hear(self, mulaw: bytes, phrases: Sequence[str] = ()) -> str | None:
        """Nothing: whoever uses this voice sends text."""
        return None
