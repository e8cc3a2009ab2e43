"""The supervisor's own life: a worker that keeps dying, its own death, and what its workers have to tell."""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.stack.workers import Fleet, open_fleet

pytestmark = pytest.mark.faults
PATIENCE_S = 120


async def until(true: Callable[[], Any]) -> Any:
    """Wait for what other processes do."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := true()):  # noqa: ASYNC110 - nobody tells what other processes do
            await asyncio.sleep(0.05)
    return found


def lines(fleet: Fleet) -> list[dict[str, Any]]:
    """What all processes of the server logged."""
    told = (fleet.folder / "stderr").read_text(encoding="utf-8").splitlines()
    found = []
    for line in told:
        with contextlib.suppress(ValueError):  # one that is being written
            found.append(json.loads(line))
    return found


def alerts(fleet: Fleet, code: str) -> list[dict[str, Any]]:
    return [line for line in lines(fleet) if line["event"] == "alert" and line["code"] == code]


def pid_of(fleet: Fleet, slot: int) -> int:
    """The worker in this slot, 0 while there is none."""
    try:
        return fleet.worker(slot)
    except AssertionError:
        return 0


def lives(pid: int) -> bool:
    """Whether a process is there that is not over."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_worker_that_keeps_dying_stops_the_server(tmp_path: Path) -> None:
    """Killed as often as it is started, a worker is started again a few times; then the server stops with one
    line that says how often and how it died, exit code 1, an alert for each death, and no process left."""
    async with open_fleet(tmp_path) as fleet:
        other = fleet.worker(1)
        killed: set[int] = set()

        def kill() -> bool:
            pid = pid_of(fleet, 0)
            if pid and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            return fleet.process.returncode is not None

        waiting = asyncio.create_task(fleet.process.wait())
        await until(kill)
        assert await waiting == 1
        said = [one for one in (fleet.folder / "stderr").read_text().splitlines() if one.startswith("vfc: ")]
        assert len(said) == 1
        assert "worker 0 ended 5 times within 60 s (last: killed by signal 9); the server stops." in said[0]
        assert {one["detail"] for one in alerts(fleet, "worker.died")} == {"w0"}
        assert len(killed) >= 5
        assert not lives(other)


async def test_without_its_supervisor_a_call_ends_and_no_worker_is_left(tmp_path: Path) -> None:
    """`kill -9` of the supervisor alone: a live call comes to its own end, and then every worker goes."""
    async with open_fleet(tmp_path) as fleet:
        workers = [fleet.worker(slot) for slot in (0, 1)]
        call = asyncio.create_task(fleet.call("+12025550101", "hangs_up"))
        async with asyncio.timeout(PATIENCE_S):
            while not await fleet.live():  # noqa: ASYNC110 - nobody tells when another process has a call
                await asyncio.sleep(0.1)
        fleet.process.kill()
        ended = await call
        assert ended.how == "caller_hung_up"
        assert [note.what for note in ended.notes].count("stream_started") == 1
        await until(lambda: not any(lives(pid) for pid in workers))


async def test_what_workers_tell_names_them_and_is_counted_with_the_supervisors(tmp_path: Path) -> None:
    """A worker's lines on the server's stderr have its number, and the page of numbers of any worker has the
    alerts of all of them and of the supervisor."""
    async with open_fleet(tmp_path) as fleet:
        first, second = pid_of(fleet, 0), fleet.socket(1)
        transport = httpx2.AsyncHTTPTransport(uds=second)
        async with httpx2.AsyncClient(transport=transport, base_url="http://worker") as http:
            refused = await http.post("/twilio/voice", data={"CallSid": "CA1"})
            assert refused.status_code == 403
        await until(lambda: alerts(fleet, "security.request_refused"))
        (told,) = alerts(fleet, "security.request_refused")
        assert told["worker"] == 1
        os.kill(first, signal.SIGKILL)
        await until(lambda: alerts(fleet, "worker.died"))
        await until(lambda: pid_of(fleet, 0) not in (0, first))
        page = await counted(fleet)
        for code in ("security.request_refused", "worker.died"):
            assert f'vfc_alert_total{{code="{code}"' in page


async def counted(fleet: Fleet) -> str:
    """The page of numbers, from whichever worker answers."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{fleet.address}/metrics", timeout=PATIENCE_S)).text
