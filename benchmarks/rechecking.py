"""A project checked for the second time, after one of its flows was written, against the whole check."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.figures import Figure, Floor, Goal, cpu_seconds
from tests.generate import large_flow
from voiceflow_compiler.recheck import Rechecks


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """Twenty flows of 100 nodes (five of 40 in a quick run); one of them is written between two checks."""
    flows, nodes, repeats = (5, 40, 2) if quick else (20, 100, 5)
    text = large_flow(nodes)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"flow{number}" / "flow.yaml" for number in range(flows)]
        for path in paths:
            path.parent.mkdir()
            path.write_text(text, encoding="utf-8")
        whole = cpu_seconds(lambda: _check(paths, Rechecks()), repeats)
        memory = Rechecks()
        _check(paths, memory)

        def again() -> None:
            paths[0].write_text(paths[0].read_text(encoding="utf-8") + "#\n", encoding="utf-8")
            _check(paths, memory)

        second = cpu_seconds(again, repeats)
    floor = Floor("whole check", whole)
    what = f"project re-check, 1 of {flows} flows written"
    return (Figure(what, second, "s", floor, Goal("ratio", "at_most", 0.2 if flows == 20 else 0.5)),)


def _check(paths: list[Path], memory: Rechecks) -> None:
    for path in paths:
        checked, _ = memory.check(path)
        if not checked.good:
            raise RuntimeError("the generated flow has errors, so this would not measure a check")
