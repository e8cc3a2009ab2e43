"""A call's sound on its way to the disk."""

import os
import signal
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from runtime.recording.spool import MOST_KEPT, PIECE_MS, SUFFIX, Spool, finish
from runtime.recording.tracks import Tracks

ROOT = Path(__file__).parents[3]
FRAME = b64encode(bytes([0x10]) * 160).decode()
SPEECH = b64encode(bytes([0x20]) * 1600).decode()


def speak(into: Spool | Tracks, ms: int) -> None:
    """A call of so many milliseconds; the assistant speaks, and is cut off once."""
    for at_ms in range(0, ms, 20):
        into.caller(at_ms, FRAME)
        if at_ms % 1000 == 0:
            into.assistant(at_ms, SPEECH)
    into.cleared(ms - 900)


def test_a_spooled_call_sounds_as_one_held_in_memory(tmp_path: Path) -> None:
    """The WAV at the end is the same, byte for byte, and the spool is gone."""
    spool, tracks = Spool(tmp_path / "CA1.wav"), Tracks()
    for one in (spool, tracks):
        speak(one, 9_000)
    spool.finish()
    assert (tmp_path / "CA1.wav").read_bytes() == tracks.wav()
    assert [path.name for path in tmp_path.iterdir()] == ["CA1.wav"]


@pytest.mark.faults
def test_row_55_a_killed_process_loses_the_last_piece(tmp_path: Path) -> None:
    """Of a call whose process is killed all but the last seconds is on the disk, and becomes a WAV."""
    program = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from runtime.recording import spool\n"
        "from tests.runtime.recording.test_spool import speak\n"
        "one = spool.Spool(Path(sys.argv[1]) / 'CA1.wav')\n"
        "speak(one, 9_000)\n"
        "one._written.result()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert finish(tmp_path / "CA1.wav")
    heard_ms = ((tmp_path / "CA1.wav").stat().st_size - 44) / (8 * 2 * 2)
    assert heard_ms >= 9_000 - PIECE_MS - 100


@pytest.mark.faults
def test_a_torn_spool_gives_what_is_whole(tmp_path: Path) -> None:
    """Cut anywhere, every whole piece is heard and nothing is made up."""
    spool = Spool(tmp_path / "CA1.wav")
    speak(spool, 9_000)
    assert spool._written is not None
    spool._written.result()
    content = (tmp_path / "CA1").with_suffix(SUFFIX).read_bytes()
    for cut in (0, 1, len(content) // 2, len(content) - 1):
        (tmp_path / "CA2.sound").write_bytes(content[:cut])
        assert finish(tmp_path / "CA2.wav")
        assert (tmp_path / "CA2.wav").read_bytes()[:4] == b"RIFF"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_disk_that_refuses_is_told_at_the_end(tmp_path: Path) -> None:
    """The call goes on without its sound, and whoever finishes it hears why."""
    tmp_path.chmod(0o500)
    spool = Spool(tmp_path / "calls" / "CA1.wav")
    speak(spool, 9_000)
    with pytest.raises(OSError, match="denied"):
        spool.finish()


@pytest.mark.faults
def test_row_55_a_disk_that_comes_back_has_what_it_refused(tmp_path: Path) -> None:
    """While the disk refuses, pieces of the sound wait and the call goes on; once it takes them again they
    are all there, in order, and none of them is kept in memory."""
    calls = tmp_path / "calls"
    calls.write_text("a file where a folder is needed")
    spool, tracks = Spool(calls / "CA1.wav"), Tracks()
    for one in (spool, tracks):
        speak(one, 9_000)
    assert spool._written is not None
    spool._written.result()
    assert spool.held > 9_000 * 8
    calls.unlink()
    spool.finish()
    assert spool.held == 0
    assert (calls / "CA1.wav").read_bytes() == tracks.wav()


@pytest.mark.faults
def test_row_55_no_more_than_half_a_minute_waits_for_a_disk(tmp_path: Path) -> None:
    """Of a disk that refuses for long the oldest sound is dropped, and whoever finishes the call hears of it;
    what came last is kept."""
    calls = tmp_path / "calls"
    calls.write_text("a file where a folder is needed")
    spool = Spool(calls / "CA1.wav")
    speak(spool, (MOST_KEPT + 10) * PIECE_MS)
    assert spool._written is not None
    spool._written.result()
    most = (MOST_KEPT + 2) * PIECE_MS * 8 * 4
    assert spool.held < most
    calls.unlink()
    with pytest.raises(OSError, match="exists"):
        spool.finish()
    assert (calls / "CA1.wav").is_file()
