"""A transfer by conference under way: who is rung for it, and how far it has come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from runtime.handoff import Ring, Tell, Transferred

Parted = Literal["person_left", "caller_gone"]


@dataclass(slots=True)
class Person:
    """One person being rung. `name` is secret: it stands in the addresses about them and names the room.

    `orders`: how many calls to them may have been placed; `legs`: those we know, to be hung up by; `placing`:
    the order under way.
    """

    name: str
    orders: int = 0
    ended: int = 0
    legs: set[str] = field(default_factory=set)
    answered_as: str = ""
    waits: bool = False
    result: asyncio.Future[Transferred] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    limit: asyncio.Timeout | None = None
    placing: asyncio.Task[None] | None = None

    def settle(self, result: str, reason: str = "") -> None:
        """Say how ringing them went; the first word counts."""
        if not self.result.done():
            self.result.set_result(Transferred(result, reason))


@dataclass(slots=True)
class Meeting:
    """One transfer under way. `taken`: somebody accepted on a page; `parted`: who left first."""

    ring: Ring
    tell: Tell
    person: Person | None = None
    taken: bool = False
    refused: bool = False
    join_ordered: asyncio.Event = field(default_factory=asyncio.Event)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    parted: asyncio.Future[Parted] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def part(self, who: Parted) -> None:
        """Somebody left; the first word counts."""
        if not self.parted.done():
            self.parted.set_result(who)
