"""Telephone audio: G.711 and PCM16, sample rates, 20 ms frames, loudness, and the stereo WAV of a call.

Everything here takes bytes and returns bytes. mu-law means G.711 PCMU, 8000 samples a second, one byte a
sample (8 bytes = 1 ms); PCM16 means signed 16-bit little-endian mono. A Format is what one line carries.
"""

from __future__ import annotations

import io
import math
import re
import warnings
import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

with (
    warnings.catch_warnings()
):  # in the standard library until 3.12, where importing it warns; audioop-lts after that
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

SAMPLE_RATE_HZ = 8000
BYTES_PER_MS = SAMPLE_RATE_HZ // 1000
FRAME_MS = 20
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
MULAW_SILENCE = b"\xff"  # +0 in G.711 mu-law; 0x7F is -0
PCM16_BYTES = 2


@dataclass(frozen=True, slots=True)
class Format:
    """What a line carries, by the speech model's name for it. `silence` is one sample of it."""

    name: Literal["audio/pcmu", "audio/pcm"]
    rate_hz: int
    bytes_per_ms: int
    silence: bytes

    @property
    def frame_bytes(self) -> int:
        """The bytes of one frame of 20 ms."""
        return FRAME_MS * self.bytes_per_ms

    def quiet(self, ms: int) -> bytes:
        """Digital silence of that many milliseconds."""
        return self.silence * (ms * self.bytes_per_ms // len(self.silence))


_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)


def is_base64(payload: str) -> bool:
    """Whether a payload may be spliced: the base64 alphabet in whole groups, so no quote or brace can
    leave its string.
    """
    return len(payload) % 4 == 0 and _BASE64.fullmatch(payload) is not None


def base64_bytes(payload: str) -> int:
    """How many bytes a base64 payload holds, without decoding it."""
    return len(payload) * 3 // 4 - payload.count("=", -2)


PCMU: Final = Format("audio/pcmu", SAMPLE_RATE_HZ, BYTES_PER_MS, MULAW_SILENCE)
PCM24: Final = Format("audio/pcm", 24_000, 48, b"\0\0")


def mulaw_to_pcm16(mulaw: bytes) -> bytes:
    """mu-law bytes as PCM16 at the same rate (twice as many bytes)."""
    return audioop.ulaw2lin(mulaw, PCM16_BYTES)


def pcm16_to_mulaw(pcm: bytes) -> bytes:
    """PCM16 as mu-law at the same rate; an odd trailing byte is dropped."""
    return audioop.lin2ulaw(_whole_samples(pcm), PCM16_BYTES)


def alaw_to_pcm16(alaw: bytes) -> bytes:
    """A-law bytes (G.711 PCMA) as PCM16 at the same rate."""
    return audioop.alaw2lin(alaw, PCM16_BYTES)


def pcm16_to_alaw(pcm: bytes) -> bytes:
    """PCM16 as A-law bytes at the same rate; an odd trailing byte is dropped."""
    return audioop.lin2alaw(_whole_samples(pcm), PCM16_BYTES)


def duration_ms(mulaw: bytes) -> int:
    """Whole milliseconds of mu-law audio."""
    return len(mulaw) // BYTES_PER_MS


def silence(ms: int) -> bytes:
    """mu-law digital silence of that many milliseconds (none if negative)."""
    return MULAW_SILENCE * (ms * BYTES_PER_MS)


def split_frames(mulaw: bytes) -> Iterator[bytes]:
    """20 ms frames (160 bytes) in order; the last one is filled up with silence."""
    for start in range(0, len(mulaw), FRAME_BYTES):
        yield mulaw[start : start + FRAME_BYTES].ljust(FRAME_BYTES, MULAW_SILENCE)


def rms(pcm: bytes) -> int:
    """Root mean square of PCM16, 0 to 32768; 0 of nothing."""
    return audioop.rms(_whole_samples(pcm), PCM16_BYTES) if pcm else 0


def mulaw_rms(mulaw: bytes) -> int:
    """Root mean square of mu-law audio on the PCM16 scale, 0 to 32124."""
    return rms(mulaw_to_pcm16(mulaw))


def dbfs(pcm: bytes) -> float:
    """Loudness of PCM16 in decibels below full scale; minus infinity for silence."""
    level = rms(pcm)
    return 20 * math.log10(level / 32768) if level else -math.inf


