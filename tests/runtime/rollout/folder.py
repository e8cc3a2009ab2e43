"""A deployment's folder for tests: settings, an artifact, a store with a pilot, and records of its calls."""

import asyncio
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from runtime.record import chain
from runtime.rollout.keep import read, write
from runtime.rollout.stages import Rollout
from runtime.settings import load
from runtime.store import Store, open_store, store_url
from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.pipeline import compile as compile_flow

FLOWS = Path(__file__).parents[3] / "flows"
METRIC = "qualified_lead"
GOOD = ({"note": {"kind": "latency", "turn_id": "t1", "model_ms": 400, "bridge_ms": 3}},)
LOCAL = {
    "telephony.insecure": True,
    "model.base_url": "http://127.0.0.1/v1",
    "public_url": "http://127.0.0.1",
}


@cache
def artifact() -> Artifact:
    compiled = compile_flow(str(FLOWS / "lead_qualification" / "flow.yaml")).artifact
    assert compiled is not None
    return compiled


def lay_out(folder: Path) -> Path:
    """Settings and the artifact; the path of the artifact."""
    (folder / "vfc.toml").write_text('records = "records"\n[rollout]\nhuman_number = "+12025550190"\n')
    path = folder / "flow.json"
    from voiceflow_compiler.artifact import encode

    path.write_bytes(encode(artifact()))
    return path


def record(
    folder: Path,
    name: str,
    outcome: str | None,
    *more: Mapping[str, Any],
    reason: str | None = "caller_hangup",
    started: str = "2026-11-22T10:00:00.000+00:00",
) -> None:
    """One whole call record, or one without an end (`reason` None)."""
    made = artifact()
    header = {"hash": made.content_hash, "flow": made.flow, "version": made.flow_version}
    bodies: list[Mapping[str, Any]] = [{"record": 1, "call_id": name, "started": started, "artifact": header}]
    bodies += [{"at_ms": 0, **one} for one in (*GOOD, *more)]
    if reason is not None:
        bodies.append({"at_ms": 1, "end": {"reason": reason, "outcome": outcome}})
    previous, content = "", b""
    for seq, body in enumerate(bodies):
        line = msgspec.json.encode({"seq": seq, **body})
        previous = chain(previous, line)
        content += line[:-1] + b',"sum":"' + previous.encode() + b'"}\n'
    path = folder / "records" / "calls" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def good_calls(folder: Path, calls: int = 320, every: int = 2) -> None:
    """A stage's worth of calls, of which one in `every` reached the metric."""
    for number in range(calls):
        record(folder, f"CA{number:04}", METRIC if number % every == 0 else "nothing")


async def opened(folder: Path) -> Store:
    return await open_store(store_url(load(folder / "vfc.toml", {}, LOCAL)))


def put(folder: Path, state: Rollout) -> None:
    """Bring a fresh rollout into the folder's store."""

    async def within() -> None:
        store = await opened(folder)
        await write(store, None, state)
        await store.close()

    asyncio.run(within())


def kept(folder: Path, flow: str) -> Rollout:
    """The rollout as the folder's store has it."""

    async def within() -> Rollout | None:
        store = await opened(folder)
        state = await read(store, flow)
        await store.close()
        return state

    found = asyncio.run(within())
    assert found is not None
    return found


def told(output: str) -> dict[str, Any]:
    """What a command said with `--format json`."""
    value: dict[str, Any] = json.loads(output)
    return value
