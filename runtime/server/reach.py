"""Whether the store is reached, as an operator is told of it.

1. One answer that is late or fails pages nobody: it is `store.slow`. Only a store that has given none for
   AWAY_S is `store.away`.
2. Any answer ends that; the next failure counts from anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from runtime.ports import Alert

log = structlog.get_logger()

AWAY_S: Final = 10.0  # two beats that were not heard, and some


class Reach:
    """What was heard of a store. `clock`: seconds that nobody sets."""

    def __init__(self, alert: Alert, clock: Callable[[], float], away_s: float = AWAY_S) -> None:
        self._alert, self._clock, self._away_s = alert, clock, away_s
        self._since: float | None = None
        self._away = False

    def answered(self) -> None:
        """It gave an answer."""
        if self._away:
            log.info("store.back")
        self._since, self._away = None, False

    def failed(self, why: str, *, call_id: str = "") -> None:
        """It gave none, or none yet; `why` is one word."""
        now = self._clock()
        if self._since is None:
            self._since = now
        self._away = now - self._since >= self._away_s
        self._alert("store.away" if self._away else "store.slow", call_id=call_id, detail=why)
