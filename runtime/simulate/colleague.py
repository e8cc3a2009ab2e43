"""The telephone of a person who is rung beside a call: it obeys the documents of its own leg, and its owner
does what the network was told they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final
from urllib.parse import urljoin

from runtime.simulate.carriers.base import PlaceOrder
from runtime.simulate.network import Following, Leg, Network
from runtime.simulate.profile import Person
from runtime.simulate.twiml import Gather, Hangup, Pause, Redirect, Room, Say, Verb

SPEAKING_S: Final = 0.05  # a word of a whisper
GATHER_S: Final = 10.0  # how long a document waits for a key
DROP_S: Final = 1.0
MOST_DOCUMENTS: Final = 20
KEYS: Final[dict[str, str]] = {"accepts": "1", "drops": "1", "declines": "2"}


async def pick_up(network: Network, leg: Leg, order: PlaceOrder) -> None:
    """Ring, perhaps answer, obey to the end of the leg, and have the provider told how it went."""
    person = network.person() if callable(network.person) else network.person
    status = "completed"
    try:
        status = await _ring(network, leg, order, person)
        if status == "completed":
            await _until_leaving(leg, _answered(network, leg, order, person))
    finally:
        network.end(leg)
        await network.question(leg, order.event_url, "status", status=status)


async def _until_leaving(leg: Leg, work: Coroutine[Any, Any, None]) -> None:
    """Hold the leg until it is over, or its owner puts the receiver down."""
    waits = {asyncio.ensure_future(work), asyncio.ensure_future(leg.leaves.wait())}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
    finally:
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _ring(network: Network, leg: Leg, order: PlaceOrder, person: Person) -> str:
    """How ringing ends; `canceled` when the provider is told to stop."""
    rings = order.timeout_s if person == "no_answer" else min(network.ring_s, order.timeout_s)
    try:
        async with asyncio.timeout(rings):
            await leg.orders.get()
            return "failed"
    except TimeoutError:
        return {"busy": "busy", "no_answer": "no-answer"}.get(person, "completed")


async def _answered(network: Network, leg: Leg, order: PlaceOrder, person: Person) -> None:
    url, verbs = order.answer_url, await network.question(leg, order.answer_url, "person_answered")
    for _ in range(MOST_DOCUMENTS):
        following = await network.obey(leg, _run(network, leg, url, verbs, person))
        if not isinstance(following, tuple):
            return
        url, verbs = following


async def _run(network: Network, leg: Leg, url: str, verbs: tuple[Verb, ...], person: Person) -> Following:
    for verb in verbs:
        match verb:
            case Gather():
                words = sum(len(say.text.split()) for say in verb.says)
                key = KEYS.get(person, "")
                await asyncio.sleep(network.press_s if key else words * SPEAKING_S + GATHER_S)
                target = urljoin(url, verb.action)
                return target, await network.question(leg, target, "pressed", digit=key)
            case Room():
                await _meet(network, leg, verb, person)
                if person == "drops" or not verb.action:
                    return None
                target = urljoin(url, verb.action)
                return target, await network.question(leg, target, "dialled", status="completed")
            case Say(text):
                await asyncio.sleep(len(text.split()) * SPEAKING_S)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Redirect(target):
                return urljoin(url, target), await network.question(leg, urljoin(url, target), "redirected")
            case Hangup():
                return None
            case _:
                return None
    return None


async def _meet(network: Network, leg: Leg, room: Room, person: Person) -> None:
    """Stay in the room until it is over; somebody who drops leaves soon after it has begun."""
    network.enter(leg, room)
    over = asyncio.ensure_future(leg.over.wait())
    try:
        if person == "drops":
            began = asyncio.ensure_future(leg.began.wait())
            await asyncio.wait({over, began}, return_when=asyncio.FIRST_COMPLETED)
            began.cancel()
            await asyncio.wait({over}, timeout=DROP_S)
        else:
            await over
    finally:
        over.cancel()
        network.leave(leg)
