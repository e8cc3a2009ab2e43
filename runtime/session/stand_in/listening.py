"""The input audio buffer: what was appended, in which format, and the turns found in it.

Pure. Audio is kept as mu-law at 8 kHz whatever the client sends; every position is in milliseconds of audio
appended since the session began.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runtime import audio
from runtime.session.stand_in.configuration import Json
from runtime.session.stand_in.vad import Started, Stopped, TurnDetector

KEPT_WHILE_SILENT_MS = 30_000  # with turn detection on, silence before a turn is not kept for ever
LEAST_COMMIT_MS = 100
MAX_APPEND_BYTES = 15 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nobody spoke for idle_timeout_ms after the last response would have been heard."""

    start_ms: int
    end_ms: int


class Ear:
    """The buffer of one session."""

    __slots__ = (
        "_base_ms",
        "_buffer",
        "_detector",
        "_format",
        "_idle_from_ms",
        "_partial",
        "_resampler",
        "_settings",
    )

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._base_ms = 0
        self._partial = b""
        self._detector: TurnDetector | None = None
        self._settings: Json | None = None
        self._format: Json = {}
        self._resampler = audio.Resampler(24_000, audio.SAMPLE_RATE_HZ)
        self._idle_from_ms: int | None = None

    def configure(self, settings: Json) -> None:
        """Take over `audio.input` of the session; an unchanged part keeps its state."""
        if settings["format"] != self._format:
            self._format = settings["format"]
            self._resampler = audio.Resampler(24_000, audio.SAMPLE_RATE_HZ)
        if settings["turn_detection"] != self._settings:
            self._settings = settings["turn_detection"]
            self._detector = TurnDetector(self._settings) if self._settings else None

    @property
    def now_ms(self) -> int:
        """The end of the audio appended so far."""
        return self._base_ms + len(self._buffer) // audio.BYTES_PER_MS

    @property
    def buffered_ms(self) -> int:
        """How much audio a commit would take."""
        return self.now_ms - self._base_ms

    def expect_speech_from(self, at_ms: int) -> None:
        """Start the idle time-out at this position (the end of what the assistant says)."""
        self._idle_from_ms = at_ms

    def append(self, data: bytes) -> Iterator[Started | Stopped | TimedOut]:
        """Take audio in and report, in order, what it shows. Consume this wholly before anything else."""
        mulaw = self._partial + self._to_mulaw(data)
        if self._detector is None:
            self._partial = b""
            self._buffer += mulaw
            return
        whole = len(mulaw) - len(mulaw) % audio.FRAME_BYTES
        self._partial = mulaw[whole:]
        for start in range(0, whole, audio.FRAME_BYTES):
            yield from self._frame(mulaw[start : start + audio.FRAME_BYTES])

    def take(self, start_ms: int, end_ms: int) -> bytes:
        """Cut a turn out of the buffer (mu-law); what came before it is dropped, what follows stays."""
        first, last = (max(0, ms - self._base_ms) * audio.BYTES_PER_MS for ms in (start_ms, end_ms))
        turn = bytes(self._buffer[first:last])
        self._drop(last)
        return turn

    def take_all(self) -> bytes:
        """Everything buffered, as a manual commit takes it."""
        self._buffer += self._partial
        self._partial = b""
        self._forget_turn()
        return self.take(self._base_ms, self.now_ms)

    def clear(self) -> None:
        """Throw the buffer away; the positions go on counting."""
        self._partial = b""
        self._forget_turn()
        self._drop(len(self._buffer))

    def _forget_turn(self) -> None:
        if self._detector:
            self._detector.reset()

    def _drop(self, count: int) -> None:
        count = min(count, len(self._buffer))
        self._base_ms += count // audio.BYTES_PER_MS
        del self._buffer[: count - count % audio.BYTES_PER_MS]

    def _frame(self, frame: bytes) -> Iterator[Started | Stopped | TimedOut]:
        assert self._detector is not None
        self._buffer += frame
        seen = self._detector.feed(frame, self.now_ms)
        if seen:
            self._idle_from_ms = None
            yield Started(max(seen.start_ms, self._base_ms)) if isinstance(seen, Started) else seen
        elif not self._detector.speaking:
            yield from self._idle()
            self._drop(max(0, len(self._buffer) - KEPT_WHILE_SILENT_MS * audio.BYTES_PER_MS))

    def _idle(self) -> Iterator[TimedOut]:
        limit = (self._settings or {}).get("idle_timeout_ms")
        if limit is None or self._idle_from_ms is None or self.now_ms - self._idle_from_ms < limit:
            return
        start, self._idle_from_ms = self._idle_from_ms, None
        yield TimedOut(start, self.now_ms)

    def _to_mulaw(self, data: bytes) -> bytes:
        match self._format["type"]:
            case "audio/pcmu":
                return data
            case "audio/pcma":
                return audio.pcm16_to_mulaw(audio.alaw_to_pcm16(data))
            case _:
                return audio.pcm16_to_mulaw(self._resampler.feed(data))


def to_format(mulaw: bytes, wanted: Json, resampler: audio.Resampler) -> bytes:
    """mu-law as the session's output format; `resampler` (8 to 24 kHz) carries the stream's state."""
    match wanted["type"]:
        case "audio/pcmu":
            return mulaw
        case "audio/pcma":
            return audio.pcm16_to_alaw(audio.mulaw_to_pcm16(mulaw))
        case _:
            return resampler.feed(audio.mulaw_to_pcm16(mulaw))
