"""What a call needs from the outside, as the shell (runtime/call.py) sees it. Each is one small protocol with
several implementations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from runtime.engine.effects import DeliverPackage, RunAction, Transfer


class FactSource(Protocol):
    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        """The caller's facts by name, unvalidated; None when the number is unknown. Raises OutsideFailure
        when the source is not usable.
        """
        ...


class ActionRunner(Protocol):
    async def run(self, order: RunAction) -> Mapping[str, Any]:
        """Do it once (the order's idempotency key) within its deadline and return its result. Raises
        OutsideFailure.
        """
        ...


class Desk(Protocol):
    async def deliver(self, order: DeliverPackage) -> str:
        """Bring a context package to the human's side; returns the receipt. Raises OutsideFailure."""
        ...

    async def transfer(self, order: Transfer) -> TransferResult:
        """Bring a person onto the line; returns how that went, within the order's timeout. Raises
        OutsideFailure.
        """
        ...

    async def give_up(self, handoff_id: str) -> None:
        """Stop a transfer under way."""
        ...


class TransferResult(Protocol):
    """`result` is accepted, refused or unanswered; `reason` one of a closed set (busy, declined, no_answer,
    voicemail, closed, failed).
    """

    result: str
    reason: str


class ScriptVoice(Protocol):
    async def render(self, text: str) -> bytes:
        """Exact words as audio in the line's format (mu-law 8 kHz), cached by content. Raises OutsideFailure.
        """
        ...


class OutsideFailure(Exception):
    """Something outside did not work. `reason` is one of a closed set of short words and holds nothing
    private.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
