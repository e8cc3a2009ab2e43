"""The generated sets of the shipped flows and of random ones: `python -m tests.suites [FLOWS]` prints how
many calls each needs beside how few can do.
"""

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.simulate.cover.suite import generate
from tests.flows.shipped import FLOWS, artifact
from tests.generate import small_flow
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.lower import lower


@dataclass(frozen=True)
class Row:
    """What came of one flow. `missed`: edges and intents neither reached nor told to be impossible."""

    name: str
    calls: int
    at_least: int
    reached: int
    impossible: int
    missed: int
    cpu_s: float


def random_flows(seeds: Iterable[int]) -> Iterator[tuple[int, Artifact]]:
    """Random flows, compiled."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            path = Path(folder) / f"{seed}.yaml"
            path.write_text(small_flow(seed), encoding="utf-8")
            loaded = pipeline.load(str(path))
            assert loaded.flow is not None
            yield seed, lower(loaded.flow)


def row(name: str, flow: Artifact, *, pairs: bool = False) -> Row:
    """The set of one flow, measured."""
    began = time.process_time()
    made = generate(flow, pairs=pairs)
    missed = [goal for goal in made.missed if goal[0] in ("node", "edge", "intent")]
    spent = time.process_time() - began
    counts = (len(made.calls), made.at_least, len(made.reached), len(made.impossible), len(missed))
    return Row(name, *counts, spent)


def _told(one: Row) -> str:
    return (
        f"{one.name:<34}{one.calls:>6} calls, at least {one.at_least:>4}, {one.reached:>5} goals reached, "
        f"{one.impossible:>3} cannot be, {one.missed} missed, {one.cpu_s:5.1f} s"
    )


def main() -> None:
    asked = sys.argv[1] if len(sys.argv) > 1 else "200"
    if not asked.isdigit():
        sys.exit(f"how many random flows? {asked!r} is no number")
    number = int(asked)
    for flow in FLOWS:
        print(_told(row(flow, artifact(flow))), flush=True)
        print(_told(row(f"{flow}, pairs", artifact(flow), pairs=True)), flush=True)
    made: list[Row] = []
    for seed, random in random_flows(range(number)):
        made.append(row(f"random {seed}", random))
        if made[-1].missed or len(made) % 20 == 0:
            print(f"  {len(made)} of {number}, {_told(made[-1])}", flush=True)
    totals = [sum(getattr(one, name) for one in made) for name in _COUNTS]
    whole = Row(f"{number} random flows", *totals)
    print(_told(whole))
    print("missed: nodes, edges and intents neither reached nor shown to be out of reach")
    sys.exit(int(whole.missed > 0))


_COUNTS = ("calls", "at_least", "reached", "impossible", "missed", "cpu_s")

if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
