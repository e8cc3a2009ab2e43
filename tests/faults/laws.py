"""The invariants I1 to I12 over everything a test left: records, the carrier's log, the model's log, the
ledger of deeds, the log lines, and what is still there when all is over.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from runtime import record
from runtime.audit import violations
from runtime.session.stand_in import StandIn
from runtime.simulate.line import Passed
from voiceflow_compiler.artifact import decode
from voiceflow_compiler.overlay import in_locale

OPEN = Path("/proc/self/fd")
SETTLES_S = 60


@dataclass(frozen=True)
class Event:
    """One event of the model's side, at the bed's clock."""

    at: float
    number: int
    way: str
    kind: str


@dataclass(frozen=True)
class Held:
    """What a process holds: tasks of the loop, open sockets."""

    tasks: int
    sockets: int

    @classmethod
    def now(cls) -> Held:
        opened = []
        for one in OPEN.iterdir():
            try:
                opened.append(str(one.readlink()))
            except OSError:
                continue  # the listing's own descriptor
        return cls(len(asyncio.all_tasks()), sum(link.startswith("socket:") for link in opened))


@dataclass
class Evidence:
    """What the sides saw. `found`: what they saw that must not be; `model`: every event of the model's, where
    it is kept.
    """

    found: list[str] = field(default_factory=list)
    model: list[Event] = field(default_factory=list)
    laid: set[Path] = field(default_factory=set)  # records that were there before
    log: str = ""  # of other processes
    _active: dict[int, set[str]] = field(default_factory=dict)

    def heard(self, passed: Iterable[Passed]) -> None:
        """A telephone's side of a call that is over."""
        self.found += generations(passed)

    def watch(self, stand_in: StandIn, *, keep: bool = False) -> None:
        """See what this model sees, sends and does."""
        loop = asyncio.get_running_loop()

        def watch(number: int, way: str, event: Mapping[str, Any]) -> None:
            if keep:
                self.model.append(Event(loop.time(), number, way, str(event.get("type"))))
            self.found += responses(self._active.setdefault(number, set()), way, event)

        stand_in.watch = watch

    async def settled(self, before: Held, within_s: float = SETTLES_S) -> None:
        """I11: everything that ends by itself may end; then nothing more is held than before."""
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + within_s, 0.01
        while (now := Held.now()).tasks > before.tasks or now.sockets > before.sockets:
            if loop.time() > until:
                self.found.append(f"I11: {now} is left of {before}")
                return
            await asyncio.sleep(pause_s)
            pause_s = min(1.0, pause_s * 2)
            gc.collect()


@contextmanager
def told() -> Iterator[list[Mapping[str, Any]]]:
    """Every log line from here on; each is also told as before."""
    lines: list[Mapping[str, Any]] = []

    def keep(logger: object, name: str, line: Any) -> Any:
        lines.append(dict(line))
        return line

    processors = structlog.get_config()["processors"]
    processors.insert(0, keep)
    try:
        yield lines
    finally:
        processors.remove(keep)


@asynccontextmanager
async def judged(
    folder: Path, secrets: Sequence[str], stand_in: StandIn | None = None, *, settles_s: float = SETTLES_S
) -> AsyncIterator[Evidence]:
    """What runs in here leaves evidence; nothing in it may break an invariant. `folder`: where the records
    are; `secrets`: what no log line may hold, the first of them no file either.
    """
    evidence, before = Evidence(laid=records(folder)), Held.now()
    if stand_in is not None:
        evidence.watch(stand_in)
    with told() as lines:
        yield evidence
    await evidence.settled(before, settles_s)
    found = list(broken(folder, evidence, lines, secrets))
    assert not found, found


def broken(
    folder: Path, evidence: Evidence, lines: Sequence[Mapping[str, Any]], secrets: Sequence[str]
) -> Iterator[str]:
    """Every invariant that was broken in one bed, in a line each."""
    for path in sorted(records(folder) - evidence.laid):
        yield from (f"{path.name}: {line}" for line in judge(folder, record.read(path)))
    yield from _deeds(folder)
    yield from evidence.found
    yield from _secrets(folder, json.dumps(list(lines), default=str) + evidence.log, secrets)


def records(folder: Path) -> set[Path]:
    """Every call's record."""
    return set((folder / "records" / "calls").glob("*.jsonl"))


def judge(folder: Path, kept: record.Record) -> Iterator[str]:
    """What one record breaks, read against the flow the call began with."""
    header = kept.header["artifact"]
    whole = decode((folder / "records" / "artifacts" / f"{header['hash']}.json").read_bytes())
    yield from violations(kept, in_locale(whole, header["locale"]) if "locale" in header else whole)
    silences = [one["note"]["ms"] for one in kept.lines if one.get("note", {}).get("kind") == "dead_air"]
    yield from (f"dead air of {ms} ms" for ms in silences)


def _deeds(folder: Path) -> Iterator[str]:
    """I3: in the ledger of deeds each key stands once."""
    path = folder / "records" / "actions.jsonl"
    if path.exists():
        keys = Counter(json.loads(line)["idempotency_key"] for line in path.read_text().splitlines())
        yield from (f"I3: {times} deeds of one key" for times in keys.values() if times > 1)


def generations(passed: Iterable[Passed]) -> Iterator[str]:
    """I4: after the n-th clear only marks of a later generation, and so only audio that was sent after it. A
    stream counts its marks on; numbers that begin anew are another stream of the call.
    """
    newest = last = 0
    oldest = 1
    for one in passed:
        if one.what == "clear":
            oldest = newest + 1
        elif one.what == "mark":
            generation, number = (int(part) for part in one.name[1:].split(":"))
            if number <= last:
                newest, oldest = 0, 1
            last = number
            if generation < oldest:
                yield f"I4: a mark of generation {generation} after its clear"
            newest = max(newest, generation)


def responses(active: set[str], way: str, event: Mapping[str, Any]) -> Iterator[str]:
    """I5: a response is asked for only while no other one of the conversation is under way. `active`: those
    of this connection.
    """
    kind = event.get("type")
    if way == "out" and kind in ("response.created", "response.done"):
        response = event["response"]
        if response.get("conversation_id") is not None:
            (active.add if kind == "response.created" else active.discard)(response["id"])
    asked = way == "in" and kind == "response.create"
    if asked and active and event.get("response", {}).get("conversation") != "none":
        yield "I5: a response was asked for while another was under way"


def _secrets(folder: Path, said: str, secrets: Sequence[str]) -> Iterator[str]:
    """I10: what is secret is in no log line and no file; what is personal is in no log line."""
    yield from ("I10: something private is in a log line" for secret in secrets if secret in said)
    for path in folder.rglob("*"):
        if path.is_file() and secrets[0].encode() in path.read_bytes():
            yield f"I10: a key is in {path.name}"
