"""A call's two tracks in memory, and the stereo WAV they become: caller left, assistant right.

Fifteen minutes of mu-law are about fourteen megabytes, of PCM at 24 kHz six times that; a recording that must
survive the process writes elsewhere.
"""

import base64
import binascii

from runtime.audio import PCMU, Format, stereo_wav


class Tracks:
    """Implements Recording. The caller's frames stand where they came, the assistant's where they were
    played.
    """

    def __init__(self, audio: Format = PCMU) -> None:
        self._format = audio
        self._caller: list[tuple[int, bytes]] = []
        self._assistant: list[tuple[int, bytes]] = []
        self._caller_end_ms = 0
        self._played_until_ms = 0

    @property
    def held(self) -> int:
        """How many bytes of sound are here."""
        return sum(len(audio) for _, audio in (*self._caller, *self._assistant))

    def caller(self, at_ms: int, payload: str) -> None:
        audio = _decoded(payload)
        # Frames come in bunches; each follows the one before unless the line was truly silent in between.
        start = self._caller_end_ms if at_ms - self._caller_end_ms < 200 else at_ms
        self._caller.append((start, audio))
        self._caller_end_ms = start + len(audio) // self._format.bytes_per_ms

    def assistant(self, at_ms: int, payload: str) -> None:
        audio = _decoded(payload)
        start = max(at_ms, self._played_until_ms)
        self._assistant.append((start, audio))
        self._played_until_ms = start + len(audio) // self._format.bytes_per_ms

    def cleared(self, at_ms: int) -> None:
        kept = [
            (start, audio[: (at_ms - start) * self._format.bytes_per_ms])
            for start, audio in self._assistant
            if start < at_ms
        ]
        self._assistant = kept
        self._played_until_ms = min(self._played_until_ms, at_ms)

    def wav(self) -> bytes:
        """The whole call as a WAV file."""
        return stereo_wav(self._caller, self._assistant, self._format)


def _decoded(payload: str) -> bytes:
    try:
        return base64.b64decode(payload)
    except binascii.Error:
        return b""
