"""The line of a call when the provider does not do its part: nobody waits for ever. The clock is idle."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from runtime.handoff import Ring, Transferred
from runtime.server.line import Line
from runtime.simulate.clock import idle
from runtime.telephony.base import Dialled
from tests.runtime.handoffs import unheard
from tests.runtime.inbox import Inbox

RING = Ring("+15005550009", 30_000, "A caller for you. Press 1.")


class Wire:
    """A stream in memory: what was sent on it, and what comes."""

    full = False

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.closed: list[int] = []
        self._early: list[str | bytes | None] = []
        self._take: Callable[[str | bytes | None], None] = self._early.append

    def listen(self, take: Callable[[str | bytes | None], None], flow: Callable[[], None]) -> None:
        self._take = take
        for message in self._early:
            take(message)

    def send(self, message: str | bytes) -> None:
        self.sent.append(message)

    def close(self, code: int = 1000) -> None:
        self.closed.append(code)
        self._take(None)

    def say(self, text: str) -> None:
        self._take(text)


def in_a_hurry(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run with a clock five hundred times as fast that stands while anything runs."""

    async def run() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=idle(500)) as runner:
        runner.run(run())


def test_a_provider_that_never_asks_ends_the_line() -> None:
    """When nobody asks whom to dial, the transfer fails within seconds and the line is over."""

    async def scenario() -> None:
        line, wire = Line(), Wire()
        line.attach(wire, None)
        hearing = asyncio.create_task(Inbox(line).receive())
        assert await line.ring(RING, unheard) == Transferred("unanswered", "failed")
        assert await hearing is None
        assert line.over

    in_a_hurry(scenario)


def test_a_dial_that_never_ends_ends_the_line() -> None:
    """A person who never presses a key holds the caller for a bounded time, whatever the provider says."""

    async def scenario() -> None:
        line, wire = Line(), Wire()
        line.attach(wire, None)
        ringing = asyncio.create_task(line.ring(RING, unheard))
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
        line.attach(wire, None)
        ringing = asyncio.create_task(line.ring(RING, unheard))
        await asyncio.sleep(1)
        assert line.dial() == RING
        assert line.dial_ended(Dialled("unanswered", "busy"), caller_gone=False)
        assert (await ringing).result == "unanswered"
        assert await Inbox(line).receive() is None

    in_a_hurry(scenario)


def test_what_is_said_while_nobody_listens_is_dropped() -> None:
    """Between two streams of a call nothing is sent, and the new one starts with its own start message."""

    async def scenario() -> None:
        line, first, second = Line(), Wire(), Wire()
        line.attach(first, None)
        ringing = asyncio.create_task(line.ring(RING, unheard))
        inbox = Inbox(line)
        await asyncio.sleep(1)
        assert first.closed
        line.send("into the void")
        line.dial()
        line.dial_ended(Dialled("unanswered", "busy"), caller_gone=False)
        second.say("the first frame")
        line.attach(second, "the start")
        assert await ringing == Transferred("unanswered", "busy")
        assert await inbox.receive() == "the start"
        assert await inbox.receive() == "the first frame"
        line.send("heard again")
        assert first.sent == []
        assert second.sent == ["heard again"]
        line.close()
        assert await inbox.receive() is None

    in_a_hurry(scenario)


@pytest.mark.parametrize("digit", ["", "2", "*"])
def test_only_a_one_takes_the_caller(digit: str) -> None:
    """No key and any other key leave the caller with the assistant."""

    async def scenario() -> None:
        line, wire = Line(), Wire()
        line.attach(wire, None)
        ringing = asyncio.create_task(line.ring(RING, unheard))
        await asyncio.sleep(1)
        line.dial()
        line.person_answered()
        assert not line.person_pressed(digit)
        assert not line.joined
        line.close()
        assert (await ringing).result == "unanswered"

    in_a_hurry(scenario)


def test_a_line_that_is_over_cannot_ring() -> None:
    """A transfer ordered after the caller left fails at once."""

    async def scenario() -> None:
        line = Line()
        line.close()
        assert await line.ring(RING, unheard) == Transferred("unanswered", "failed")

    in_a_hurry(scenario)
