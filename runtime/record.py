"""The call record: one call as JSON Lines, each line chained to the one before, and its replay.

Laws
1. Lines are appended in order: a header, then events, each followed by exactly the effects it led to,
   notes anywhere, and one end.
2. `seq` is contiguous from 0. `sum` covers the line and the `sum` before it, so nothing is changed,
   dropped or inserted unseen.
3. Writing never holds up a call: one thread of the process writes in order, flushing to the operating
   system after every
   batch it finds waiting, and to the disk at the end of a call and when `durable` is asked for.
4. Reading tells the whole lines of a torn file from its tail and invents nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from runtime.engine.effects import Effect
from runtime.engine.events import CallResumed, CallStarted, Event
from runtime.privacy import without_digits
from runtime.seals import SealError, Seals, of_process, opened, sealed

RECORD_VERSION: Final = 1
SUM_CHARACTERS: Final = 16
GATHER_S: Final = 0.05  # how long lines are gathered before they are written: what a crash may lose


@dataclass(frozen=True, slots=True)
class Header:
    """Whose call, by which artifact. `started` is UTC, RFC 3339; `locale` None: the flow has only its own."""

    call_id: str
    started: str
    artifact_hash: str
    flow: str
    flow_version: str
    locale: str | None = None


class Recorder:
    """The record of one call being written. `event`, `effect`, `note` and `end` return at once."""

    def __init__(self, path: Path, header: Header) -> None:
        self._seq = 0
        self._sum = ""
        self._ended = False
        self._held: list[Mapping[str, Any]] | None = None
        self._file = _File(path)
        self.append(
            {
                "record": RECORD_VERSION,
                "call_id": header.call_id,
                "started": header.started,
                "artifact": {
                    "hash": header.artifact_hash,
                    "flow": header.flow,
                    "version": header.flow_version,
                    **({"locale": header.locale} if header.locale else {}),
                },
            }
        )

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def failed(self) -> bool:
        """Whether the disk refused a line: what changes something outside must not be done any more."""
        return self._file.failed

    def event(self, event: Event) -> None:
        self.append({"at_ms": event.at_ms, "event": event})

    def effect(self, at_ms: int, effect: Effect) -> None:
        self.append({"at_ms": at_ms, "effect": effect})

    def note(self, at_ms: int, kind: str, **details: Any) -> None:
        """Something measured or counted that the engine does not see. Details hold nothing personal."""
        self.append({"at_ms": at_ms, "note": {"kind": kind, **details}})

    def end(self, at_ms: int, reason: str, outcome: str | None) -> None:
        """The last line; later ones are refused silently, since a late task may still want to tell
        something.
        """
        self.release()
        self.append({"at_ms": at_ms, "end": {"reason": reason, "outcome": outcome}})
        self._ended = True
        _WRITER.put(self._file, None)

    def append(self, body: Mapping[str, Any]) -> None:
        if self._ended:
            return
        if self._held is not None:
            self._held.append(body)
            return
        line = msgspec.json.encode({"seq": self._seq, **body})
        self._sum = chain(self._sum, line)
        self._seq += 1
        _WRITER.put(self._file, line[:-1] + b',"sum":"' + self._sum.encode() + b'"}\n')

    @property
    def holding(self) -> bool:
        """Whether lines are held back."""
        return self._held is not None

    def hold(self) -> None:
        """Hold lines back until it is known what may stand in them."""
        self._held = [] if self._held is None else self._held

    def release(self, shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = without_digits) -> None:
        """Write the lines held back, as `shown` shows them: without digits, if nothing else is said."""
        held, self._held = self._held, None
        for body in held or ():
            Recorder.append(self, shown(body))

    async def durable(self) -> bool:
        """Wait until all of it so far is on the disk; False when the disk refused."""
        self.release()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        _WRITER.put(self._file, lambda: loop.call_soon_threadsafe(_settle, done))
        await done
        return not self.failed


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def chain(previous: str, line: bytes) -> str:
    """The sum of a line (without its own `sum`) after the one with the sum `previous`."""
    return hashlib.sha256(previous.encode() + line).hexdigest()[:SUM_CHARACTERS]


class _File:
    """One record's file, touched by the writer thread only (but for `failed`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failed = False
        self.seals = of_process()
        self.handle: IO[bytes] | None = None

    def open(self) -> IO[bytes]:
        if self.handle is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Written once (a second record of the same name is a bug), and read by its owner only.
            self.handle = open(self.path, "xb", opener=_private)  # noqa: SIM115 - `_write` closes it
        return self.handle


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


_Job = tuple[_File, Any]  # a line, a function to call once all before it is on the disk, or None: close


