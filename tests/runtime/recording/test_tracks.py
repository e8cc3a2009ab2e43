"""The two tracks of a call."""

import io
import wave
from base64 import b64encode

from runtime import audio
from runtime.recording.tracks import Tracks


def encoded(byte: int, ms: int) -> str:
    return b64encode(bytes([byte]) * (8 * ms)).decode()


def channels(tracks):
    """Both channels as mu-law, caller first."""
    with wave.open(io.BytesIO(tracks.wav())) as wav:
        pcm = wav.readframes(wav.getnframes())
    return tuple(
        audio.pcm16_to_mulaw(b"".join(pcm[n : n + 2] for n in range(side * 2, len(pcm), 4)))
        for side in (0, 1)
    )


def test_each_side_stands_where_it_was_heard():
    """The caller is left, where their frames came; the assistant right, one piece after the other."""
    tracks = Tracks()
    tracks.caller(0, encoded(0x10, 20))
    tracks.caller(21, encoded(0x11, 20))
    tracks.assistant(10, encoded(0x20, 60))
    tracks.assistant(12, encoded(0x21, 60))
    caller, assistant = channels(tracks)
    assert caller.startswith(b"\x10" * 160 + b"\x11" * 160)
    assert assistant == b"\xff" * 80 + b"\x20" * 480 + b"\x21" * 480


def test_what_was_cleared_is_not_heard():
    """Clearing cuts the assistant's track at that moment; later speech goes on from there."""
    tracks = Tracks()
    tracks.assistant(0, encoded(0x20, 100))
    tracks.cleared(40)
    tracks.assistant(60, encoded(0x21, 20))
    assert channels(tracks)[1] == b"\x20" * 320 + b"\xff" * 160 + b"\x21" * 160


def test_a_gap_of_the_caller_stays_a_gap():
    """A line that sent nothing for a second is silent there."""
    tracks = Tracks()
    tracks.caller(0, encoded(0x10, 20))
    tracks.caller(1000, encoded(0x11, 20))
    caller, _ = channels(tracks)
    assert caller[: 1000 * 8].rstrip(b"\xff") == b"\x10" * 160
    assert caller[1000 * 8 :] == b"\x11" * 160
