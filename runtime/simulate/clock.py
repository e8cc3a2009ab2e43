"""An event loop whose clock runs faster than the wall, so that a whole call in one process takes a fraction
of its length.

Everything in the process that reads time from the loop (sleeps, timeouts, `loop.time()`) sees the same fast
clock, so the order of things on a call stays as it is; what only takes CPU time seems slower by the same
factor.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar, TypeVarTuple, Unpack

Taken = TypeVarTuple("Taken")
Given = TypeVar("Given")


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


class _Others:
    """The other threads of this process, as Linux tells of them; elsewhere nothing is known."""

    def __init__(self) -> None:
        self._told: dict[int, int] = {}  # a thread's id in the system, and where its state is read

    def at_work(self) -> bool:
        """Whether one of them runs, would run if there were a processor, or waits for a disk."""
        return any(self._state(one.native_id) in b"RD" for one in threading.enumerate())

    def _state(self, thread: int | None) -> bytes:
        if thread is None or thread == threading.get_native_id():
            return b"S"
        try:
            if thread not in self._told:
                self._told[thread] = os.open(f"/proc/self/task/{thread}/stat", os.O_RDONLY)
            stat = os.pread(self._told[thread], 128, 0)  # "id (name) state ...", and a name may hold anything
        except OSError:
            self._forget(thread)
            return b"S"
        return stat[stat.rindex(b")") + 2 :][:1]

    def _forget(self, thread: int) -> None:
        if thread in self._told:
            os.close(self._told.pop(thread))

    def close(self) -> None:
        for thread in list(self._told):
            self._forget(thread)


# By an idle clock: how much may pass before it is looked again whether a thread has something to do, at least
# and as a part of what is to be waited.
LEAST_STEP_S, STEP = 0.02, 0.05
# In real time: how often it is looked while one has; how long a thread may work, and wait for something,
# before it takes the time that it takes.
LOOK_S, WORKS_S, WAITS_S = 0.000_3, 5.0, 1.0
FINE_S = 0.001  # a selector waits for whole milliseconds


class _IdleSelector(selectors.DefaultSelector):
    """Tells its loop how much time passed: none while there is something to do."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed
        self._others = _Others()
        self._since = 0.0  # when in the world it was first seen that threads have something to do; 0: not
        self._lent = 0  # pieces of work that the loop gave to threads
        self.passed = 0.0

    def lend(self) -> None:
        """A thread was given work that the loop waits for."""
        self._lent += 1
        self._since = 0.0

    def given_back(self, _: object) -> None:
        """It is done, or nobody waits for it any more."""
        self._lent -= 1

    def close(self) -> None:
        super().close()
        self._others.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return super().select(None)  # no timer is set: whatever comes, no time has to pass for it
        patience_s = WORKS_S if self._others.at_work() else WAITS_S if self._lent else 0.0
        if not patience_s:
            self._since = 0.0
            return self._wait(min(timeout, max(LEAST_STEP_S, timeout * STEP)), self._speed)
        now = time.monotonic()
        self._since = self._since or now
        if now - self._since > patience_s:
            return self._wait(min(timeout, LEAST_STEP_S), 1.0)
        time.sleep(LOOK_S)
        return super().select(0)

    def _wait(self, seconds: float, pace: float) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        real = max(0.0, seconds) / pace
        if real < FINE_S:
            time.sleep(real)
        ready = super().select(real if real >= FINE_S else 0)
        waited = (time.monotonic() - began) * pace
        self.passed += min(seconds, waited) if ready else seconds
        return ready


class IdleLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while anything runs, and goes `speed` times as fast while all
    wait.

    What a test measures by it is the program's own waiting, on however busy a machine. Threads of the process
    are waited for as well: no time passes while one works (where Linux tells) or does what the loop gave it,
    but for one that takes seconds: then the clock goes as the world's does. Other processes are not waited
    for: what they do takes its real time, `speed` times as long by this clock.
    """

    def __init__(self, speed: float) -> None:
        self._idle = _IdleSelector(speed)
        super().__init__(self._idle)

    def time(self) -> float:
        """Seconds of waiting so far."""
        return 1000.0 + self._idle.passed

    def leap(self, seconds: float) -> None:
        """Let time pass at once; what was due meanwhile is due now."""
        self._idle.passed += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Taken]], Given], *args: *Taken
    ) -> asyncio.Future[Given]:
        """As any loop does, counting what is not done yet."""
        done = super().run_in_executor(executor, func, *args)
        self._idle.lend()
        done.add_done_callback(self._idle.given_back)
        return done


def idle(speed: float) -> Callable[[], asyncio.AbstractEventLoop]:
    """A loop factory for `asyncio.Runner`: time passes only while there is nothing to do."""
    return lambda: IdleLoop(speed)


def paced(speed: float) -> Callable[[], asyncio.AbstractEventLoop]:
    """A loop factory for `asyncio.Runner`: the world's own time at 1; faster, it stands while anything runs,
    so that a busy machine changes no call.
    """
    return idle(speed) if speed > 1 else hurried(speed)
