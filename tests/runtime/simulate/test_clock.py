import asyncio
import hashlib
import threading
from pathlib import Path

import pytest

from runtime.simulate.clock import IdleLoop, hurried, idle


@pytest.mark.parametrize("speed", [1.0, 10.0, 1_000_000.0])
def test_sleeps_last_as_long_as_the_loop_s_clock_says(speed: float) -> None:
    """A sleep on a hurried loop lasts at least its length by that loop's clock."""

    async def slept() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(0.05)
        return loop.time() - before

    with asyncio.Runner(loop_factory=hurried(speed)) as runner:
        assert runner.run(slept()) >= 0.049


def test_an_hour_can_pass_in_a_test() -> None:
    """A time-out of an hour fires on a loop that is fast enough."""

    async def wait() -> None:
        async with asyncio.timeout(3600):
            await asyncio.get_running_loop().create_future()

    with asyncio.Runner(loop_factory=hurried(1_000_000)) as runner, pytest.raises(TimeoutError):
        runner.run(wait())


def test_work_takes_no_time_by_an_idle_clock() -> None:
    """A loop that computes does not age; one that waits ages by exactly what it waited for, and by a leap."""

    async def live() -> tuple[float, float, float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, IdleLoop)
        began = loop.time()
        sum(range(2_000_000))
        await asyncio.sleep(0)
        worked = loop.time() - began
        await asyncio.sleep(3)
        slept = loop.time() - began
        loop.leap(60)
        return worked, slept, loop.time() - began

    with asyncio.Runner(loop_factory=idle(1000)) as runner:
        worked, slept, leapt = runner.run(live())
    assert worked == 0
    assert slept == pytest.approx(3, abs=0.001)
    assert leapt == pytest.approx(63, abs=0.001)


def test_a_threads_work_takes_no_time_of_an_idle_clock() -> None:
    """What a thread of the loop's does is waited for: however long it takes, nothing times out meanwhile."""

    async def work() -> float:
        loop = asyncio.get_running_loop()
        began, done = loop.time(), threading.Event()
        job = asyncio.create_task(asyncio.to_thread(done.wait, 60))
        threading.Timer(0.05, done.set).start()
        async with asyncio.timeout(1):  # 20 ms of the wall's
            assert await job
        return loop.time() - began

    with asyncio.Runner(loop_factory=idle(50)) as runner:
        assert runner.run(work()) < 1


async def passed_while(done: asyncio.Future[None]) -> float:
    """How much time passes until this is done, on a loop whose timers never stop."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not done.done():  # noqa: ASYNC110 - there has to be a timer
        await asyncio.sleep(0.01)
    return loop.time() - began


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux tells what a thread does")
def test_a_thread_of_anybody_s_that_works_takes_no_time() -> None:
    """The clock stands while a thread computes that the loop knows nothing of, as a database's does."""

    async def live() -> float:
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def work() -> None:
            for _ in range(20):
                hashlib.pbkdf2_hmac("sha256", b"some", b"salt", 20_000)
            loop.call_soon_threadsafe(done.set_result, None)

        thread = threading.Thread(target=work)
        thread.start()
        passed = await passed_while(done)
        thread.join()
        return passed

    with asyncio.Runner(loop_factory=idle(1000)) as runner:
        assert runner.run(live()) < 20  # it would be more than 100
