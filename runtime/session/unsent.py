"""What waits for a model that takes nothing: every order, and of the caller's live sound the newest.

1. Orders, and sound kept from before the session was ready, are never dropped: the model would miss them.
2. Live sound older than LATE_FRAMES is dropped: a turn detected seconds late is worse than a gap in it.
3. What is kept leaves in the order in which it came.
"""

from __future__ import annotations

from collections import deque
from typing import Final

LATE_FRAMES: Final = 20  # of 20 ms: 400 ms, what the line's writer bears too
# Half a minute of frames one after the other: the socket is not moving, and the session is lost. Until then
# the peer may come back. That many frames are counted for this, and not kept.
MOST_REFUSED: Final = 30 * 50


class Unsent:
    """The queue in front of one model socket, over all of a call's connections."""

    __slots__ = ("_live", "_refused", "_waiting", "dropped")

    def __init__(self) -> None:
        # A message, and how many bytes of live sound it is (None: it may not be dropped).
        self._waiting: deque[tuple[str, int | None]] = deque()
        self._live = self._refused = 0
        self.dropped = 0  # frames, since the call began

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def held(self) -> int:
        """How many bytes wait."""
        return sum(len(message) for message, _ in self._waiting)

    @property
    def stuck(self) -> bool:
        """Whether so much came since anything left that nobody reads at the other end."""
        return self._refused > MOST_REFUSED

    def put(self, message: str) -> None:
        """Keep this until it can leave."""
        self._refused += 1
        self._waiting.append((message, None))

    def put_live(self, message: str, size: int) -> int:
        """Keep 20 ms of live sound, this many bytes; returns how many bytes of the oldest were dropped."""
        self._refused += 1
        self._waiting.append((message, size))
        self._live += 1
        return self._drop() if self._live > LATE_FRAMES else 0

    def take(self) -> str:
        """The oldest message, which leaves now."""
        self._refused = 0
        message, size = self._waiting.popleft()
        self._live -= size is not None
        return message

    def clear(self) -> None:
        """Forget what was meant for a connection that is gone."""
        self._waiting.clear()
        self._live = self._refused = 0

    def _drop(self) -> int:
        live = ((place, size) for place, (_, size) in enumerate(self._waiting) if size is not None)
        place, size = next(live)
        del self._waiting[place]
        self._live -= 1
        self.dropped += 1
        return size
