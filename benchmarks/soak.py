"""Many short calls, or a few long ones, on one server: what is left of them.

    python -m benchmarks.soak --calls 10000            # short calls, 40 at once
    python -m benchmarks.soak --minutes 60 --at-once 50   # lines that are never idle

The server runs in a process of its own (benchmarks/side_by_side/targets/ours.py) and is looked at from
outside: its open files, threads and memory when idle, and again once every call is over.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Final

import httpx2
import uvloop

from benchmarks.figures import machine
from benchmarks.side_by_side.model import Model, serving
from benchmarks.side_by_side.phones import Bridge, Callers, Declined, Phone
from benchmarks.side_by_side.run import target

WARM: Final = (
    200  # calls before the baseline: code is loaded, pools are open, the server remembers some calls
)
SHORT_S: Final = 1.2
BOUND_S: Final = 9.5 * 60  # the flow ends a call after ten minutes
DECLINED_S: Final = 5.0
SETTLE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Held:
    """What the server's process holds."""

    sockets: int
    files: int
    threads: int
    rss_mb: float

    @classmethod
    def now(cls, pid: int) -> Held:
        """As the system tells it."""
        opened = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]  # noqa: PTH208, PTH115
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return cls(
            sum(link.startswith("socket:") for link in opened),
            len(opened),
            len(os.listdir(f"/proc/{pid}/task")),  # noqa: PTH208
            round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1),
        )


async def soak(calls: int, at_once: int, minutes: float) -> dict[str, object]:
    """Carry them, and tell what was held before and after."""
    async with (
        serving() as model,
        httpx2.AsyncClient(trust_env=False, timeout=60) as http,
        target(sys.executable, "ours", model) as (bridge, pid),
    ):
        callers = Callers()
        callers.run()
        await _short(callers, bridge, model, http, range(1, WARM + 1), at_once)
        before = await _settled(pid, None, model)
        began = monotonic()
        if minutes:
            calls, lost = await _long(callers, bridge, model, http, at_once, minutes)
        else:
            lost = await _short(callers, bridge, model, http, range(WARM + 1, WARM + calls + 1), at_once)
        took = monotonic() - began
        after = await _settled(pid, before, model)
        callers.stop()
    return {
        "calls": calls,
        "at_once": at_once,
        "seconds": round(took, 1),
        "lost": lost,
        "before": asdict(before),
        "after": asdict(after),
        "sessions_open": sum(not one.gone for one in model.sessions),
    }


async def _short(
    callers: Callers, bridge: Bridge, model: Model, http: httpx2.AsyncClient, numbers: range, at_once: int
) -> int:
    """Calls that are hung up soon, at different places; how many heard nothing."""
    lines, lost = asyncio.Semaphore(at_once), 0

    async def one(number: int) -> None:
        nonlocal lost
        async with lines:
            phone = Phone(number)
            await phone.call(bridge, http)
            callers.add(phone)
            await asyncio.sleep(SHORT_S * (0.9 + number % 5 / 10))
            callers.remove(phone)
            phone.hang_up()
            lost += not phone.heard_ms
            await phone.socket.wait_gone()
            if number % 500 == 0:
                print(f"  {number} calls", file=sys.stderr, flush=True)

    await asyncio.gather(*(one(number) for number in numbers))
    model.forget_gone()
    return lost


async def _long(
    callers: Callers, bridge: Bridge, model: Model, http: httpx2.AsyncClient, at_once: int, minutes: float
) -> tuple[int, int]:
    """So many lines that are never idle: when the flow's bound ends a call, the next one rings.

    How many calls there were, and how many were gone before the bound.
    """
    ends = monotonic() + minutes * 60
    numbers = count(WARM + 1)
    calls = lost = declined = 0

    async def line() -> None:
        nonlocal calls, lost, declined
        while monotonic() < ends:
            phone = Phone(next(numbers))
            try:
                await phone.call(bridge, http)
            except Declined:  # a machine that is too busy says so; the caller tries again
                declined += 1
                await asyncio.sleep(DECLINED_S)
                continue
            began, calls = monotonic(), calls + 1
            callers.add(phone)
            with suppress(TimeoutError):
                await asyncio.wait_for(phone.socket.wait_gone(), max(0.0, ends - monotonic()))
            lost += phone.gone and monotonic() - began < BOUND_S
            callers.remove(phone)
            phone.hang_up()
            model.forget_gone()

    async def tell() -> None:
        while (left := ends - monotonic()) > 0:
            print(
                f"  {left / 60:.0f} minutes left, {calls} calls, {lost} lost, {declined} declined",
                file=sys.stderr,
                flush=True,
            )
            await asyncio.sleep(min(60.0, left))

    telling = asyncio.create_task(tell())
    await asyncio.gather(*(line() for _ in range(at_once)))
    telling.cancel()
    return calls, lost


async def _settled(pid: int, before: Held | None, model: Model) -> Held:
    """What is held once it no longer shrinks, or is what it was."""
    ends = monotonic() + SETTLE_S
    held = Held.now(pid)
    while monotonic() < ends:
        await asyncio.sleep(2.0)
        held, last = Held.now(pid), held
        if before is None and held.sockets == last.sockets and model.open == 0:
            break
        if before is not None and held.sockets <= before.sockets and model.open == 0:
            break
    return held


def main() -> int:
    """0 when nothing was lost and nothing is left, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--at-once", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=0.0, help="calls that last so long, instead")
    chosen = parser.parse_args()
    where = machine()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = runner.run(soak(chosen.calls, chosen.at_once, chosen.minutes))
    print(json.dumps({"machine": where.line} | told, indent=2))
    before, after = told["before"], told["after"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    left = any(after[name] > before[name] for name in ("sockets", "files", "threads"))
    return 1 if left or told["lost"] or told["sessions_open"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
