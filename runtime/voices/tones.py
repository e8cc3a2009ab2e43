"""A voice that is exact: text as two tones at once, for tests and load, where speech would only blur the
oracle.

A packet is PREAMBLE, length (2 bytes), UTF-8 text, CRC-16. A symbol lasts 20 ms at 8 kHz. Tones sit 100 Hz
apart, so any two of them are orthogonal over less than one symbol (10 ms) and a frame that starts in the
wrong place costs little. DENSE sends a byte a symbol (low nibble in the lower sixteen tones, high nibble in
the upper); PLAIN sends a nibble a symbol, one tone at a time, for noisier lines. A listener tells them apart
by the preamble. Only the standard library is used: `audio.projection` is a dot product in C.
"""

from __future__ import annotations

import binascii
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from runtime import audio

SYMBOL_SAMPLES = audio.FRAME_BYTES
SYMBOL_BYTES = SYMBOL_SAMPLES * audio.PCM16_BYTES
LOWEST_HZ, SPACING_HZ, TONES = 300, 100, 32
AMPLITUDE = 9000
PURE = (
    0.6  # share of a symbol's energy that a preamble tone must hold; noise as loud as the tone leaves a half
)
SCAN_SAMPLES, FINE_SAMPLES = 16, 4
LEAD_MS, TAIL_MS = 40, 20  # a breath of silence, so that a gate or a clipped first frame takes nothing away
MAX_BYTES = 0xFFFF


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to lay bytes on tones: its name, its preamble (tone numbers), and symbols a byte."""

    name: str
    preamble: tuple[int, ...]
    symbols_per_byte: int


DENSE = Mode("dense", (2, 29, 11, 20), 1)
PLAIN = Mode("plain", (29, 2, 20, 11), 2)
MODES = (DENSE, PLAIN)


@cache
def _wave(tone: int, quarter: int) -> bytes:
    """One symbol of one tone as PCM16, a quarter turn later if asked: the reference for both parts of a
    correlation."""
    step = 2 * math.pi * (LOWEST_HZ + SPACING_HZ * tone) / audio.SAMPLE_RATE_HZ
    samples = (AMPLITUDE * math.cos(step * n - quarter * math.pi / 2) for n in range(SYMBOL_SAMPLES))
    return struct.pack(f"<{SYMBOL_SAMPLES}h", *(round(sample) for sample in samples))


@cache
def _symbol(tones: tuple[int, ...]) -> bytes:
    """One symbol (160 mu-law bytes) that sounds these tones together."""
    mixed = bytes(SYMBOL_BYTES)
    for tone in tones:
        mixed = audio.mix(mixed, _wave(tone, 1))
    return audio.pcm16_to_mulaw(mixed)


def encode(text: str, mode: Mode = DENSE) -> bytes:
    """The text as mu-law tones: 120 ms of preamble and margins, then 20 ms a byte (40 ms in PLAIN). Raises
    ValueError beyond 65,535 bytes of UTF-8."""
    body = text.encode()
    if len(body) > MAX_BYTES:
        raise ValueError(f"a packet of tones holds {MAX_BYTES} bytes, not {len(body)}")
    packet = struct.pack(">H", len(body)) + body
    packet += struct.pack(">H", binascii.crc_hqx(packet, 0xFFFF))
    symbols = [_symbol((tone,)) for tone in mode.preamble]
    symbols.extend(_symbol(tones) for byte in packet for tones in _tones_of(byte, mode))
    return audio.silence(LEAD_MS) + b"".join(symbols) + audio.silence(TAIL_MS)


def _tones_of(byte: int, mode: Mode) -> tuple[tuple[int, ...], ...]:
    low, high = byte & 15, byte >> 4
    return ((low, 16 + high),) if mode is DENSE else ((2 * high,), (2 * low,))


def decode(mulaw: bytes) -> str | None:
    """The text of every whole packet in a stretch of audio, joined by spaces; None when there is none.

    Silence, noise and speech around a packet do not matter, nor where the frames begin. A packet that was cut
    or damaged is left out: a wrong text is never returned (the CRC lets one damaged packet in 65,536 pass).
    """
    texts = [text for text, _ in packets(mulaw) if text is not None]
    return " ".join(texts) if texts else None


def holds_tones(mulaw: bytes) -> bool:
    """Whether a packet begins anywhere in this audio, readable to its end or not."""
    return next(packets(mulaw), None) is not None


def packets(mulaw: bytes) -> Iterator[tuple[str | None, str]]:
    """Each packet that begins in this audio, in order: its text (None if damaged or cut) and what could be
    read of it."""
    pcm = audio.mulaw_to_pcm16(mulaw)
    at = 0
    while (found := _find_preamble(pcm, at)) is not None:
        start, mode = found
        whole, readable, at = _read_packet(pcm, start + len(mode.preamble) * SYMBOL_BYTES, mode)
        yield whole, readable


def _find_preamble(pcm: bytes, at: int) -> tuple[int, Mode] | None:
    """Where (byte offset) the next preamble begins, and which."""
    step, span = SCAN_SAMPLES * audio.PCM16_BYTES, len(DENSE.preamble) * SYMBOL_BYTES
    for start in range(at, len(pcm) - span + 1, step):
        for mode in MODES:
            if _purity(pcm, start, mode.preamble) >= PURE:
                return _sharpen(pcm, start, mode), mode
    return None


def _sharpen(pcm: bytes, near: int, mode: Mode) -> int:
    """The offset within one symbol after `near` where the preamble is purest."""
    span = len(mode.preamble) * SYMBOL_BYTES
    step = FINE_SAMPLES * audio.PCM16_BYTES
    last = min(near + SYMBOL_BYTES, len(pcm) - span)
    return max(range(near, last + 1, step), key=lambda start: sum(_shares(pcm, start, mode.preamble)))


def _purity(pcm: bytes, start: int, tones: Sequence[int]) -> float:
    """The smallest share of a symbol's energy that lies in its expected tone; stops at the first that
    fails."""
    smallest = 1.0
    for share in _shares(pcm, start, tones):
        if share < PURE:
            return share
        smallest = min(smallest, share)
    return smallest


def _shares(pcm: bytes, start: int, tones: Sequence[int]) -> Iterator[float]:
    for place, tone in enumerate(tones):
        block = pcm[start + place * SYMBOL_BYTES : start + (place + 1) * SYMBOL_BYTES]
        level = audio.rms(block)
        yield _strength(block, tone) * AMPLITUDE**2 / 2 / level**2 if level > 30 else 0.0


def _strength(block: bytes, tone: int) -> float:
    """Energy of one tone in a symbol, whatever its phase, in units of the tone as sent."""
    return audio.projection(block, _wave(tone, 0)) ** 2 + audio.projection(block, _wave(tone, 1)) ** 2


def _read_packet(pcm: bytes, at: int, mode: Mode) -> tuple[str | None, str, int]:
    """The packet's text, what could be read of it, and the offset where the search goes on."""
    header = _read_bytes(pcm, at, 2, mode)
    length = struct.unpack(">H", header)[0] if len(header) == 2 else 0
    body = _read_bytes(pcm, at, 2 + length + 2, mode)
    end = at + (4 + length) * mode.symbols_per_byte * SYMBOL_BYTES
    if len(body) == length + 4 and binascii.crc_hqx(body, 0xFFFF) == 0:
        text = body[2:-2].decode(errors="replace")
        return text, text, end - SYMBOL_BYTES // 2
    return None, body[2 : 2 + length].decode(errors="ignore"), at


