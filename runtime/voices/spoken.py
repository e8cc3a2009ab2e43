"""Synthetic speech and its recognition in this process: eSpeak NG speaks, PocketSphinx hears what it was told
to expect.

It makes a call audible without any service. It is no substitute for a speech model: how well it hears people
has not been measured. Measured with these settings on the phrases of a shipped flow, spoken by the caller's
voice over mu-law: all of them word for word. Three traps, each answered below:
1. digital silence between words ruins recognition, so faint noise is laid under it;
2. a grammar forces every sound into one of its phrases, so speech that free phonemes explain much better is
rejected;
3. one word missing from the dictionary stops the decoder, so its phrase is left out (`unknown_words` tells
which).
"""

from __future__ import annotations

import ctypes
import random
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from runtime import audio
from runtime.voices import Role, VoiceMissing, grammar
from voiceflow_compiler.extras import missing

DECODER_RATE_HZ = 16_000
LEAST_MS = 160
# Per frame, in the decoder's log units: how much better free phonemes may explain a sound than the best
# phrase does.
REJECT_BELOW, REJECT_OPEN_BELOW = (
    -5.5e-4,
    -3.5e-4,
)  # a phrase as it stands; one with a number or the like in it
NOISE_SIGMA = 150  # -47 dBFS
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


@cache
def _espeak() -> _Espeak:
    return _Espeak()


def render(text: str, throat: Throat) -> bytes:
    """The text as PCM16 at 8 kHz in any throat, nothing laid under or around it. Blocks for a tenth of a
    second or so. Raises VoiceMissing.
    """
    _need_packages()
    return _espeak().speak(text, throat)


@cache
def _noise_second() -> bytes:
    rng = random.Random(7)  # the same noise every time: a call can be repeated exactly
    samples = (round(rng.gauss(0, NOISE_SIGMA)) for _ in range(audio.SAMPLE_RATE_HZ))
    return struct.pack(f"<{audio.SAMPLE_RATE_HZ}h", *samples)


def with_noise(pcm: bytes) -> bytes:
    """PCM16 at 8 kHz with faint noise under it."""
    noise = _noise_second() * (len(pcm) // len(_noise_second()) + 1)
    return audio.mix(pcm, noise[: len(pcm)])


class Spoken:
    """The voice of one side of one call. Its decoder is loaded at the first `hear` (0.1 s, 50 MB)."""

    name = "spoken"
    quick = False

    def __init__(self, throat: Throat) -> None:
        self._throat = throat
        self._decoder: Any = None
        self._phrases: tuple[str, ...] = ()
        self._usable: list[str] = []

    def speak(self, text: str) -> bytes:
        """The text as speech, with a breath of silence around it."""
        if not text.strip():
            return b""
        pause = bytes(MARGIN_MS * audio.BYTES_PER_MS * audio.PCM16_BYTES)
        pcm = pause + _espeak().speak(text, self._throat) + pause
        return audio.pcm16_to_mulaw(with_noise(pcm) if self._throat.noisy else pcm)

    def hear(self, mulaw: bytes, phrases: Sequence[str]) -> str | None:
        """The phrase that was said, or None: too short, none of the phrases, or nothing to expect."""
        if audio.duration_ms(mulaw) < LEAST_MS or not self._expect(tuple(phrases)):
            return None
        pcm = audio.resample(with_noise(audio.mulaw_to_pcm16(mulaw)), audio.SAMPLE_RATE_HZ, DECODER_RATE_HZ)
        heard, score, frames = self._decode(pcm, "turn")
        phrase = grammar.matched(heard, self._usable) if heard else None
        if phrase is None:
            return None
        _, free, _ = self._decode(pcm, "phones")
        least = REJECT_OPEN_BELOW if grammar.is_open(phrase) else REJECT_BELOW
        return heard if (score - free) / max(1, frames) >= least else None

    def unknown_words(self, phrases: Sequence[str]) -> list[str]:
        """Words that the dictionary lacks: phrases with them cannot be recognised."""
        return grammar.usable(phrases, self._knows)[1]

    def _expect(self, phrases: tuple[str, ...]) -> bool:
        if phrases != self._phrases:
            self._phrases = phrases
            self._usable, _ = grammar.usable(phrases, self._knows)
            if self._usable:
                self._ready().add_jsgf_string("turn", grammar.jsgf(self._usable))
        return bool(self._usable)

    def _knows(self, word: str) -> bool:
        return self._ready().lookup_word(word) is not None

    def _decode(self, pcm: bytes, search: str) -> tuple[str | None, float, int]:
        decoder = self._ready()
        decoder.activate_search(search)
        decoder.start_utt()
        decoder.process_raw(pcm, False, True)
        decoder.end_utt()
        best = decoder.hyp()
        return (best.hypstr, best.best_score, decoder.n_frames()) if best else (None, 0.0, 0)

    def _ready(self) -> Any:
        if self._decoder is None:
            import pocketsphinx

            model = pocketsphinx.get_model_path()
            self._decoder = pocketsphinx.Decoder(
                hmm=f"{model}/en-us/en-us",
                dict=f"{model}/en-us/cmudict-en-us.dict",
                lm=None,
                loglevel="FATAL",
                # Narrow beams lose the end of a phrase, and the lattice then offers another phrase's
                # beginning.
                beam=1e-80,
                wbeam=1e-60,
                pbeam=1e-80,
                bestpath=False,
            )
            self._decoder.add_allphone_file("phones", f"{model}/en-us/en-us-phone.lm.bin")
        return self._decoder
