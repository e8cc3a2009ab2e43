"""The calls beside a broken one are really looked at."""

import asyncio

import pytest

from tests.faults.bed import OTHERS, Bed, live
from tests.faults.beside import ADDED_MS, late_ms
from tests.faults.conftest import Open

pytestmark = pytest.mark.faults


def test_the_calls_beside_it_are_live_all_the_while(bed: Open) -> None:
    """In ten seconds each line of theirs carries one call after another, every frame in its own instant."""

    async def work() -> Bed:
        async with bed() as one:
            assert one.beside.live == OTHERS
            await asyncio.sleep(10)
            assert one.beside.live >= OTHERS - 1
            return one

    made = live(work()).beside
    assert len(made.ended) >= 3 * OTHERS
    assert len(made.delays_ms) > 150 * len(made.ended)
    assert late_ms(made.delays_ms) <= ADDED_MS


def test_frames_that_come_late_are_told(bed: Open) -> None:
    """A model's peer of theirs that reads nothing for a third of a second is seen in their frames."""

    async def work() -> None:
        async with bed() as one:
            await asyncio.sleep(2)
            wires = list(one.beside.model._transports.values())
            for wire in wires:
                wire.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(0.3)
            for wire in wires:
                wire.resume_reading()  # type: ignore[attr-defined]

    with pytest.raises(AssertionError, match=" ms"):
        live(work())


def test_a_call_beside_it_that_is_lost_is_told(bed: Open) -> None:
    """A call of theirs that does not come to its own end is seen, too."""

    async def work() -> None:
        async with bed() as one:
            for wire in list(one.beside.model._transports.values()):
                wire.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(2)

    with pytest.raises(AssertionError, match="a call beside it"):
        live(work())