def _read_bytes(pcm: bytes, at: int, count: int, mode: Mode) -> bytes:
    """Up to `count` bytes; fewer if the audio ends or falls silent first."""
    out = bytearray()
    size = SYMBOL_BYTES * mode.symbols_per_byte
    for start in range(at, min(at + count * size, len(pcm) - size + 1), size):
        block = pcm[start : start + size]
        if audio.rms(block) < AMPLITUDE // 20:
            break
        out.append(_read_byte(block, mode))
    return bytes(out)


def _read_byte(block: bytes, mode: Mode) -> int:
    if mode is DENSE:
        return _loudest(block, range(16)) | (_loudest(block, range(16, 32)) - 16) << 4
    return (_loudest(block[:SYMBOL_BYTES], range(0, 32, 2)) // 2) << 4 | _loudest(
        block[SYMBOL_BYTES:], range(0, 32, 2)
    ) // 2


def _loudest(block: bytes, tones: Sequence[int]) -> int:
    return max(tones, key=lambda tone: _strength(block, tone))


@dataclass(frozen=True, slots=True)
class Tones:
    """The voice: exact both ways, the same for caller and assistant."""

    mode: Mode = DENSE
    name: str = "tones"
    quick: bool = True

    def speak(self, text: str) -> bytes:
        """The text as mu-law tones; nothing for nothing. Text beyond one packet goes into several."""
        pieces = [text[start : start + 4000] for start in range(0, len(text), 4000)]
        return b"".join(encode(piece, self.mode) for piece in pieces)

    def hear(self, mulaw: bytes, phrases: Sequence[str] = ()) -> str | None:
        """What was sent; None if the audio holds no whole packet. The phrases are not needed."""
        return decode(mulaw)
