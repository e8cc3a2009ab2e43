"""A whole call on loopback: a telephone's media stream, the shell, and the stand-in, in one loop with a
fast clock.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from runtime.call import Caller, Outside, carry
from runtime.ports import OutsideFailure, Unsure
from runtime.record import Header, Record, Recorder, read
from runtime.recording.tracks import Tracks
from runtime.session.model import Patience, SessionSettings, TurnDetection
from runtime.session.openai import OpenAISession
from runtime.simulate.callers import Caller as Mouth
from runtime.simulate.clock import idle
from runtime.simulate.line import MediaStream, Tape, open_stream
from runtime.simulate.profile import Line, Profile
from runtime.telephony.base import StreamStarted
from runtime.telephony.base.json_stream import StreamCodec
from runtime.voices.tones import Tones
from runtime.websocket import Socket
from tests.runtime.inbox import Inbox, listening
from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.lower import lower
from voiceflow_compiler.pipeline import check

FLOW = """
language: 1
flow: table
version: "1"
company: Harbour House
purpose: book a table
control: strict
slots:
  guests: {type: integer, meaning: how many people come, minimum: 1, maximum: 20, confirm: never, examples:
  [four people, two]}
intents:
  wants_person: {family: escalation, means: asks for a person, examples: ["a person please"]}
