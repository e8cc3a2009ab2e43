"""A compile that is killed, that meets a full disk or another compile leaves a whole artifact behind."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOW = ROOT / "tests/cases/clean/lead/flow.yaml"

# One process that has loaded everything forks the compiles, so that 200 of them cost seconds and not minutes.
CHILDREN = """
import os, random, resource, signal, sys, time
from pathlib import Path
from voiceflow_compiler.cli import compile_flow, Prompting
from voiceflow_compiler.commands.base import Format
from voiceflow_compiler.artifact import decode

way, rounds, out, *flows = sys.argv[1:]
out = Path(out)
rng = random.Random(7)

def compiling(flow):
    child = os.fork()
    if child:
        return child
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1), os.dup2(quiet, 2)
    try:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        compile_flow(Path(flow), out, Prompting.STABLE, Format.TEXT)
    except BaseException as error:
        os._exit(getattr(error, "exit_code", 99))
    os._exit(0)

def whole():
    return decode((out / "artifact.json").read_bytes()).content_hash

limit = None
os.waitpid(compiling(flows[0]), 0)
before = time.perf_counter()
os.waitpid(compiling(flows[0]), 0)
usual = time.perf_counter() - before
known, codes = {whole()}, set()
os.waitpid(compiling(flows[1]), 0)
known.add(whole())
size = (out / "artifact.json").stat().st_size
assert len(known) == 2
for number in range(int(rounds)):
    if way == "twice":
        both = [compiling(flow) for flow in flows]
        for child in both:
            codes.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            assert whole() in known
        continue
    limit = rng.randrange(size) if way == "full" else None
    child = compiling(flows[number % 2])
    if way == "kill":
        time.sleep(rng.random() * usual * 1.2)
        os.kill(child, signal.SIGKILL)
    codes.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    assert whole() in known, number
left = [name for name in os.listdir(out) if name.startswith(".")]
print(sorted(codes), len(left))
"""


def told(way: str, rounds: int, folder: Path) -> str:
    """What the compiles ended with, and how many drafts they left behind."""
    other = folder / "other.yaml"
    other.write_text(FLOW.read_text(encoding="utf-8").replace("40 dollars", "50 dollars"), encoding="utf-8")
    words = [sys.executable, "-c", CHILDREN, way, str(rounds), str(folder / "out"), str(FLOW), str(other)]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.strip()


@pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.long)])
def test_a_killed_compile_leaves_a_whole_artifact(rounds: int, tmp_path: Path) -> None:
    """Killed at any moment, a compile leaves the artifact of before or the new one, and drafts at most."""
    codes, _, left = told("kill", rounds, tmp_path).rpartition(" ")
    assert codes in ("[-9]", "[-9, 0]")
    assert int(left) <= rounds


@pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.long)])
def test_a_full_disk_leaves_a_whole_artifact(rounds: int, tmp_path: Path) -> None:
    """A disk that fills up at any byte ends a compile with one line, and leaves no draft behind."""
    codes, _, left = told("full", rounds, tmp_path).rpartition(" ")
    assert codes == "[2]"
    assert left == "0"


@pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.long)])
def test_two_compiles_at_once_leave_a_whole_artifact(rounds: int, tmp_path: Path) -> None:
    """Of two compiles into one folder the artifact of one stands there, whole."""
    assert told("twice", rounds, tmp_path) == "[0] 0"
