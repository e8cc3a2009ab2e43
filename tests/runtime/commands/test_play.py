"""`vfc play` as a person uses it: at a terminal, and through a pipe."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[3]
PATIENCE_S = 180
COMMAND = (sys.executable, "-m", "runtime", "play", "flows/lead_qualification")


class Terminal:
    """A terminal with the command in it."""

    def __init__(self, *more: str) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *more],
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def until(self, words: str) -> str:
        """Wait until these words are shown; what was shown up to them."""
        end = time.monotonic() + PATIENCE_S
        while words not in self.shown:
            ready, _, _ = select.select([self.ours], [], [], max(0, end - time.monotonic()))
            assert ready, f"{words!r} was never shown: {self.shown}"
            self.shown += os.read(self.ours, 65536).decode()
        before, _, self.shown = self.shown.partition(words)
        return before

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def interrupt(self) -> int:
        """Press Ctrl-C until it is noticed; the exit code. A press between the prompt and the first read of
        the line editor waits for a key in CPython: a person presses again.
        """
        for _ in range(PATIENCE_S):
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                return self.process.wait(1)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError("Ctrl-C did not end it")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal("--number", "+12025550101")
    yield opened
    opened.close()


def test_a_person_plays_a_caller_and_keeps_the_call(terminal: Terminal, tmp_path: Path) -> None:
    """At a terminal: what is heard, known and answered is shown, a turn is taken back, a place that cannot be
    written loses nothing, and the saved scenario passes.
    """
    terminal.until("caller: ")
    terminal.type("sales dashboards\n")
    shown = terminal.until("[team]")
    assert "heard: answer" in shown
    assert "main_need=dashboards" in shown
    terminal.type("twenty people\n")
    terminal.until("[timeline]")
    terminal.type(":back\n")
    terminal.until("[team]")
    terminal.type(":brief\n")
    terminal.until("Find out: team_size")
    terminal.type(":why\n")
    terminal.until("came to team")
    terminal.type(":save /dev/null/x.yaml\n")
    terminal.until("not saved")
    saved = tmp_path / "kept.yaml"
    terminal.type(f":intent wants_person\n:save {saved}\n")
    terminal.until("rings sales")
    terminal.until("saved: ")
    terminal.until("caller: ")  # a Ctrl-D that comes before the line editor listens is lost
    terminal.type("\x04")
    assert terminal.process.wait(PATIENCE_S) == 0
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    (tmp_path / "flow.yaml").write_bytes((ROOT / "flows/lead_qualification/flow.yaml").read_bytes())
    saved.rename(scenarios / "kept.yaml")
    ran = subprocess.run(
        [sys.executable, "-m", "runtime", "test", str(scenarios)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_ctrl_c_ends_it_without_a_traceback(terminal: Terminal) -> None:
    """Interrupted at the prompt the command ends with 130 and no traceback."""
    terminal.until("caller: ")
    assert terminal.interrupt() == 130
    assert "Traceback" not in terminal.shown


def test_through_a_pipe_it_ends_with_the_input() -> None:
    """Lines from a pipe are played and repeated, its end is the end, a number nobody knows is said."""
    ran = subprocess.run(
        [*COMMAND, "--number", "+12025559999"],
        cwd=ROOT,
        input="sales dashboards\n:nonsense\n:hangup\nhello?\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0
    assert "knows nobody" in ran.stderr
    assert "caller: sales dashboards\n  heard: answer" in ran.stdout
    assert ran.stdout.rstrip().endswith(":quit ends")


def test_the_page_is_served_until_ctrl_c() -> None:
    """`--browser` prints an address that opens once, and Ctrl-C ends it with 130 and no traceback."""
    process = subprocess.Popen(
        [*COMMAND, "--browser"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[1]
        with httpx2.Client(timeout=PATIENCE_S, follow_redirects=True) as browser:
            assert "Role-play" in browser.get(address).text
        assert httpx2.get(address, timeout=PATIENCE_S).status_code == 403
        os.killpg(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, complaints) == (130, "")
    finally:
        process.kill()
        process.wait()


def test_the_real_model_needs_a_page_and_a_key() -> None:
    """`--live` without `--browser`, and without a key, ends with one line that says what is missing."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    for more, words in (["--live"], "add --browser"), (["--browser", "--live"], "OPENAI_API_KEY"):
        ran = subprocess.run(
            [*COMMAND, *more],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert ran.returncode == 2
        assert words in ran.stderr
        assert len(ran.stderr.splitlines()) == 1
