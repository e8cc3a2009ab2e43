"""The writing side of the media socket: in order, at once, and dropped by age when the carrier stops reading.

What is ordered is handed to the socket in the same turn of the event loop. A carrier that took nothing for
longer than STALL_MS has stopped reading: what waited meanwhile is older than a conversation can bear and is
dropped, but for marks and protected speech. A carrier with a small buffer is paced: it holds at most AHEAD_S
of audio.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runtime.telephony.base import MediaSocket

Act = Callable[[], None]
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
    """Messages to the carrier."""

    def __init__(
        self, socket: MediaSocket, *, paced: bool = False, guarded: Callable[[Act], Act] = lambda act: act
    ) -> None:
        """`guarded`: makes of what the event loop is to call something that raises nothing there."""
        self._socket, self._guarded = socket, guarded
        self._paced = paced
        self._loop = asyncio.get_running_loop()
        self._held_until = 0.0  # when the carrier will have played what it holds
        self._queue: deque[_Message] = deque()
        self._full_since: float | None = None
        self._room: asyncio.TimerHandle | None = None  # when a paced carrier has room again
        self._on_audio: list[Callable[[], None]] = []
        self.dropped = 0

    def audio(self, content: str | bytes, *, protected: bool) -> None:
        if self._queue or self._paced or self._socket.full:
            self._put(_Message(content, audio=True, protected=protected))
            return
        self._socket.send(content)
        if self._on_audio:
            self._tell()

    def mark(self, content: str | bytes) -> None:
        if self._queue or self._socket.full:
            self._put(_Message(content, audio=False, protected=False))
        else:
            self._socket.send(content)

    def clear(self, content: str | bytes) -> None:
        """Send this before anything else; what was queued is not sent at all."""
        self._queue.clear()
        self._held_until = 0.0
        self._on_audio.clear()
        self._rest()
        self._put(_Message(content, audio=False, protected=False))

    def after_next_audio(self, act: Callable[[], None]) -> None:
        """Call this once, when the next audio has been handed to the socket."""
        self._on_audio.append(act)

    def flow(self) -> None:
        """The carrier takes again: it gets what is young enough."""
        since, self._full_since = self._full_since, None
        if since is not None and (self._loop.time() - since) * 1000 > STALL_MS:
            self._shed()
        self._write()

    @property
    def held(self) -> int:
        """How many bytes wait here for the carrier."""
        return sum(len(message.content) for message in self._queue)

    def stop(self) -> None:
        """Send nothing more."""
        self._queue.clear()
        self._rest()

    def _put(self, message: _Message) -> None:
        self._queue.append(message)
        self._write()

    def _write(self) -> None:
        while self._queue and self._room is None:
            if self._socket.full:
                self._full_since = self._full_since or self._loop.time()
                return
            if self._queue[0].audio and self._paced and self._wait():
                return
            message = self._queue.popleft()
            self._socket.send(message.content)
            if message.audio and self._on_audio:
                self._tell()

    def _wait(self) -> bool:
        """Whether a carrier has no room for one frame more now; then we go on once it has."""
        now = self._loop.time()
        held_until = max(self._held_until, now) + FRAME_S
        wait = held_until - now - AHEAD_S
        if wait > 0:
            self._room = self._loop.call_later(wait, self._guarded(self._go_on))
            return True
        self._held_until = held_until
        return False

    def _go_on(self) -> None:
        self._room = None
        self._write()

    def _rest(self) -> None:
        if self._room is not None:
            self._room.cancel()
            self._room = None

    def _tell(self) -> None:
        waiting, self._on_audio = self._on_audio, []
        for act in waiting:
            act()

    def _shed(self) -> None:
        kept = deque(message for message in self._queue if message.protected or not message.audio)
        self.dropped += len(self._queue) - len(kept)
        self._queue = kept
