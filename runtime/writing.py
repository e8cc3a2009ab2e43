"""The one thread that writes records to the disk, and what becomes of lines a disk refuses.

Laws
1. Nobody waits for a disk but who asked to: lines are gathered, written in order, and flushed to the
   operating system in one go; `ask` is answered once everything before it is on the disk.
2. What a write left half is cut off again: a file ends with a whole line whenever the process still lives.
3. A disk that refuses is asked again; meanwhile a record's lines wait here, at most MOST_KEPT of them, and
   for GIVE_UP_S after its end. Past that they go to stderr as JSON: whole and sealed where there are keys,
   without anything personal otherwise.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from runtime.privacy import PERSONAL
from runtime.seals import of_process

GATHER_S: Final = 0.05  # how long lines are gathered before they are written: what a crash may lose
MOST_KEPT: Final = 1_000  # lines of one record that wait for a disk
MOST_LATE: Final = 10_000  # lines of all records that are over
RETRY_S: Final = 1.0
GIVE_UP_S: Final = 600.0
EXIT_S: Final = 5.0
log = structlog.get_logger("record")


class Disk:
    """The file system, as records use it. Every method blocks and may raise OSError."""

    def open(self, path: Path, *, new: bool) -> int:
        """A descriptor to write to. `new`: there may be no such file yet, and nobody else's is written to."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else 0), 0o600)

    def size(self, descriptor: int) -> int:
        return os.fstat(descriptor).st_size

    def write(self, descriptor: int, content: memoryview) -> int:
        """Write some of it at the descriptor's place; how much."""
        return os.write(descriptor, content)

    def cut(self, descriptor: int, size: int) -> None:
        """Make the file end here, and go on here."""
        os.ftruncate(descriptor, size)
        os.lseek(descriptor, size, os.SEEK_SET)

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)


DISK: Final = Disk()


