import json
from pathlib import Path

import pytest

from runtime import record
from runtime.record import Header, Recorder
from runtime.simulate.engine_level import simulate
from runtime.simulate.story import Story, clock, markdown, tell
from tests.flows.shipped import artifact, caller, facts

FLOW = "lead_qualification"


async def told(folder: Path, name: str) -> Story:
    """The story of a simulated call, by way of a record on the disk."""
    one = caller(FLOW, name)
    call = simulate(artifact(FLOW), one, facts(FLOW, one.number))
    path = folder / "call.jsonl"
    recorder = Recorder(path, Header("CA1", "2026-11-22T10:00:00Z", artifact(FLOW).content_hash, FLOW, "1"))
    for event, effects in zip(call.events, call.effects, strict=True):
        recorder.event(event)
        for effect in effects:
            recorder.effect(event.at_ms, effect)
    recorder.end(call.events[-1].at_ms, "assistant_hangup", call.outcome)
    await recorder.durable()
    return tell(artifact(FLOW), record.read(path))


async def test_a_booking_is_told(tmp_path: Path) -> None:
    """The story of a booking has its outcome, its way, what was learnt, and every line in order."""
    story = await told(tmp_path, "agrees")
    assert (story.outcome, story.ends_at, story.ended) == (
        "qualified_lead",
        "goodbye_booked",
        "assistant_hangup",
    )
    assert story.slots["email"] == "dana@example.com"
    assert [node for _, node in story.nodes][:3] == ["greeting", "known_caller", "need"]
    assert [one.at_ms for one in story.happenings] == sorted(one.at_ms for one in story.happenings)
    assert "book_demo is done time = Thursday at ten" in [one.text for one in story.happenings]


async def test_a_handoff_s_package_is_told(tmp_path: Path) -> None:
    """The package that a person was given is part of the story, and can be written as JSON."""
    story = await told(tmp_path, "escalates")
    (package,) = story.packages
    assert json.loads(json.dumps(package))["handoff"] == "sales"


async def test_the_page_shows_times_nodes_and_words(tmp_path: Path) -> None:
    """The page names the caller, the outcome, what was learnt, and has a row for each line."""
    story = await told(tmp_path, "agrees")
    page = markdown(story, caller="Dana", expected=("the outcome should be x, but it is y",))
    assert "Dana calls lead-qualification" in page
    assert "**qualified_lead**" in page
    assert "Not as expected: the outcome should be x, but it is y." in page
    assert page.count("| caller |") == 6


@pytest.mark.parametrize(
    ("at_ms", "text"), [(0, "00:00.0"), (1_999, "00:01.9"), (61_500, "01:01.5"), (3_600_000, "60:00.0")]
)
def test_times_are_minutes_and_seconds(at_ms: int, text: str) -> None:
    """A time on a call is shown in minutes, seconds and tenths."""
    assert clock(at_ms) == text
