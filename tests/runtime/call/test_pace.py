"""A line with a small buffer is given no more than it holds."""

import asyncio
from typing import Any

from runtime.call.line import AHEAD_S, FRAME_S, LineWriter


class Carrier:
    """Remembers what it was given, and when."""

    def __init__(self) -> None:
        self.got: list[tuple[float, str | bytes]] = []
        self.changed = asyncio.Event()
        self.full = False

    def listen(self, take: Any, flow: Any) -> None:
        return None

    def send(self, message: str | bytes) -> None:
        self.got.append((asyncio.get_running_loop().time(), message))
        self.changed.set()

    def close(self, code: int = 1000) -> None:
        return None

    async def until(self, count: int) -> None:
        async with asyncio.timeout(90):
            while len(self.got) < count:
                self.changed.clear()
                await self.changed.wait()


async def test_no_more_is_sent_than_the_carrier_may_hold() -> None:
    """At any moment the audio given is at most what has been played by then and the allowance ahead of it."""
    carrier = Carrier()
    writer = LineWriter(carrier, paced=True)
    count = int(AHEAD_S / FRAME_S) + 20
    for _ in range(count):
        writer.audio(b"frame", protected=False)
    await carrier.until(count)
    writer.stop()
    began = carrier.got[0][0]
    for number, (at, _) in enumerate(carrier.got, start=1):
        assert number * FRAME_S <= at - began + AHEAD_S + FRAME_S


async def test_a_clear_is_not_kept_waiting() -> None:
    """While audio waits for room, a clear goes out at once, and what waited is never sent."""
    carrier = Carrier()
    writer = LineWriter(carrier, paced=True)
    full = int(AHEAD_S / FRAME_S)
    for _ in range(full * 3):
        writer.audio(b"old", protected=False)
    await carrier.until(full)
    asked = asyncio.get_running_loop().time()
    writer.clear("clear")
    writer.audio(b"new", protected=False)
    async with asyncio.timeout(90):
        while carrier.got[-1][1] != b"new":
            carrier.changed.clear()
            await carrier.changed.wait()
    writer.stop()
    at = next(at for at, message in carrier.got if message == "clear")
    assert at - asked < AHEAD_S / 2
    after = [message for _, message in carrier.got][[message for _, message in carrier.got].index("clear") :]
    assert after == ["clear", b"new"]
