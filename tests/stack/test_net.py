"""The net under a call, on every line: a stream that is cut is gone on with once, then a person is rung."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from runtime import record, server, settings
from runtime.record import replay
from runtime.session.stand_in import StandIn
from runtime.simulate.bad_line import LineFaults
from runtime.simulate.callers import Caller
from runtime.simulate.carriers import CARRIERS
from runtime.simulate.carriers.base import Asking
from runtime.simulate.clock import idle
from runtime.simulate.loopback import RECORDS, write_settings
from runtime.simulate.phone import Ended, Subscription, place
from runtime.simulate.profile import Person
from runtime.voices import open_voice
from tests.faults.laws import judged
from tests.flows.shipped import ROOT, artifact, caller

pytestmark = pytest.mark.faults
FLOW, TOKEN = "lead_qualification", "a token of nobody's"
LINES = ("twilio", "signalwire", "vonage")
CUT_FRAME = 600  # twelve seconds: the disclosure was heard, something was answered
PERSON = "+12025550199"
SPEED = 50.0


async def cut(
    folder: Path, provider: str, at_frame: int = CUT_FRAME, *, again: bool = False, person: Person = "accepts"
) -> Ended:
    """A call whose socket is reset in the middle, while the caller stays on the line; `again`: the one it
    goes on with is reset as well, and there is a person to ring.
    """
    file = write_settings(artifact(FLOW), ROOT / "flows" / FLOW, caller(FLOW, "agrees"), folder)
    model = StandIn(voice="tones")
    async with judged(folder, [TOKEN, "+12025550101"], model) as evidence, model:
        options: dict[str, Any] = {"model.base_url": model.base_url, "telephony.auth_token": TOKEN}
        options |= {"telephony.provider": provider, "telephony.account": CARRIERS[provider].account}
        options |= {"telephony.fallback_number": PERSON} if again else {}
        running = await server.start([artifact(FLOW)], settings.load(file, {}, options))
        spoken, human = open_voice("tones", "caller"), open_voice("tones", "assistant")
        try:
            ended = await place(
                Subscription(running.voice_url, TOKEN, provider=provider),
                Caller(caller(FLOW, "agrees"), spoken.speak),
                caller_number="+12025550101",
                person=person,
                speak=human.speak,
                faults=LineFaults(ends=(at_frame, "cut")),
                later=(LineFaults(ends=(100, "cut")),) if again else (),
            )
            evidence.heard(ended.passed)
            return ended
        finally:
            await running.aclose()


@pytest.mark.parametrize("provider", LINES)
def test_row_19_a_stream_that_is_cut_is_gone_on_with(tmp_path: Path, provider: str) -> None:
    """The caller hears one sentence, the call goes on at its node and comes to its end; its second part
    replays by itself, and the disclosure is not said again."""
    with asyncio.Runner(loop_factory=idle(SPEED)) as runner:
        ended = runner.run(cut(tmp_path, provider))
    notes = [note.what for note in ended.notes]
    assert notes.count("stream_started") == 2
    assert "we were cut off" in next(note.detail for note in ended.notes if note.what == "say")
    assert ended.how == "assistant_hung_up"
    first, second = sorted((tmp_path / RECORDS / "calls").glob("*.jsonl"), key=lambda path: len(path.name))
    part = record.read(second)
    assert part.whole
    assert replay(artifact(FLOW), part.lines) is None
    assert part.lines[0]["event"]["type"] == "CallResumed"
    nodes = [
        line["effect"]["node"] for line in part.lines if line.get("effect", {}).get("type") == "EnterNode"
    ]
    assert artifact(FLOW).start not in nodes
    assert record.read(first).whole


def test_a_cut_in_the_disclosure_begins_it_again(tmp_path: Path) -> None:
    """Nothing is said before the disclosure, not even that the line was cut."""
    with asyncio.Runner(loop_factory=idle(SPEED)) as runner:
        ended = runner.run(cut(tmp_path, "twilio", at_frame=60))
    assert not [note for note in ended.notes if note.what == "say"]
    assert [note.what for note in ended.notes].count("stream_started") == 2
    assert ended.how == "assistant_hung_up"


async def test_row_28_a_webhook_that_names_itself_is_answered_once(tmp_path: Path) -> None:
    """The same signed request of Vonage, sent again, gets the same document; no second call begins."""
    file = write_settings(artifact(FLOW), ROOT / "flows" / FLOW, caller(FLOW, "agrees"), tmp_path)
    model = StandIn(voice="text")
    async with judged(tmp_path, [TOKEN, "+12025550101"], model), model:
        options: dict[str, Any] = {"model.base_url": model.base_url, "telephony.auth_token": TOKEN}
        options |= {"telephony.provider": "vonage"}
        running = await server.start([artifact(FLOW)], settings.load(file, {}, options))
        try:
            asking = Asking("ringing", CARRIERS["vonage"].new_call_id(), "+12025550101", "+12025550100")
            headers, body = CARRIERS["vonage"].ask(TOKEN, running.voice_url, asking)
            async with httpx2.AsyncClient(trust_env=False) as http:
                first = await http.post(running.voice_url, content=body, headers=headers)
                again = await http.post(running.voice_url, content=body, headers=headers)
            assert first.text == again.text
            assert "websocket" in first.text
            assert running.calls.live == 1
        finally:
            await running.aclose()


@pytest.mark.parametrize(
    ("provider", "person"), [*((one, "accepts") for one in LINES), ("twilio", "no_answer")]
)
def test_row_44_the_second_failure_of_a_call_leads_to_a_person(
    tmp_path: Path, provider: str, person: Person
) -> None:
    """After two streams that broke nobody tries a third: the caller is told so and a person is rung; should
    nobody answer there, they have heard an honest sentence, and the call ends."""
    with asyncio.Runner(loop_factory=idle(SPEED)) as runner:
        ended = runner.run(cut(tmp_path, provider, again=True, person=person))
    notes = [note.what for note in ended.notes]
    said = [note.detail for note in ended.notes if note.what == "say"]
    assert notes.count("stream_started") == 2
    assert ["cut off" in said[0], "connecting you with a person" in said[1]] == [True, True]
    assert notes.index("ringing") > len(notes) - 1 - notes[::-1].index("stream_ended")
    assert ended.how == ("transferred" if person == "accepts" else "assistant_hung_up")
    reasons = [
        record.read(path).lines[-1]["end"]["reason"] for path in (tmp_path / RECORDS).glob("calls/*.jsonl")
    ]
    # Vonage's socket has no good-bye of its own, so that a break is a hang-up until its network tells more.
    assert reasons == ["caller_hangup" if provider == "vonage" else "line_lost"] * 2


async def leave(folder: Path) -> Ended:
    """A call that is live when its server's time to drain is over."""
    file = write_settings(artifact(FLOW), ROOT / "flows" / FLOW, caller(FLOW, "agrees"), folder)
    model = StandIn(voice="tones")
    async with judged(folder, [TOKEN, "+12025550101"], model) as evidence, model:
        options: dict[str, Any] = {"model.base_url": model.base_url, "telephony.auth_token": TOKEN}
        running = await server.start([artifact(FLOW)], settings.load(file, {}, options))
        spoken = open_voice("tones", "caller")
        call = asyncio.create_task(
            place(
                Subscription(running.voice_url, TOKEN),
                Caller(caller(FLOW, "agrees"), spoken.speak),
                caller_number="+12025550101",
                person="accepts",
                speak=spoken.speak,
            )
        )
        await asyncio.sleep(10)  # of the telephone's time
        await running.drain(0)
        try:
            ended = await call
            evidence.heard(ended.passed)
            return ended
        finally:
            await running.aclose()


def test_row_45_at_the_deadline_a_call_leaves_at_a_turn_boundary(tmp_path: Path) -> None:
    """It is not cut in the middle of a word: what was being said was said, its record ends as drained, and
    the caller hears a sentence, since nobody else is there to go on."""
    with asyncio.Runner(loop_factory=idle(SPEED)) as runner:
        ended = runner.run(leave(tmp_path))
    (path,) = (tmp_path / RECORDS / "calls").glob("*.jsonl")
    lines = record.read(path).lines
    assert lines[-1]["end"]["reason"] == "drained"
    spoken = [line for line in lines if line.get("event", {}).get("type", "").startswith("Playback")]
    assert spoken[-1]["event"]["type"] == "PlaybackFinished"
    assert "went wrong" in [note.detail for note in ended.notes if note.what == "say"][-1]
