"""The parent's side of `benchmarks.child`: start a part of the measured world, ask for its CPU time, end
it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
ANSWER_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running part. `address`: where it is reached."""

    address: str
    _process: asyncio.subprocess.Process

    async def cpu_s(self) -> float:
        """User and system seconds its process (with its threads) has used so far."""
        return float((await _ask(self._process, "cpu"))["cpu_s"])


@asynccontextmanager
async def child(role: str, *, speed: float, **wanted: Any) -> AsyncIterator[Child]:
    """Run a role of `benchmarks.child` on a clock `speed` times as fast as the wall's."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.child", role, str(speed)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield Child((await _ask(process, json.dumps(wanted)))["address"], process)
    finally:
        if process.stdin:
            process.stdin.close()
        await process.wait()


async def _ask(process: asyncio.subprocess.Process, line: str) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line.encode() + b"\n")
    async with asyncio.timeout(ANSWER_S * 10):  # by a clock that may be hurried
        answer = await process.stdout.readline()
    if not answer:
        raise RuntimeError("a part of the benchmark ended before it answered; its error is above")
    told: dict[str, Any] = json.loads(answer)
    return told
