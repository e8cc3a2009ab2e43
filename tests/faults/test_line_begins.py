"""Rows 20 and 22: sockets that do not begin as they should, by the bed's clock and by count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from runtime.simulate.bad_line import LineFaults
from runtime.telephony.twilio import SIGNATURE_HEADER, sign
from tests.faults.bed import TOKEN, Bed, Later, live, sized
from tests.faults.conftest import Open
from tests.faults.laws import Held
from tests.runtime.switchboard import media_message, start_message, stop_message

pytestmark = pytest.mark.faults
START_S = 5.0
MORE_S = 1.0  # until everybody has seen it
FORGED = start_message("forged")


@asynccontextmanager
async def socket(bed: Bed) -> AsyncIterator[ClientConnection]:
    """A media socket the carrier has signed, which has said nothing yet."""
    url = bed.running.place.media_url
    headers = {SIGNATURE_HEADER: sign(TOKEN, url)}
    async with connect(url, additional_headers=headers, compression=None) as one:
        yield one


async def closed(one: ClientConnection) -> tuple[int | None, float]:
    """With which code the server closed it, and when."""
    try:
        while True:
            await one.recv()
    except ConnectionClosed:
        return one.close_code, asyncio.get_running_loop().time()


# ---- row 20


@pytest.mark.parametrize(
    "messages",
    [(), (media_message(),) * 3, (FORGED,), (FORGED, FORGED), (stop_message(),)],
    ids=["nothing", "frames first", "a forged start", "two of them", "a stop first"],
)
def test_row_20_a_stream_that_does_not_start_opens_no_session(bed: Open, messages: tuple[str, ...]) -> None:
    """A socket that shows no valid start is closed with 1008, after 5 s at the latest, and no session with
    the model was opened for it.
    """

    async def work() -> tuple[Bed, int | None, float]:
        async with bed() as one:
            began = asyncio.get_running_loop().time()
            async with socket(one) as line:
                for message in messages:
                    await line.send(message)
                code, at = await closed(line)
            return one, code, at - began

    one, code, after_s = live(work())
    assert code == 1008
    assert after_s <= START_S + MORE_S
    assert (round(after_s, 3) >= START_S) == (not messages)
    assert one.stand_in.connections == 0
    assert one.alerts("security.stream_refused") == 1


def test_row_20_a_stop_whose_socket_stays_open(bed: Open) -> None:
    """A carrier that says stop and keeps the socket open, frames and all: the model's session is closed
    within 2 s, and the call has one end.
    """

    async def work() -> tuple[Bed, Later]:
        async with bed() as one:
            return one, await one.call(faults=LineFaults(extra={150: ('{"event":"stop"}',)}))

    one, later = live(work())
    call = later()
    assert one.model_at("end", "closed") - call.began <= 150 * 0.02 + 2.0
    assert call.reason == "caller_hangup"
    assert one.stand_in.connections == 1


# ---- row 22


def address(bed: Bed) -> tuple[str, int]:
    parts = urlsplit(bed.running.place.media_url)
    return parts.hostname or "", parts.port or 0


async def held_after(bed: Bed, before: Held) -> int:
    """Sockets of this process beyond those before, once the time to start is over."""
    await asyncio.sleep(MORE_S)
    return Held.now().sockets - before.sockets


def test_row_22_idle_sockets_are_closed_at_five_seconds(bed: Open) -> None:
    """Sockets that are open and say nothing, half of them before and half after the handshake: the server
    has let all of them go 5 s later, and none much sooner.
    """
    number = sized(50, 1000) // 2

    async def plain(bed: Bed) -> float:
        reader, writer = await asyncio.open_connection(*address(bed))
        try:
            await reader.read()
        except ConnectionError:
            pass
        writer.close()
        return asyncio.get_running_loop().time()

    async def shaken(bed: Bed) -> float:
        async with socket(bed) as line:
            return (await closed(line))[1]

    async def work() -> list[float]:
        async with bed(toml=f"[limits]\ncalls = {number}\n") as one:
            began = asyncio.get_running_loop().time()
            both = [plain(one) for _ in range(number)] + [shaken(one) for _ in range(number)]
            ended = await asyncio.gather(*both)
            assert one.stand_in.connections == 0
            return [at - began for at in ended]

    took = live(work())
    assert len(took) == 2 * number
    assert all(START_S - 0.1 <= one <= START_S + MORE_S for one in took), (min(took), max(took))


def test_row_22_a_handshake_byte_by_byte(bed: Open) -> None:
    """A handshake that comes a byte every 100 ms is cut off 5 s after the connection, however far it is."""

    async def work() -> tuple[float, int]:
        async with bed() as one:
            loop = asyncio.get_running_loop()
            reader, writer = await asyncio.open_connection(*address(one))
            began, sent = loop.time(), 0
            gone = asyncio.ensure_future(reader.read())
            for byte in b"GET /twilio/media HTTP/1.1\r\nHost: x\r\n" + b"X-Slow: yes\r\n" * 40:
                if gone.done():
                    break
                writer.write(bytes([byte]))
                sent += 1
                await asyncio.wait([gone], timeout=0.1)
            await asyncio.gather(gone, return_exceptions=True)
            writer.close()
            return loop.time() - began, sent

    took, sent = live(work())
    assert START_S - 0.1 <= took <= START_S + MORE_S
    assert sent <= 60
