"""The pulse of the event loop: how late it is, and what held it up when it stood still.

1. A thread looks at the pulse, since a loop that stands still cannot. It tells the place, never a value.
2. Lag is the worst of the last second: what the next caller would feel.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from runtime.ports import Alert

log = structlog.get_logger()

EVERY_S: Final = 0.05
REMEMBERED: Final = 20  # one second
BLOCKED_S: Final = 0.25
BADLY_S: Final = 2.0
FRAMES: Final = 12


class Pulse:
    """Beats on the running loop until closed. `told` is called at every beat with the lag in milliseconds."""

    def __init__(self, alert: Alert, told: Callable[[float], None] = lambda lag_ms: None) -> None:
        self._alert, self._told = alert, told
        self._late: deque[float] = deque(maxlen=REMEMBERED)
        self._beat_s = time.monotonic()
        self._loop_thread = threading.get_ident()
        self._stack = ""
        self._done = threading.Event()
        self._task = asyncio.create_task(self._beat())
        self._thread = threading.Thread(target=self._watch, name="loop-watchdog", daemon=True)
        self._thread.start()

    @property
    def lag_ms(self) -> float:
        """How late the loop was at worst within the last second."""
        return max(self._late, default=0.0)

    @property
    def steady_lag_ms(self) -> float:
        """How late the loop was in three of four turns of the last second: one hiccup does not count."""
        late = sorted(self._late)
        return late[len(late) // 4] if len(late) == REMEMBERED else 0.0

    async def close(self) -> None:
        self._done.set()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._thread.join(timeout=1)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before, began = time.monotonic(), loop.time()
            await asyncio.sleep(EVERY_S)
            self._beat_s = time.monotonic()
            # A loop whose clock stands while it works (a simulation's) is not late, however busy the machine.
            late_s = max(0.0, min(self._beat_s - before, loop.time() - began) - EVERY_S)
            self._late.append(late_s * 1000)
            if late_s > BLOCKED_S:
                self._tell(late_s)
            self._told(self.lag_ms)

    def _tell(self, late_s: float) -> None:
        stack, self._stack = self._stack, ""
        log.warning("loop.stood_still", ms=round(late_s * 1000), stack=stack or "not seen")
        self._alert("loop.stuck" if late_s > BADLY_S else "loop.blocked", detail=f"{late_s * 1000:.0f}")

    def _watch(self) -> None:
        """See where the loop stands while it stands, and say so at once when it is bad."""
        while not self._done.wait(EVERY_S * 2):
            late_s = time.monotonic() - self._beat_s - EVERY_S
            if late_s < BLOCKED_S:
                continue
            if not self._stack:
                self._stack = self._where()
            elif late_s > BADLY_S and not self._stack.startswith("!"):
                self._stack = "!" + self._where()
                log.error("loop.stands_still", ms=round(late_s * 1000), stack=self._stack[1:])

    def _where(self) -> str:
        """The innermost places of the loop's thread, as file:line:function; no value of any variable."""
        frame = sys._current_frames().get(self._loop_thread)
        places = traceback.extract_stack(frame)[-FRAMES:] if frame else []
        return " < ".join(
            f"{one.filename.rpartition('/')[2]}:{one.lineno}:{one.name}" for one in reversed(places)
        )
