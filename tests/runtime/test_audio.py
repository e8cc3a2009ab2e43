"""Telephone audio: laws, rates, frames, and the WAV of a call."""

from __future__ import annotations

import io
import itertools
import wave

from hypothesis import given
from hypothesis import strategies as st

from runtime import audio

PCM = st.binary(max_size=400).map(lambda data: data[: len(data) // 2 * 2])


@given(st.binary(max_size=400))
def test_mulaw_round_trip(mulaw: bytes) -> None:
    """mu-law through PCM16 and back is the same sound (only the two zeros become one)."""
    assert audio.pcm16_to_mulaw(audio.mulaw_to_pcm16(mulaw)) == mulaw.replace(b"\x7f", b"\xff")


@given(st.binary(max_size=400))
def test_alaw_round_trip(alaw: bytes) -> None:
    """A-law through PCM16 and back is the same bytes."""
    assert audio.pcm16_to_alaw(audio.alaw_to_pcm16(alaw)) == alaw


@given(st.binary(max_size=2000))
def test_frames(mulaw: bytes) -> None:
    """Frames are 20 ms each, lose nothing, and add only silence at the end."""
    frames = list(audio.split_frames(mulaw))
    assert all(len(frame) == 160 for frame in frames)
    joined = b"".join(frames)
    assert joined[: len(mulaw)] == mulaw
    assert set(joined[len(mulaw) :]) <= {0xFF}
    assert len(joined) - len(mulaw) < 160


@given(
    PCM,
    st.lists(st.integers(0, 400), max_size=4),
    st.sampled_from([(8000, 24000), (24000, 8000), (8000, 8000)]),
)
def test_resampling_has_no_seams(pcm: bytes, cuts: list[int], rates: tuple[int, int]) -> None:
    """A stream resampled in pieces, cut anywhere, is the stream resampled at once."""
    resampler = audio.Resampler(*rates)
    edges = [0, *sorted(min(cut, len(pcm)) for cut in cuts), len(pcm)]
    pieces = [resampler.feed(pcm[start:end]) for start, end in itertools.pairwise(edges)]
    assert b"".join(pieces) == audio.resample(pcm, *rates)


def test_silence() -> None:
    """Silence is 0xFF, eight bytes a millisecond, and has no loudness."""
    assert audio.silence(3) == b"\xff" * 24
    assert audio.silence(-5) == b""
    assert audio.duration_ms(audio.silence(40)) == 40
    assert audio.mulaw_rms(audio.silence(40)) == 0
    assert audio.dbfs(audio.mulaw_to_pcm16(audio.silence(40))) == float("-inf")


def test_loudness() -> None:
    """A full-scale square wave is 0 dBFS, and a tenth of it 20 dB less."""
    square = (b"\xff\x7f" + b"\x01\x80") * 100
    assert abs(audio.dbfs(square)) < 0.01
    assert abs(audio.dbfs(audio.scale(square, 0.1)) + 20) < 0.1


def test_layout() -> None:
    """Pieces lie where their times say, silence between them, the later over the earlier, the end where it is
    asked."""
    a, b = b"\x10" * 80, b"\x20" * 80
    assert audio.lay_out([(10, a), (30, b)]) == audio.silence(10) + a + audio.silence(10) + b
    assert audio.lay_out([(0, a), (5, b)]) == a[:40] + b
    assert audio.lay_out([(0, a)], length_ms=5) == a[:40]
    assert audio.lay_out([(0, a)], length_ms=20) == a + audio.silence(10)


def test_stereo_wav() -> None:
    """The WAV of a call has the first track left, the second right, and both to the end."""
    left, right = b"\x10" * 160, b"\x30" * 80
    with wave.open(io.BytesIO(audio.stereo_wav([(0, left)], [(5, right)]))) as wav:
        assert (wav.getnchannels(), wav.getframerate(), wav.getsampwidth(), wav.getnframes()) == (
            2,
            8000,
            2,
            160,
        )
        frames = wav.readframes(160)
    samples = [int.from_bytes(frames[at : at + 2], "little", signed=True) for at in range(0, len(frames), 2)]
    loud_left, loud_right = samples[0], samples[2 * 41 + 1]
    assert samples[0::2] == [loud_left] * 160
    assert samples[1::2] == [0] * 40 + [loud_right] * 80 + [0] * 40


def test_a_line_of_pcm_is_kept_at_its_own_rate():
    """Tracks of a 24 kHz line become a WAV of 24 kHz, each piece where it stood."""
    piece = b"\x10\x20" * 240
    wav = audio.stereo_wav([(10, piece)], [(0, piece)], audio.PCM24)
    with wave.open(io.BytesIO(wav)) as read:
        assert (read.getframerate(), read.getnchannels(), read.getnframes()) == (24_000, 2, 480)
        frames = read.readframes(480)
    assert frames[: 240 * 4] == b"\0\0\x10\x20" * 240
    assert frames[240 * 4 :] == b"\x10\x20\0\0" * 240


def test_a_clip_fits_any_line():
    """PCM16 becomes what a line carries, of the same length in time."""
    clip = b"\0\x10" * 24_00
    assert len(audio.from_pcm16(clip, 24_000, audio.PCMU)) == 800
    assert audio.from_pcm16(clip, 24_000, audio.PCM24) == clip
    assert audio.PCM24.quiet(20) == b"\0" * 960
    assert audio.PCMU.quiet(20) == b"\xff" * 160
