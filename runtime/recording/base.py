"""What a recording of one call takes: the caller's audio as it came, the assistant's as it is played."""

from typing import Protocol


class Recording(Protocol):
    """Two tracks in the line's format; `at_ms` counts from the answer. Every method returns at once."""

    @property
    def held(self) -> int:
        """How many bytes of sound are in memory now."""
        ...

    def caller(self, at_ms: int, payload: str) -> None:
        """20 ms of the caller, base64 as the carrier sent it."""
        ...

    def assistant(self, at_ms: int, payload: str) -> None:
        """Audio put on the line now; it is played once what was put there before has been played."""
        ...

    def cleared(self, at_ms: int) -> None:
        """What was not played by now never will be."""
        ...
