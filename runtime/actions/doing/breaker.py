"""A circuit breaker: who fails again and again is left alone for a while, so that callers hear so at once."""

from collections.abc import Callable
from dataclasses import dataclass

from runtime.ports import OutsideFailure


@dataclass(slots=True)
class Breaker:
    """Counts failures in a row: rests after `failures` of them; after `rest_s` one attempt may try again."""

    failures: int
    rest_s: float
    clock: Callable[[], float]
    opened: Callable[[], None] = lambda: None
    _in_a_row: int = 0
    _rests_until: float = 0.0
    _trying: bool = False

    def enter(self) -> None:
        """Ask before an attempt. Raises OutsideFailure("resting")."""
        if self._in_a_row < self.failures:
            return
        if self._trying or self.clock() < self._rests_until:
            raise OutsideFailure("resting")
        self._trying = True

    def succeeded(self) -> None:
        """The attempt worked: all is well again."""
        self._in_a_row, self._trying = 0, False

    def failed(self) -> None:
        """The attempt failed."""
        self._in_a_row += 1
        self._trying = False
        if self._in_a_row >= self.failures:
            self._rests_until = self.clock() + self.rest_s
            if self._in_a_row == self.failures:
                self.opened()

    def left(self) -> None:
        """The attempt was given up without a result."""
        self._trying = False
