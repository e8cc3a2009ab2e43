"""Calls we place: ordered from the provider, answered by our webhooks, and carried like any other once who
answered is known.

1. An order is known by a number of our own, since the provider may ring before it has told its id.
2. Nothing is said before the verdict on who answered: the call waits for it (the engine's law), and a machine
   hears nothing at all.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.routing import Route

from runtime.server.calls import Calls
from runtime.server.deploy import Deployment
from runtime.server.place import Place
from runtime.server.rest import RestFailed
from runtime.server.webhooks import Webhooks
from runtime.settings import Settings
from runtime.telephony.base import Answerer, HttpOrder, LineCall, Placing, Provider

AROUND_RING_S: Final = 60  # after the ring: the answer webhook, the stream, a slow network
REST_S: Final = 15.0


class DialError(Exception):
    """A call that could not be placed; the message is one plain line."""


@dataclass(slots=True)
class Order:
    """One call to place. `why`: what came of it when nobody answered."""

    number: str = field(repr=False)
    deployment: Deployment
    consent: str
    number_of_order: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    call_id: str | None = None
    why: str = ""
    answerer: asyncio.Future[Answerer] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future(), repr=False
    )
    answered: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


class Dialled:
    """Places calls, and answers what the provider asks and tells about them."""

    def __init__(self, calls: Calls, webhooks: Webhooks, provider: Provider, place: Place) -> None:
        self.calls, self.webhooks, self.provider, self.place = calls, webhooks, provider, place
        self._orders: dict[str, Order] = {}

    def routes(self) -> list[Route]:
        """The HTTP addresses of placed calls."""
        path = self.place.dialled + "/{order}"
        return [
            Route(path, self.webhooks.signed(self.answer), methods=["POST"]),
            Route(path + "/event", self.webhooks.told(self.event), methods=["POST"]),
        ]

    async def answer(self, call: LineCall, form: dict[str, str], request: Request) -> str:
        """Somebody or something picked up: the same as when a phone rings here."""
        order = self._orders.get(request.path_params["order"])
        if order is None or order.why or self.calls.draining:
            return self.provider.hang_up()
        known = self.calls.find(call.call_id)
        if known is None:
            ours = self.calls.settings.dialling.number
            told = LineCall(call.call_id, call.account_id, order.number, ours, "outbound", leg_id=call.leg_id)
            detect = self.calls.settings.dialling.detect
            known = self.calls.begin(
                told, order.deployment, answerer=order.answerer if detect else None, consent=order.consent
            )
            order.call_id = call.call_id
            order.answered.set()
        return self.webhooks.net.connect(known.call, known.token)

    def event(self, form: dict[str, str], request: Request) -> None:
        """How things stand: who answered, or why nobody did."""
        order = self._orders.get(request.path_params["order"])
        if order is None:
            return
        by = self.provider.read_answerer(form)
        if by is not None and not order.answerer.done():
            order.answerer.set_result(by)
        why = self.provider.read_unanswered(form)
        if why is not None and not order.answered.is_set():
            order.why = why
            order.answered.set()

    async def ring(self, number: str, deployment: Deployment, consent: str) -> Order:
        """Place a call and wait until it is over, one way or the other. Raises DialError."""
        settings = self.calls.settings
        order = Order(number, deployment, consent)
        self._orders[order.number_of_order] = order
        try:
            await self._send(self._placing(settings, order))
            try:
                async with asyncio.timeout(settings.dialling.ring_ms / 1000 + AROUND_RING_S):
                    await order.answered.wait()
            except TimeoutError:
                order.why = "no_answer"
            live = self.calls.find(order.call_id) if order.call_id else None
            if live is not None:
                await live.ended.wait()
        finally:
            del self._orders[order.number_of_order]
        return order

    def _placing(self, settings: Settings, order: Order) -> HttpOrder:
        address = self.place.url(f"{self.place.dialled}/{order.number_of_order}")
        placing = Placing(
            number=order.number,
            from_number=settings.dialling.number or "",
            answer_url=address,
            event_url=address + "/event",
            ring_ms=settings.dialling.ring_ms,
            detect=settings.dialling.detect,
        )
        return self.provider.place_call(self.webhooks.rest.account, placing)

    async def _send(self, order: HttpOrder) -> None:
        try:
            placed = self.provider.read_placed(await self.webhooks.rest.send(order, REST_S))
        except RestFailed as failure:
            if not failure.status:
                raise DialError("the provider could not be reached; whether it rings is not known") from None
            raise DialError(f"the provider would not place the call (status {failure.status})") from None
        if placed is None:
            raise DialError("the provider's answer names no call")
