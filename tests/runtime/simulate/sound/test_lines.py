"""What a telephone line does to a voice."""

import math
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import audio
from runtime.simulate.crowd.kinds import Quality
from runtime.simulate.line import Deed, Moment
from runtime.simulate.sound.lines import SPEECH_RMS, BadLine, band, levelled

FRAME = audio.FRAME_MS
NOISE_FRAMES = 500


class Sayer:
    """Says these frames, then silence."""

    def __init__(self, frames: list[bytes]) -> None:
        self.frames = list(frames)

    def tick(self, moment: Moment) -> Deed:
        return Deed(self.frames.pop(0) if self.frames else audio.silence(FRAME))


def tone(hz: int, rms: float, ms: int = 1000) -> bytes:
    peak = rms * math.sqrt(2)
    step = 2 * math.pi * hz / audio.SAMPLE_RATE_HZ
    return struct.pack(
        f"<{ms * 8}h", *(round(peak * math.sin(step * n)) for n in range(ms * audio.BYTES_PER_MS))
    )


def frames(count: int) -> list[bytes]:
    """So many frames that differ."""
    return [audio.pcm16_to_mulaw(tone(300 + 7 * number, 3000, FRAME)) for number in range(count)]


def carried(quality: Quality, said: list[bytes], seed: str = "one") -> tuple[BadLine, list[Deed]]:
    line = BadLine(Sayer(said), quality, seed)
    return line, [line.tick(Moment(FRAME * at, playing=False)) for at in range(len(said))]


@given(
    snr_db=st.sampled_from([None, 0.0, 20.0]),
    loss=st.floats(0, 50),
    jitter_ms=st.integers(0, 400),
    seed=st.text(max_size=5),
)
def test_the_same_seed_is_the_same_line(snr_db: float | None, loss: float, jitter_ms: int, seed: str) -> None:
    """Whatever is wrong with a line, the same seed gives the same frames at the same ticks."""
    quality, said = Quality(snr_db, loss, jitter_ms), frames(30)
    assert carried(quality, said, seed)[1] == carried(quality, said, seed)[1]


@given(loss=st.floats(0, 50), jitter_ms=st.integers(0, 1000))
def test_a_line_keeps_the_order_and_the_count(loss: float, jitter_ms: int) -> None:
    """Every frame leaves once, in the order it was said, however late; none is invented."""
    _, deeds = carried(Quality(None, loss, jitter_ms), frames(120))
    said = [deed.frame for deed in deeds]
    left = [frame for deed in deeds for frame in ((deed.frame,) if deed.leaving is None else deed.leaving)]
    assert left == said[: len(left)]
    assert len(said) - len(left) <= jitter_ms // FRAME + 1


def test_a_good_line_changes_nothing() -> None:
    """Without noise, loss and jitter the frames are what was said."""
    said = frames(50)
    assert [deed.frame for deed in carried(Quality(), said)[1]] == said


@pytest.mark.parametrize("snr_db", [0, 10, 20])
def test_noise_lies_as_far_below_speech_as_stated(snr_db: int) -> None:
    """In silence the line's noise has the stated distance to speech, within half a decibel."""
    _, deeds = carried(Quality(snr_db=snr_db), [audio.silence(FRAME)] * NOISE_FRAMES)
    level = audio.mulaw_rms(b"".join(deed.frame for deed in deeds))
    assert 20 * math.log10(SPEECH_RMS / level) == pytest.approx(snr_db, abs=0.5)


@pytest.mark.parametrize("percent", [1, 5, 20])
def test_as_many_packets_are_lost_as_stated(percent: int) -> None:
    """Over many frames the share of lost ones is the stated one, in bursts longer than by chance alone."""
    line, deeds = carried(Quality(loss=percent), [frames(1)[0]] * 10_000, "many")
    assert line.lost / line.frames == pytest.approx(percent / 100, rel=0.2)
    whole = frames(1)[0]
    kept = [deed.frame == whole for deed in deeds]
    bursts = sum(before and not after for before, after in pairwise(kept))
    assert line.lost / bursts > 1.8


def test_a_lost_packet_is_filled_as_a_telephone_does() -> None:
    """First the sound before it at half its loudness, then silence."""
    said = [frames(1)[0]] * 2000
    _, deeds = carried(Quality(loss=20), said)
    filled = {deed.frame for deed in deeds} - {said[0], audio.silence(FRAME)}
    assert len(filled) == 1
    assert audio.mulaw_rms(filled.pop()) == pytest.approx(audio.mulaw_rms(said[0]) / 2, rel=0.05)


@pytest.mark.parametrize(("hz", "passes"), [(100, False), (1000, True), (2500, True), (3900, False)])
def test_the_band_is_the_telephones(hz: int, passes: bool) -> None:
    """Below 300 and above 3,400 Hz little is left; in between nearly all."""
    left = audio.rms(band(tone(hz, 3000))) / 3000
    assert left > 0.9 if passes else left < 0.3


def test_every_voice_has_one_loudness() -> None:
    """A quiet and a loud voice come out at the loudness that noise is measured against."""
    for rms in (500, 8000):
        assert audio.rms(levelled(tone(800, rms))) == pytest.approx(SPEECH_RMS, rel=0.05)
