"""What every channel looks like: a package and its key in, a receipt out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from runtime.handoff.board import Waiting
from runtime.handoff.package import Package
from runtime.settings import Settings
from runtime.settings.keys import Table

WITHIN_S: Final = 4.0  # one attempt; the engine waits five seconds for what is required


@dataclass(frozen=True, slots=True)
class Delivery:
    """One package on its way. `content` is the package as a JSON document; `waiting`: its place on the board,
    where there is one; `link`: that place on the desk's pages.
    """

    call_id: str
    handoff_id: str
    handoff: str
    package: Mapping[str, Any] = field(repr=False)
    content: bytes = field(repr=False)
    waiting: Waiting | None = field(default=None, repr=False)
    link: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """Names this package to the other side, the same however often it is sent."""
        return f"{self.call_id}:{self.handoff_id}"


class Channel(Protocol):
    """A way to the human's side. `lasting`: whether a delivery that failed may be tried again much later."""

    @property
    def lasting(self) -> bool: ...

    async def deliver(self, delivery: Delivery) -> str:
        """Bring it there; returns the receipt of the other side, or "". Raises OutsideFailure."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


Open = Callable[[str, Table, Settings], Channel]


def in_words(package: Package, link: str = "") -> str:
    """A package as plain text, for people who read it in a message. Personal."""
    lines = [f"Handoff: {package.handoff}", f"Reason: {package.reason or 'not stated'}"]
    lines += [f"On the desk: {link}"] if link else []
    lines += [f"Call back: {package.callback_number}"] if package.callback_number else []
    lines += ["", package.summary] if package.summary else []
    if package.slots:
        lines += ["", "What the caller gave:"]
        lines += [f"- {one.name}: {one.value}{'' if one.sure else ' (not sure)'}" for one in package.slots]
    if package.facts:
        lines += ["", "What we knew:", *(f"- {name}: {value}" for name, value in package.facts.items())]
    if package.transcript:
        lines += ["", "What was said:", *(f"{one.who}: {one.text}" for one in package.transcript)]
    return "\n".join(lines)
