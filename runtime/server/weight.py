"""How much memory this process holds, against a bound: past it the process takes no further call.

1. What a call may hold is bounded by itself (runtime/call/budget.py); this is the net behind all of them.
2. Nothing is ended for it: live calls go on, and calls are taken again once there is room.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from runtime.ports import Alert

EVERY_S: Final = 1.0
SHARE: Final = 0.8  # of the machine, where the settings name no bound
MB: Final = 1024 * 1024
STATM: Final = Path("/proc/self/statm")
# What a container may use: cgroup version 2, then version 1. No file, or `max`: no bound.
CONTAINER: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def resident() -> int:
    """How many bytes of memory this process has now; 0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def machine() -> int:
    """How many bytes there are for all of this machine, or of this container."""
    most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in CONTAINER:
        with suppress(OSError, ValueError):
            most = min(most, int(path.read_text()))
    return most


def bound(memory_mb: int, workers: int) -> int:
    """How many bytes one process may hold: what `limits.memory_mb` says, or its part of the machine."""
    return memory_mb * MB if memory_mb else int(machine() * SHARE) // workers


class Weight:
    """Weighs the process once a second until closed."""

    def __init__(self, alert: Alert, most: int, weigh: Callable[[], int] = resident) -> None:
        """`most`: so many bytes are too many."""
        self._alert, self._most, self._weigh = alert, most, weigh
        self.over = weigh() > most
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        told = False
        while True:
            self.over = (held := self._weigh()) > self._most
            if self.over and not told:
                self._alert("worker.memory", detail=f"{held // MB}mb")
            told = self.over
            await asyncio.sleep(EVERY_S)