def projection(pcm: bytes, reference: bytes) -> float:
    """How much of `reference` is in `pcm` (both PCM16, equally long): their dot product over the reference's
    own energy."""
    return audioop.findfactor(pcm, reference)


def mix(pcm: bytes, other: bytes) -> bytes:
    """Two equally long PCM16 clips heard together, clipped at full scale."""
    return audioop.add(pcm, other, PCM16_BYTES)


def scale(pcm: bytes, factor: float) -> bytes:
    """PCM16 louder or quieter by a factor, clipped at full scale."""
    return audioop.mul(pcm, PCM16_BYTES, factor)


class Resampler:
    """Changes the rate of a PCM16 stream piece by piece, without a seam between the pieces."""

    __slots__ = ("_from_hz", "_remainder", "_state", "_to_hz")

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz, self._to_hz = from_hz, to_hz
        self._state: object = None
        self._remainder = b""

    def feed(self, pcm: bytes) -> bytes:
        """The next piece at the new rate; half a sample at the end waits for the next call."""
        pcm = self._remainder + pcm
        whole = _whole_samples(pcm)
        self._remainder = pcm[len(whole) :]
        if self._from_hz == self._to_hz:
            return whole
        out, self._state = audioop.ratecv(whole, PCM16_BYTES, 1, self._from_hz, self._to_hz, self._state)  # type: ignore[arg-type]
        return out


def to_pcm16(content: bytes, kind: Format) -> bytes:
    """Audio of a line as PCM16 at the line's own rate."""
    return mulaw_to_pcm16(content) if kind.name == "audio/pcmu" else _whole_samples(content)


def from_pcm16(pcm: bytes, rate_hz: int, kind: Format) -> bytes:
    """A whole PCM16 clip as audio of a line."""
    fitted = resample(pcm, rate_hz, kind.rate_hz)
    return pcm16_to_mulaw(fitted) if kind.name == "audio/pcmu" else fitted


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """A whole PCM16 clip at another rate."""
    return Resampler(from_hz, to_hz).feed(pcm)


def lay_out(pieces: Iterable[tuple[int, bytes]], length_ms: int | None = None, kind: Format = PCMU) -> bytes:
    """One track from pieces `(at_ms, audio)`: silence between them, a later piece over an earlier one.

    The track ends with its last piece, or is exactly `length_ms` long.
    """
    track = bytearray()
    for at_ms, content in pieces:
        start = max(0, at_ms) * kind.bytes_per_ms
        track.extend(_filler(start - len(track), kind))
        track[start : start + len(content)] = content
    if length_ms is None:
        return bytes(track)
    wanted = length_ms * kind.bytes_per_ms
    return bytes(track[:wanted]) + _filler(wanted - len(track), kind)


def stereo_wav(
    left: Iterable[tuple[int, bytes]], right: Iterable[tuple[int, bytes]], kind: Format = PCMU
) -> bytes:
    """A WAV file (PCM16 at the line's rate, two channels) of two timed tracks `(at_ms, audio)`; the shorter
    ends in silence."""
    tracks = [lay_out(left, kind=kind), lay_out(right, kind=kind)]
    length = max(map(len, tracks))
    padded = [to_pcm16(track + _filler(length - len(track), kind), kind) for track in tracks]
    both = audioop.add(
        audioop.tostereo(padded[0], PCM16_BYTES, 1, 0),
        audioop.tostereo(padded[1], PCM16_BYTES, 0, 1),
        PCM16_BYTES,
    )
    return _wav(both, channels=2, rate_hz=kind.rate_hz)


def _filler(count: int, kind: Format) -> bytes:
    """So many bytes of silence, none if negative; an odd byte of PCM16 is dropped."""
    return kind.silence * (max(0, count) // len(kind.silence))


def mono_wav(pcm: bytes, rate_hz: int) -> bytes:
    """A WAV file of one PCM16 clip."""
    return _wav(pcm, channels=1, rate_hz=rate_hz)


def _wav(frames: bytes, *, channels: int, rate_hz: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(PCM16_BYTES)
        wav.setframerate(rate_hz)
        wav.writeframes(frames)
    return out.getvalue()


def _whole_samples(pcm: bytes) -> bytes:
    return pcm[: len(pcm) - len(pcm) % PCM16_BYTES]
