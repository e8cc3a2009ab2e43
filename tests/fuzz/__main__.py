"""Break files for as long as you like: `python -m tests.fuzz --minutes 10`.

Each broken file is read in a process of its own. What raises, takes more than six seconds of processor time
or more than 300 MB is told with its seed, and kept.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

from tests.fuzz.targets import TARGETS

SECONDS = 6.0
MEGABYTES = 300
HANGS = 60  # seconds of processor time after which a child is ended


def fuzz(minutes: float, first: int, names: list[str], kept: Path) -> int:
    """How many broken files were not taken well."""
    ends, seed, bad = time.monotonic() + minutes * 60, first, 0
    slowest = largest = 0.0
    while time.monotonic() < ends:
        name = names[seed % len(names)]
        folder = Path(tempfile.mkdtemp(prefix="vfc-fuzz-"))
        status, seconds, megabytes = _in_child(name, seed, folder)
        slowest, largest = max(slowest, seconds), max(largest, megabytes)
        if status != 0 or seconds > SECONDS or megabytes > MEGABYTES:
            bad += 1
            place = kept / f"{name}-{seed}"
            shutil.copytree(folder, place, dirs_exist_ok=True)
            print(f"{name} {seed}: status {status}, {seconds:.1f} s, {megabytes:.0f} MB: {place}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        seed += 1
    print(f"{seed - first} broken files, {bad} not taken well; at most {slowest:.1f} s and {largest:.0f} MB")
    return bad


def _in_child(name: str, seed: int, folder: Path) -> tuple[int, float, float]:
    """How a child ended that read what this seed breaks: its status, processor time, and memory."""
    before = time.process_time
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (int(before()) + HANGS, int(before()) + HANGS))
        try:
            TARGETS[name](Random(seed), folder)
        except BaseException:  # noqa: BLE001 - told by the parent, with the file that did it
            (folder / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
            os._exit(3)
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    return status, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> int:
    """Read the arguments, warm up, and go."""
    parser = argparse.ArgumentParser(description="Break files and see that every reader takes them well.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=sorted(TARGETS), action="append")
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:  # what is imported on the way is not each file's own cost
        for at, target in enumerate(TARGETS.values()):
            target(Random(0), Path(folder) / str(at))
    return int(fuzz(chosen.minutes, chosen.seed, chosen.only or list(TARGETS), chosen.keep) > 0)


if __name__ == "__main__":
    sys.exit(main())
