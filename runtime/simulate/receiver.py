"""Whoever holds the receiver: hears when the assistant has stopped speaking, begins a line, speaks it.

What is said is somebody else's choice (`Wits`); this is the ear, the mouth and the patience.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Protocol

from runtime import audio
from runtime.simulate.line import Deed, Moment
from runtime.simulate.profile import Line

KEY_TICKS: Final = 8  # a key every 160 ms
GAP_MS: Final = 100  # a pause this short is no end of the assistant's speech


class Wits(Protocol):
    """What somebody says, and when they are ready to."""

    @property
    def patience_ms(self) -> int: ...

    def ready(self) -> bool:
        """Whether the call stands where an answer can be chosen; asked again in 20 ms otherwise."""
        ...

    def answer(self) -> Line | None:
        """What to say now that the assistant is silent; None: only listen."""
        ...

    def interrupt(self, playing_ms: int) -> Line | None:
        """What to say into its speech, which has lasted so long; None: let it speak."""
        ...


class Receiver:
    """One side of a call. `sound` gives a line's mu-law audio, at once or later; `hush` one silent frame."""

    def __init__(
        self, wits: Wits, sound: Callable[[Line], bytes | Future[bytes]], hush: Callable[[], bytes]
    ) -> None:
        self._wits = wits
        self._sound = sound
        self._hush = hush
        self._frames: deque[bytes] = deque()
        self._keys: deque[str] = deque()
        self._coming: Future[bytes] | None = None
        self._hanging_up = False
        self._key_pause = 0
        self._playing_ms = 0  # of the assistant's speech under way
        self._quiet_ms = 0
        self._my_turn = False
        self.lines: list[tuple[int, Line]] = []
        self.spoke: list[tuple[int, int]] = []  # from and to, in milliseconds since the answer

    def tick(self, moment: Moment) -> Deed:
        """One tick: listen, perhaps begin a line, give the next 20 ms."""
        self._listen(moment)
        self._arrive()
        line = self._begin(moment)
        if line is not None:
            self.lines.append((moment.at_ms, line))
            self._take(line)
        if self._frames:
            self._mark(moment.at_ms)
        frame = self._frames.popleft() if self._frames else self._hush()
        return Deed(frame, self._press(), line is not None and line.hang_up)

    def _take(self, line: Line) -> None:
        self._keys.extend(line.key or "")
        sound = self._sound(line)
        if isinstance(sound, Future):
            self._coming = sound
        else:
            self._frames.extend(audio.split_frames(sound))

    def _arrive(self) -> None:
        """The sound of a line that took its time."""
        if self._coming is not None and self._coming.done():
            self._frames.extend(audio.split_frames(self._coming.result()))
            self._coming = None

    def _mark(self, at_ms: int) -> None:
        began = self.spoke[-1] if self.spoke else None
        if began is not None and began[1] == at_ms:
            self.spoke[-1] = (began[0], at_ms + audio.FRAME_MS)
        else:
            self.spoke.append((at_ms, at_ms + audio.FRAME_MS))

    def _listen(self, moment: Moment) -> None:
        if moment.playing:
            self._playing_ms = self._playing_ms + audio.FRAME_MS if self._quiet_ms < GAP_MS else 0
            self._quiet_ms = 0
            self._my_turn = True
        else:
            self._quiet_ms += audio.FRAME_MS

    def _begin(self, moment: Moment) -> Line | None:
        """The line to begin now, if any: into the assistant's speech, or after it."""
        if self._frames or self._keys or self._coming is not None:
            return None
        if moment.playing:
            return self._wits.interrupt(self._playing_ms)
        if not self._my_turn or self._quiet_ms < self._wits.patience_ms or not self._wits.ready():
            return None
        self._my_turn = False
        return self._wits.answer()

    def _press(self) -> str:
        if self._key_pause:
            self._key_pause -= 1
        elif self._keys:
            self._key_pause = KEY_TICKS
            return self._keys.popleft()
        return ""
