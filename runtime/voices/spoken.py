"""Synthetic speech and its recognition in this process: eSpeak NG speaks, PocketSphinx hears what it was told
to expect.

It makes a call audible without any service. It is no substitute for a speech model: how well it hears people
has not been measured. Measured with these settings on the phrases of a shipped flow, spoken by the caller's
voice over mu-law: all of them word for word. Three traps, each answered below:
1. digital silence between words ruins recognition, so faint noise is laid under it;
2. a grammar forces every sound into one of its phrases, so speech that free phonemes explain much better is
rejected;
3. one word missing from the dictionary stops the decoder, so its phrase is left out.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from runtime import audio
from runtime.voices import Role, VoiceMissing
from runtime.voices.noise import with_noise
from runtime.voices.recogniser import APART
from voiceflow_compiler.extras import missing

LEAST_MS = 160
MARGIN_MS = 200
SYNCHRONOUS, RATE, CHARACTERS, UTF8 = 2, 1, 1, 1  # constants of speak_lib.h
SAMPLES = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True, slots=True)
class Throat:
    """How a role sounds: eSpeak's voice name, words a minute, and whether noise lies under the speech."""

    voice: bytes
    words_per_minute: int
    noisy: bool


THROATS: dict[Role, Throat] = {
    "caller": Throat(b"en-us+klatt6", 130, noisy=True),
    "assistant": Throat(b"en-us+f3", 155, noisy=False),
}


def open_spoken(role: Role) -> Spoken:
    """The spoken voice of a role. Raises VoiceMissing with what to install."""
    _need_packages()
    return Spoken(THROATS[role])


def _need_packages() -> None:
    try:
        import espeakng_loader  # noqa: F401
        import pocketsphinx  # noqa: F401
    except ImportError as error:
        raise VoiceMissing(missing("spoken voices are not installed", "voice")) from error


class _Espeak:
    """The library is one per process and keeps its voice between calls: one speaker at a time."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._rate_hz = self._library.espeak_Initialize(
            SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0
        )
        if self._rate_hz <= 0:
            raise VoiceMissing("eSpeak NG was found but does not start (its data is missing)")
        self._said = bytearray()
        self._callback = SAMPLES(self._collect)  # kept: C holds no reference
        self._library.espeak_SetSynthCallback(self._callback)
        self._lock = threading.Lock()

    def _collect(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._said += ctypes.string_at(samples, count * audio.PCM16_BYTES)
        return 0

    def speak(self, text: str, throat: Throat) -> bytes:
        """The text as PCM16 at 8 kHz."""
        data = text.replace("\0", " ").encode() + b"\0"
        with self._lock:
            self._said.clear()
            if self._library.espeak_SetVoiceByName(throat.voice):  # else the voice before would go on
                raise VoiceMissing(f"eSpeak NG has no voice called {throat.voice.decode()}")
            self._library.espeak_SetParameter(RATE, throat.words_per_minute, 0)
            self._library.espeak_Synth(data, len(data), 0, CHARACTERS, 0, UTF8, None, None)
            self._library.espeak_Synchronize()
            said = bytes(self._said)
        return audio.resample(said, self._rate_hz, audio.SAMPLE_RATE_HZ)


_starting = threading.Lock()


def _espeak() -> _Espeak:
    with _starting:  # two threads that start the library at once end the process
        return _only_espeak()


@cache
def _only_espeak() -> _Espeak:
    return _Espeak()


def render(text: str, throat: Throat) -> bytes:
    """The text as PCM16 at 8 kHz in any throat, nothing laid under or around it. Blocks for a tenth of a
    second or so. Raises VoiceMissing.
    """
    _need_packages()
    return _espeak().speak(text, throat)


class Spoken:
    """The voice of one side of one call."""

    name = "spoken"
    quick = False

    def __init__(self, throat: Throat) -> None:
        self._throat = throat

    def speak(self, text: str) -> bytes:
        """The text as speech, with a breath of silence around it."""
        if not text.strip():
            return b""
        pause = bytes(MARGIN_MS * audio.BYTES_PER_MS * audio.PCM16_BYTES)
        pcm = pause + _espeak().speak(text, self._throat) + pause
        return audio.pcm16_to_mulaw(with_noise(pcm) if self._throat.noisy else pcm)

    def hear(self, mulaw: bytes, phrases: Sequence[str]) -> str | None:
        """The phrase that was said, or None: too short, none of the phrases, or nothing to expect."""
        if audio.duration_ms(mulaw) < LEAST_MS or not phrases:
            return None
        return APART.hear(mulaw, phrases)
