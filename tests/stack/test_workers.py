"""Several workers on one port: a killed one's calls go on elsewhere, where they stood."""

import asyncio
import collections
import json
import os
import signal
from pathlib import Path

import httpx2
import pytest
from msgspec.structs import replace

from runtime import server, settings
from runtime.record import Record, read, replay
from runtime.session.stand_in import StandIn
from runtime.simulate.clock import idle
from runtime.simulate.loopback import RECORDS
from runtime.simulate.phone import Ended
from tests.flows.shipped import artifact
from tests.stack.workers import FLOW, TOKEN, Fleet, open_fleet
from voiceflow_compiler.artifact import encode, seal

FULL = bool(os.environ.get("FAULTS_FULL"))
CALLS = 20 if FULL else 4
WORKERS = 3 if FULL else 2
BACK_S = 5.0 if FULL else 25.0  # what is promised; where other tests run beside this one, only that they are


async def most_loaded(fleet: Fleet, calls: int) -> tuple[int, set[str]]:
    """Wait until all calls have collected something; the worker with most of them, and its calls."""
    async with asyncio.timeout(60):
        while True:
            live = [one for one in await fleet.live() if '"slots"' in (one.state or "")]
            if len(live) == calls:
                break
            await asyncio.sleep(0.2)
    owners = collections.Counter(one.owner for one in live)
    owner = owners.most_common(1)[0][0]
    return int(owner[1:].partition(".")[0]), {one.call_id for one in live if one.owner == owner}


def silence_s(ended: Ended) -> float:
    """From the end of the first stream to the beginning of the second, in seconds."""
    cut = next(note for note in ended.notes if note.what == "stream_ended")
    back = [note for note in ended.notes if note.what == "stream_started"]
    return back[1].clock_s - cut.clock_s if len(back) > 1 else float("inf")


@pytest.mark.faults
async def test_row_44_a_killed_workers_calls_go_on_where_they_stood(tmp_path: Path) -> None:
    """`kill -9` of the worker with most calls: nearly all of its callers hear one sentence and are back at
    the same node within five seconds; the disclosure is not repeated, nothing is done twice, and the calls of
    the other workers notice nothing."""
    async with open_fleet(tmp_path, workers=WORKERS) as fleet:
        calls = [asyncio.create_task(fleet.call(f"+1202555{one:04}")) for one in range(CALLS)]
        slot, hit = await most_loaded(fleet, CALLS)
        os.kill(fleet.worker(slot), signal.SIGKILL)
        ended = await asyncio.gather(*calls)
        resumed = [one for one in ended if one.call_id in hit]
        back = [one for one in resumed if silence_s(one) <= BACK_S]
        assert len(back) >= len(resumed) - len(resumed) // 20
        for one in back:
            assert "we were cut off" in next(note.detail for note in one.notes if note.what == "say")
            first, second = fleet.records(one.call_id)
            texts = [line["effect"].get("text", "") for line in second.lines if "effect" in line]
            assert not [text for text in texts if "AI assistant" in text and "Now at" not in text][1:]
            at = [
                line["effect"]["node"]
                for line in first.lines
                if line.get("effect", {}).get("type") == "EnterNode"
            ]
            again = next(line for line in second.lines if line.get("effect", {}).get("type") == "EnterNode")
            assert again["effect"]["node"] in at[-2:]
            assert replay(artifact(FLOW), second.lines) is None
            assert second.whole
            async with asyncio.timeout(30):
                while not fleet.records(one.call_id)[0].whole:  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.5)
        for one in ended:
            if one.call_id not in hit:
                assert [note.what for note in one.notes].count("stream_started") == 1
                assert one.how == "assistant_hung_up"
        actions = tmp_path / RECORDS / "actions.jsonl"
        keys = [json.loads(line)["idempotency_key"] for line in actions.read_text().splitlines()]
        assert len(keys) == len(set(keys))
        async with asyncio.timeout(60):  # the index is written behind the calls' backs
            while not all(row["reason"] for row in await fleet.store.calls()):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)
        assert {row["call_id"] for row in await fleet.store.calls()} == {one.call_id for one in ended}


async def ready(fleet: Fleet, http: httpx2.AsyncClient) -> int:
    """What the readiness probe answers."""
    return (await http.get(f"{fleet.address}/readyz")).status_code


@pytest.mark.faults
async def test_row_45_a_drain_lets_calls_finish(tmp_path: Path) -> None:
    """SIGTERM: not ready any more, a new caller is told so, live calls come to their own end, a
    second SIGTERM changes nothing, and the exit code is 0."""
    async with open_fleet(tmp_path) as fleet, httpx2.AsyncClient(trust_env=False) as http:
        assert await ready(fleet, http) == 200
        call = asyncio.create_task(fleet.call("+12025550101", "hangs_up"))
        async with asyncio.timeout(60):
            while not await fleet.live():  # noqa: ASYNC110 - nobody tells when another process has a call
                await asyncio.sleep(0.1)
        fleet.process.terminate()
        async with asyncio.timeout(60):
            while await ready(fleet, http) != 503:  # noqa: ASYNC110 - a probe asks again, too
                await asyncio.sleep(0.1)
            # One that is about to leave may close a connection unread; a network asks again, ours does not.
            while len(fleet.slots()) > 1:  # noqa: ASYNC110 - another process's leaving is not told
                await asyncio.sleep(0.1)
        late = await fleet.call("+12025550102")
        assert "restarted" in next(note.detail for note in late.notes if note.what == "say")
        fleet.process.terminate()
        ended = await call
        assert ended.how == "caller_hung_up"
        assert [note.what for note in ended.notes].count("stream_started") == 1
        async with asyncio.timeout(60):
            assert await fleet.process.wait() == 0