class _Writer:
    """The process's one writing thread, started by the first line."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, file: _File, job: Any) -> None:
        self._jobs.put((file, job))
        if not isinstance(job, bytes):
            self._hurry.set()  # someone waits for the disk, or a call is over
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="record-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = [self._jobs.get()]
            # A thread that wakes for every line takes the interpreter from the calls each time.
            self._hurry.wait(GATHER_S)
            self._hurry.clear()
            while not self._jobs.empty():
                batch.append(self._jobs.get())
            for file, job in batch:
                _attempt(file, job)
            for file in {file for file, _ in batch if file.handle is not None}:
                _flush(file)


def _attempt(file: _File, job: Any) -> None:
    try:
        _write(file, job)
    except OSError:
        file.failed = True
    if callable(job):
        job()


def _write(file: _File, job: Any) -> None:
    if isinstance(job, bytes):
        if not file.failed:  # after a failure nothing more: a line after a gap would break the chain
            file.open().write(job if file.seals is None else file.seals.seal(job[:-1]) + b"\n")
        return
    if file.handle is None:
        return
    try:
        file.handle.flush()
        _to_disk(file.handle)
    finally:
        if job is None:  # also where the disk is full, or each call would leave a descriptor
            handle, file.handle = file.handle, None
            handle.close()


def _to_disk(handle: IO[bytes]) -> None:
    os.fsync(handle.fileno())


def _flush(file: _File) -> None:
    try:
        if file.handle is not None:
            file.handle.flush()
    except OSError:
        file.failed = True


_WRITER: Final = _Writer()


class RecordError(Exception):
    """Not a call record at all, or one of another version."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read: its header, the lines after it, and whether the end line is there. `torn`: bytes
    after the last good line; `changed`: those are whole lines, so that no crash but a hand made them.
    """

    header: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    whole: bool
    torn: int
    changed: bool = False


def read(path: Path) -> Record:
    """Read a record up to its last good line. Raises RecordError when even the header is not one, or when it
    is sealed and no key opens it.
    """
    content = path.read_bytes()
    seals = of_process()
    lines: list[Mapping[str, Any]] = []
    good = 0
    for line, size in _good_lines(content, seals):
        lines.append(line)
        good += size
    if not lines or lines[0].get("record") != RECORD_VERSION:
        raise RecordError(f"this is not a call record of version {RECORD_VERSION}")
    changed = b"\n" in content[good:]
    return Record(lines[0], tuple(lines[1:]), "end" in lines[-1], len(content) - good, changed)


def _good_lines(content: bytes, seals: Seals | None) -> Iterator[tuple[Mapping[str, Any], int]]:
    previous = ""
    tail = len(',"sum":""}') + SUM_CHARACTERS
    for seq, written in enumerate(content.split(b"\n")[:-1]):
        try:
            raw = opened(written, seals)
        except SealError as error:
            if seq == 0:
                raise RecordError(str(error)) from None
            return
        previous = chain(previous, raw[:-tail] + b"}")
        if raw[-tail:] != b',"sum":"' + previous.encode() + b'"}':
            return
        try:
            line = msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.MsgspecError:
            return
        if line.get("seq") != seq:
            return
        yield line, len(written) + 1


def finish(path: Path, reason: str) -> bool:
    """Give the record of a call whose process died its one end: after its last good line, and nothing of that
    is changed. What cannot be read is kept beside it. False: it has an end, or is no record at all.
    """
    try:
        record = read(path)
        content = path.read_bytes()
    except (OSError, RecordError):
        return False
    if record.whole:
        return False
    good = content[: len(content) - record.torn]
    if record.torn:
        _beside(path, content)
    lines = (record.header, *record.lines)
    at_ms = max((int(line.get("at_ms", 0)) for line in lines), default=0)
    end = {"seq": len(lines), "at_ms": at_ms, "end": {"reason": reason, "outcome": None}}
    encoded = msgspec.json.encode(end)
    total = chain(str(lines[-1]["sum"]), encoded)
    mended = path.with_suffix(".mending")
    with open(mended, "wb", opener=_private) as file:
        file.write(good + sealed(encoded[:-1] + b',"sum":"' + total.encode() + b'"}', of_process()) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    mended.replace(path)
    return True


def _beside(path: Path, content: bytes) -> None:
    with open(path.with_suffix(".torn"), "wb", opener=_private) as file:
        file.write(content)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay parts from the record: the line, what it holds and what the engine does now (None:
    nothing).
    """

    seq: int
    recorded: Mapping[str, Any] | None
    replayed: Mapping[str, Any] | None


def replay(artifact: Any, lines: Iterable[Mapping[str, Any]]) -> Difference | None:
    """Feed the recorded events again; the first effect that differs, or None. `lines` are those after the
    header.
    """
    from runtime.engine.resuming import resume  # heavy only where it is needed
    from runtime.engine.step import start, step

    state: Any = None
    due: list[tuple[int, Mapping[str, Any]]] = []
    for line in lines:
        if "effect" in line:
            if not due or due[0][1] != line["effect"]:
                return Difference(line["seq"], line["effect"], due[0][1] if due else None)
            due.pop(0)
        elif "event" in line:
            if due:
                return Difference(line["seq"], None, due[0][1])
            event = msgspec.convert(line["event"], Event)
            if state is None and isinstance(event, CallStarted):
                state, effects = start(artifact, event)
            elif state is None and isinstance(event, CallResumed):
                state, effects = resume(artifact, event)
            else:
                state, effects = step(artifact, state, event)
            due = [(line["seq"], msgspec.to_builtins(effect)) for effect in effects]
    return Difference(due[0][0], None, due[0][1]) if due else None
