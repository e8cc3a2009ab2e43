"""The checker of a test's logs notices each thing it is there to notice, and nothing else.

What is read off a record alone (I1 to I3, I6 to I9, I12) is planted in tests/runtime/test_audit.py.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from runtime.record import Header, Recorder
from runtime.simulate.line import Passed
from tests.faults.bed import FLOW, artifact_of
from tests.faults.laws import Evidence, broken, judged, responses
from voiceflow_compiler.artifact import encode

pytestmark = pytest.mark.faults
SECRET, NUMBER = "a key of nobody's", "+12025550177"
Plant = Callable[[Path, Evidence], Any]


async def lay(folder: Path, *, reason: str = "caller_hangup") -> None:
    """A record of a call that began nowhere: it ends, and that is all of it."""
    artifact = artifact_of(FLOW)
    kept = folder / "records" / "artifacts" / f"{artifact.content_hash}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(encode(artifact))
    header = Header("CA1", "2026-01-01T00:00:00Z", artifact.content_hash, artifact.flow, "1")
    recorder = Recorder(folder / "records" / "calls" / "CA1.jsonl", header)
    recorder.end(900, reason, None)
    await recorder.durable()


def deeds(folder: Path, *keys: str) -> None:
    path = folder / "records" / "actions.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"idempotency_key": key}) + "\n" for key in keys))


def passed(*told: str) -> list[Passed]:
    """What a telephone saw: clears, and marks by their names."""
    return [Passed(0, "clear" if one == "clear" else "mark", one, 0, 0) for one in told]


def created(name: str, kind: str = "response.created") -> dict[str, Any]:
    return {"type": kind, "response": {"id": name, "conversation_id": "c"}}


def leave(_: Path, __: Evidence) -> Any:
    return asyncio.create_task(asyncio.Event().wait())


PLANTS: dict[str, Plant] = {
    "I1": lambda folder, _: lay(folder, reason="bored"),
    "I3": lambda folder, _: deeds(folder, "k", "k"),
    "I4": lambda _, evidence: evidence.heard(passed("g1:1", "clear", "g1:2")),
    "I5": lambda _, evidence: evidence.found.extend(responses({"r1"}, "in", {"type": "response.create"})),
    "I10: something private": lambda _, __: structlog.get_logger().info("x", number=NUMBER),
    "I10: a key": lambda folder, _: (folder / "left").write_text(f"x{SECRET}x"),
    "I11": leave,
}


@pytest.mark.parametrize("law", PLANTS)
async def test_what_is_planted_is_told(tmp_path: Path, log_lines: list[Any], law: str) -> None:
    """Each invariant that other logs than the record show is told when it is broken, by its name."""
    left: list[Any] = []

    async def plant() -> None:
        async with judged(tmp_path, [SECRET, NUMBER], settles_s=0) as evidence:
            left.append(PLANTS[law](tmp_path, evidence))
            if asyncio.iscoroutine(left[0]):
                await left[0]

    with pytest.raises(AssertionError, match=law):
        await plant()
    if isinstance(left[0], asyncio.Task):
        left[0].cancel()


async def test_nothing_is_told_of_what_is_well(tmp_path: Path, log_lines: list[Any]) -> None:
    """A good record, each deed once, marks in order, one response after another and clean logs."""
    async with judged(tmp_path, [SECRET, NUMBER]) as evidence:
        await lay(tmp_path)
        deeds(tmp_path, "k", "l")
        evidence.heard(passed("g1:1", "clear", "g2:2", "g2:3", "clear", "clear", "g3:4", "g1:1"))
        structlog.get_logger().info("x", number="42")


def test_a_response_after_the_last_one_is_done_is_well() -> None:
    """A response may be asked for once the one before is done, and beside the conversation at any time."""
    active: set[str] = set()
    asked = {"type": "response.create"}
    beside = {"type": "response.create", "response": {"conversation": "none"}}
    seen = [("out", created("r1")), ("in", beside), ("out", created("r1", "response.done")), ("in", asked)]
    assert not [line for way, event in seen for line in responses(active, way, event)]


async def test_records_that_were_there_before_are_not_judged(tmp_path: Path) -> None:
    """What another one left in the folder is not this test's."""
    await lay(tmp_path, reason="bored")
    laid = set((tmp_path / "records" / "calls").glob("*.jsonl"))
    assert not list(broken(tmp_path, Evidence(laid=laid), [], [SECRET]))
