"""What a call needs from the outside, as the shell (runtime/call.py) sees it. Each is one small protocol with
several implementations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from runtime.engine.effects import DeliverPackage, RunAction, Transfer

# Sees every line of a call's record, by call id, as it is written.
Watch = Callable[[str, Mapping[str, Any]], None]


class FactSource(Protocol):
    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """The caller's facts by name, unvalidated; None when the number is unknown. Raises OutsideFailure
        when the source is not usable.
        """
        ...


class ActionRunner(Protocol):
    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Do it once (the order's idempotency key) within its deadline and return its result. Raises
        OutsideFailure; Unsure when nobody knows whether it was done.
        """
        ...

    async def find_out(self, order: RunAction) -> Mapping[str, Any]:
        """What came of an order whose `run` was unsure, for a few seconds: a look at the other side, or the
        same key again, where either is harmless. Raises OutsideFailure when it was certainly not done, Unsure
        when nobody can tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class Intent:
    """A deed about to be done. `lease_ms`: past it whoever began it is taken for dead. `repeatable`: the
    other side does the same key once, so that asking again is safe when nobody knows.
    """

    key: str
    flow: str
    action: str
    arguments: Mapping[str, Any] = field(repr=False)
    lease_ms: int
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a deed stands. mine: do it and settle; taken: another process is at it; done: here is its result;
    unknown: it was begun once and may not be repeated. `again`: it may have been done before.
    """

    state: Literal["mine", "taken", "done", "unknown"]
    result: Mapping[str, Any] = field(default_factory=dict, repr=False)
    again: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a deed: failed means that it was certainly not done."""

    state: Literal["done", "failed", "unknown"]
    result: Mapping[str, Any] | None = field(default=None, repr=False)
    reason: str = ""


class Ledger(Protocol):
    """What was done outside, once per key, where no crash takes it."""

    async def intend(self, intent: Intent) -> Standing:
        """Claim a deed; on the disk before this returns. Raises OutsideFailure."""
        ...

    async def settle(self, key: str, settled: Settled) -> None:
        """Say what came of a claimed deed; on the disk before this returns. Raises OutsideFailure."""
        ...


@dataclass(frozen=True, slots=True)
class Owed:
    """Something to take back once it is known to be done: the `key` of the deed, the run of it in the call,
    and the engine's state when the caller hung up, as JSON.
    """

    key: str
    call_id: str
    flow: str
    artifact: str
    run_id: str
    state: bytes = field(repr=False)


class Undoing(Protocol):
    """Where what is to be taken back is kept."""

    async def owe(self, owed: Owed) -> None:
        """Keep it; on the disk before this returns. Raises OutsideFailure."""
        ...

    async def clear(self, key: str) -> None:
        """Nothing is left to take back. Raises OutsideFailure."""
        ...


class Packages(Protocol):
    """Where context packages are kept."""

    async def keep_package(self, call_id: str, handoff_id: str, handoff: str, content: bytes) -> None:
        """Keep one; on the disk before this returns. Raises OutsideFailure."""
        ...

    async def acknowledge_package(self, call_id: str, handoff_id: str, receipt: str) -> None:
        """The human's side has it. Raises OutsideFailure."""
        ...


# Steps of a transfer. beside: people are rung while the caller still hears us. away: the caller hears the
# network instead. accepted: a person waits for the caller. Others are for the record.
Tell = Callable[[str], None]


class Desk(Protocol):
    async def deliver(self, order: DeliverPackage) -> str:
        """Bring a context package to the human's side; returns the receipt. Raises OutsideFailure."""
        ...

    async def transfer(self, order: Transfer, tell: Tell) -> TransferResult:
        """Bring a person onto the line; returns how that went, within the order's timeout. Raises
        OutsideFailure.
        """
        ...

    async def join(self, handoff_id: str) -> None:
        """Bring the caller to the person who waits for them; how that went, `transfer` tells."""
        ...

    async def give_up(self, handoff_id: str) -> None:
        """Stop a transfer under way."""
        ...


class TransferResult(Protocol):
    """`result` is accepted, refused or unanswered; `reason` one of a closed set (busy, declined, no_answer,
    voicemail, left, closed, failed).
    """

    result: str
    reason: str


class ScriptVoice(Protocol):
    async def render(self, text: str) -> bytes:
        """Exact words as audio in the line's format, cached by content. Raises OutsideFailure."""
        ...


class Alert(Protocol):
    """How an operator is told (runtime/alerts)."""

    def __call__(self, code: str, *, call_id: str = "", artifact: str = "", detail: str = "") -> None:
        """Tell the alert of this code. `artifact`: the content hash of the call's flow; `detail`: one word of
        ours.
        """
        ...


def untold(code: str, *, call_id: str = "", artifact: str = "", detail: str = "") -> None:
    """Implements Alert for commands nobody watches."""


class OutsideFailure(Exception):
    """Something outside did not work. `reason` is one of a closed set of short words and holds nothing
    private.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unsure(OutsideFailure):
    """A failure after which nobody knows whether the thing was done."""
