"""A call's sound on its way to the disk: pieces of a few seconds while it lasts, one WAV at its end.

1. No more than PIECE_MS and GATHER_S of a call are in memory; that is what a dead process loses. While the
   disk refuses it, MOST_KEPT pieces wait; of what comes after them the oldest is dropped.
2. Writing never holds up a call: one thread of the process writes, for all calls in one go, since a thread
   that wakes takes the interpreter from them. What a write left half is cut off again.
3. A spool that was left is made into a WAV by whoever finds it; a torn last line is left out.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

from runtime.audio import PCMU, Format
from runtime.recording.tracks import Tracks
from runtime.seals import SealError, of_process, opened, sealed

PIECE_MS: Final = 2_000
GATHER_S: Final = 0.25  # how long pieces of all calls are gathered before they are written
MOST_KEPT: Final = 15
SUFFIX: Final = ".sound"
_CALLER, _ASSISTANT, _CLEARED = "c", "a", "x"
_WRITER: Final = ThreadPoolExecutor(1, thread_name_prefix="sound-writer")
_HURRY: Final = threading.Event()


class Spool:
    """Implements Recording. A disk that refuses is told by `finish`, and the call goes on."""

    def __init__(self, path: Path, audio: Format = PCMU) -> None:
        """`path`: the WAV to be; the spool lies beside it."""
        self._wav, self._audio = path, audio
        self._spool = path.with_suffix(SUFFIX)
        self._lines: list[str] = []
        self._piece_until_ms = PIECE_MS
        self._written: Future[None] | None = None
        self._waiting: deque[bytes] = deque()  # the writing thread's, as the rest
        self._good = 0  # bytes of whole pieces in the file
        self._refused: OSError | None = None
        self._lost: OSError | None = None

    @property
    def held(self) -> int:
        """How many bytes of sound wait here for the disk."""
        return sum(map(len, tuple(self._waiting))) + sum(map(len, self._lines))

    def caller(self, at_ms: int, payload: str) -> None:
        self._put(at_ms, f"{_CALLER} {at_ms} {payload}")

    def assistant(self, at_ms: int, payload: str) -> None:
        self._put(at_ms, f"{_ASSISTANT} {at_ms} {payload}")

    def cleared(self, at_ms: int) -> None:
        self._put(at_ms, f"{_CLEARED} {at_ms} ")

    def finish(self) -> None:
        """Write the rest and make the WAV. Blocks: call it in a thread. Raises OSError, also where a part of
        the sound was lost: then the WAV has what is left.
        """
        self._piece()
        _HURRY.set()
        if self._written is not None:
            self._written.result()
        if self._refused is not None:
            raise self._refused
        finish(self._wav, self._audio)
        if self._lost is not None:
            raise self._lost

    def _put(self, at_ms: int, line: str) -> None:
        self._lines.append(line)
        if at_ms >= self._piece_until_ms:
            self._piece()
            self._piece_until_ms = at_ms + PIECE_MS

    def _piece(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self._written = _GATHERED.add(self, lines)

    def write(self, lines: list[str]) -> None:
        """The writing thread's. One piece is one line of the file, so that a torn one is seen."""
        piece = base64.b64encode("\n".join(lines).encode())
        self._waiting.append(sealed(piece, of_process()) + b"\n")
        try:
            self._spool.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._spool, "ab", buffering=0, opener=_private) as file:
                while self._waiting:
                    append_whole(file, self._waiting[0], self._good)
                    self._good += len(self._waiting.popleft())
            self._refused = None
        except OSError as error:
            self._refused = error
            if len(self._waiting) > MOST_KEPT:
                self._waiting.popleft()
                self._lost = error


class _Gathered:
    """What is to be written of all calls. Whoever finds nothing waiting begins the next round."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[Spool, list[str]]] = deque()
        self._round: Future[None] | None = None

    def add(self, spool: Spool, lines: list[str]) -> Future[None]:
        """Write this piece; done once that was tried."""
        self._pieces.append((spool, lines))
        if self._round is None or self._round.done() or len(self._pieces) == 1:
            self._round = _WRITER.submit(self._write)
        return self._round

    def _write(self) -> None:
        _HURRY.wait(GATHER_S)
        _HURRY.clear()
        while self._pieces:
            spool, lines = self._pieces.popleft()
            spool.write(lines)


_GATHERED: Final = _Gathered()


def append_whole(file: IO[bytes], content: bytes, good: int) -> None:
    """Write all of it after the first `good` bytes of the file, or nothing. Raises OSError."""
    if os.fstat(file.fileno()).st_size > good:
        os.truncate(file.fileno(), good)  # what could not be cut off before
    left = memoryview(content)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError:
        with contextlib.suppress(OSError):  # a torn end is left out by whoever reads it
            os.truncate(file.fileno(), good)
        raise


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
