"""What a telephone line does to a caller's voice: its band, noise, lost packets, packets that come late.

Pure but for chance, which is a seed.

Laws
1. The same seed and the same frames give the same frames out, byte for byte.
2. Nothing is made longer or shorter: so many frames in, so many frames out, in order. What is late leaves
   later, together.
3. A lost packet is filled as a telephone does: once the sound before it at half its loudness, then silence.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from runtime import audio
from runtime.simulate.crowd.kinds import Quality
from runtime.simulate.line import Deed, Moment, Mouth

SPEECH_DBFS: Final = -20.0  # every voice is brought to this loudness, so that a distance to noise is exact
SPEECH_RMS: Final = 32768 * 10 ** (SPEECH_DBFS / 20)
ACTIVE_RMS: Final = 300  # a frame quieter than this is a pause between words
LOW_HZ, HIGH_HZ = 300, 3400  # the telephone's band (ITU-T G.712)
NOISE_S: Final = 4
BURST: Final = 0.6  # once a packet is lost, how likely the next one is too: losses come in bursts (Gilbert)
MOST_LATE_FRAMES: Final = 50


class BadLine:
    """A mouth behind a line: what it does, as it leaves the telephone. Counts what was lost."""

    def __init__(self, mouth: Mouth, line: Quality, seed: str) -> None:
        self._mouth = mouth
        self._line = line
        self._chance = random.Random(f"line:{seed}")
        self._noise = _noise(_number(seed), line.snr_db) if line.snr_db is not None else None
        self._before = audio.silence(audio.FRAME_MS)
        self._losing = 0
        self._held: list[bytes] = []
        self._until = 0
        self.frames = self.lost = self.late = 0

    def tick(self, moment: Moment) -> Deed:
        """20 ms of the mouth behind this line."""
        deed = self._mouth.tick(moment)
        frame = self._carried(deed.frame)
        self.frames += 1
        if not self._line.jitter_ms:
            return Deed(frame, deed.key, deed.hang_up)
        return Deed(frame, deed.key, deed.hang_up, self._leaving(frame, hurry=deed.hang_up))

    def _carried(self, frame: bytes) -> bytes:
        if self._noise is not None:
            noisy = audio.mix(audio.mulaw_to_pcm16(frame), next(self._noise))
            frame = audio.pcm16_to_mulaw(noisy)
        if self._is_lost():
            self.lost += 1
            self._losing += 1
            return _filled(self._before) if self._losing == 1 else audio.silence(audio.FRAME_MS)
        self._losing, self._before = 0, frame
        return frame

    def _is_lost(self) -> bool:
        share = self._line.loss / 100
        if not share:
            return False
        # A chain of two states whose long share of lost packets is `share`.
        begins = share * (1 - BURST) / max(1 - share, 0.01)
        return self._chance.random() < (BURST if self._losing else begins)

    def _leaving(self, frame: bytes, *, hurry: bool) -> tuple[bytes, ...]:
        """The frames that leave in this tick: now and then the network holds some back and lets them go
        together.
        """
        self._held.append(frame)
        if self._until > 0 and not hurry and len(self._held) < MOST_LATE_FRAMES:
            self._until -= 1
            return ()
        if not hurry and self._chance.random() < 0.1:
            self._until = self._chance.randint(0, self._line.jitter_ms // audio.FRAME_MS)
        leaving, self._held = tuple(self._held), []
        self.late += len(leaving) - 1
        return leaving


def _filled(before: bytes) -> bytes:
    return audio.pcm16_to_mulaw(audio.scale(audio.mulaw_to_pcm16(before), 0.5))


def _number(seed: str) -> int:
    """One of few noises for a seed, so that not every call makes its own."""
    return random.Random(f"noise:{seed}").randrange(8)


def _noise(number: int, snr_db: float) -> Iterator[bytes]:
    """Frames of noise as PCM16 for ever, so far below speech."""
    frames = _frames(number, SPEECH_RMS / 10 ** (snr_db / 20))
    while True:
        yield from frames


@lru_cache(maxsize=64)
def _frames(number: int, rms: float) -> tuple[bytes, ...]:
    """Four seconds of noise through the telephone's band."""
    chance = random.Random(number)
    white = array("h", (_sample(chance.gauss(0, 3000)) for _ in range(NOISE_S * audio.SAMPLE_RATE_HZ)))
    pcm = band(white.tobytes())
    pcm = audio.scale(pcm, rms / max(1, audio.rms(pcm)))
    size = audio.FRAME_BYTES * audio.PCM16_BYTES
    return tuple(pcm[at : at + size] for at in range(0, len(pcm), size))


def band(pcm: bytes) -> bytes:
    """PCM16 at 8 kHz through the telephone's band: two filters of the second order (Butterworth)."""
    return _filtered(_filtered(pcm, LOW_HZ, high_pass=True), HIGH_HZ, high_pass=False)


def levelled(pcm: bytes) -> bytes:
    """Speech (PCM16 at 8 kHz) at the loudness of every voice, pauses not counted."""
    size = audio.FRAME_BYTES * audio.PCM16_BYTES
    levels = [audio.rms(pcm[at : at + size]) for at in range(0, len(pcm), size)]
    loud = [level for level in levels if level > ACTIVE_RMS]
    if not loud:
        return pcm
    return audio.scale(pcm, SPEECH_RMS / math.sqrt(sum(level * level for level in loud) / len(loud)))


def _filtered(pcm: bytes, at_hz: int, *, high_pass: bool) -> bytes:
    """A biquad from the analogue prototype by the bilinear transform, Q = 1/sqrt 2."""
    turn = math.tan(math.pi * at_hz / audio.SAMPLE_RATE_HZ)
    norm = 1 / (1 + math.sqrt(2) * turn + turn * turn)
    b0 = norm if high_pass else turn * turn * norm
    b1 = -2 * b0 if high_pass else 2 * b0
    a1, a2 = 2 * (turn * turn - 1) * norm, (1 - math.sqrt(2) * turn + turn * turn) * norm
    x1 = x2 = y1 = y2 = 0.0
    out = array("h", bytes(len(pcm)))
    for place, x in enumerate(array("h", pcm)):
        y = b0 * (x + x2) + b1 * x1 - a1 * y1 - a2 * y2
        x2, x1, y2, y1 = x1, x, y1, y
        out[place] = _sample(y)
    return out.tobytes()


def _sample(value: float) -> int:
    return max(-32768, min(32767, round(value)))
