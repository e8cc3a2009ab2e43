"""A call's sound on its way to the disk: pieces of a few seconds while it lasts, one WAV at its end.

1. No more than PIECE_MS of a call is in memory, and that is what a dead process loses of it.
2. Writing never holds up a call: one thread of the process writes.
3. A spool that was left is made into a WAV by whoever finds it; a torn last line is left out.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from runtime.audio import PCMU, Format
from runtime.recording.tracks import Tracks
from runtime.seals import SealError, of_process, opened, sealed

PIECE_MS: Final = 2_000
SUFFIX: Final = ".sound"
_CALLER, _ASSISTANT, _CLEARED = "c", "a", "x"
_WRITER: Final = ThreadPoolExecutor(1, thread_name_prefix="sound-writer")


class Spool:
    """Implements Recording. A disk that refuses is told by `finish`, and the call goes on."""

    def __init__(self, path: Path, audio: Format = PCMU) -> None:
        """`path`: the WAV to be; the spool lies beside it."""
        self._wav, self._audio = path, audio
        self._spool = path.with_suffix(SUFFIX)
        self._lines: list[str] = []
        self._since_ms = 0
        self._written: Future[None] | None = None
        self._failed: OSError | None = None

    def caller(self, at_ms: int, payload: str) -> None:
        self._put(at_ms, _CALLER, payload)

    def assistant(self, at_ms: int, payload: str) -> None:
        self._put(at_ms, _ASSISTANT, payload)

    def cleared(self, at_ms: int) -> None:
        self._put(at_ms, _CLEARED, "")

    def finish(self) -> None:
        """Write the rest and make the WAV. Blocks: call it in a thread. Raises OSError."""
        self._piece()
        if self._written is not None:
            self._written.result()
        if self._failed is not None:
            raise self._failed
        finish(self._wav, self._audio)

    def _put(self, at_ms: int, kind: str, payload: str) -> None:
        if not self._lines:
            self._since_ms = at_ms
        self._lines.append(f"{kind} {at_ms} {payload}")
        if at_ms - self._since_ms >= PIECE_MS:
            self._piece()

    def _piece(self) -> None:
        lines, self._lines = self._lines, []
        if lines and self._failed is None:
            self._written = _WRITER.submit(self._write, "\n".join(lines).encode())

    def _write(self, piece: bytes) -> None:
        """One piece is one line of the file, so that a torn one is seen."""
        try:
            self._spool.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            line = sealed(base64.b64encode(piece), of_process()) + b"\n"
            with open(self._spool, "ab", opener=_private) as file:
                file.write(line)
        except OSError as error:
            self._failed = error


def finish(wav: Path, audio: Format = PCMU) -> bool:
    """Make the WAV of a spool and take the spool away; False where there is none. Raises OSError."""
    spool = wav.with_suffix(SUFFIX)
    if not spool.is_file():
        return False
    tracks = Tracks(audio)
    for line in _lines(spool.read_bytes()):
        kind, _, rest = line.partition(" ")
        at_ms, _, payload = rest.partition(" ")
        match kind:
            case "c":
                tracks.caller(int(at_ms), payload)
            case "a":
                tracks.assistant(int(at_ms), payload)
            case "x":
                tracks.cleared(int(at_ms))
    seals = of_process()
    kept = wav if seals is None else wav.with_suffix(".wav.sealed")
    with open(kept, "wb", opener=_private) as file:
        file.write(tracks.wav() if seals is None else seals.seal(tracks.wav()))
    spool.unlink()
    return True


def _lines(content: bytes) -> Iterator[str]:
    for piece in content.split(b"\n")[:-1]:
        try:
            yield from base64.b64decode(opened(piece, of_process()), validate=True).decode().split("\n")
        except (binascii.Error, UnicodeDecodeError, SealError):
            return  # what follows a torn piece stands nowhere


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
