"""A fake network's REST interface over HTTP, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.simulate.network import FAULT, Network


@asynccontextmanager
async def serve_interface(network: Network) -> AsyncIterator[str]:
    """Serve it while this lasts; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _answer(network, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # whoever asked is gone, or speaks no HTTP
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        getattr(server, "close_clients", lambda: None)()  # since Python 3.13
        await server.wait_closed()


async def _answer(network: Network, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    status, content = await network.order(method, path, headers, body)
    if status != FAULT:
        length = f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        writer.write(f"HTTP/1.1 {status} X\r\n{length}".encode() + content)
        await writer.drain()
