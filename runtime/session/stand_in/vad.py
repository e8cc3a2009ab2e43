"""When a caller's turn begins and ends, judged by loudness on the audio that was appended (never by the clock
on the wall).

Pure: it is fed 20 ms frames of mu-law and answers with what they show. Times count milliseconds of audio
appended since the session began, as in the protocol: a start includes the prefix padding, an end includes the
silence that proved it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime import audio

ONSET_MS = 60  # a click is no speech
SEMANTIC_MAX_MS = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
SEMANTIC_SILENCE_MS = 600  # after an utterance long enough to be a whole thought
SEMANTIC_WHOLE_MS = 300
FULL_THRESHOLD_RMS = 1000  # threshold 1.0; 0.5 lets line noise of -36 dBFS pass as silence


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began; `start_ms` is where the turn's audio begins."""

    start_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """Speech ended; `end_ms` is where the turn's audio ends."""

    end_ms: int


class TurnDetector:
    """Finds turns in a stream of frames under one `turn_detection` setting (server_vad or semantic_vad)."""

    __slots__ = ("_loud_ms", "_quiet_ms", "_settings", "speaking")

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._loud_ms = self._quiet_ms = 0
        self.speaking = False

    def feed(self, frame: bytes, end_ms: int) -> Started | Stopped | None:
        """Judge one frame that ends at `end_ms`."""
        loud = audio.mulaw_rms(frame) > self._threshold_rms
        return (
            self._while_speaking(end_ms, loud=loud)
            if self.speaking
            else self._while_silent(end_ms, loud=loud)
        )

    def reset(self) -> None:
        """Forget the turn under way (the buffer was cleared or committed by hand)."""
        self._loud_ms = self._quiet_ms = 0
        self.speaking = False

    @property
    def _threshold_rms(self) -> float:
        return FULL_THRESHOLD_RMS * float(self._settings.get("threshold", 0.5))

    def _while_silent(self, end_ms: int, *, loud: bool) -> Started | None:
        self._loud_ms = self._loud_ms + audio.FRAME_MS if loud else 0
        if self._loud_ms < ONSET_MS:
            return None
        self.speaking, self._quiet_ms = True, 0
        return Started(max(0, end_ms - self._loud_ms - int(self._settings.get("prefix_padding_ms", 300))))

    def _while_speaking(self, end_ms: int, *, loud: bool) -> Stopped | None:
        self._quiet_ms = 0 if loud else self._quiet_ms + audio.FRAME_MS
        self._loud_ms += audio.FRAME_MS if loud else 0
        if self._quiet_ms == 0 or self._quiet_ms < self._silence_ms:
            return None
        self.reset()
        return Stopped(end_ms)

    @property
    def _silence_ms(self) -> int:
        if self._settings["type"] == "server_vad":
            return int(self._settings["silence_duration_ms"])
        longest = SEMANTIC_MAX_MS[self._settings["eagerness"]]
        return SEMANTIC_SILENCE_MS if self._loud_ms >= SEMANTIC_WHOLE_MS else longest
