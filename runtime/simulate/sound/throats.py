"""A synthetic caller's voice: words as sound, by eSpeak NG in many throats or as exact tones."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import lru_cache
from typing import Final

from runtime import audio
from runtime.simulate.callers import NONSENSE, mumble
from runtime.simulate.crowd.kinds import Manner
from runtime.simulate.profile import Line
from runtime.simulate.sound.lines import band, levelled
from runtime.voices import tones
from runtime.voices.spoken import Throat, render

BREATH_MS: Final = 200
PAUSE_MS: Final = (250, 900)
Sounding = Callable[[Line], bytes | Future[bytes]]


def in_tones(line: Line) -> bytes:
    """A line in tones."""
    return tones.encode(line.say) if line.say else mumble() if line.mumble else b""


def in_speech(manner: Manner, chance: random.Random, aside: Executor) -> Sounding:
    """A way to speak lines in one throat of this manner; the work is done aside, since it takes a while."""
    voice, rate = chance.choice(manner.voices), manner.words_per_minute

    def speak(line: Line) -> bytes | Future[bytes]:
        words = line.say or (NONSENSE if line.mumble else "")
        if not words:
            return b""
        return aside.submit(spoken, voice, rate, *broken(words, manner.pauses, chance))

    return speak


def broken(words: str, share: int, chance: random.Random) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The words in pieces, and the pauses after them: of a hundred gaps so many are pauses."""
    pieces, pauses = [[]], []  # type: list[list[str]], list[int]
    for word in words.split():
        if pieces[-1] and chance.random() * 100 < share:
            pieces.append([])
            pauses.append(chance.randint(*PAUSE_MS))
        pieces[-1].append(word)
    return tuple(" ".join(piece) for piece in pieces), tuple(pauses)


@lru_cache(maxsize=2048)
def spoken(voice: str, rate: int, pieces: tuple[str, ...], pauses: tuple[int, ...]) -> bytes:
    """The pieces as mu-law speech of the telephone's band at the loudness of every voice, pauses between."""
    throat = Throat(voice.encode(), rate, noisy=False)
    out = [_quiet(BREATH_MS)]
    for piece, pause in zip(pieces, (*pauses, BREATH_MS), strict=True):
        out += [levelled(band(render(piece, throat))), _quiet(pause)]
    return audio.pcm16_to_mulaw(b"".join(out))


def _quiet(ms: int) -> bytes:
    return bytes(ms * audio.BYTES_PER_MS * audio.PCM16_BYTES)
