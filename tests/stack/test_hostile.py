"""Whole calls with a model that does anything: any tool, any argument, any words, at any time."""

import asyncio
from pathlib import Path

import pytest

from runtime.audit import traced, unanswered_calls, violations
from runtime.engine import effects as fx
from runtime.record import Record
from runtime.session.stand_in import StandIn, hostile_policy
from runtime.simulate.clock import idle
from tests.flows.shipped import CALLERS, FLOWS, artifact, caller
from tests.stack.world import open_world

SPEED = 50.0
AT_ONCE = 5
MOST_S = 1500  # by the call's own clock: more than any of the flows allows a call

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("flow", FLOWS)
def test_the_laws_hold_whatever_the_model_does(tmp_path: Path, flow: str) -> None:
    """Every call ends, replays from its record, and broke no law of the engine, with every caller of the
    flow."""
    names = [name for of, name in CALLERS if of == flow]

    async def calls() -> list[Record]:
        lines = asyncio.Semaphore(AT_ONCE)
        stand_in = StandIn(policy=hostile_policy(len(flow)), voice="tones")
        async with open_world(flow, tmp_path, stand_in) as world:

            async def one(name: str):
                async with lines, asyncio.timeout(MOST_S):
                    return await world.call(caller(flow, name))

            ended = await asyncio.gather(*(one(name) for name in names))
            await world.running.drain(60_000)
        return [world.record(each) for each in ended]

    with asyncio.Runner(loop_factory=idle(SPEED)) as runner:
        records = runner.run(calls())
    for name, record in zip(names, records, strict=True):
        assert record.whole, name
        assert not list(violations(record, artifact(flow))), name
        call = traced(artifact(flow), record.lines)
        assert not unanswered_calls(call), name
        assert call.trace[-1][-1].phase == "ended", name
        assert not any(line.get("note", {}).get("kind") == "internal_error" for line in record.lines), name
    assert sum(len(traced(artifact(flow), each.lines).effects(fx.Flag)) for each in records) > len(names)
