"""The thread that checks: at once after a pause, soon after the last of many changes, never what is old."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

PAUSE_S: Final = 0.002  # the changes of one key press may come as several messages
PATIENCE_S: Final = 0.4  # after this long a check is finished even if newer text waits
REST_S: Final = 1.0
CHECKS_WITHOUT_REST: Final = 200

# Checks one flow; asks now and then whether that is still wanted.
Check = Callable[[str, Callable[[], bool]], None]


class Watch:
    """Flows that wait to be checked, and the thread that does it."""

    def __init__(self, check: Check, warm: Callable[[], None], tidy: Callable[[], object]) -> None:
        self._check = check
        self._warm = warm
        self._tidy = tidy  # what is better done while nobody types
        self._checks = 0  # since then
        self._changed = threading.Condition()
        self._waiting: dict[str, float] = {}  # flow -> since when it waits
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="vfc checks", daemon=True)
        self._thread.start()

    def want(self, flow: str) -> None:
        """Check a flow soon; what is being checked of it is old now."""
        with self._changed:
            self._waiting.setdefault(flow, monotonic())
            self._changed.notify()

    def close(self) -> None:
        """Check nothing more, and wait until the thread has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        self._warm()
        while (job := self._next()) is not None:
            flow, since = job
            self._checks += 1
            if self._checks >= CHECKS_WITHOUT_REST:
                self._rest()
            self._check(flow, lambda flow=flow, since=since: self._is_old(flow, since))  # type: ignore[misc]

    def _rest(self) -> None:
        self._checks = 0
        self._tidy()

    def _next(self) -> tuple[str, float] | None:
        with self._changed:
            while not self._waiting and not self._closed:
                if not self._changed.wait(REST_S if self._checks else None):
                    self._rest()
            if not self._closed:
                self._changed.wait(PAUSE_S)
            if self._closed:
                return None
            flow = next(iter(self._waiting))
            return flow, self._waiting.pop(flow)

    def _is_old(self, flow: str, since: float) -> bool:
        with self._changed:
            if self._closed:
                return True
            if flow not in self._waiting or monotonic() - since > PATIENCE_S:
                return False
            self._waiting[flow] = min(self._waiting[flow], since)
            return True