class Page:
    """One record's file. The writing thread alone touches it, but for `failed`, `held` and `put`."""

    def __init__(self, path: Path, call_id: str, disk: Disk = DISK) -> None:
        self.path, self.call_id = path, call_id
        self.failed = False  # the disk refuses it: nothing may be done outside that must be recorded
        self._disk, self._seals = disk, of_process()
        self._descriptor: int | None = None
        self._made = self._lost = self._doubtful = False
        self._good = 0  # bytes of whole lines in the file
        self._lines: deque[tuple[bytes, bytes]] = deque()  # as they are, and as they are written
        self._taken = self._done = 0
        self._tried_s = 0.0
        self.over_s = 0.0  # when its record ended

    @property
    def held(self) -> int:
        """How many bytes wait here for the disk."""
        return self._taken - self._done

    @property
    def waiting(self) -> int:
        """How many lines wait here for the disk."""
        return len(self._lines)

    def put(self, line: bytes) -> None:
        """One line, without its end: to be written with the next batch."""
        self._taken += len(line)
        WRITER.put(self, line)

    def ask(self, told: Callable[[], None]) -> None:
        """Call this from the writing thread once all lines so far are on the disk, or were refused."""
        WRITER.put(self, told)

    def end(self) -> None:
        """No more lines will come."""
        WRITER.put(self, None)

    # --- for the writing thread ---

    def add(self, line: bytes) -> None:
        self._lines.append((line, (line if self._seals is None else self._seals.seal(line)) + b"\n"))
        if self.failed and self.waiting > MOST_KEPT:
            self.flush(now=True)
        if self._lost or (self.waiting > MOST_KEPT and self.failed):
            self.spill()

    def flush(self, *, now: bool = False) -> None:
        """Bring the lines to the operating system; `now`: also where the disk refused a moment ago."""
        if not self._lines or (self.failed and not now and time.monotonic() - self._tried_s < RETRY_S):
            return
        try:
            self._write(b"".join(written for _, written in self._lines))
        except FileExistsError:
            self.failed = True
            self.spill()  # another record's name: a defect, which no waiting mends
        except OSError:
            self._refused()
        else:
            self.failed = self._doubtful or self._lost
            self._forget_lines()

    def sync(self) -> None:
        """Bring the lines to the disk."""
        self.flush(now=True)
        if self._descriptor is None or self._lines:
            return
        try:
            self._disk.sync(self._descriptor)
        except OSError:
            # What a disk failed to sync it may have thrown away; a later success would prove nothing.
            self._doubtful = True
            self._refused()

    def close(self) -> bool:
        """Bring the rest to the disk and close the file; False: lines still wait for the disk."""
        self.sync()
        self._let_go()
        return not self._lines

    def spill(self) -> None:
        """Give up the disk: tell the lines on stderr, these and all that follow."""
        self._lost = self.failed = True
        for line, written in self._lines:
            sealed = self._seals is not None
            told = {"sealed": written[:-1].decode()} if sealed else {"line": impersonal(line)}
            log.error("record.spilled", call_id=self.call_id, **told)
        self._forget_lines()
        self._let_go()

    def _write(self, content: bytes) -> None:
        if self._descriptor is None:
            self._descriptor = self._disk.open(self.path, new=not self._made)
            self._made = True
            if self._disk.size(self._descriptor) < self._good:
                self.spill()  # what was written is not there any more: a line after a gap proves nothing
                return
            self._disk.cut(self._descriptor, self._good)
        left = memoryview(content)
        while left:
            left = left[self._disk.write(self._descriptor, left) :]
        self._good += len(content)

    def _refused(self) -> None:
        self.failed, self._tried_s = True, time.monotonic()
        try:
            if self._descriptor is not None:
                self._disk.cut(self._descriptor, self._good)
        except OSError:
            pass  # it is cut before anything else is written
        self._let_go()  # a disk that is full keeps no descriptors, too

    def _let_go(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            try:
                os.close(descriptor)
            except OSError:
                self.failed = True

    def _forget_lines(self) -> None:
        self._done += sum(len(line) for line, _ in self._lines)
        self._lines.clear()


def impersonal(line: bytes) -> dict[str, Any]:
    """A line of a record without what names or quotes anybody."""
    told = msgspec.json.decode(line, type=dict[str, Any])
    for part in ("event", "effect"):
        if part in told:
            private = PERSONAL.get(told[part]["type"], frozenset())
            told[part] = {name: value for name, value in told[part].items() if name not in private}
    return told


_Job = tuple[Page, bytes | Callable[[], None] | None]  # a line, whom to tell once all is on the disk, the end


class _Writer:
    """The process's one writing thread, started by the first line."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing: deque[Page] = deque()
        self._late: deque[Page] = deque()  # records that are over, and whose lines the disk refuses
        self._refused: set[Page] = set()  # live ones whose lines it refuses
        self._tried_s = 0.0
        self._leaving, self._left = threading.Event(), threading.Event()

    def put(self, page: Page, job: bytes | Callable[[], None] | None) -> None:
        self._jobs.put((page, job))
        if not isinstance(job, bytes):
            self._hurry.set()  # someone waits for the disk, or a call is over
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)
                self._thread.start()
                atexit.register(self._leave)

    def _run(self) -> None:
        while not self._left.is_set():
            self._work(self._batch())
            if self._closing:  # one at a time: whoever asks meanwhile waits for one disk, not for all
                page = self._closing.popleft()
                if not page.close():
                    self._late.append(page)
            self._try_again()
            if self._leaving.is_set() and not self._closing and self._jobs.empty():
                self._give_up()

    def _batch(self) -> list[_Job]:
        patience = 0.0 if self._closing else RETRY_S if self._late or self._refused else None
        try:
            batch = [self._jobs.get(timeout=patience)]
        except queue.Empty:
            return []
        if not self._closing:
            # A thread that wakes for every line takes the interpreter from the calls each time.
            self._hurry.wait(GATHER_S)
        self._hurry.clear()
        while not self._jobs.empty():
            batch.append(self._jobs.get())
        return batch

    def _work(self, batch: list[_Job]) -> None:
        pages = dict.fromkeys(page for page, _ in batch)
        asked: dict[Page, list[Callable[[], None]]] = {}
        for page, job in batch:
            if isinstance(job, bytes):
                page.add(job)
            elif job is None:
                page.over_s = time.monotonic()
                self._closing.append(page)
            else:
                asked.setdefault(page, []).append(job)
        for page in pages:
            page.flush()
        for page, told in asked.items():
            page.sync()
            for tell in told:
                tell()
        self._refused = {page for page in self._refused | pages.keys() if page.waiting and not page.over_s}

    def _try_again(self) -> None:
        now = time.monotonic()
        if now - self._tried_s < RETRY_S:
            return
        self._tried_s = now
        for page in self._refused:
            page.flush()
        for page in list(self._late):
            if page.close():
                self._late.remove(page)
        while self._late and (
            now - self._late[0].over_s > GIVE_UP_S or sum(page.waiting for page in self._late) > MOST_LATE
        ):
            self._late.popleft().spill()

    def _give_up(self) -> None:
        """The process ends: nothing waits any longer."""
        for page in (*self._late, *self._refused):
            if not page.close():
                page.spill()
        self._left.set()

    def _leave(self) -> None:
        """The process ends: what still waits is written, or told."""
        self._leaving.set()
        self.put(Page(Path(os.devnull), ""), lambda: None)
        self._left.wait(EXIT_S)


WRITER: Final = _Writer()
