"""The invariants I1 to I12 over everything a test left: records, the carrier's log, the model's log, the
ledger of deeds, the log lines, and what is still there when all is over.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtime import record
from runtime.audit import violations
from runtime.simulate.line import Passed
from voiceflow_compiler.artifact import Artifact, decode

OPEN = Path("/proc/self/fd")


@dataclass(frozen=True)
class Event:
    """One event of the model's side, at the bed's clock."""

    at: float
    number: int
    way: str
    kind: str
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Held:
    """What a process holds: tasks of the loop, open sockets."""

    tasks: int
    sockets: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        opened = []
        for one in OPEN.iterdir():
            try:
                opened.append(str(one.readlink()))
            except OSError:
                continue  # the listing's own descriptor
        return cls(len(asyncio.all_tasks()), sum(link.startswith("socket:") for link in opened))


@dataclass
class Evidence:
    """What the sides of one bed saw."""

    passed: list[tuple[Passed, ...]] = field(default_factory=list)
    model: list[Event] = field(default_factory=list)
    left: str = ""

    def idle(self) -> Held:
        return Held.now()

    async def settled(self, before: Held) -> None:
        """I11: everything that ends by itself may end; then nothing more is held than before."""
        now = before
        for _ in range(20):
            now = Held.now()
            if now.tasks <= before.tasks and now.sockets <= before.sockets:
                return
            await asyncio.sleep(1)
        self.left = f"I11: {now} is left of {before}"


def broken(
    folder: Path, artifact: Artifact, evidence: Evidence, lines: list[Mapping[str, Any]], secrets: list[str]
) -> Iterator[str]:
    """Every invariant that was broken in one bed, in a line each."""
    for path in sorted((folder / "records" / "calls").glob("*.jsonl")):
        kept = record.read(path)
        for line in violations(kept, _served(folder, kept, artifact)):
            yield f"{path.name}: {line}"
        silences = [one["note"]["ms"] for one in kept.lines if one.get("note", {}).get("kind") == "dead_air"]
        yield from (f"{path.name}: dead air of {ms} ms" for ms in silences)
    yield from _deeds(folder)
    for passed in evidence.passed:
        yield from _generations(passed)
    yield from _responses(evidence.model)
    yield from _secrets(folder, lines, secrets)
    if evidence.left:
        yield evidence.left


def _served(folder: Path, kept: record.Record, artifact: Artifact) -> Artifact:
    """What the call began with: the bed's flow, or a version that came later."""
    content_hash = kept.header["artifact"]["hash"]
    if content_hash == artifact.content_hash:
        return artifact
    return decode((folder / "records" / "artifacts" / f"{content_hash}.json").read_bytes())


def _deeds(folder: Path) -> Iterator[str]:
    """I3: in the ledger of deeds each key stands once."""
    path = folder / "records" / "actions.jsonl"
    if path.exists():
        keys = Counter(json.loads(line)["idempotency_key"] for line in path.read_text().splitlines())
        yield from (f"I3: {times} deeds of one key" for times in keys.values() if times > 1)


def _generations(passed: tuple[Passed, ...]) -> Iterator[str]:
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


def _responses(model: list[Event]) -> Iterator[str]:
    """I5: a response is asked for only while no other one of the conversation is under way."""
    active: dict[int, set[str]] = {}
    for one in model:
        under_way = active.setdefault(one.number, set())
        if one.way == "out" and one.kind in ("response.created", "response.done"):
            response = one.event["response"]
            if response.get("conversation_id") is not None:
                (under_way.add if one.kind == "response.created" else under_way.discard)(response["id"])
        asked = one.way == "in" and one.kind == "response.create"
        if asked and under_way and one.event.get("response", {}).get("conversation") != "none":
            yield "I5: a response was asked for while another was under way"


def _secrets(folder: Path, lines: list[Mapping[str, Any]], secrets: list[str]) -> Iterator[str]:
    """I10: what is secret is in no log line and no file; what is personal is in no log line."""
    said = json.dumps(lines, default=str)
    yield from ("I10: something private is in a log line" for secret in secrets if secret in said)
    for path in folder.rglob("*"):
        if path.is_file() and secrets[0].encode() in path.read_bytes():
            yield f"I10: the model's key is in {path.name}"
