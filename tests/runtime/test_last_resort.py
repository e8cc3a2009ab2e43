"""What a user sees of a bug."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.cli import guarded

ROOT = Path(__file__).parents[2]


def fails() -> None:
    """A command with a bug."""
    raise KeyError("+49 170 1234567")


def test_a_bug_is_one_number_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """A bug ends with 2, its kind, its place and a number that stays the same; not its message."""
    told = set()
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            guarded(fails, debug=False)
        assert ended.value.code == 2
        told.add(capsys.readouterr().err)
    (text,) = told
    assert "KeyError in tests/runtime/test_last_resort.py:fails:" in text
    assert "(number " in text
    assert "Traceback" not in text
    assert "1234567" not in text


def test_debug_shows_everything() -> None:
    """With --debug the exception rises as it is."""
    with pytest.raises(KeyError):
        guarded(fails, debug=True)


def test_ctrl_c_is_no_bug() -> None:
    """Ctrl-C ends a command with 130."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        guarded(interrupted, debug=False)
    assert ended.value.code == 130


def test_ctrl_c_while_loading_is_silent() -> None:
    """Ctrl-C while the commands are still being imported ends `vfc` without a traceback."""
    words = [sys.executable, "-X", "importtime", "-m", "runtime", "check", "flows/lead_qualification"]
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:  # `typer` is the first thing that the command line loads
            if " typer." in line:
                process.send_signal(signal.SIGINT)
                break
        told = process.stderr.read()
    assert process.returncode != 0
    assert "Traceback" not in told
    assert "KeyboardInterrupt" not in told


def test_every_command_takes_debug() -> None:
    """`vfc --debug COMMAND` runs the command."""
    words = [sys.executable, "-m", "runtime", "--debug", "check", "flows/lead_qualification"]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
