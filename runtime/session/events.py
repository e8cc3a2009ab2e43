"""A session's events one after the other, for whoever asks for the next one instead of listening."""

import asyncio

from runtime.session.model import ModelSession, SessionEvent


class Events:
    """Listens to a session from now on."""

    def __init__(self, session: ModelSession) -> None:
        self._queue: asyncio.Queue[SessionEvent | None] = asyncio.Queue()
        session.listen(self._queue.put_nowait)

    async def receive(self) -> SessionEvent | None:
        """The next event; None once the session is closed."""
        return await self._queue.get()
