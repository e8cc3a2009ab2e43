"""Measure bridges one after the other: the bridge on one core, the telephones and the model on the other."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time
from typing import Final

import httpx2

from benchmarks.figures import percentile
from benchmarks.side_by_side.model import Model, Session, serving
from benchmarks.side_by_side.phones import Bridge, Callers, Phone

ROOT: Final = Path(__file__).parents[2]
LEVELS: Final = (10, 50, 75, 100, 125, 150, 175, 200, 250, 300, 350, 400, 450, 500, 550, 600, 700)
MOST_MS: Final = 20.0  # p99 of the round trip a bridge may add
LOST_MS: Final = 250.0  # a call: more missing after a window is loss; a piece of 200 may be under way
NEVER_MS: Final = 1000.0
BUSY: Final = 0.92  # of a core: above that the load itself is the limit
_PINNED: Final = ("taskset", "-c", "0") if shutil.which("taskset") else ()
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Plan:
    """How long is measured: `levels` of calls at once, each for a while, then some that are interrupted."""

    levels: tuple[int, ...] = LEVELS
    settle_s: float = 2.5
    window_s: float = 6.0
    interrupted: int = 8


QUICK: Final = Plan((2,), settle_s=0.5, window_s=2.2, interrupted=1)


@dataclass(frozen=True, slots=True)
class Level:
    """One number of calls at once, for a while."""

    calls: int
    up_p50_ms: float
    up_p99_ms: float
    down_p99_ms: float
    round_p50_ms: float
    round_p99_ms: float
    lost_ms: float
    cpu: float
    load_cpu: float
    mb_a_call: float

    def held(self, own_ms: float) -> bool:
        """Whether every call was carried well. `own_ms`: what the bridge adds even to a few calls, where that
        alone is more than is allowed.
        """
        return self.round_p99_ms < own_ms + MOST_MS and self.lost_ms < LOST_MS


@dataclass(frozen=True, slots=True)
class Manners:
    """How one call behaved around an interruption, in ms."""

    first_audio: float | None
    clear: float | None
    truncation_error: float | None
    stale: int


@dataclass(frozen=True, slots=True)
class Told:
    """What was measured of one bridge."""

    name: str
    levels: tuple[Level, ...]
    manners: tuple[Manners, ...]
    limit: str

    @property
    def best(self) -> Level | None:
        """The most calls that were carried well."""
        held = [level for level in self.levels if level.held(own_ms(self.levels))]
        return held[-1] if held else None


@asynccontextmanager
async def target(python: str, name: str, model: Model) -> AsyncIterator[tuple[Bridge, int]]:
    """Run a bridge in a process of its own on the first core."""
    process = await asyncio.create_subprocess_exec(
        *(*_PINNED, python, "-m", f"benchmarks.side_by_side.targets.{name}", model.base_url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": model.base_url},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        async with asyncio.timeout(120):
            address = json.loads(await process.stdout.readline())
        yield Bridge(**address), process.pid
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(15):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def measure(name: str, python: str, plan: Plan) -> Told:
    """Everything about one bridge."""
    async with serving() as model, httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        async with target(python, name, model) as (bridge, pid):
            held, limit = await _ladder(bridge, pid, model, http, plan)
        model.burst = True
        model.sessions.clear()
        async with target(python, name, model) as (bridge, _):
            manners = await _interruptions(bridge, model, http, plan.interrupted)
    return Told(name, tuple(held), tuple(manners), limit)


async def _ladder(
    bridge: Bridge, pid: int, model: Model, http: httpx2.AsyncClient, plan: Plan
) -> tuple[list[Level], str]:
    callers, held = Callers(), []
    callers.run()
    limit, idle_mb = "every level was held", _rss_mb(pid)
    try:
        for count in plan.levels:
            for number in range(len(callers.phones), count):
                await _join(callers, number + 1, bridge, model, http)
            await asyncio.sleep(plan.settle_s)
            level = await _level(callers, pid, model, idle_mb, plan.window_s)
            held.append(level)
            print(f"  {level}", file=sys.stderr, flush=True)
            if level.load_cpu > BUSY:
                limit = "the load was the limit, not the bridge"
                break
            if not level.held(own_ms(held)):
                limit = "loss" if level.lost_ms >= LOST_MS else "latency"
                break
    finally:
        await _hang_up(callers)
    return held, limit


def own_ms(levels: Sequence[Level]) -> float:
    """What a bridge adds at the lowest level, if that is more than any may add; else nothing."""
    first = levels[0].round_p99_ms
    return first if first >= MOST_MS else 0.0


async def _join(
    callers: Callers, number: int, bridge: Bridge, model: Model, http: httpx2.AsyncClient
) -> Phone:
    """One more call. The session the bridge opens for it is the one that is new."""
    phone = Phone(number)
    await phone.call(bridge, http)
    callers.add(phone)
    async with asyncio.timeout(20):
        while len(model.sessions) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    return phone


async def _hang_up(callers: Callers) -> None:
    callers.stop()
    for phone in callers.phones:
        phone.hang_up()
    await asyncio.sleep(1.5)


async def _level(callers: Callers, pid: int, model: Model, idle_mb: float, window_s: float) -> Level:
    pairs = list(zip(callers.phones, (one.heard for one in model.sessions), strict=True))
    for phone, heard in pairs:
        for times in (phone.said_loud_at, phone.loud_at, heard.loud_at, heard.said_loud_at):
            times.clear()
    before = [(p.said_ms - h.ms, h.said_ms - p.heard_ms) for p, h in pairs]
    cpu, own, began = _cpu_s(pid), process_time(), monotonic()
    await asyncio.sleep(window_s)
    took = monotonic() - began
    cpu, own = _cpu_s(pid) - cpu, process_time() - own
    after = [(p.said_ms - h.ms, h.said_ms - p.heard_ms) for p, h in pairs]
    lost = [max(now[0] - then[0], now[1] - then[1]) for now, then in zip(after, before, strict=True)]
    up, down, both = [], [], []
    for phone, heard in pairs:
        there, back = _delays(phone.said_loud_at, heard.loud_at), _delays(heard.said_loud_at, phone.loud_at)
        up += there
        down += back
        both += [one + other for one, other in zip(there, back, strict=False)]
    return Level(
        calls=len(pairs),
        up_p50_ms=_share(up, 0.5),
        up_p99_ms=_share(up, 0.99),
        down_p99_ms=_share(down, 0.99),
        round_p50_ms=_share(both, 0.5),
        round_p99_ms=_share(both, 0.99),
        lost_ms=round(max(lost), 1),
        cpu=round(cpu / took, 3),
        load_cpu=round(own / took, 3),
        mb_a_call=round((_rss_mb(pid) - idle_mb) / len(pairs), 2),
    )


def _delays(said: list[float], heard: list[float]) -> list[float]:
    """Milliseconds from each loud piece to when it was heard; what was not heard within a second is NEVER."""
    delays = []
    for at in said[:-1]:  # the last may still be under way
        place = bisect_left(heard, at)
        delays.append(
            (heard[place] - at) * 1000 if place < len(heard) and heard[place] - at < 1 else NEVER_MS
        )
    return delays


def _share(delays: list[float], share: float) -> float:
    return round(percentile(delays, share), 2) if delays else NEVER_MS


async def _interruptions(bridge: Bridge, model: Model, http: httpx2.AsyncClient, count: int) -> list[Manners]:
    """A few calls, each interrupted once while it speaks, at different places."""
    callers = Callers()
    callers.run()
    try:
        phones = [await _join(callers, number + 1, bridge, model, http) for number in range(count)]
        told = await asyncio.gather(
            *(_interruption(phone, model.sessions[phone.number - 1]) for phone in phones)
        )
    finally:
        await _hang_up(callers)
    return list(told)


async def _interruption(phone: Phone, session: Session) -> Manners:
    try:
        async with asyncio.timeout(20):
            while not phone.item_from_at:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    except TimeoutError:
        return Manners((phone.first_at - phone.began_at) * 1000 if phone.first_at else None, None, None, 0)
    await asyncio.sleep(1.5 + 0.137 * phone.number)
    session.interrupt()
    await asyncio.sleep(2.0)
    cleared, heard = phone.cleared_at, phone.played_at_clear_ms - phone.item_from_ms
    told = [ms for item, ms in session.heard.truncated if item == session.heard.item_id]
    return Manners(
        first_audio=(phone.first_at - phone.began_at) * 1000,
        clear=(cleared - session.heard.interrupted_at) * 1000 if cleared else None,
        truncation_error=told[-1] - heard if told and cleared else None,
        stale=phone.stale,
    )


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
