"""A synthetic caller on the telephone: lines become sound, and the end of the assistant's speech is heard,
not told.

The caller knows only the sound of the call, and, where `where` is given, at which node it stands (as a
person who had read the design would): that times a line kept for one node and lets a line that was not
understood be said again.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator
from typing import Final

from runtime import audio
from runtime.simulate.line import Deed, Moment
from runtime.simulate.mind import Mind, answer, interruption, said
from runtime.simulate.profile import Line, Profile
from runtime.simulate.receiver import Receiver

MUMBLE_MS: Final = 1200
NONSENSE: Final = "blorp frindle wamma gundip shoolk"  # a recogniser of phrases must reject it
NOISE: Final = 150  # of 32768: digital silence between words would spoil hearing
SILENT: Final = audio.MULAW_SILENCE * audio.FRAME_BYTES


class Script:
    """The wits of a caller whose lines are written down."""

    def __init__(self, profile: Profile, where: Callable[[], str | None]) -> None:
        self._mind = Mind(profile)
        self._where = where

    @property
    def patience_ms(self) -> int:
        return self._mind.profile.patience_ms

    def ready(self) -> bool:
        """Always: the next line is written."""
        return True

    def answer(self) -> Line | None:
        """The next line that fits, or the last one again."""
        self._mind, line = answer(self._mind, self._where())
        return line

    def interrupt(self, playing_ms: int) -> Line | None:
        """The next line, where it is written to be said into the assistant's speech."""
        node = self._where()
        line = interruption(self._mind, node)
        if line is None or playing_ms < (line.interrupt_after_ms or 0):
            return None
        self._mind = said(self._mind, self._mind.next_line, node)
        return line


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
        sounds = {text: speak(text) for text in sorted(texts)}
        mumbled = speak(NONSENSE) if spoken else mumble()

        def sound(line: Line) -> bytes:
            return sounds[line.say] if line.say else mumbled if line.mumble else b""

        self._receiver = Receiver(Script(profile, where), sound, hush(spoken=spoken))

    def tick(self, moment: Moment) -> Deed:
        """One tick: listen, perhaps begin a line, give the next 20 ms."""
        return self._receiver.tick(moment)

    @property
    def lines(self) -> list[tuple[int, Line]]:
        """What was begun, and when."""
        return self._receiver.lines


def hush(*, spoken: bool) -> Callable[[], bytes]:
    """What a silent caller sounds like, frame by frame. Speech brings noise of its own, where the voice has
    any.
    """
    if not spoken:
        return lambda: SILENT
    background = _noise(NOISE)
    return lambda: audio.pcm16_to_mulaw(next(background))


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
