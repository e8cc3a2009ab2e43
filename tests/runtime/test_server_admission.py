"""Which calls are taken: the places, the pace of the machine, and the bounds for numbers and days."""

import asyncio
import time
from pathlib import Path

import pytest

from runtime.server.pulse import Pulse
from tests.runtime.switchboard import (
    CALL,
    CALLER,
    OTHER_CALL,
    OTHER_CALLER,
    Switchboard,
    form,
    open_switchboard,
)

PERSON = '[telephony]\nfallback_number = "+15005550009"\n'
pytestmark = pytest.mark.faults


def call_id(number: int) -> str:
    """One of many calls."""
    return f"CA{number:032}"


async def said(board: Switchboard, fields: dict[str, str]) -> str:
    """What a caller hears who gets no stream; empty for one who does."""
    document = await board.ask("/twilio/voice", fields)
    return "" if document.find("Connect") is not None else document.findtext("Say") or ""


async def declined(board: Switchboard, caller: str) -> None:
    """Wait until a further call of this number is declined: the index is written behind the calls' backs."""
    async with asyncio.timeout(90):
        for one in range(100, 1000):
            if "busy" in await said(board, form(call_id(one), caller)):
                return


async def test_row_57_a_burst_is_answered_at_once(tmp_path: Path) -> None:
    """Of a hundred calls at once as many as there are places are taken; every other one hears that the lines
    are busy and is led to a person, within the time a telephone waits."""
    async with open_switchboard(tmp_path, toml=f"[limits]\ncalls = 25\n{PERSON}") as board:
        await board.answer(form(call_id(9999)))  # the first request of a server costs what later ones do not
        before = time.process_time()
        asked = [board.ask("/twilio/voice", form(call_id(one), f"+1202555{one:04}")) for one in range(100)]
        documents = await asyncio.gather(*asked)
        spent = time.process_time() - before
        taken = [one for one in documents if one.find("Connect") is not None]
        shed = [one for one in documents if one.find("Connect") is None]
        assert (len(taken), len(shed)) == (24, 76)
        assert all("busy" in (one.findtext("Say") or "") for one in shed)
        assert all(one.findtext("Dial/Number") == "+15005550009" for one in shed)
        assert spent / 100 < 0.3  # CPU of both sides; a busy machine is not a slow answer


async def test_row_59_one_number_may_call_so_often(tmp_path: Path) -> None:
    """Past its bound a number hears that the lines are busy; another one, and one withheld, is taken."""
    async with open_switchboard(tmp_path, toml="[limits]\nnumber_per_hour = 2\ncalls = 1000") as board:
        for one in range(2):
            await board.answer(form(call_id(one)))
        await declined(board, CALLER)
        assert not await said(board, form(OTHER_CALL, OTHER_CALLER))
        assert not await said(board, form(call_id(50), "+266696687"))


async def test_a_day_takes_so_many_calls(tmp_path: Path) -> None:
    """The bound of a day holds for all numbers together."""
    async with open_switchboard(
        tmp_path, toml="[limits]\ncalls_per_day = 1\nnumber_per_hour = 0\ncalls = 1000"
    ) as board:
        await board.answer()
        await declined(board, OTHER_CALLER)


async def test_row_58_a_machine_that_is_too_slow_declines(tmp_path: Path) -> None:
    """While the event loop is steadily late no further call is taken; one hiccup changes nothing, and once
    the loop is in time calls are taken again."""
    async with open_switchboard(tmp_path, toml="[limits]\nlag_ms = 150") as board:
        pulse = board.running.calls.pulse
        assert pulse is not None
        pulse._late.extend([0.0] * 19 + [900.0])
        assert not await said(board, form(CALL, CALLER))
        pulse._late.extend([300.0] * 20)
        assert "busy" in await said(board, form(OTHER_CALL, OTHER_CALLER))
        pulse._late.extend([0.0] * 20)
        assert not await said(board, form(OTHER_CALL, OTHER_CALLER))


async def test_row_46_a_blocked_loop_names_the_place() -> None:
    """What held the loop up for longer than a quarter of a second is told, with its place and no value."""
    told: list[str] = []

    def alert(code: str, **about: str) -> None:
        told.append(code)

    pulse = Pulse(alert)
    seen: list[str] = []
    try:
        await asyncio.sleep(0.2)
        told.clear()  # of a machine that was busy meanwhile
        secret = "a caller's words"
        _stand_still(secret, pulse)
        seen.append(pulse._stack)
        async with asyncio.timeout(60):
            while not told:  # noqa: ASYNC110 - the beat that was late
                await asyncio.sleep(0.05)
    finally:
        await pulse.close()
    assert told[0] in ("loop.blocked", "loop.stuck")
    assert "_stand_still" in seen[0]
    assert secret not in seen[0]


def _stand_still(words: str, pulse: Pulse) -> None:
    """For most of a second, and until the thread that watches came to look."""
    time.sleep(0.7)
    for _ in range(600):
        if "_stand_still" in pulse._stack:
            break
        time.sleep(0.1)
