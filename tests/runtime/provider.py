"""A provider that keeps a ledger: what it did, once per idempotency key, however often it is asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def provider(*, lose: int = 0, slow_s: float = 0.0) -> AsyncIterator[tuple[str, list[str]]]:
    """Its address and its ledger. The first `lose` answers are lost after the deed was done."""
    deeds: list[str] = []
    lost = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal lost
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            await reader.readexactly(int(headers.get("content-length", "0")))
            key = headers["idempotency-key"]
            if key not in deeds:
                deeds.append(key)
            await asyncio.sleep(slow_s)
            if lost < lose:
                lost += 1
                return
            body = json.dumps({"booked": key, "time": "3 pm"}).encode()
            length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 200 OK\r\n{length}".encode() + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", deeds
    finally:
        server.close()
        await server.wait_closed()