@pytest.mark.faults
async def test_workers_that_cannot_start_stop_the_server_with_their_reason(tmp_path: Path) -> None:
    """A store nobody can open is told once by the worker; the supervisor stops and says so in a line."""
    with pytest.raises(AssertionError) as told:
        async with open_fleet(tmp_path, environment={"VFC_STORE_URL": "postgresql://vfc@127.0.0.1:9/vfc"}):
            pass
    lines = [line for line in str(told.value).splitlines() if "vfc: " in line]
    assert len(lines) == 2
    assert "store.url: the store cannot be opened" in lines[0]
    assert "the server stops" in lines[1]


def swept(folder: Path) -> None:
    """A server that is started where another one died, until the calls of that one have their end."""

    async def work() -> None:
        async with StandIn(voice="tones") as model:
            told = {"model.base_url": model.base_url, "telephony.auth_token": TOKEN}
            running = await server.start([artifact(FLOW)], settings.load(folder / "vfc.toml", {}, told))
            try:
                async with asyncio.timeout(60):  # I1: at most a minute later
                    while not all(read(path).whole for path in (folder / RECORDS).glob("calls/*.jsonl")):  # noqa: ASYNC110 - the sweep tells nobody
                        await asyncio.sleep(0.5)
            finally:
                await running.aclose()

    with asyncio.Runner(loop_factory=idle(20.0)) as runner:
        runner.run(work())


@pytest.mark.faults
async def test_row_44_a_dead_server_leads_to_a_person_by_the_document_itself(tmp_path: Path) -> None:
    """`kill -9` of the supervisor and of every worker at once: nobody answers the provider's question, and
    the caller is told so and brought to a person by what stood in the first document already; its trailing
    redirect finds nobody either."""
    async with open_fleet(tmp_path, environment={"VFC_FALLBACK_NUMBER": "+12025550199"}) as fleet:
        call = asyncio.create_task(fleet.call("+12025550101"))
        await most_loaded(fleet, 1)
        for pid in [fleet.process.pid, *(fleet.worker(slot) for slot in range(2))]:
            os.kill(pid, signal.SIGKILL)
        ended = await call
        await asyncio.to_thread(swept, tmp_path)
    notes = [note.what for note in ended.notes]
    left = notes[notes.index("stream_ended") :]
    assert left == [
        *("stream_ended", "nobody_answers", "nobody_answers"),
        "say",
        "ringing",
        "person_answered",
        "joined",
    ]
    assert "connecting you with a person" in [note.detail for note in ended.notes if note.what == "say"][-1]
    assert ended.how == "transferred"


async def told(fleet: Fleet, words: str, times: int) -> None:
    """Wait until the server's log has said this so often."""
    async with asyncio.timeout(60):
        while (fleet.folder / "stderr").read_text().count(words) < times:  # noqa: ASYNC110 - other processes write it
            await asyncio.sleep(0.1)


def version_of(part: Record) -> str:
    return str(part.header["artifact"]["version"])


@pytest.mark.faults
async def test_row_54_a_new_version_is_taken_by_all_workers_between_calls(tmp_path: Path) -> None:
    """SIGHUP: the next caller has the new version; the live one keeps the old one, even when its worker is
    killed and another goes on with it. A file that was edited is refused, and what was served goes on."""
    path, first = tmp_path / "flow.json", artifact(FLOW)
    second = seal(replace(first, flow_version="2"))
    path.write_bytes(encode(first))
    async with open_fleet(tmp_path, flow=path) as fleet:
        began = asyncio.create_task(fleet.call("+12025550101"))
        slot, _ = await most_loaded(fleet, 1)
        (tmp_path / "next.json").write_bytes(encode(second))
        (tmp_path / "next.json").replace(path)
        fleet.process.send_signal(signal.SIGHUP)
        await told(fleet, "flow.renewed", 2)
        os.kill(fleet.worker(slot), signal.SIGKILL)
        path.write_bytes(encode(second).replace(b'"2"', b'"3"'))
        fleet.process.send_signal(signal.SIGHUP)
        await told(fleet, "changed after it was compiled", 1)
        after = await fleet.call("+12025550102", "hangs_up")
        ended = await began
        assert ended.how == "assistant_hung_up"
        parts = fleet.records(ended.call_id)
        assert [version_of(one) for one in parts] == [first.flow_version] * 2
        assert replay(first, parts[1].lines) is None
        assert [version_of(one) for one in fleet.records(after.call_id)] == ["2"]
