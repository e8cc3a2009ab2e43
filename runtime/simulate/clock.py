"""An event loop whose clock runs faster than the wall, so that a whole call in one process takes a fraction
of its length.

Everything in the process that reads time from the loop (sleeps, timeouts, `loop.time()`) sees the same fast
clock, so the order of things on a call stays as it is; what only takes CPU time seems slower by the same
factor.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Any, Final

WORK_S: Final = (
    1.0  # of the wall's: a thread that takes longer is waiting for something, perhaps for our clock
)


class _HurriedSelector(selectors.DefaultSelector):
    """Waits `1 / speed` of what it is asked to wait."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None or timeout <= 0 else timeout / self._speed)


class HurriedLoop(asyncio.SelectorEventLoop):
    """An event loop in which `speed` seconds pass in one second."""

    def __init__(self, speed: float) -> None:
        super().__init__(_HurriedSelector(speed))
        self._speed = speed

    def time(self) -> float:
        """Seconds by the loop's own clock."""
        return super().time() * self._speed


def hurried(speed: float) -> Callable[[], asyncio.AbstractEventLoop]:
    """A loop factory for `asyncio.Runner`: 1 is real time."""
    return lambda: HurriedLoop(speed)


class _IdleSelector(selectors.DefaultSelector):
    """Tells its loop how much time passed: none while there is something to do."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed
        self.passed = 0.0
        self._jobs = 0
        self._begun = 0.0

    def job_begins(self) -> None:
        """A thread has been given work that the loop waits for."""
        self._jobs += 1
        self._begun = time.monotonic()

    def job_ends(self, _: object) -> None:
        """It is done, or nobody waits for it any more."""
        self._jobs -= 1

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return super().select(None)  # no timer is set: whatever comes, no time has to pass for it
        left = WORK_S - (time.monotonic() - self._begun) if self._jobs else 0.0
        if left > 0 and (ready := super().select(left)):
            return ready  # a thread's work took no time
        began = time.monotonic()
        ready = super().select(max(0.0, timeout) / self._speed)
        waited = (time.monotonic() - began) * self._speed
        self.passed += min(timeout, waited) if ready else timeout
        return ready


class IdleLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while anything runs, and goes `speed` times as fast while all
    wait.

    What a test measures by it is the program's own waiting, on however busy a machine. Work that was given to
    a thread of the loop's takes no time either. Other threads and processes are not waited for: theirs is the
    real time, `speed` times as long by this clock.
    """

    def __init__(self, speed: float) -> None:
        self._idle = _IdleSelector(speed)
        super().__init__(self._idle)

    def time(self) -> float:
        """Seconds of waiting so far."""
        return 1000.0 + self._idle.passed

    def run_in_executor(  # type: ignore[override]  # the stub's is generic in the arguments
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """As any loop does it; until it is done no time passes."""
        job = super().run_in_executor(executor, func, *args)
        self._idle.job_begins()
        job.add_done_callback(self._idle.job_ends)
        return job

    def leap(self, seconds: float) -> None:
        """Let time pass at once; what was due meanwhile is due now."""
        self._idle.passed += seconds


def idle(speed: float) -> Callable[[], asyncio.AbstractEventLoop]:
    """A loop factory for `asyncio.Runner`: time passes only while there is nothing to do."""
    return lambda: IdleLoop(speed)
