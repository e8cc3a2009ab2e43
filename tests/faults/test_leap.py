"""Row 52: the clock of the wall leaps while a call lives."""

import asyncio
import time

import pytest

from tests.faults.bed import BOOKS, DISCLOSURE, GOODBYE, QUESTION, Bed, Placed, live
from tests.faults.conftest import Open

pytestmark = pytest.mark.faults

HOUR_S = 3600.0
SAME_MS = 1000  # waiting for a real disk moves the bed's clock, too


@pytest.mark.parametrize("leap_s", [HOUR_S, -HOUR_S, 1.0, -86_400.0], ids=["+1h", "-1h", "+1s", "-1d"])
def test_row_52_a_leap_of_the_clock_is_not_heard(
    bed: Open, monkeypatch: pytest.MonkeyPatch, leap_s: float
) -> None:
    """The wall's clock is set between two words of a call, and set back: no word comes more than a second
    away from when it comes without that, the call is booked, and one that begins in between is as well."""
    true_s, true_ns = time.time, time.time_ns

    def set_to(off_s: float) -> None:
        monkeypatch.setattr(time, "time", lambda: true_s() + off_s)
        monkeypatch.setattr(time, "time_ns", lambda: true_ns() + int(off_s * 1e9))

    async def leaps() -> tuple[Bed, list[Placed]]:
        async with bed() as one:
            usual = await one.call(BOOKS)
            first = asyncio.create_task(one.call(BOOKS))
            await one.begun(2)
            set_to(leap_s)
            await asyncio.sleep(1)
            second = asyncio.create_task(one.call(BOOKS))
            await asyncio.sleep(1)
            set_to(0.0)
            made = [usual, await first, await second]
        return one, [later() for later in made]

    _, (usual, *others) = live(leaps())
    for call in others:
        assert call.outcome == "booked"
        for words in (DISCLOSURE, QUESTION, GOODBYE):
            heard, expected = call.at(words), usual.at(words)
            assert heard is not None
            assert expected is not None
            assert abs(heard - expected) <= SAME_MS, words
