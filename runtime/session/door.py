"""Whether the model is worth asking at all: a refusal that repeats itself shuts the door for every call of
the process, for a while.

1. What trying again does not mend (a key, a quota) shuts it at once; connections that are closed before they
   are of use do so after `FAILURES` in a row.
2. After `REST_S` calls may try again; the first one that is refused again shuts it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FAILURES: Final = 3
REST_S: Final = 10.0


@dataclass(slots=True)
class Door:
    """One address and key of a model, shared by the calls of a process. Times are seconds of their loop."""

    _in_a_row: int = 0
    _shut_until: float = 0.0

    def shut(self, now: float) -> bool:
        """Whether nobody should ask now."""
        return now < self._shut_until

    def refused(self, now: float, *, final: bool) -> None:
        """Somebody was turned away. `final`: for a reason that does not pass by itself."""
        self._in_a_row = FAILURES if final else self._in_a_row + 1
        if self._in_a_row >= FAILURES:
            self._shut_until = now + REST_S

    def opened(self) -> None:
        """A session works."""
        self._in_a_row = 0
