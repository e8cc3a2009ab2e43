"""An event loop whose clock runs faster than the wall, so that a whole call in one process takes a fraction
of its length.

Everything in the process that reads time from the loop (sleeps, timeouts, `loop.time()`) sees the same fast
clock, so the order of things on a call stays as it is; what only takes CPU time seems slower by the same
factor.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable


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
