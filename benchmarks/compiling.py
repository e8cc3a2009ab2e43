"""Check and compile of a large flow, as `vfc compile` does it, without the interpreter's start."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from benchmarks.figures import Figure, Floor, Goal, cpu_seconds
from tests.generate import large_flow
from voiceflow_compiler import pipeline
from voiceflow_compiler.artifact import encode


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """A flow of 2,000 nodes (200 in a quick run) from its file to the artifact's bytes."""
    nodes, repeats = (200, 2) if quick else (2000, 7)
    text = large_flow(nodes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flow.yaml"
        path.write_text(text, encoding="utf-8")
        checking = cpu_seconds(lambda: _check(path), repeats)
        compiling = cpu_seconds(lambda: _compile(path), repeats)
    bare = cpu_seconds(lambda: yaml.load(text, Loader=yaml.CSafeLoader), repeats)
    floor = Floor("bare CSafeLoader load of the same text", bare)
    goal = Goal("value", "at_most", 1.0)
    return (
        Figure(f"check of a {nodes:,}-node flow", checking, "s", floor),
        Figure(f"check + compile of a {nodes:,}-node flow", compiling, "s", floor, goal),
    )


def _check(path: Path) -> None:
    if not pipeline.check(str(path)).good:
        raise RuntimeError("the generated flow has errors, so this would not measure a compilation")


def _compile(path: Path) -> None:
    artifact = pipeline.compile(str(path)).artifact
    if artifact is None:
        raise RuntimeError("the generated flow has errors, so this would not measure a compilation")
    encode(artifact)
