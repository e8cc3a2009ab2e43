"""A provider that keeps a ledger: what it did, once per idempotency key, however often it is asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def provider(
    *, lose: int = 0, slow_s: float = 0.0, forget: bool = False, held: asyncio.Event | None = None
) -> AsyncIterator[tuple[str, list[str]]]:
    """Its address and its ledger. The first `lose` answers are lost after the deed was done (`forget`: and
    the deed with them); none comes before `held`. A GET tells of the key at the end of its path.
    """
    deeds: list[str] = []
    serving: set[asyncio.Task[None]] = set()
    lost = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal lost
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            await reader.readexactly(int(headers.get("content-length", "0")))
            if head[0].startswith("get "):
                await _tell(writer, deeds, head[0].split(" ")[1].rpartition("/")[2])
                return
            key = headers["idempotency-key"]
            if key not in deeds:
                deeds.append(key)
            await asyncio.sleep(slow_s)
            if held is not None:
                await held.wait()
            if lost < lose:
                lost += 1
                if forget:
                    deeds.remove(key)
                return
            await _tell(writer, deeds, key)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass  # the provider closes; a server's task must not end as cancelled
        finally:
            serving.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", deeds
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await server.wait_closed()


async def _tell(writer: asyncio.StreamWriter, deeds: list[str], key: str) -> None:
    status = "200 OK" if key in deeds else "404 Not Found"
    body = json.dumps({"booked": key, "time": "3 pm"}).encode() if key in deeds else b""
    length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(f"HTTP/1.1 {status}\r\n{length}".encode() + body)
    await writer.drain()
