"""What call records say about a rollout: one `Call` for each record, and the counts of the primary metric.

1. A call that was begun counts, also one that never came to its end: leaving out what failed would flatter.
2. Nothing a caller said is kept.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from runtime.gate.complaints import marked
from runtime.gate.terms import Counts
from runtime.record import RecordError, read

PLANNED: Final = frozenset({"caller_hangup", "assistant_hangup", "transferred"})

LIVE_S: Final = 3600  # a record without an end that nobody has written to for so long is of a call that broke


@dataclass(frozen=True, slots=True)
class Call:
    """One call by the assistant. `started`: UTC, RFC 3339. `waits_ms`: model and bridge, for each answer.

    `good`: it ended as one of the two sides meant it to, with the model there; `handed_off`: a person was
    rung; `negative`: the caller was displeased at the last turn; `complained`: on the call, by an intent that
    says so, or afterwards.
    """

    call_id: str
    started: str
    artifact: str
    outcome: str | None
    good: bool
    handed_off: bool
    negative: bool
    waits_ms: tuple[int, ...]
    complained: bool = False


class Records:
    """The records of one flow in a folder. Each is read once: what has ended changes no more, but for
    complaints, which come later. `complaints`: the intents by which a caller complains.
    """

    def __init__(
        self,
        folder: Path,
        flow: str,
        *,
        complaints: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.folder, self.flow, self._clock = folder, flow, clock
        self._complaints = frozenset(complaints)
        self._known: dict[Path, Call | None] = {}

    def calls(self, *, since: str = "", artifact: str = "") -> list[Call]:
        """The calls begun at or after `since` (of this artifact), oldest first.

        A record still being written is left for later.
        """
        found = _joined(call for path in sorted(self.folder.rglob("*.jsonl")) if (call := self._call(path)))
        later = marked(self.folder)
        found = [replace(one, complained=True) if one.call_id in later else one for one in found]
        chosen = [one for one in found if one.started >= since and artifact in ("", one.artifact)]
        return sorted(chosen, key=lambda call: (call.started, call.call_id))

    def _call(self, path: Path) -> Call | None:
        if path in self._known:
            return self._known[path]
        try:
            whole, call = _read(path, self.flow, self._complaints)
        except (OSError, RecordError):
            return None
        if not whole and self._clock() - path.stat().st_mtime < LIVE_S:
            return None
        self._known[path] = call
        return call


def _joined(parts: Iterable[Call]) -> list[Call]:
    """A call that went on after its stream broke has a record for each stream, and is one call: it ended as
    its last part did, and what happened in any part happened.
    """
    calls: dict[str, Call] = {}
    for part in sorted(parts, key=lambda one: one.started):
        before = calls.get(part.call_id)
        calls[part.call_id] = (
            part
            if before is None
            else replace(
                part,
                started=before.started,
                handed_off=before.handed_off or part.handed_off,
                waits_ms=before.waits_ms + part.waits_ms,
                complained=before.complained or part.complained,
            )
        )
    return list(calls.values())


def count(calls: Iterable[Call], metric: str) -> Counts:
    """How many of the calls ended with this outcome."""
    outcomes = [call.outcome for call in calls]
    return Counts(len(outcomes), sum(outcome == metric for outcome in outcomes))


def _read(path: Path, flow: str, complaints: Collection[str]) -> tuple[bool, Call | None]:
    """Whether the record will not change any more, and the call in it if it is one of this flow."""
    with path.open("rb") as file:
        header = _header(file.readline())
    if header is None or header["artifact"]["flow"] != flow:
        return header is not None, None
    record = read(path)
    return record.whole, call_of(record.header, record.lines, complaints)


def _header(line: bytes) -> Mapping[str, Any] | None:
    try:
        header = msgspec.json.decode(line)
        return header if isinstance(header["artifact"]["flow"], str) else None
    except (msgspec.MsgspecError, RecursionError, KeyError, TypeError):
        return None


def call_of(
    header: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], complaints: Collection[str] = ()
) -> Call:
    """One call from the lines of its record (without the header)."""
    end = lines[-1].get("end", {}) if lines else {}
    events = [line["event"] for line in lines if "event" in line]
    effects = [line["effect"] for line in lines if "effect" in line]
    notes = [line["note"] for line in lines if "note" in line]
    reports = [event.get("arguments", {}) for event in events if event["type"] == "TurnReported"]
    feelings = [report.get("sentiment") for report in reports]
    lost = any(event["type"] == "SessionLost" and event.get("final") for event in events)
    waits = [note["model_ms"] + note["bridge_ms"] for note in notes if note["kind"] == "latency"]
    return Call(
        call_id=header["call_id"],
        started=header["started"],
        artifact=header["artifact"]["hash"],
        outcome=end.get("outcome"),
        good=end.get("reason") in PLANNED and not lost,
        handed_off=any(effect["type"] == "Transfer" for effect in effects),
        negative=bool(feelings) and feelings[-1] == "negative",
        waits_ms=tuple(waits),
        complained=any(report.get("intent") in complaints for report in reports),
    )
