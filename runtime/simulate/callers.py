"""A synthetic caller on the telephone: lines become sound, and the end of the assistant's speech is heard,
not told.

The caller knows only the sound of the call, and, where `where` is given, at which node it stands (as a
person who had read the design would): that times a line kept for one node and lets a line that was not
understood be said again.
"""

from __future__ import annotations

import random
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from runtime import audio
from runtime.simulate.line import Deed, Moment
from runtime.simulate.mind import Mind, answer, interruption, said
from runtime.simulate.profile import Line, Profile

MUMBLE_MS: Final = 1200
NONSENSE: Final = "blorp frindle wamma gundip shoolk"  # a recogniser of phrases must reject it
KEY_TICKS: Final = 8  # a key every 160 ms
NOISE: Final = 150  # of 32768: digital silence between words would spoil hearing
SILENT: Final = audio.MULAW_SILENCE * audio.FRAME_BYTES


class Caller:
    """Holds the receiver: asked once every 20 ms what it does.

    `spoken`: the voice is speech, so there is faint noise on the line, and a mumble is words of no language.
    """

    def __init__(
        self,
        profile: Profile,
        speak: Callable[[str], bytes],
        *,
        where: Callable[[], str | None] = lambda: None,
        spoken: bool = False,
    ) -> None:
        texts = {line.say for line in profile.says if line.say}
        self._sounds = {text: speak(text) for text in sorted(texts)}
        self._mind = Mind(profile)
        self._where = where
        self._frames: deque[bytes] = deque()
        self._keys: deque[str] = deque()
        self._key_pause = 0
        self._background = _noise(NOISE) if spoken else None
        self._mumble = speak(NONSENSE) if spoken else mumble()
        self._playing_ms = 0  # of the assistant's speech under way
        self._quiet_ms = 0
        self._my_turn = False
        self.lines: list[tuple[int, Line]] = []

    def tick(self, moment: Moment) -> Deed:
        """One tick: listen, perhaps begin a line, give the next 20 ms."""
        self._listen(moment)
        line = self._begin(moment)
        if line is not None:
            self.lines.append((moment.at_ms, line))
            self._frames.extend(audio.split_frames(self._sound(line)))
            self._keys.extend(line.key or "")
        frame = self._frames.popleft() if self._frames else self._silence()
        return Deed(frame, self._press(), line is not None and line.hang_up)

    def _listen(self, moment: Moment) -> None:
        if moment.playing:
            self._playing_ms = self._playing_ms + audio.FRAME_MS if self._quiet_ms < 100 else 0
            self._quiet_ms = 0
            self._my_turn = True
        else:
            self._quiet_ms += audio.FRAME_MS

    def _begin(self, moment: Moment) -> Line | None:
        """The line to begin now, if any: into the assistant's speech, or after it."""
        if self._frames or self._keys:
            return None
        if moment.playing:
            return self._interrupt()
        if not self._my_turn or self._quiet_ms < self._mind.profile.patience_ms:
            return None
        self._my_turn = False
        self._mind, line = answer(self._mind, self._where())
        return line

    def _interrupt(self) -> Line | None:
        node = self._where()
        line = interruption(self._mind, node)
        if line is None or self._playing_ms < (line.interrupt_after_ms or 0):
            return None
        self._mind = said(self._mind, self._mind.next_line, node)
        return line

    def _sound(self, line: Line) -> bytes:
        if line.say:
            return self._sounds[line.say]
        return self._mumble if line.mumble else b""

    def _press(self) -> str:
        if self._key_pause:
            self._key_pause -= 1
        elif self._keys:
            self._key_pause = KEY_TICKS
            return self._keys.popleft()
        return ""

    def _silence(self) -> bytes:
        """What a silent caller sounds like. Speech brings noise of its own, where the voice has any."""
        return SILENT if self._background is None else audio.pcm16_to_mulaw(next(self._background))


def mumble() -> bytes:
    """A sound as long and as loud as a sentence that holds no words and no tones: noise in syllables."""
    chance = random.Random(7)
    pcm = array("h")
    for n in range(MUMBLE_MS * audio.BYTES_PER_MS):
        loud = 5000 if (n // 1000) % 3 else 1500
        pcm.append(int(chance.gauss(0, 1) * loud / 2.5))
    return audio.pcm16_to_mulaw(pcm.tobytes())


def _noise(sigma: int) -> Iterator[bytes]:
    """Frames of faint noise as PCM16, for ever (one second, again and again)."""
    chance = random.Random(11)
    second = [
        array("h", (int(chance.gauss(0, sigma)) for _ in range(audio.FRAME_BYTES))).tobytes()
        for _ in range(1000 // audio.FRAME_MS)
    ]
    while True:
        yield from second
