"""A fake network beside its phones: the legs under way, the rooms they meet in, and the REST interface that
orders them about.

1. A leg obeys one document at a time; an order of the interface ends whatever it was doing.
2. A room begins once two legs are in it of which one may begin it. It is over for everybody when a leg leaves
   that ends it; otherwise those who are left stay (the rules of Twilio's `<Conference>` and Vonage's
   `conversation`).
3. Only a leg that is there can be ordered; of any other the interface says that it is not found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.simulate.carriers.base import Asking, Carrier, LegOrder, OrderError, PlaceOrder
from runtime.simulate.profile import Person
from runtime.simulate.twiml import Room, Verb

Ask = Callable[[str, Mapping[str, str], bytes], Awaitable[tuple[int, str]]]
Following = tuple[str, tuple[Verb, ...]] | None
FAULT: Final = 0  # the status of a request whose answer is lost


class NetworkError(Exception):
    """The server did something no telephone network can work with; the message is one plain line."""


@dataclass(slots=True)
class Leg:
    """One telephone's connection. `orders`: what the interface wants of it, None to hang up; `leaves`: its
    owner puts the receiver down.
    """

    call_id: str
    leg_id: str
    caller: str | None
    number: str
    outbound: bool = False
    orders: asyncio.Queue[LegOrder | None] = field(default_factory=asyncio.Queue)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    alone: asyncio.Event = field(default_factory=asyncio.Event)
    leaves: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Meeting:
    members: dict[str, tuple[Leg, Room]] = field(default_factory=dict)
    began: bool = False


@dataclass(slots=True)
class Network:
    """One provider's network as far as one subscriber sees it. `ask` posts to a webhook.

    `person`: what whoever is rung does; `connect`: opens media sockets, if not over TCP; `interface`: what
    the REST interface answers instead of obeying, in turn: a status, or FAULT, each after some seconds (None:
    obey). `ring_s`, `press_s`: how long whoever is rung takes to pick up, and to press a key. `rang`: who was
    rung; `ordered`: what the interface was asked to do.
    """

    carrier: Carrier
    secret: str = field(repr=False)
    ask: Ask
    person: Person | Callable[[], Person] = "accepts"
    pick_up: Callable[[Network, Leg, PlaceOrder], Awaitable[None]] | None = None
    connect: Callable[[str, Mapping[str, str]], Awaitable[Any]] | None = None
    ring_s: float = 0.3
    press_s: float = 0.1
    interface: list[tuple[int, float] | None] = field(default_factory=list)
    legs: dict[str, Leg] = field(default_factory=dict)
    rooms: dict[str, _Meeting] = field(default_factory=dict)
    rang: list[str] = field(default_factory=list)
    ordered: list[PlaceOrder | LegOrder] = field(default_factory=list)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def begin(self, call_id: str, caller: str | None, number: str, *, outbound: bool = False) -> Leg:
        """A leg comes into being."""
        leg = Leg(call_id, self.carrier.new_leg_id(call_id), caller, number, outbound)
        self.legs[leg.leg_id] = leg
        return leg

    def end(self, leg: Leg) -> None:
        """A leg is gone, and from its room with it."""
        self.legs.pop(leg.leg_id, None)
        for name in [name for name, room in self.rooms.items() if leg.leg_id in room.members]:
            self._leave(name, leg)

    async def question(self, leg: Leg, url: str, occasion: Any, **told: Any) -> tuple[Verb, ...]:
        """Ask a webhook about a leg, signed; the verbs of the answer. Raises NetworkError, TwimlError."""
        asking = Asking(
            occasion, leg.call_id, leg.caller, leg.number, leg_id=leg.leg_id, outbound=leg.outbound, **told
        )
        headers, body = self.carrier.ask(self.secret, url, asking)
        status, text = await self.ask(url, headers, body)
        if status not in (200, 204):
            raise NetworkError(f"the webhook answered {status}")
        return self.carrier.read(text) if status == 200 else ()

    async def obey(self, leg: Leg, work: Coroutine[Any, Any, Following | str]) -> Following | str:
        """Do what a document says, unless an order of the interface ends it: then, what that leads to."""
        doing = asyncio.ensure_future(work)
        ordered = asyncio.ensure_future(leg.orders.get())
        waits: set[asyncio.Future[Any]] = {doing, ordered}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not ordered.done():
                return doing.result()
            order = ordered.result()
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        self.leave(leg)
        if order is None:
            return None
        if order.document:
            return "", self.carrier.read(order.document)
        return order.url, await self.question(leg, order.url, "redirected")

    # --- rooms ---

    def enter(self, leg: Leg, room: Room) -> None:
        """A leg enters a room, and stays until `leg.over` or it leaves."""
        meeting = self.rooms.setdefault(room.name, _Meeting())
        meeting.members[leg.leg_id] = (leg, room)
        for event in (leg.over, leg.began, leg.alone):
            event.clear()
        self._tell(leg, room, "participant-join")
        if meeting.began:
            leg.began.set()
        elif len(meeting.members) > 1 and any(one.begins for _, one in meeting.members.values()):
            meeting.began = True
            self._tell(leg, room, "conference-start")
            for other, _ in meeting.members.values():
                other.began.set()

    def _leave(self, name: str, leg: Leg) -> None:
        meeting = self.rooms[name]
        _, room = meeting.members.pop(leg.leg_id)
        self._tell(leg, room, "participant-leave")
        if room.ends:
            for other, _ in meeting.members.values():
                other.over.set()
            meeting.members.clear()
        for other, _ in meeting.members.values():
            other.alone.set()
        if not meeting.members:
            del self.rooms[name]
            self._tell(leg, room, "conference-end")

    def leave(self, leg: Leg) -> None:
        """A leg leaves whatever room it is in, and lives on."""
        for name in [name for name, room in self.rooms.items() if leg.leg_id in room.members]:
            self._leave(name, leg)

    def _tell(self, leg: Leg, room: Room, what: str) -> None:
        if room.events and self.carrier.room_returns:
            self.keep(self.question(leg, room.events, "room", status=what))

    # --- the REST interface ---

    async def order(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """A request to the interface: the status and body of its answer; FAULT: none ever comes."""
        fault = self.interface.pop(0) if self.interface else None
        if fault is not None:
            await asyncio.sleep(fault[1])
            return fault[0], b"{}"
        if not headers.get("authorization", "").startswith(("Basic ", "Bearer ")):
            return 401, b"{}"
        try:
            order = self.carrier.read_order(method, path, body)
        except OrderError as error:
            return 400, str(error).encode()
        self.ordered.append(order)
        if isinstance(order, PlaceOrder):
            return 201, self._place(order)
        leg = self.legs.get(order.leg_id)
        if leg is None:
            return 404, b"{}"
        leg.orders.put_nowait(order if order.url or order.document else None)
        return 200, b"{}"

    def _place(self, order: PlaceOrder) -> bytes:
        leg = self.begin(self.carrier.new_call_id(), None, order.number, outbound=True)
        self.rang.append(order.number)
        if self.pick_up:
            self.keep(self.pick_up(self, leg, order))
        return self.carrier.placed(leg.call_id, leg.leg_id)

    def keep(self, work: Awaitable[Any]) -> None:
        """Something that goes on by itself."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let everything end."""
        for leg in list(self.legs.values()):
            leg.orders.put_nowait(None)
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=5)
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
