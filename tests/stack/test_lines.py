"""Whole calls over each provider's line: the fake network, the real server and bridge, the stand-in."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runtime import audio, record
from runtime.record import replay
from runtime.simulate.clock import idle
from runtime.simulate.command import Made, place_one
from runtime.simulate.live import Screen
from runtime.voices import tones
from tests.flows.shipped import ROOT, artifact, caller

SPEED = 50.0
AT_ONCE = 2
LINES = ("signalwire", "signalwire-l16", "vonage")
CALLERS = (
    ("insurance_claim", "talks_over"),
    ("lead_qualification", "escalates"),
    ("lead_qualification", "finds_nobody"),
    ("appointment_scheduling", "hangs_up"),
)
ALL = tuple((line, flow, name) for line in LINES for flow, name in CALLERS)
each_call = pytest.mark.parametrize(("line", "flow", "name"), ALL)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All calls of this file, placed once, a few at a time; every test looks at the same ones."""
    folder = tmp_path_factory.mktemp("lines")

    async def place(line: str, flow: str, name: str, places: asyncio.Semaphore) -> tuple[Made, Path]:
        out = folder / f"{line}-{flow}-{name}"
        async with places:
            screen = Screen(Console(quiet=True))
            made = await place_one(
                artifact(flow), ROOT / "flows" / flow, caller(flow, name), out, "tones", screen, line
            )
        return made, out

    async def place_all() -> list[tuple[Made, Path]]:
        places = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(place(*which, places) for which in ALL))

    with asyncio.Runner(loop_factory=idle(SPEED)) as runner:
        placed = dict(zip(ALL, runner.run(place_all()), strict=True))
    return lambda *which: placed[which]


@each_call
def test_a_call_over_any_line_ends_as_its_caller_expects(calls: Any, line: str, flow: str, name: str) -> None:
    """Interrupting, asking for a person, finding nobody and hanging up come to the same end on every line."""
    made, _ = calls(line, flow, name)
    assert made.unexpected == ()


@each_call
def test_the_disclosure_is_heard_whole_on_any_line(calls: Any, line: str, flow: str, name: str) -> None:
    """The first words in the caller's ear are the whole disclosure, in whatever format the line carries."""
    tape = calls(line, flow, name)[0].ended.tape
    start = artifact(flow).nodes[artifact(flow).start].line
    assert start is not None
    assert next(text for text, _ in tones.packets(bytes(tape.heard[: 8000 * 6]))) == start.say
    assert audio.mulaw_rms(bytes(tape.said)) > 50


@each_call
def test_a_record_over_any_line_replays(calls: Any, line: str, flow: str, name: str) -> None:
    """The recorded events, fed to the engine again, give the recorded effects."""
    lines = record.read(calls(line, flow, name)[1] / "call.jsonl").lines
    assert replay(artifact(flow), lines) is None
    assert not [one for one in lines if one.get("note", {}).get("kind") == "line_malformed"]


@pytest.mark.parametrize("line", LINES)
def test_a_person_is_whispered_to_and_joined_on_any_line(calls: Any, line: str) -> None:
    """The person is rung beside the call and takes it before the two meet in a room of their own."""
    made, out = calls(line, "lead_qualification", "escalates")
    told = [one["note"] for one in record.read(out / "call.jsonl").lines if "note" in one]
    steps = [note["step"] for note in told if note["kind"] == "transfer"]
    assert steps.index("picked_up") < steps.index("accepted") < steps.index("joined")
    assert [note.what for note in made.ended.notes][-2:] == ["entered_room", "joined"]
    assert made.ended.how == "transferred"


@pytest.mark.parametrize("line", LINES)
def test_a_caller_nobody_took_stays_with_the_assistant_on_any_line(calls: Any, line: str) -> None:
    """When the person is busy the caller was with the assistant all the while, and it ends the call."""
    made, _ = calls(line, "lead_qualification", "finds_nobody")
    assert [note.what for note in made.ended.notes].count("stream_started") == 1
    assert made.ended.how == "assistant_hung_up"


@pytest.mark.parametrize("line", LINES)
def test_hanging_up_is_understood_on_any_line(calls: Any, line: str) -> None:
    """A caller who hangs up is recorded as that, also where the line says no good-bye."""
    story = calls(line, "appointment_scheduling", "hangs_up")[0].story
    assert (story.ended, story.outcome) == ("caller_hangup", "abandoned")
