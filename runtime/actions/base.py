"""What an action executor is opened with, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from runtime.engine.effects import RunAction


class Executor(Protocol):
    """One way to do actions. An order with a key that was done before is not done again."""

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Do it within the order's deadline. Raises OutsideFailure."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Opening:
    """One action's table of the settings: its place (`actions.book_demo`), its options, and what the flow
    expects.

    `returns` are the fields the flow declares with their types; `records` is the folder for what is kept.
    """

    place: str
    options: Mapping[str, Any] = field(repr=False)
    returns: Mapping[str, str]
    records: Path
    environment: Mapping[str, str] = field(repr=False)


OpenExecutor = Callable[[Opening], Executor]
