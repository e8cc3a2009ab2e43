"""The writing side of the media socket: one queue, in order, dropped by age when the carrier stops reading.

The queue holds at most what the ledger lets out (five minutes of speech). A carrier that took longer than
STALL_MS
for one message has stopped reading: what waited meanwhile is older than a conversation can bear and is
dropped, but
for marks and protected speech. A carrier with a small buffer is paced: it holds at most AHEAD_S of audio.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runtime.telephony.base import MediaSocket

STALL_MS: Final = 400
FRAME_S: Final = 0.020
AHEAD_S: Final = (
    2.0  # how much audio a paced carrier holds: enough for any hiccup of ours, far below its buffer
)


@dataclass(frozen=True, slots=True)
class _Message:
    content: str | bytes
    audio: bool
    protected: bool


class LineWriter:
    """Messages to the carrier. `on_audio` is called once, when the next audio has been handed to the
    socket.
    """

    def __init__(self, socket: MediaSocket, *, paced: bool = False) -> None:
        self._socket = socket
        self._paced = paced
        self._held_until = 0.0  # when the carrier will have played what it holds
        self._queue: deque[_Message] = deque()
        self._filled = asyncio.Event()
        self._cleared = asyncio.Event()
        self._on_audio: list[Callable[[], None]] = []
        self.dropped = 0

    def audio(self, content: str | bytes, *, protected: bool) -> None:
        self._put(_Message(content, audio=True, protected=protected))

    def mark(self, content: str | bytes) -> None:
        self._put(_Message(content, audio=False, protected=False))

    def clear(self, content: str | bytes) -> None:
        """Send this before anything else; what was queued is not sent at all."""
        self._queue.clear()
        self._held_until = 0.0
        self._cleared.set()
        self._on_audio.clear()
        self._put(_Message(content, audio=False, protected=False))

    def after_next_audio(self, act: Callable[[], None]) -> None:
        self._on_audio.append(act)

    async def run(self) -> None:
        """Write until cancelled, or until the socket is gone (the reading side tells that)."""
        loop = asyncio.get_running_loop()
        while True:
            await self._filled.wait()
            while self._queue:
                if self._paced and self._queue[0].audio and await self._full(loop):
                    continue  # cleared meanwhile: another message is first now
                message = self._queue.popleft()
                began = loop.time()
                try:
                    await self._socket.send(message.content)
                except OSError:
                    return
                if message.audio:
                    self._tell()
                if (loop.time() - began) * 1000 > STALL_MS:
                    self._shed()
            self._filled.clear()

    async def _full(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Wait until the carrier has room for one frame more. True: a clear came instead."""
        now = loop.time()
        self._held_until = max(self._held_until, now) + FRAME_S
        wait = self._held_until - now - AHEAD_S
        if wait <= 0:
            return False
        self._cleared.clear()
        try:
            async with asyncio.timeout(wait):
                await self._cleared.wait()
        except TimeoutError:
            return False
        return True

    def _put(self, message: _Message) -> None:
        self._queue.append(message)
        self._filled.set()

    def _tell(self) -> None:
        waiting, self._on_audio = self._on_audio, []
        for act in waiting:
            act()

    def _shed(self) -> None:
        kept = deque(message for message in self._queue if message.protected or not message.audio)
        self.dropped += len(self._queue) - len(kept)
        self._queue = kept
