"""What an action executor is opened with, what it does, and what its failures mean."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from runtime.engine.effects import RunAction
from runtime.outbound import Reach
from runtime.outbound.schemas import Schema
from runtime.ports import OutsideFailure

# Failures after which the other side has certainly not acted; after any other it may have.
NOT_DONE: Final = frozenset(
    {
        "bad_arguments",
        "denied",
        "disk",
        "forbidden",
        "not_configured",
        "not_done",
        "not_recorded",
        "refused",
        "resting",
        "unavailable",
        "unreachable",
    }
)
# Failures that another attempt may mend.
PASSING: Final = frozenset({"broken", "lost", "timeout", "unavailable", "unreachable"})


class Executor(Protocol):
    """One way to do actions, one attempt at a time."""

    @property
    def repeatable(self) -> bool:
        """Whether the same key twice is done once by the other side, so that a repeat is harmless."""
        ...

    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """One attempt within the order's `within_ms`. Raises OutsideFailure."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Contract:
    """What an action takes and returns, where there is a schema for it."""

    arguments: Schema | None = None
    result: Schema | None = None

    def check_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Raises OutsideFailure("bad_arguments"). An argument without a value counts as absent."""
        known = {name: value for name, value in arguments.items() if value is not None}
        if self.arguments is not None and self.arguments.misfit(known) is not None:
            raise OutsideFailure("bad_arguments")

    def check_result(self, result: Mapping[str, Any]) -> None:
        """Raises OutsideFailure("bad_answer")."""
        if self.result is not None and self.result.misfit(result) is not None:
            raise OutsideFailure("bad_answer")


@dataclass(frozen=True, slots=True)
class Opening:
    """One action's table of the settings: its place (`actions.book_demo`), its options, and what the flow
    expects.

    `returns` are the fields the flow declares with their types, `changes` whether it changes anything,
    `secrets` which arguments nothing may write down;
    `records` is the folder for what is kept, `folder` what paths are relative to.
    """

    place: str
    options: Mapping[str, Any] = field(repr=False)
    returns: Mapping[str, str]
    changes: bool
    secrets: tuple[str, ...]
    records: Path
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    reach: Reach


Look = Callable[[RunAction], Awaitable[Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Opened:
    """An executor ready to run, with what its description says about its arguments and its result.

    `look`: asks the other side, once and without changing anything, what came of an order: its result, or
    None where it is not done. Raises OutsideFailure.
    """

    executor: Executor
    contract: Contract = Contract()
    look: Look | None = None


OpenExecutor = Callable[[Opening], Opened]
