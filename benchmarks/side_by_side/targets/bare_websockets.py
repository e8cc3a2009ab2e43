"""A relay that does nothing else, on `websockets` and uvloop: payloads are spliced, not decoded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.side_by_side.targets import main
from benchmarks.side_by_side.targets.protocol import SESSION


async def _to_model(line: ServerConnection, model: ClientConnection) -> None:
    async for message in line:
        assert isinstance(message, str)
        at = message.find('"payload":"')
        if at >= 0:
            payload = message[at + 11 : message.index('"', at + 11)]
            await model.send(f'{{"type":"input_audio_buffer.append","audio":"{payload}"}}')


async def _to_line(line: ServerConnection, model: ClientConnection, stream: str) -> None:
    head = f'{{"event":"media","streamSid":"{stream}","media":{{"payload":"'
    async for message in model:
        assert isinstance(message, str)
        at = message.find('"delta":"')
        if at >= 0:
            await line.send(f'{head}{message[at + 9 : message.index(chr(34), at + 9)]}"}}}}')


async def _start(line: ServerConnection) -> str:
    while True:
        message = await line.recv()
        assert isinstance(message, str)
        if '"start"' in message:
            at = message.index('"streamSid":"') + 13
            return message[at : message.index('"', at)]


@asynccontextmanager
async def opened(model_url: str) -> AsyncIterator[dict[str, str]]:
    """The relay on a free port."""
    url = model_url.replace("http", "ws", 1) + "/realtime?model=gpt-realtime"

    async def carry(line: ServerConnection) -> None:
        stream = await _start(line)
        async with connect(url, compression=None, max_size=None) as model:
            await model.send(SESSION)
            await model.send('{"type":"response.create"}')
            back = asyncio.create_task(_to_line(line, model, stream))
            try:
                await _to_model(line, model)
            except ConnectionClosed:
                pass
            finally:
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)

    async with serve(carry, "127.0.0.1", 0, compression=None) as server:
        yield {"media_url": f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/media"}


if __name__ == "__main__":
    main(opened)
