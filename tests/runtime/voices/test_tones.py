"""The exact voice: what is sent is what is read, or nothing is."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import audio
from runtime.voices import tones

TEXTS = st.text(max_size=40).filter(lambda text: text.encode("utf-8", "ignore").decode() == text)
MODES = st.sampled_from(tones.MODES)


def noisy(mulaw: bytes, sigma: float, seed: int) -> bytes:
    rng = random.Random(seed)
    samples = (max(-32768, min(32767, round(rng.gauss(0, sigma)))) for _ in range(len(mulaw)))
    return audio.pcm16_to_mulaw(
        audio.mix(audio.mulaw_to_pcm16(mulaw), struct.pack(f"<{len(mulaw)}h", *samples))
    )


@settings(max_examples=40, deadline=None)
@given(TEXTS, MODES, st.integers(0, 500), st.integers(0, 500))
def test_round_trip(text: str, mode: tones.Mode, before: int, after: int) -> None:
    """Any text survives, wherever in the audio the packet begins."""
    around = audio.MULAW_SILENCE * before + tones.encode(text, mode) + audio.MULAW_SILENCE * after
    assert tones.decode(around) == text


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), MODES, st.sampled_from([300, 1500, 3000]))
def test_noise(seed: int, mode: tones.Mode, sigma: int) -> None:
    """Noise of up to -21 dBFS changes nothing."""
    padded = audio.silence(37) + tones.encode("How much is it, per month?", mode) + audio.silence(21)
    assert tones.decode(noisy(padded, sigma, seed)) == "How much is it, per month?"


@pytest.mark.parametrize("mode", tones.MODES)
@pytest.mark.parametrize("rate_hz", [16000, 24000, 44100])
def test_resampled(mode: tones.Mode, rate_hz: int) -> None:
    """A trip to another sample rate and back changes nothing."""
    pcm = audio.mulaw_to_pcm16(tones.encode("the quick brown fox", mode))
    back = audio.resample(audio.resample(pcm, 8000, rate_hz), rate_hz, 8000)
    assert tones.decode(audio.pcm16_to_mulaw(back)) == "the quick brown fox"


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=800, max_size=3000))
def test_random_audio_says_nothing(mulaw: bytes) -> None:
    """Audio that nobody encoded holds no text."""
    assert tones.decode(mulaw) is None


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 5000), MODES)
def test_cut_is_never_wrong(cut: int, mode: tones.Mode) -> None:
    """A packet that is cut off gives nothing rather than something else, and shows what was readable."""
    text = "an assistant that is interrupted"
    whole = tones.encode(text, mode)
    assert tones.decode(whole[:cut]) in (None, text)
    assert all(text.startswith(readable) for _, readable in tones.packets(whole[:cut]))


def test_several_packets() -> None:
    """Packets one after the other, of both modes, are read in order."""
    both = tones.encode("one") + tones.encode("two", tones.PLAIN) + audio.silence(300) + tones.encode("three")
    assert tones.decode(both) == "one two three"


def test_detection() -> None:
    """A segment holds tones if a packet begins in it, readable to its end or not."""
    assert tones.holds_tones(tones.encode("hello")[:2000])
    assert not tones.holds_tones(noisy(audio.silence(500), 3000, 1))
    assert not tones.holds_tones(b"")


def test_rates() -> None:
    """A byte takes 20 ms, or 40 in the mode for noisier lines."""
    one, two = (audio.duration_ms(tones.encode("x" * count)) for count in (10, 11))
    assert two - one == 20
    one, two = (audio.duration_ms(tones.encode("x" * count, tones.PLAIN)) for count in (10, 11))
    assert two - one == 40


def test_long_text() -> None:
    """A text beyond one packet is spoken in several, and a packet says what it cannot hold."""
    voice = tones.Tones()
    assert (voice.hear(voice.speak("y" * 4100)) or "").replace(" ", "") == "y" * 4100
    with pytest.raises(ValueError, match="65535"):
        tones.encode("x" * 70000)
