"""A transfer by conference under way: who is rung for it, how far it has come, and what the store keeps of it
for another worker.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from msgspec.structs import replace

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


class Gathering(msgspec.Struct, frozen=True, omit_defaults=True):
    """A transfer as the store keeps it. `name`: of the person; `leg`: the caller's; `people`: the legs of
    those rung; `sent`: the caller goes to the room, since then by the store's clock.
    """

    name: str
    leg: str
    people: tuple[str, ...] = ()
    least_ms: int = 0
    sent: bool = False
    since_ms: int = 0

    @classmethod
    def read(cls, text: str) -> Gathering:
        """What was written."""
        return msgspec.json.decode(text, type=cls)

    def written(self, now_ms: int) -> str:
        """As text, at this time."""
        return msgspec.json.encode(replace(self, since_ms=now_ms if self.sent else 0)).decode()

    def met(self, now_ms: int) -> bool:
        """Whether the caller has been there for the least time a talk takes."""
        return self.sent and now_ms - self.since_ms >= self.least_ms
