"""What a command costs before it does anything: the interpreter, the imports, and a first answer."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figures import Figure, Floor

ROOT: Final = Path(__file__).parents[1]
FLOOR: Final = (sys.executable, "-c", "import typer")
COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "vfc --help": (sys.executable, "-m", "runtime", "--help"),
    "vfc check of a shipped flow": (sys.executable, "-m", "runtime", "check", "flows/lead_qualification"),
}


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """CPU time of whole processes, taken in turns so that a busy moment falls on all of them alike."""
    repeats = 1 if quick else 11
    for command in (FLOOR, *COMMANDS.values()):
        _run(command)  # writes the byte code and warms the disk
    taken = [{name: _run(command) for name, command in _all().items()} for _ in range(repeats)]
    floor = Floor('python -c "import typer"', median(one["floor"] for one in taken))
    return tuple(Figure(name, median(one[name] for one in taken), "s", floor) for name in COMMANDS)


def _all() -> Mapping[str, Sequence[str]]:
    return {"floor": FLOOR, **COMMANDS}


def _run(command: Sequence[str]) -> float:
    """User and system time of one process, seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "TERM": "dumb"}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
