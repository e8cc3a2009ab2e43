"""How long a caller waits for the first sound: from the webhook's request to the first frame on the media
stream.

The floor is what nobody can save: the webhook answered and the media socket open, on the bare relay.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from benchmarks import world
from benchmarks.figures import Figure, Floor, Goal, percentile
from benchmarks.world import Place
from runtime.simulate.carriers.twilio import TWILIO
from runtime.simulate.twiml import Stream, read
from runtime.telephony.twilio import SIGNATURE_HEADER, sign

CRM_MS: Final = 400


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """The median and the 99th percentile over 30 calls (5 in a quick run), one after the other, on
    loopback; and the median with a CRM that takes most of a ring to answer, beside one that is a file.
    """
    count = 5 if quick else 30
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = asyncio.run(_measure(Path(folder) / "file", count))
        asked = asyncio.run(_measure_slow(Path(folder) / "slow", count))
    floor = "both handshakes alone, bare relay"
    return (
        Figure(
            f"webhook to first audio, median of {count} calls", median(ours), "ms", Floor(floor, median(bare))
        ),
        Figure(
            f"webhook to first audio, p99 of {count} calls",
            percentile(ours, 0.99),
            "ms",
            Floor(floor, percentile(bare, 0.99)),
        ),
        Figure(
            f"webhook to first audio while a CRM takes {CRM_MS} ms, median of {count} calls",
            median(asked),
            "ms",
            Floor("the facts in a file", median(ours)),
            Goal("ratio", "at_most", 1.25),
        ),
    )


async def _measure(folder: Path, count: int) -> tuple[list[float], list[float]]:
    async with (
        world.bridge(folder, speed=1) as bridge,
        world.relay([], speed=1) as relay,
        httpx2.AsyncClient() as http,
    ):
        pairs = [
            (await _wait(http, bridge, audio=True), await _wait(http, relay, audio=False))
            for _ in range(count + 1)
        ]
    ours, bare = zip(*pairs[1:], strict=True)  # the first call warms both
    return list(ours), list(bare)


async def _measure_slow(folder: Path, count: int) -> list[float]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A call that is hung up lets go of its look-up, and the connection with it.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(CRM_MS / 1000)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as crm, httpx2.AsyncClient() as http:
        url = f"http://127.0.0.1:{crm.sockets[0].getsockname()[1]}/people"
        own = {"facts": {"crm": {"source": "http", "url": url}}}
        async with world.bridge(folder, speed=1, own=own) as bridge:
            return [await _wait(http, bridge, audio=True) for _ in range(count + 1)][1:]


async def _wait(http: httpx2.AsyncClient, at: Place, *, audio: bool) -> float:
    """Milliseconds of one call that is hung up once its first audio (or its socket) is there."""
    call_id = "CA" + secrets.token_hex(16)
    began = perf_counter()
    stream = await _ring(http, at, call_id)
    headers = {SIGNATURE_HEADER: sign(at.subscription.token, stream.url)}
    async with connect(stream.url, additional_headers=headers, compression=None, max_queue=None) as socket:
        opened = perf_counter()
        await _start(socket, stream, call_id)
        while audio and json.loads(await socket.recv())["event"] != "media":
            pass
        waited = (perf_counter() if audio else opened) - began
        await socket.send(json.dumps({"event": "stop", "streamSid": "MZ" + call_id[2:], "stop": {}}))
    return 1000 * waited


async def _ring(http: httpx2.AsyncClient, at: Place, call_id: str) -> Stream:
    url = at.subscription.webhook
    fields = {
        "CallSid": call_id,
        "AccountSid": TWILIO.account,
        "From": f"+1202555{secrets.randbelow(10_000):04}",  # one number may call so often an hour only
        "To": at.subscription.number,
        "Direction": "inbound",
        "CallStatus": "ringing",
    }
    signature = sign(at.subscription.token, url, fields.items())
    answer = await http.post(url, data=fields, headers={SIGNATURE_HEADER: signature})
    stream = next((verb for verb in read(answer.text) if isinstance(verb, Stream)), None)
    if stream is None:
        raise RuntimeError("the webhook did not answer with a media stream")
    return stream


async def _start(socket: ClientConnection, stream: Stream, call_id: str) -> None:
    start = {
        "accountSid": TWILIO.account,
        "streamSid": "MZ" + call_id[2:],
        "callSid": call_id,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": dict(stream.parameters),
    }
    await socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
    await socket.send(
        json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": start["streamSid"], "start": start})
    )
