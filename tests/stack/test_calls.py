"""Whole calls in sound: the fake telephone, the real server and bridge, the stand-in, over real sockets."""

import asyncio
import json
from dataclasses import dataclass
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
AT_ONCE = 3
ONE_PER_FLOW = (
    ("appointment_scheduling", "moves_the_visit"),
    ("insurance_claim", "talks_over"),
    ("lead_qualification", "objects"),
)
TRANSFERS = (("insurance_claim", "is_hurt"), ("lead_qualification", "escalates"))
NOBODY = (("lead_qualification", "finds_nobody"),)
EARLY = (("appointment_scheduling", "hangs_up"),)
ALL = (*ONE_PER_FLOW, *TRANSFERS, *NOBODY, *EARLY)
each_call = pytest.mark.parametrize(("flow", "name"), ALL)


@dataclass(frozen=True)
class Placed:
    made: Made
    lines: tuple[Any, ...]

    def of(self, part: str) -> list[tuple[int, Any]]:
        """The events, effects or notes of the record with their places."""
        return [(line["seq"], line[part]) for line in self.lines if part in line]

    def first(self, part: str, kind: str) -> int | None:
        """The place of the first event or effect of this type."""
        return next((seq for seq, what in self.of(part) if what.get("type") == kind), None)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All calls of this file, placed once, a few at a time; every test looks at the same ones."""
    folder = tmp_path_factory.mktemp("calls")

    async def place(flow: str, name: str, lines: asyncio.Semaphore) -> Placed:
        out = folder / f"{flow}-{name}"
        async with lines:
            screen = Screen(Console(quiet=True))
            made = await place_one(
                artifact(flow), ROOT / "flows" / flow, caller(flow, name), out, "tones", screen
            )
        return Placed(made, record.read(out / "call.jsonl").lines)

    async def place_all() -> list[Placed]:
        lines = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(place(flow, name, lines) for flow, name in ALL))

    with asyncio.Runner(loop_factory=idle(SPEED)) as runner:
        placed = dict(zip(ALL, runner.run(place_all()), strict=True))
    return lambda flow, name: placed[flow, name]


@each_call
def test_a_call_ends_as_its_caller_expects(calls: Any, flow: str, name: str) -> None:
    """Over real sockets a caller reaches the same end as by the design."""
    assert calls(flow, name).made.unexpected == ()


@each_call
def test_both_voices_are_in_the_sound(calls: Any, flow: str, name: str) -> None:
    """The caller's track and the assistant's track of the WAV both hold sound."""
    tape = calls(flow, name).made.ended.tape
    assert audio.mulaw_rms(bytes(tape.said)) > 50
    assert audio.mulaw_rms(bytes(tape.heard)) > 50


@each_call
def test_the_caller_hears_the_disclosure_whole_and_first(calls: Any, flow: str, name: str) -> None:
    """The first words in the caller's ear are the whole disclosure, whatever the caller says meanwhile."""
    tape = calls(flow, name).made.ended.tape
    start = artifact(flow).nodes[artifact(flow).start].line
    first = next(text for text, _ in tones.packets(bytes(tape.heard[: 8000 * 6])))
    assert start is not None
    assert first == start.say


@each_call
def test_nothing_is_ordered_before_the_disclosure_was_played(calls: Any, flow: str, name: str) -> None:
    """In the record no response, action or transfer stands before the disclosure's end."""
    placed = calls(flow, name)
    heard = placed.first("event", "PlaybackFinished")
    for kind in ("Respond", "RunAction", "DeliverPackage", "Transfer"):
        ordered = placed.first("effect", kind)
        assert ordered is None or ordered > heard


@each_call
def test_the_record_replays(calls: Any, flow: str, name: str) -> None:
    """The recorded events, fed to the engine again, give the recorded effects."""
    placed = calls(flow, name)
    assert replay(artifact(flow), placed.lines) is None
    assert "end" in placed.lines[-1]


@each_call
def test_an_action_is_done_once(calls: Any, flow: str, name: str) -> None:
    """The ledger of actions holds one line for each action that the engine ordered."""
    placed = calls(flow, name)
    ledger = placed.made.folder / "actions.jsonl"
    done = [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []
    ordered = [what["idempotency_key"] for _, what in placed.of("effect") if what["type"] == "RunAction"]
    assert sorted(line["idempotency_key"] for line in done) == sorted(ordered)


@pytest.mark.parametrize(("flow", "name"), [*TRANSFERS, *NOBODY])
def test_the_package_comes_before_the_person(calls: Any, flow: str, name: str) -> None:
    """The package is acknowledged before its line is spoken and before a person is rung."""
    placed = calls(flow, name)
    delivered = placed.first("event", "PackageDelivered")
    assert delivered is not None
    assert delivered < placed.first("effect", "Transfer")
    assert json.loads((placed.made.folder / "handoff.json").read_text())["handoff"]


@pytest.mark.parametrize(("flow", "name"), TRANSFERS)
def test_the_person_accepts_before_the_caller_is_brought(calls: Any, flow: str, name: str) -> None:
    """The person is told about the call beside it, and accepts it before the two meet."""
    told = [one["note"] for one in calls(flow, name).lines if "note" in one]
    steps = [note["step"] for note in told if note["kind"] == "transfer"]
    assert steps.index("picked_up") < steps.index("accepted") < steps.index("joined")
    notes = [note.what for note in calls(flow, name).made.ended.notes]
    assert notes.index("entered_room") < notes.index("joined")
    assert calls(flow, name).made.ended.how == "transferred"


def test_the_caller_is_not_dropped_when_nobody_answers(calls: Any) -> None:
    """When the person is busy the caller is still with the assistant, which says good-bye itself."""
    ended = calls("lead_qualification", "finds_nobody").made.ended
    assert [note.what for note in ended.notes].count("stream_started") == 1
    assert ended.how == "assistant_hung_up"


def test_a_caller_talks_into_the_disclosure(calls: Any) -> None:
    """The caller who talks over the disclosure is sounding while it plays, and what they said is not lost."""
    placed = calls("insurance_claim", "talks_over")
    said = bytes(placed.made.ended.tape.said[: 8 * 3000])
    assert audio.mulaw_rms(said) > 50
    assert placed.made.story.slots["incident_type"] == "collision"


def test_a_caller_who_hangs_up_is_recorded_so(calls: Any) -> None:
    """A caller who hangs up ends the record with that reason, abandoned."""
    story = calls("appointment_scheduling", "hangs_up").made.story
    assert (story.ended, story.outcome) == ("caller_hangup", "abandoned")


@each_call
def test_the_folder_of_a_call(calls: Any, flow: str, name: str) -> None:
    """A call leaves a record, a page to read, and a stereo sound as long as the call."""
    folder: Path = calls(flow, name).made.folder
    page = (folder / "transcript.md").read_text()
    assert artifact(flow).start in page
    assert (folder / "call.wav").read_bytes()[:4] == b"RIFF"
    assert (folder / "call.jsonl").stat().st_size > 1000
