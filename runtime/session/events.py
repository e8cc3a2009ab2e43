"""What a session tells, in order: to whoever listens, or one after the other to whoever asks for the next."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from runtime.session.model import ModelSession, SessionEvent


class Told:
    """What a session has to tell; it is kept until somebody listens."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: deque[SessionEvent | None] = deque()
        self._take: Callable[[SessionEvent | None], None] | None = None

    def listen(self, take: Callable[[SessionEvent | None], None]) -> None:
        """From now on `take` has every event."""
        self._take = take
        self.soon([])

    def now(self, event: SessionEvent) -> None:
        """Tell this, after what was not told yet. A task that is woken for what a server says would come
        after all frames of all calls that are waiting just then.
        """
        self._events.append(event)
        self._hand_on()

    def soon(self, events: Sequence[SessionEvent | None]) -> None:
        """Tell these in a turn of their own: what an order leads to never runs inside it."""
        self._events.extend(events)
        if self._events:
            self._loop.call_soon(self._hand_on)

    def _hand_on(self) -> None:
        while self._events and self._take is not None:
            self._take(self._events.popleft())


class Events:
    """Listens to a session from now on."""

    def __init__(self, session: ModelSession) -> None:
        self._queue: asyncio.Queue[SessionEvent | None] = asyncio.Queue()
        session.listen(self._queue.put_nowait)

    async def receive(self) -> SessionEvent | None:
        """The next event; None once the session is closed."""
        return await self._queue.get()
