"""Row 48: a call that piles up memory, and a process that holds too much of it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime import record
from runtime.call import budget
from runtime.record import Header, Recorder
from runtime.recording.spool import Spool
from runtime.recording.tracks import Tracks
from runtime.server.weight import MB, Weight, bound, machine, resident
from runtime.session.ledger import Ledger
from runtime.session.openai import OpenAISession
from runtime.session.stand_in import StandIn
from tests.faults.bed import BOOKS, DISCLOSURE, GOODBYE, LOST, QUESTION, Bed, Placed, live, plan, sound
from tests.faults.conftest import Open
from tests.runtime.call.conftest import settings as session_settings
from tests.runtime.switchboard import OTHER_CALL, OTHER_CALLER, artifact, form, open_switchboard

pytestmark = pytest.mark.faults

OTHERS = 2
PATIENCE_S = 60
PIECE = "/" * 216  # 162 bytes of sound
WORDS = "and so on " * 300_000


def endless(event: dict[str, Any], number: int) -> Iterator[Any]:
    """A model whose words do not end: three megabytes of them instead of a few."""
    if event["type"] == "response.output_audio_transcript.delta":
        yield {**event, "delta": WORDS}
    yield event


def test_row_48_a_call_that_piles_up_memory_leaves_through_the_net(bed: Open) -> None:
    """One of three calls comes to hold three megabytes, and two are allowed: its caller hears the last words
    within three seconds and goes on by the net with another session; the others hear every word whole,
    nothing is left, and an operator is told what of."""

    async def work() -> tuple[Bed, list[Placed]]:
        model = StandIn(voice="tones")
        model.faults = plan([1], spoil=endless)
        async with bed(model, toml="[limits]\ncall_mb = 2\n") as one:
            made = await one.calls(OTHERS + 1, who=BOOKS)
        return one, [later() for later in made]

    one, calls = live(work())
    (grown,) = [call for call in calls if call.reason == "over_budget"]
    (note,) = grown.of("note", "over_budget")
    assert note["part"] in ("speech", "state")  # while it is said, or after
    assert note["bytes"] > 2 * MB
    assert one.alerts("call.over_budget") == 1
    assert one.alerts("call.broken") == 0
    assert grown.at(LOST) is not None
    assert grown.at(LOST) - grown.when("note", "over_budget") <= 3000
    assert one.alerts("call.resumed") == 1
    assert sound(GOODBYE) in bytes(grown.ended.tape.heard)
    for call in calls:
        assert call.ended.how == "assistant_hung_up"
        if call is not grown:
            assert call.said == [DISCLOSURE, QUESTION, GOODBYE]
    (resumed,) = (one.folder / "records" / "calls").glob("*.[0-9]*.jsonl")
    assert record.read(resumed).lines[-1]["end"]["outcome"] == "booked"


async def test_row_48_what_a_call_piles_up_is_counted(tmp_path: Path) -> None:
    """Each place that can grow tells how much it holds: the same bytes, give or take what encloses them."""
    size = 1000 * len(PIECE)
    ledger, tracks = Ledger(), Tracks()
    ledger.open("s1", protected=True, scripted=False)
    ledger.open("s2", protected=True, scripted=False)
    session = OpenAISession(session_settings(artifact(), "http://127.0.0.1:9/v1"))
    spool = Spool(tmp_path / "CA1.wav")
    for _ in range(1000):
        ledger.add("s2", PIECE)
        tracks.caller(0, PIECE)
        spool.caller(0, PIECE)
        session.said(PIECE)
    held = {"ledger": ledger.held, "spool": spool.held, "session": session.held}
    assert all(size <= one <= size * 1.1 for one in held.values()), held
    assert tracks.held == size * 3 // 4
    spool.finish()
    assert spool.held == 0


async def test_row_48_lines_a_disk_does_not_take_are_counted(tmp_path: Path) -> None:
    """A record whose disk refuses holds its lines, and holds nothing once they are written."""
    taken = tmp_path / "taken"
    taken.write_text("a file where a folder is needed")
    one = Recorder(taken / "call.jsonl", Header("CA1", "2026-11-22T10:00:00Z", "0" * 64, "table", "1"))
    for _ in range(100):
        one.note(0, "mark", words=PIECE)
    assert one.held > 100 * len(PIECE)
    taken.unlink()
    assert await one.durable()
    assert one.held == 0
    one.end(0, "caller_hangup", None)
    assert len(record.read(one.path).lines) >= 100


def test_row_48_a_bound_is_looked_at_and_named() -> None:
    """What is told of a call that grew is how much, and what of; no word of what was said."""
    told = budget.OverBudgetError(3 * MB, "speech")
    assert (told.size, told.part) == (3 * MB, "speech")
    assert str(told) == "3145728 bytes, most of it speech"


async def test_row_48_a_process_that_grew_takes_no_call_until_it_shrank(tmp_path: Path) -> None:
    """With more memory in use than the settings allow, the next caller hears that the lines are busy; once it
    is let go calls are taken again. Memory is really taken, and an operator is told once."""
    room = 64 * MB
    toml = f"[limits]\nmemory_mb = {(resident() + room) // MB}\n"
    async with open_switchboard(tmp_path, toml=toml) as board:
        weight = board.running.calls.weight
        assert weight is not None
        ballast = bytearray(b"\x01") * (2 * room)
        async with asyncio.timeout(PATIENCE_S):
            while not weight.over:  # noqa: ASYNC110 - it is weighed once a second
                await asyncio.sleep(0.05)
        declined = await board.ask("/twilio/voice", form())
        assert "busy" in (declined.findtext("Say") or "")
        del ballast
        async with asyncio.timeout(PATIENCE_S):
            while weight.over:  # noqa: ASYNC110 - it is weighed once a second
                await asyncio.sleep(0.05)
        await board.answer(form(OTHER_CALL, OTHER_CALLER))
        collected = board.running.calls.metrics.registry.collect()
        samples = [one for family in collected for one in family.samples if one.name == "vfc_alert_total"]
        assert [one.value for one in samples if one.labels["code"] == "worker.memory"] == [1.0]


def test_row_48_it_is_told_once_each_time() -> None:
    """An operator hears of a process that is too heavy once each time it becomes so."""
    told: list[str] = []
    weights = iter([1, 1, 5, 5, 1, 5, 5, 5])

    def alert(code: str, **about: str) -> None:
        told.append(code)

    async def seconds() -> None:
        one = Weight(alert, 3, lambda: next(weights, 1))
        assert not one.over
        await asyncio.sleep(20)
        await one.close()

    live(seconds())
    assert told == ["worker.memory"] * 2


def test_row_48_the_bound_is_the_settings_or_a_share() -> None:
    """So many megabytes as the settings say, or else four fifths of the machine for all workers together."""
    assert bound(7, 4) == 7 * MB
    assert bound(0, 4) == int(machine() * 0.8) // 4
    assert 0 < resident() < machine()
