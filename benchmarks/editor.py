"""From a key to its diagnostics, as an editor sees it: the real server over its standard input and output."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

import yaml

from benchmarks.figures import Figure, Floor, Goal, cpu_seconds
from tests.compiler.lsp.editor import Editor, editor
from tests.generate import large_flow

NODES: Final = 200
SENTENCE: Final = " Say as well that we are glad to hear from them today, whatever it is about."
BROKEN: Final = ' "this quote stays open while the words in it are typed, one key after another'
BETWEEN_KEYS_S: Final = 0.06  # a fast typist
GOAL: Final = Goal("value", "at_most", 50)


def measure(*, quick: bool) -> tuple[Figure, ...]:
    """A sentence typed into a flow of 200 nodes, once where the text stays YAML and once in an open quote."""
    keys = 8 if quick else len(SENTENCE)
    text = large_flow(NODES)
    with tempfile.TemporaryDirectory() as folder:
        whole, broken, answered, used = asyncio.run(_typed(Path(folder), text, keys))
    loading = cpu_seconds(lambda: yaml.load(text, Loader=yaml.CSafeLoader), 3) * 1000
    trip = Floor("a request with nothing to do", answered)
    load = Floor("bare CSafeLoader load of the same text", loading)
    figures = (
        Figure(f"key to diagnostics, {NODES} nodes, median", whole, "ms", trip, GOAL),
        Figure(f"key to diagnostics in an open quote, {NODES} nodes, median", broken, "ms", trip, GOAL),
    )
    return (*figures, Figure("CPU of the server for each key", used, "ms", load)) if used else figures


async def _typed(folder: Path, text: str, keys: int) -> tuple[float, float, float, float]:
    """Medians in ms: for a key, for a key in a broken text, for a request; and the CPU time of a key."""
    async with editor(folder) as it:
        uri = it.open(folder / "flow.yaml", text)
        if await it.diagnostics(uri):
            raise RuntimeError("the generated flow has findings, so this would not measure a clean one")
        lines = text.split("\n")
        starts = [number for number, line in enumerate(lines) if line.startswith("    convey: ")]
        line = starts[len(starts) // 2]
        await _keys(it, uri, (line, len(lines[line])), SENTENCE[:4])  # not counted: the first is the slowest
        began = _cpu_s(it.process.pid)
        whole = await _keys(it, uri, (line, len(lines[line])), SENTENCE[:keys])
        used = (_cpu_s(it.process.pid) - began) * 1000 / keys
        other = line + 1
        at = {"line": other, "character": 0}
        it.change(uri, {"range": {"start": at, "end": at}, "text": "    sample:\n"})
        broken = await _keys(it, uri, (other, len("    sample:")), BROKEN[:keys])
        answered = [await _trip(it, (folder / "other.yaml").as_uri()) for _ in range(keys)]
        return median(whole), median(broken), median(answered), used


async def _keys(it: Editor, uri: str, start: tuple[int, int], words: str) -> list[float]:
    taken = []
    for count, key in enumerate(words):
        at = {"line": start[0], "character": start[1] + count}
        began = perf_counter()
        version = it.change(uri, {"range": {"start": at, "end": at}, "text": key})
        await it.diagnostics(uri, version)
        taken.append((perf_counter() - began) * 1000)
        await asyncio.sleep(BETWEEN_KEYS_S)
    return taken


async def _trip(it: Editor, uri: str) -> float:
    began = perf_counter()
    await it.at("textDocument/hover", uri, 0, 0)
    return (perf_counter() - began) * 1000


def _cpu_s(pid: int) -> float:
    """User and system seconds of a process; 0 where the system does not say."""
    told = Path(f"/proc/{pid}/stat")
    if not told.exists():
        return 0.0
    fields = told.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
