"""The line of a call when the provider does not do its part: nobody waits for ever. The clock is hurried."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from runtime.handoff import Ring, Transferred
from runtime.server.line import Line
from runtime.simulate.clock import hurried
from runtime.telephony.base import Dialled

RING = Ring("+15005550009", 30_000, "A caller for you. Press 1.")


class Wire:
    """A socket's far end in memory: what the application sent, and what it is about to receive."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.coming: asyncio.Queue[Message] = asyncio.Queue()
        self.coming.put_nowait({"type": "websocket.connect"})

    async def open(self) -> WebSocket:
        socket = WebSocket({"type": "websocket"}, self.coming.get, self.send)
        await socket.accept()
        return socket

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self.coming.put_nowait({"type": "websocket.disconnect", "code": 1000})

    def say(self, text: str) -> None:
        self.coming.put_nowait({"type": "websocket.receive", "text": text})


def in_a_hurry(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run with a clock five hundred times as fast."""

    async def run() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=hurried(500)) as runner:
        runner.run(run())


def test_a_provider_that_never_asks_ends_the_line() -> None:
    """When nobody asks whom to dial, the transfer fails within seconds and the line is over."""

    async def scenario() -> None:
        line, wire = Line(), Wire()
        line.attach(await wire.open(), None)
        hearing = asyncio.create_task(line.receive())
        assert await line.ring(RING) == Transferred("unanswered", "failed")
        assert await hearing is None
        assert line.over

    in_a_hurry(scenario)


def test_a_dial_that_never_ends_ends_the_line() -> None:
    """A person who never presses a key holds the caller for a bounded time, whatever the provider says."""

    async def scenario() -> None:
        line, wire = Line(), Wire()
        line.attach(await wire.open(), None)
        ringing = asyncio.create_task(line.ring(RING))
        await asyncio.sleep(1)
        assert line.dial() == RING
        began = asyncio.get_running_loop().time()
        assert line.person_answered() == RING.whisper
        assert await ringing == Transferred("unanswered", "failed")
        assert 60 < asyncio.get_running_loop().time() - began < 120
        assert line.person_answered() is None
        assert not line.person_pressed("1")

    in_a_hurry(scenario)


def test_a_caller_who_does_not_come_back_ends_the_line() -> None:
    """After a dial that failed, a stream that never starts leaves nobody waiting, and the reason is kept."""

    async def scenario() -> None:
        line, wire = Line(), Wire()
        line.attach(await wire.open(), None)
        ringing = asyncio.create_task(line.ring(RING))
        await asyncio.sleep(1)
        assert line.dial() == RING
        assert line.dial_ended(Dialled("unanswered", "busy"), caller_gone=False)
        assert (await ringing).result == "unanswered"
        assert await line.receive() is None

    in_a_hurry(scenario)


def test_what_is_said_while_nobody_listens_is_dropped() -> None:
    """Between two streams of a call nothing is sent, and the new one starts with its own start message."""

    async def scenario() -> None:
        line, first, second = Line(), Wire(), Wire()
        released = line.attach(await first.open(), None)
        ringing = asyncio.create_task(line.ring(RING))
        hearing = asyncio.create_task(line.receive())
        await released.wait()
        await line.send("into the void")
        line.dial()
        line.dial_ended(Dialled("unanswered", "busy"), caller_gone=False)
        second.say("the first frame")
        line.attach(await second.open(), "the start")
        assert await ringing == Transferred("unanswered", "busy")
        assert await hearing == "the start"
        assert await line.receive() == "the first frame"
        await line.send("heard again")
        assert [message["type"] for message in first.sent] == ["websocket.accept", "websocket.close"]
        assert second.sent[-1] == {"type": "websocket.send", "text": "heard again"}
        await line.close()
        assert await line.receive() is None

    in_a_hurry(scenario)


@pytest.mark.parametrize("digit", ["", "2", "*"])
def test_only_a_one_takes_the_caller(digit: str) -> None:
    """No key and any other key leave the caller with the assistant."""

    async def scenario() -> None:
        line, wire = Line(), Wire()
        line.attach(await wire.open(), None)
        ringing = asyncio.create_task(line.ring(RING))
        await asyncio.sleep(1)
        line.dial()
        line.person_answered()
        assert not line.person_pressed(digit)
        assert not line.joined
        await line.close()
        assert (await ringing).result == "unanswered"

    in_a_hurry(scenario)


def test_a_line_that_is_over_cannot_ring() -> None:
    """A transfer ordered after the caller left fails at once."""

    async def scenario() -> None:
        line = Line()
        await line.close()
        assert await line.ring(RING) == Transferred("unanswered", "failed")

    in_a_hurry(scenario)
