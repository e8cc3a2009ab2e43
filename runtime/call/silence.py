"""Dead air: how long a caller heard nothing while it was the assistant's turn.

It is the assistant's turn whenever the call does not wait for the caller (`listening`) and nobody else has
the line. Silence is counted from the end of what was sent before, as the caller hears it, or from the end of
their own speech, to the next audio. Times are milliseconds of the call.
"""

from dataclasses import dataclass
from typing import Final

DEAD_AIR_MS: Final = 3000
OTHERS: Final = frozenset(
    {"listening", "transferring", "ended"}
)  # the phases that are not the assistant's turn


@dataclass(slots=True)
class Silence:
    """One call's silences."""

    _due_ms: float | None = None

    def turn(self, phase: str, at_ms: float, waited_ms: float = 0) -> None:
        """The call is in this phase now. `waited_ms`: how long ago the caller had stopped when it changed."""
        if phase in OTHERS:
            self._due_ms = None
        elif self._due_ms is None:
            self._due_ms = at_ms - waited_ms

    def sounds(self, at_ms: float, quiet_since_ms: float) -> int:
        """The next audio goes out, or the call is over: the dead air before it, 0 where there was none.
        `quiet_since_ms`: when what was sent before has been heard.
        """
        if self._due_ms is None:
            return 0
        gap = round(at_ms - max(self._due_ms, quiet_since_ms))
        return gap if gap >= DEAD_AIR_MS else 0
