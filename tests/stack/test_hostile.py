"""Whole calls with a model that does anything: any tool, any argument, any words, at any time."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from runtime.engine import effects as fx
from runtime.engine import events as ev
from runtime.engine.slots import slot_value
from runtime.engine.step import start, step
from runtime.record import Record, replay
from runtime.session.stand_in import StandIn, hostile_policy
from runtime.simulate.clock import hurried
from tests.flows.shipped import CALLERS, FLOWS, artifact, caller
from tests.runtime.engine.world import MONITORS, Call
from tests.runtime.engine.world import wrong_values as of_another_flow
from tests.stack.world import open_world

SPEED = 8.0
AT_ONCE = 5
MOST_S = 1500  # by the call's own clock: more than any of the flows allows a call

pytestmark = pytest.mark.faults


def wrong_values(call: Call) -> list[str]:
    """Law 4: slots that hold what their own type would refuse."""
    slots = call.artifact.slots
    return [
        name
        for _, _, state in call.trace
        for name, held in state.slots.items()
        if slot_value(slots[name], held.value) != held.value
    ]


LAWS = (*(each for each in MONITORS if each is not of_another_flow), wrong_values)


def traced(flow: str, record: Record) -> Call:
    """The call as the engine saw it, state by state, from its record."""
    call = Call(artifact(flow))
    for line in record.lines:
        if "event" in line:
            event = msgspec.convert(line["event"], ev.Event)
            begins = isinstance(event, ev.CallStarted)
            state, effects = start(call.artifact, event) if begins else step(call.artifact, call.state, event)
            call.state = state
            call.trace.append((event, effects, state))
    return call


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

    with asyncio.Runner(loop_factory=hurried(SPEED)) as runner:
        records = runner.run(calls())
    for name, record in zip(names, records, strict=True):
        assert record.whole, name
        assert replay(artifact(flow), record.lines) is None, name
        call = traced(flow, record)
        assert call.ended, name
        assert not any(line.get("note", {}).get("kind") == "internal_error" for line in record.lines), name
        for law in LAWS:
            assert not law(call), (name, law.__name__)
    assert sum(len(traced(flow, each).effects(fx.Flag)) for each in records) > len(names)