start: hello
nodes:
  hello: {kind: disclosure, say: "I am the AI assistant of {company}. This call is recorded. Ask for a
  person at any time.", next: size}
  size:
    kind: ask
    convey: Ask how many people come.
    sample: How many people are you?
    collect: [guests]
    filled: book
  book: {kind: act, action: book, while_waiting: One moment., on_success: done, on_failure: sorry}
  done: {kind: end, say: "Your table is booked. Goodbye.", outcome: booked}
  sorry: {kind: end, say: "I could not book it. Someone will call you. Goodbye.", outcome: callback}
  to_desk: {kind: handoff, to: desk}
  nobody: {kind: end, say: "I am sorry, we will call you back.", outcome: lost}
everywhere:
  wants_person: {go: to_desk}
  objection: {go: nobody}
  confusion: {stay: true, say: "I can book you a table.", at_most: 2, then: nobody}
actions:
  book:
    does: Books a table.
    takes: {guests: slots.guests}
    returns: {at: text}
    changes_something: true
    within_ms: 2000
handoffs:
  desk: {mode: cold, say: Connecting you., package: [reason], if_unanswered: nobody}
fallback:
  no_match: [{say: "Sorry, how many?"}, {go: nobody}]
  no_input: [{say: "Are you there?"}, {go: nobody}]
  lost_model: {hold: Please hold on., say: "I am sorry, I lost my thread. We will call you back.", go: nobody}
"""


def build(folder: Path, text: str = FLOW) -> Artifact:
    """The artifact of a flow given as text."""
    path = folder / "flow.yaml"
    path.write_text(text)
    checked = check(str(path))
    assert checked.flow is not None
    # a number alone books here, without a yes: a careful flow would make every test a turn longer
    errors = [each for each in checked.findings if each.severity == "error" and each.code != "VF704"]
    assert not errors, [f"{each.code} {each.message}" for each in errors]
    return lower(checked.flow)


@dataclass
class Firm:
    """The firm's side: facts, actions, desk and prepared voices, as a test wants them."""

    facts: Mapping[str, Any] | None = None
    result: Mapping[str, Any] = field(default_factory=lambda: {"at": "seven"})
    failure: str = ""
    undoing: Any = None
    runs: list[Any] = field(default_factory=list)

    async def look_up(self, caller_number: str) -> Mapping[str, Any] | None:
        return self.facts

    async def run(self, order: Any) -> Mapping[str, Any]:
        self.runs.append(order)
        if self.failure:
            raise OutsideFailure(self.failure)
        return self.result

    async def find_out(self, order: Any) -> Mapping[str, Any]:
        raise Unsure("unknown")

    async def deliver(self, order: Any) -> str:
        return "r1"

    async def transfer(self, order: Any, tell: Any) -> Any:
        raise OutsideFailure("closed")

    async def join(self, handoff_id: str) -> None:
        return None

    async def give_up(self, handoff_id: str) -> None:
        return None

    async def render(self, text: str) -> bytes:
        return Tones().speak(text)


@dataclass
class Result:
    """What a call left: how it ended on both sides, its record, and the sound the caller had."""

    reason: str
    how: str
    record: Record
    tape: Tape
    tracks: Tracks
    firm: Firm

    def events(self, kind: str) -> list[Mapping[str, Any]]:
        return [line["event"] for line in self.record.lines if line.get("event", {}).get("type") == kind]

    def effects(self, kind: str) -> list[Mapping[str, Any]]:
        return [line["effect"] for line in self.record.lines if line.get("effect", {}).get("type") == kind]

    def notes(self, kind: str) -> list[Mapping[str, Any]]:
        return [line["note"] for line in self.record.lines if line.get("note", {}).get("kind") == kind]

    @property
    def said(self) -> list[str]:
        """What was played to its end, in order."""
        return [event.get("text", "") for event in self.events("PlaybackFinished")]


IDS = {"account": "AC" + "0" * 32, "call": "CA" + "1" * 32, "stream": "MZ" + "2" * 32}
Talk = Callable[[MediaStream], Coroutine[Any, Any, str]]


def speaker(*says: Line | str, patience_ms: int = 300, where: Callable[[], str | None] = lambda: None) -> Any:
    lines = tuple(Line(say=one) if isinstance(one, str) else one for one in says)
    return Mouth(Profile(name="caller", says=lines, patience_ms=patience_ms), Tones().speak, where=where)


def settings(artifact: Artifact, base_url: str, **patience: int) -> SessionSettings:
    return SessionSettings(
        base_url=base_url,
        api_key="any",
        model="gpt-realtime-2.1",
        voice=artifact.voice,
        speed=artifact.speed,
        tools=[{"type": "function", **to_builtins(tool)} for tool in artifact.tools],
        turns=TurnDetection(silence_duration_ms=300),
        patience=Patience(**patience),
    )


@dataclass
class World:
    """Places calls. `speed` is how fast time passes while everybody waits; computing takes none."""

    artifact: Artifact
    folder: Path
    speed: float = 20.0
    clock: Callable[[float], Callable[[], asyncio.AbstractEventLoop]] = idle

    def call(self, base_url_of: Callable[[], Any], talk: Any, **options: Any) -> Result:
        """Place one call in a loop of its own and check that nothing is left of it."""
        with asyncio.Runner(loop_factory=self.clock(self.speed)) as runner:
            return runner.run(self._call(base_url_of, talk, **options))

    async def _call(
        self,
        model: Callable[[], Any],
        talk: Any,
        *,
        firm: Firm | None = None,
        number: str | None = "+12025550123",
        recorded: bool = True,
        answerer: Callable[[], Awaitable[str]] | None = None,
        **patience: int,
    ) -> Result:
        firm = firm or Firm()
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        path, tracks, tape = self.folder / "call.jsonl", Tracks(), Tape()
        scripts = {name: Tones().speak(text) for name, text in self.artifact.scripts.items()}

        async def accept(socket: Socket) -> None:
            codec, inbox = StreamCodec(), Inbox(socket)
            while not isinstance(codec.decode(await inbox.receive() or ""), StreamStarted):
                pass
            session = OpenAISession(settings(self.artifact, base_url, **patience))
            header = Header(IDS["call"], "2026-11-22T10:00:00Z", self.artifact.content_hash, "table", "1")
            outside = Outside(
                artifact=self.artifact,
                line=socket,
                codec=codec,
                session=session,
                facts=firm,
                actions=firm,
                desk=firm,
                voice=firm,
                scripts=scripts,
                record=Recorder(path, header),
                recording=tracks,
                answerer=answerer() if answerer else None,
                undoing=firm.undoing,
            )
            try:
                reason = await carry(Caller(IDS["call"], number, None, "inbound"), outside)
                await outside.record.durable()
                done.set_result(reason)
            except BaseException as error:
                done.set_exception(error)
                raise

        async with model() as stand_in:
            base_url = stand_in if isinstance(stand_in, str) else stand_in.base_url
            async with listening(accept) as port:
                stream = await open_stream(f"ws://127.0.0.1:{port}", "", IDS, tape)
                how = await (talk(stream) if callable(talk) else stream.carry(talk, {}))
                async with asyncio.timeout(120):
                    reason = await done
        await asyncio.sleep(0.1)
        left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        assert not left, left
        record = read(path) if recorded else Record({}, (), whole=False, torn=0)
        return Result(reason, how, record, tape, tracks, firm)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The flow above, compiled, and a folder for its record."""
    return World(build(tmp_path), tmp_path)


@pytest.fixture
def mouth() -> Callable[..., Any]:
    """Makes a caller who says these lines in tones."""
    return speaker


@pytest.fixture
def firm() -> Firm:
    return Firm()
