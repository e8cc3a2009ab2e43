"""What an operator is told: one counter and one line of JSON for each alert, by a code of a closed set.

1. A line names the code, the call and the artifact, and at most one word more; never what anybody said.
2. Counting is exact. Of one code at most LINES_A_MINUTE lines are written; the next one tells how many were
   not.
3. A refusal (`security.*`) is P3. From the fifth within an hour of one source on, it is P2.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

import structlog

from runtime.alerts.codes import CODES
from runtime.metrics import Metrics

__all__ = ["Alerts"]

LINES_A_MINUTE: Final = 30
OFTEN: Final = 5  # refusals of one source within HOUR_S are somebody trying
HOUR_S: Final = 3600.0
SOURCES: Final = 1000  # that are counted at a time
_WORD: Final = re.compile(r"[a-z0-9_.]{1,64}")  # what a model or a carrier sent may be anything
_LEVELS: Final = {"P1": "error", "P2": "warning", "P3": "info"}
log = structlog.get_logger()


class Alerts:
    """Tells alerts. Implements `ports.Alert`: call it with a code of `codes.CODES` (KeyError for another)."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self.metrics = metrics
        self._clock = clock
        self._minutes: dict[str, tuple[float, int]] = {}
        self._refused: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def __call__(
        self, code: str, *, call_id: str = "", artifact: str = "", detail: str = "", source: str = ""
    ) -> None:
        """Tell one. `artifact`: the content hash of the flow's artifact; `detail`: one word of ours;
        `source`: who is behind it, as a pseudonym: it is counted, and told nobody.
        """
        priority = self._priority(code, source)
        self.metrics.alerts.labels(code, priority).inc()
        began, told = self._minutes.get(code, (0.0, LINES_A_MINUTE))
        if self._clock() - began >= 60 or told < LINES_A_MINUTE:
            self._line(code, priority, call_id, artifact, detail, told - LINES_A_MINUTE)
            fresh = self._clock() - began >= 60
            self._minutes[code] = (self._clock(), 1) if fresh else (began, told + 1)
        else:
            self._minutes[code] = (began, told + 1)

    def _priority(self, code: str, source: str) -> str:
        """The code's own; for a refusal that comes often from one source, the next higher one."""
        priority = CODES[code].priority
        if priority != "P3" or not code.startswith("security."):
            return priority
        times = self._refused.setdefault((code, source), deque(maxlen=OFTEN))
        self._refused.move_to_end((code, source))
        if len(self._refused) > SOURCES:
            self._refused.popitem(last=False)
        times.append(self._clock())
        return "P2" if len(times) == OFTEN and times[-1] - times[0] <= HOUR_S else priority

    def _line(self, code: str, priority: str, call_id: str, artifact: str, detail: str, untold: int) -> None:
        word = detail if not detail or _WORD.fullmatch(detail) else "other"
        named = {"call_id": call_id, "artifact": artifact, "detail": word}
        more: dict[str, object] = {name: value for name, value in named.items() if value}
        if untold > 0:
            more["untold"] = untold
        getattr(log, _LEVELS[priority])("alert", code=code, priority=priority, **more)
