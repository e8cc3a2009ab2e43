"""The scoreboard: a page of memory in which every worker writes its own row and all read the others'.

No locks and no store: a row has one writer, and what is read may be a moment old.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROW: Final = struct.Struct("=IIIIdd")  # pid, calls, most calls, ready, beat, lag
ROW_BYTES: Final = 64
LIVE_S: Final = 2.0  # without a beat for longer a worker is not counted on


@dataclass(frozen=True, slots=True)
class Row:
    """One worker. `beat_s`: when its loop last turned, by the machine's monotonic clock; `lag_ms`: how late
    its loop is.
    """

    slot: int
    pid: int
    calls: int
    most: int
    ready: bool
    beat_s: float
    lag_ms: float

    @property
    def live(self) -> bool:
        """Whether its loop turns."""
        return self.pid != 0 and time.monotonic() - self.beat_s < LIVE_S


class Scoreboard:
    """The rows of a supervisor's workers, in a file all of them map."""

    def __init__(self, path: Path, workers: int) -> None:
        self.workers = workers
        size = workers * ROW_BYTES
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < size:
                os.ftruncate(descriptor, size)
            self._memory = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)

    def write(self, slot: int, *, calls: int, most: int, ready: bool, lag_ms: float) -> None:
        """Say how this worker is, now."""
        row = (os.getpid(), calls, most, int(ready), time.monotonic(), lag_ms)
        _ROW.pack_into(self._memory, slot * ROW_BYTES, *row)

    def clear(self, slot: int) -> None:
        """There is no worker in this slot."""
        _ROW.pack_into(self._memory, slot * ROW_BYTES, 0, 0, 0, 0, 0.0, 0.0)

    def row(self, slot: int) -> Row:
        """How one worker is."""
        pid, calls, most, ready, beat_s, lag_ms = _ROW.unpack_from(self._memory, slot * ROW_BYTES)
        return Row(slot, pid, calls, most, bool(ready), beat_s, lag_ms)

    def rows(self) -> list[Row]:
        """How all of them are."""
        return [self.row(slot) for slot in range(self.workers)]

    def close(self) -> None:
        """Let go of the page."""
        self._memory.close()
