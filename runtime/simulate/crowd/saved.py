"""A simulated call as a call record, which replays like any other."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import msgspec

from runtime.record import RECORD_VERSION, chain
from runtime.simulate.drive.steps import CALL_ID, Moment
from voiceflow_compiler.artifact import Artifact


def save(artifact: Artifact, moments: Sequence[Moment], path: Path) -> None:
    """Write the record of these steps. Raises OSError."""
    kept = {"hash": artifact.content_hash, "flow": artifact.flow, "version": artifact.flow_version}
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    bodies: list[dict[str, object]] = [
        {"record": RECORD_VERSION, "call_id": CALL_ID, "started": started, "artifact": kept}
    ]
    for moment in moments:
        at_ms = moment.event.at_ms
        bodies.append({"at_ms": at_ms, "event": moment.event})
        bodies += ({"at_ms": at_ms, "effect": effect} for effect in moment.effects)
    last = moments[-1]
    ended = {"reason": "simulated", "outcome": last.after.outcome or None}
    bodies.append({"at_ms": last.event.at_ms, "end": ended})
    lines, previous = [], ""
    for seq, body in enumerate(bodies):
        line = msgspec.json.encode({"seq": seq, **body})
        previous = chain(previous, line)
        lines.append(line[:-1] + b',"sum":"' + previous.encode() + b'"}\n')
    path.write_bytes(b"".join(lines))
