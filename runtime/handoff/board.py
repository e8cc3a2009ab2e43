"""The board: the handoffs as the desk pages of this process see them. `SharedBoard` keeps those of several
processes alike.

Laws
1. A handoff stands on the board from its delivery until it is over; one that a person took stays until they
   put it away, since they read it while they talk.
2. The first answer counts, whether it is to accept or to decline; later ones change nothing.
3. Whoever watches is told first what is there, then every change in its order. A watcher too slow to follow
   is let go and may come again.
4. What is on the board was said by callers: no more than MOST of it is held.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

MOST: Final = 500
BEHIND: Final = 1000  # changes a watcher may be behind

Place = Literal["waiting", "ringing", "accepted", "declined", "over"]


@dataclass(slots=True)
class Waiting:
    """One handoff. `key` names it to the pages; `since_ms` is milliseconds since 1970; `by`: who answered."""

    key: str
    call_id: str
    handoff_id: str
    handoff: str
    package: Mapping[str, Any] = field(repr=False)
    since_ms: int
    place: Place = "waiting"
    by: str = field(default="", repr=False)
    why: str = ""
    foreign: bool = False  # another process has the call
    received: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    answered: "Callable[[Waiting], None] | None" = field(default=None, repr=False)

    def seen(self) -> dict[str, Any]:
        """The handoff as a page is told it."""
        told = {"key": self.key, "handoff": self.handoff, "since_ms": self.since_ms, "by": self.by}
        return told | {"place": self.place, "why": self.why, "package": dict(self.package)}


class Board:
    """Every handoff that waits for a person, or is with one."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._waiting: dict[str, Waiting] = {}
        self._watchers: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._closed = False
        # Hears of every change to a handoff of this process.
        self.changed: Callable[[Waiting], None] = lambda one: None

    @property
    def watchers(self) -> int:
        """How many pages are open."""
        return len(self._watchers)

    def find(self, key: str) -> Waiting | None:
        """The handoff of this key, if it still stands here."""
        return self._waiting.get(key)

    def all(self) -> list[Waiting]:
        """Every handoff that stands here."""
        return list(self._waiting.values())

    def of_call(self, call_id: str, handoff_id: str = "") -> list[Waiting]:
        """A call's handoffs at this process, or the one of this id: none that a process before it left."""
        return [
            one
            for one in self._waiting.values()
            if one.call_id == call_id and not one.foreign and handoff_id in ("", one.handoff_id)
        ]

    def post(self, call_id: str, handoff_id: str, handoff: str, package: Mapping[str, Any]) -> Waiting:
        """Put a handoff up; every page is told."""
        now = int(self._clock() * 1000)
        one = Waiting(secrets.token_urlsafe(12), call_id, handoff_id, handoff, package, now)
        self._waiting[one.key] = one
        while len(self._waiting) > MOST:
            self._drop(next(iter(self._waiting.values())), "crowded")
        self._tell(one)
        return one

    def mirror(self, one: Waiting) -> None:
        """Show a handoff of another process, or how it stands now."""
        known = self._waiting.get(one.key)
        if known is None and one.place != "over":
            self._waiting[one.key] = one
        if one.place == "over":
            self._waiting.pop(one.key, None)
        if known is not None or one.place != "over":
            if known is not None:
                known.place, known.by, known.why = one.place, one.by, one.why
            self._tell(known or one)

    def receive(self, key: str) -> bool:
        """A page has it: the human's side acknowledged."""
        one = self.find(key)
        if one:
            one.received.set()
        return one is not None

    def ring(self, one: Waiting, answered: Callable[[Waiting], None]) -> None:
        """A person is being rung for it; `answered` hears of an answer given on a page from now on."""
        if one.place == "waiting":
            one.place = "ringing"
            self._tell(one)
        one.answered = answered

    def answer(self, key: str, by: str, *, accepted: bool) -> Waiting | None:
        """A person answered on a page. None when the handoff is gone; else how it stands now."""
        one = self.find(key)
        if one is None or one.place not in ("waiting", "ringing"):
            return one
        one.place, one.by = ("accepted" if accepted else "declined"), by
        if one.answered:
            one.answered(one)
        self._tell(one)
        return one

    def joined(self, one: Waiting) -> None:
        """A person has the caller, however they accepted."""
        one.answered = None
        if one.place != "accepted" or not one.why:
            one.place, one.why = "accepted", "joined"
            self._tell(one)

    def end(self, one: Waiting, why: str) -> None:
        """Nobody took it, or the caller is gone. One that a person has stays for them to read."""
        one.answered = None
        if one.key in self._waiting and one.why != "joined":
            self._drop(one, why)

    def end_call(self, call_id: str) -> None:
        """The call is over: what still waits of it waits no more."""
        for one in self.of_call(call_id):
            self.end(one, "call_ended")

    def put_away(self, key: str) -> bool:
        """The person no longer needs it."""
        one = self.find(key)
        if one is None or one.place not in ("accepted", "declined"):
            return False
        self._drop(one, "put_away")
        return True

    async def watch(self, quiet_s: float) -> AsyncGenerator[dict[str, Any] | None, None]:
        """What is there, then every change, and None whenever nothing changed for so long; ends when the
        board closes or the watcher is too slow.
        """
        changes: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(BEHIND + MOST)
        for one in self._waiting.values():
            changes.put_nowait(one.seen())
        if self._closed:
            return
        self._watchers.add(changes)
        try:
            while True:
                try:
                    async with asyncio.timeout(quiet_s):
                        change = await changes.get()
                except TimeoutError:
                    yield None
                    continue
                if change is None:
                    return
                yield change
        finally:
            self._watchers.discard(changes)

    def close(self) -> None:
        """Let every watcher go."""
        self._closed = True
        for changes in list(self._watchers):
            self._let_go(changes)

    def _drop(self, one: Waiting, why: str) -> None:
        self._waiting.pop(one.key, None)
        one.place, one.why = "over", why
        self._tell(one)

    def _tell(self, one: Waiting) -> None:
        if not one.foreign:
            self.changed(one)
        told = one.seen()
        if one.place == "over":
            told["package"] = None  # it is gone: pages keep nothing of it
        for changes in list(self._watchers):
            if changes.qsize() >= BEHIND:
                self._let_go(changes)
            else:
                changes.put_nowait(told)

    def _let_go(self, changes: "asyncio.Queue[dict[str, Any] | None]") -> None:
        self._watchers.discard(changes)
        changes.put_nowait(None)
