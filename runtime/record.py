"""The call record: one call as JSON Lines, each line chained to the one before, and its replay.

Laws
1. Lines are appended in order: a header, then events, each followed by exactly the effects it led to,
   notes anywhere, and one end.
2. `seq` is contiguous from 0. `sum` covers the line and the `sum` before it, so nothing is changed,
   dropped or inserted unseen.
3. Writing never holds up a call (runtime/writing.py): lines are flushed to the operating system batch by
   batch, and to the disk at the end of a call and when `durable` is asked for.
4. Reading tells the whole lines of a torn file from its tail and invents nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from runtime.engine.effects import Effect
from runtime.engine.events import CallResumed, CallStarted, Event
from runtime.privacy import without_digits
from runtime.seals import SealError, Seals, of_process, opened, sealed
from runtime.writing import DISK, Disk, Page

RECORD_VERSION: Final = 1
SUM_CHARACTERS: Final = 16
DURABLE_S: Final = 5.0  # a disk that takes longer is as good as none to whoever waits for a deed
LOOK_S: Final = 1.0


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

    def __init__(self, path: Path, header: Header, disk: Disk = DISK) -> None:
        self._seq = 0
        self._sum = ""
        self._ended = False
        self._held: list[Mapping[str, Any]] | None = None
        self._page = Page(path, header.call_id, disk)
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
        return self._page.path

    @property
    def failed(self) -> bool:
        """Whether the disk refuses a line: what changes something outside must not be done meanwhile."""
        return self._page.failed

    @property
    def held(self) -> int:
        """How many bytes wait for the disk, or for what may stand in them."""
        return self._page.held + (len(msgspec.json.encode(self._held)) if self._held else 0)

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
        self._page.end()

    def append(self, body: Mapping[str, Any]) -> None:
        if self._ended:
            return
        if self._held is not None:
            self._held.append(body)
            return
        line = msgspec.json.encode({"seq": self._seq, **body})
        self._sum = chain(self._sum, line)
        self._seq += 1
        self._page.put(line[:-1] + b',"sum":"' + self._sum.encode() + b'"}')

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
        """Wait until all of it so far is on the disk; False when the disk refused, or took too long."""
        self.release()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._page.ask(lambda: _tell(loop, done))
        until = time.monotonic() + DURABLE_S  # a disk's time is the wall's, whatever the loop's clock says
        while not done.done() and time.monotonic() < until:
            await asyncio.wait([done], timeout=LOOK_S)
        return done.done() and not self.failed


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None]) -> None:
    with contextlib.suppress(RuntimeError):  # a disk may take longer than the loop lives
        loop.call_soon_threadsafe(_settle, done)


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def chain(previous: str, line: bytes) -> str:
    """The sum of a line (without its own `sum`) after the one with the sum `previous`."""
    return hashlib.sha256(previous.encode() + line).hexdigest()[:SUM_CHARACTERS]


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
        raise RecordError(_no_record(content))
    changed = b"\n" in content[good:]
    return Record(lines[0], tuple(lines[1:]), "end" in lines[-1], len(content) - good, changed)


def _no_record(content: bytes) -> str:
    """What this is instead of a record."""
    try:
        version = msgspec.json.decode(content.partition(b"\n")[0], type=dict[str, Any]).get("record")
    except msgspec.MsgspecError:
        version = None
    if isinstance(version, int) and version > RECORD_VERSION:
        return f"a newer vfc wrote this record (version {version}); this one reads version {RECORD_VERSION}"
    return f"this is not a call record of version {RECORD_VERSION}"


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
        except (msgspec.MsgspecError, RecursionError):
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


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


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
