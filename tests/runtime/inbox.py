"""What came on a line, for tests that read one message after the other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from runtime.session.events import Events
from runtime.session.model import SessionSettings
from runtime.session.openai import OpenAISession
from runtime.telephony.base import MediaSocket
from runtime.websocket import ServerSocket, Socket


class Inbox:
    """Listens to a line from now on."""

    def __init__(self, line: MediaSocket) -> None:
        self._queue: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        line.listen(self._queue.put_nowait, lambda: None)

    async def receive(self) -> str | bytes | None:
        """The next message; None once the line is gone."""
        return await self._queue.get()


class HeardSession(OpenAISession):
    """A session whose events are read one after the other."""

    def __init__(self, settings: SessionSettings) -> None:
        super().__init__(settings)
        self.receive = Events(self).receive


@asynccontextmanager
async def listening(serve: Callable[[Socket], Coroutine[Any, Any, None]]) -> AsyncIterator[int]:
    """A server of bare media sockets on this port; `serve` runs for each."""
    tasks: set[asyncio.Task[None]] = set()

    def admit(path: str, headers: Mapping[str, str]) -> Socket:
        socket = Socket(65_536)
        tasks.add(asyncio.create_task(serve(socket)))
        return socket

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ServerSocket(admit, most=65_536, within_s=5), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*tasks, return_exceptions=True)
