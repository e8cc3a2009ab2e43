"""Faint noise under speech, as on every line: digital silence between words ruins recognition."""

from __future__ import annotations

import random
import struct
from functools import cache
from typing import Final

from runtime import audio

SIGMA: Final = 150  # -47 dBFS


@cache
def _noise_second() -> bytes:
    rng = random.Random(7)  # the same noise every time: a call can be repeated exactly
    samples = (round(rng.gauss(0, SIGMA)) for _ in range(audio.SAMPLE_RATE_HZ))
    return struct.pack(f"<{audio.SAMPLE_RATE_HZ}h", *samples)


def with_noise(pcm: bytes) -> bytes:
    """PCM16 at 8 kHz with faint noise under it."""
    noise = _noise_second() * (len(pcm) // len(_noise_second()) + 1)
    return audio.mix(pcm, noise[: len(pcm)])
