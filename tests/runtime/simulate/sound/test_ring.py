"""Calls in sound by the crowd: the whole stack, many at once."""

from pathlib import Path
from typing import Any

import pytest

from runtime import audio, record
from runtime.simulate.crowd.run import wishes_of
from runtime.simulate.loopback import World
from runtime.simulate.phone import Subscription
from runtime.simulate.sound.measure import together
from runtime.simulate.sound.ring import Exchange, How, Rung, ring
from tests.flows.shipped import artifact

FLOW = "lead_qualification"
KINDS = ["plain", "hostile", "noisy_line", "demands_person", "silent", "prompt_injection"]
HOW = How("tones", at_once=6, speed=20.0)


@pytest.fixture(scope="module")
def rung(tmp_path_factory: pytest.TempPathFactory) -> list[Rung]:
    """Six kinds of callers at once, placed once; every test looks at the same calls."""
    out = tmp_path_factory.mktemp("rung")
    return ring(artifact(FLOW), wishes_of(KINDS, len(KINDS), 1), HOW, out)


def test_no_caller_breaks_a_law_in_sound(rung: list[Rung]) -> None:
    """Callers of each kind come to an end over real sockets, without a finding, and their records replay."""
    assert [one.had.kind for one in rung] == KINDS
    assert [one.had.findings for one in rung if one.had.findings] == []
    assert all(one.had.outcome for one in rung)


def test_callers_are_understood_and_answered(rung: list[Rung]) -> None:
    """Over good lines tones are understood as they were meant, and answers come after some dead air."""
    good = [one.sounded for one in rung if one.had.kind in ("plain", "demands_person")]
    assert sum(one.understood for one in good) == sum(one.meant for one in good) > 0
    assert all(wait > 0 for one in good for wait in one.waits_ms)


def test_a_bad_line_loses_packets_and_the_bridge_none(rung: list[Rung]) -> None:
    """Only the noisy line lost frames; the bridge threw no sound away."""
    lost = {one.had.kind: one.sounded.lost for one in rung}
    assert lost.pop("noisy_line") > 0
    assert set(lost.values()) == {0}
    assert together([one.sounded for one in rung])["messages_dropped_by_the_bridge"] == 0


def test_a_hostile_caller_talks_over_the_assistant(rung: list[Rung]) -> None:
    """Whoever talks into the assistant's speech is heard at the same time as it."""
    assert next(one for one in rung if one.had.kind == "hostile").sounded.overlap_ms > 0


def test_every_call_leaves_its_sound_and_a_record_that_replays(rung: list[Rung]) -> None:
    """The folder of a call holds a whole record, its artifact, a page, and both voices."""
    for one in rung:
        folder = Path(one.folder)
        assert record.read(folder / "call.jsonl").whole
        assert (folder / "call.wav").stat().st_size > 2 * audio.SAMPLE_RATE_HZ
        assert one.had.kind.replace("_", " ") in (folder / "transcript.md").read_text()


def test_what_is_asked_for_stands_instead_of_a_kinds_own() -> None:
    """A stated loss is every caller's; what is not stated stays as the kind has it."""
    from runtime.simulate.crowd.kinds import KINDS as ALL

    how = How(loss=7.0)
    noisy: Any = how.quality(ALL["noisy_line"])
    assert (noisy.loss, noisy.snr_db) == (7.0, ALL["noisy_line"].manner.line.snr_db)
    assert how.quality(ALL["plain"]).loss == 7.0


async def test_a_call_that_cannot_be_held_is_a_finding(tmp_path: Path) -> None:
    """A call no server answers is told as a failed call with the reason, and raises nothing."""
    exchange = Exchange(artifact(FLOW), HOW, tmp_path, None)
    exchange.world = World(Subscription("http://127.0.0.1:9/twilio/voice", "nobody's"))
    rung = await exchange.call(0, wishes_of(["plain"], 1, 1)[0])
    assert rung.had.findings == ("the call could not be held: the server cannot be reached: ConnectError",)
    assert together([rung.sounded])["answers"] == 0
