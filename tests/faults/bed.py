"""The bed every fault is laid in: the real server, the stand-in and fake telephones over sockets in one
process, by a clock that runs only while all of them wait: what is measured is the bridge, not the machine.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from runtime import audio, record, server, settings
from runtime.call import carry
from runtime.record import Record
from runtime.server.calls import Carry
from runtime.server.deploy import Deployment
from runtime.session.stand_in import FaultPlan, StandIn
from runtime.simulate.bad_line import LineFaults
from runtime.simulate.callers import Caller
from runtime.simulate.clock import idle
from runtime.simulate.line import Deed, Moment, Mouth
from runtime.simulate.phone import Ended, Subscription, place
from runtime.simulate.profile import Line, Person, Profile
from runtime.voices.tones import Tones
from runtime.writing import DISK, Disk
from tests.faults import beside
from tests.faults.beside import Beside
from tests.faults.laws import Evidence, Held
from voiceflow_compiler.artifact import Artifact
from voiceflow_compiler.lower import lower
from voiceflow_compiler.pipeline import check

SPEED = 20.0
PATIENCE_S = 600  # by the bed's clock
TOKEN = "a token of nobody's"
KEY = "sk-canary-1f9c"
NUMBER = "+12025550142"
PERSON = "+12025550199"
CALLED = "+12025550100"
FULL = bool(os.environ.get("FAULTS_FULL"))
OTHERS = 5 if FULL else 1

DISCLOSURE = "I am the AI assistant of Harbour House. This call is recorded. Ask for a person at any time."
QUESTION = "How many people are you?"
WAIT = "One moment."
GOODBYE = "Your table is booked. Goodbye."
HOLD = "Please hold on."
SORRY_PERSON = "I'm sorry, something went wrong on our side. I'm connecting you with a person."
LOST = "I am sorry, I lost my thread. We will call you back."
FLOW = f"""
language: 1
flow: table
version: "1"
company: Harbour House
purpose: book a table
control: strict
slots:
  guests:
    type: integer
    meaning: how many people come
    minimum: 1
    maximum: 20
    confirm: never
    examples: [four people, two]
intents:
  wants_person: {{family: escalation, means: asks for a person, examples: ["a person please"]}}
start: hello
nodes:
  hello: {{kind: disclosure, say: "{DISCLOSURE}", next: size}}
  size:
    kind: ask
    convey: Ask how many people come.
    sample: {QUESTION}
    collect: [guests]
    filled: book
  book: {{kind: act, action: book, while_waiting: {WAIT}, on_success: done, on_failure: sorry}}
  done: {{kind: end, say: "{GOODBYE}", outcome: booked}}
  sorry: {{kind: end, say: "I could not book it. Someone will call you. Goodbye.", outcome: callback}}
  to_desk: {{kind: handoff, to: desk}}
  nobody: {{kind: end, say: "I am sorry, we will call you back.", outcome: lost}}
everywhere:
  wants_person: {{go: to_desk}}
  objection: {{go: nobody}}
  confusion: {{stay: true, say: "I can book you a table.", at_most: 2, then: nobody}}
actions:
  book:
    does: Books a table.
    takes: {{guests: slots.guests}}
    returns: {{at: text}}
    changes_something: true
    promises: [your table is booked]
    within_ms: 10000
handoffs:
  desk: {{mode: cold, say: Connecting you., package: [reason], if_unanswered: nobody}}
fallback:
  no_match: [{{say: "Sorry, how many?"}}, {{go: nobody}}]
  no_input: [{{say: "Are you there?"}}, {{go: nobody}}]
  lost_model: {{hold: {HOLD}, say: "{LOST}", go: nobody}}
"""
LOCAL = """executor = "local"
returns = { at = "seven" }"""
SETTINGS = f"""
public_url = "http://127.0.0.1"
records = "records"
[listen]
port = 0
[outbound]
private_hosts = ["127.0.0.1"]
[telephony]
fallback_number = "{PERSON}"
[actions.book]
{{ACTION}}
[handoffs.desk]
number = "{PERSON}"
[numbers]
"{CALLED}" = "table"
"{beside.CALLED}" = "{beside.NAME}"
"""


def sized(in_check: int, whole: int) -> int:
    """How many of something: a slice in `make check`, all of them in `make faults`."""
    return whole if FULL else in_check


@cache
def voice() -> Tones:
    return Tones()


def length_ms(words: str) -> int:
    """How long these words are heard."""
    return audio.duration_ms(voice().speak(words))


def sound(words: str) -> bytes:
    """These words as the caller hears them, without the silence around them."""
    return voice().speak(words).strip(audio.MULAW_SILENCE)


def profile(*says: Line | str, person: Person = "accepts", patience_ms: int = 400) -> Profile:
    lines = tuple(Line(say=one) if isinstance(one, str) else one for one in says)
    return Profile(name="caller", says=lines, number=NUMBER, person=person, patience_ms=patience_ms)


BOOKS = profile("four people", "four people", "four people")


class Interrupter:
    """A caller who speaks once so much of the assistant's speech was heard, and then answers its question."""

    def __init__(self, heard_ms: int, says: str = "four people", answers: str = "four people") -> None:
        self._left_ms = heard_ms
        self._frames: deque[bytes] = deque()
        self._says, self._answers = says, answers
        self._quiet_ms = 0
        self.onset_ms = -1
        self.heard_ms = 0  # until it stopped
        self._stopped = False

    def tick(self, moment: Moment) -> Deed:
        self._stopped = self._stopped or (self.onset_ms >= 0 and not moment.playing)
        self.heard_ms += audio.FRAME_MS if moment.playing and not self._stopped else 0
        self._quiet_ms = 0 if moment.playing else self._quiet_ms + audio.FRAME_MS
        if moment.playing and self.onset_ms < 0:
            self._left_ms -= audio.FRAME_MS
        if self.onset_ms < 0 and self._left_ms < 0:
            self.onset_ms = moment.at_ms
            self._frames.extend(audio.split_frames(sound(self._says)))
        elif self.onset_ms >= 0 and self._quiet_ms == 1500 and not self._frames:
            self._frames.extend(audio.split_frames(sound(self._answers)))
        return Deed(self._frames.popleft() if self._frames else audio.MULAW_SILENCE * audio.FRAME_BYTES)


@dataclass(frozen=True)
class Placed:
    """A call that is over: what the telephone had, and the record."""

    ended: Ended
    began: float  # the bed's clock when the caller's tape began
    record: Record
    path: Path

    def at(self, words: str, after_ms: int = 0) -> int | None:
        """When the caller heard exactly these words from their beginning to their end; milliseconds."""
        found = bytes(self.ended.tape.heard).find(sound(words), after_ms * audio.BYTES_PER_MS)
        return None if found < 0 else found // audio.BYTES_PER_MS

    def times(self, words: str) -> int:
        """How often these words were heard whole."""
        return bytes(self.ended.tape.heard).count(sound(words))

    def first_sound(self, after_ms: int) -> int | None:
        """When the next sound of the assistant's begins at or after this."""
        heard = bytes(self.ended.tape.heard)[after_ms * audio.BYTES_PER_MS :]
        left = heard.lstrip(audio.MULAW_SILENCE)
        return after_ms + (len(heard) - len(left)) // audio.BYTES_PER_MS if left else None

    def stopped_after(self, onset_ms: int) -> int:
        """How long after this the assistant was still heard, until a tenth of a second without sound."""
        heard = bytes(self.ended.tape.heard)[onset_ms * audio.BYTES_PER_MS :]
        return heard.find(audio.MULAW_SILENCE * 100 * audio.BYTES_PER_MS) // audio.BYTES_PER_MS

    @property
    def dead_air_ms(self) -> int:
        """The longest stretch in which neither side was heard."""
        said, heard = bytes(self.ended.tape.said), bytes(self.ended.tape.heard)
        longest = run = 0
        for start in range(0, len(heard), audio.FRAME_BYTES):
            quiet = not any(
                track[start : start + audio.FRAME_BYTES].strip(audio.MULAW_SILENCE) for track in (said, heard)
            )
            run = run + audio.FRAME_MS if quiet else 0
            longest = max(longest, run)
        return longest

    def of(self, part: str, kind: str) -> list[Mapping[str, Any]]:
        """The events, effects or notes of this kind, in order."""
        name = "kind" if part == "note" else "type"
        return [line[part] for line in self.record.lines if line.get(part, {}).get(name) == kind]

    def when(self, part: str, kind: str) -> int:
        """At how many milliseconds of the call the first of this kind was written down."""
        name = "kind" if part == "note" else "type"
        return next(int(line["at_ms"]) for line in self.record.lines if line.get(part, {}).get(name) == kind)

    def on_tape(self, at: float) -> int:
        """A time of the bed's clock as milliseconds of the caller's tape."""
        return round((at - self.began) * 1000)

    @property
    def said(self) -> list[str]:
        """What was heard to its end, as the record has it."""
        return [event.get("text", "") for event in self.of("event", "PlaybackFinished")]

    @property
    def reason(self) -> str:
        return str(self.record.lines[-1]["end"]["reason"])

    @property
    def outcome(self) -> str | None:
        outcome: str | None = self.record.lines[-1]["end"]["outcome"]
        return outcome


Later = Callable[[], Placed]


@dataclass
class Bed:
    """A running server with its stand-in, and what every side saw of it."""

    artifact: Artifact
    folder: Path
    stand_in: StandIn
    running: server.Running
    evidence: Evidence
    beside: Beside
    lines: list[Mapping[str, Any]] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)  # every call, also one that was not taken

    async def call(
        self, who: Profile = BOOKS, faults: LineFaults | None = None, mouth: Mouth | None = None
    ) -> Later:
        """Place one call of this caller, or this mouth; its rest can be asked for once the bed is made."""
        speaker = mouth or Caller(who, voice().speak)
        began: list[float] = []

        class Timed:
            """The caller, noting when the tape began."""

            def tick(self, moment: Moment) -> Deed:
                if not began:
                    began.append(asyncio.get_running_loop().time() - moment.at_ms / 1000)
                return speaker.tick(moment)

        async with asyncio.timeout(PATIENCE_S):
            ended = await place(
                Subscription(self.running.voice_url, TOKEN, CALLED),
                Timed(),
                caller_number=who.number,
                person=who.person,
                speak=voice().speak,
                faults=faults or LineFaults(),
            )
        self.ended.append(ended)
        path = self.folder / "records" / "calls" / f"{ended.call_id}.jsonl"
        self.evidence.heard(ended.passed)
        return lambda: Placed(ended, began[0] if began else 0.0, record.read(path), path)

    async def calls(self, number: int, **options: Any) -> list[Later]:
        """So many calls at once."""
        return list(await asyncio.gather(*(self.call(**options) for _ in range(number))))

    async def begun(self, calls: int) -> None:
        """Wait until so many have reached the model."""
        while self.stand_in.connections < calls:  # noqa: ASYNC110 - the bed's clock moves while all wait
            await asyncio.sleep(0.05)

    async def repeat(
        self, number: int, *, who: Profile = BOOKS, mouth: Mouth | None = None, **faults: Any
    ) -> list[tuple[int, Later]]:
        """So many calls one after the other, each with this fault on its own first connection to the model:
        that connection's number, and the call.
        """
        made = []
        for _ in range(number):
            first = self.stand_in.connections + 1
            self.stand_in.faults = plan([first], **faults)
            made.append((first, await self.call(who, mouth=mouth)))
        self.stand_in.faults = FaultPlan()
        return made

    def model_lives_at(self, base_url: str) -> None:
        """From now on calls look for the model at this address."""
        deployments = cast("dict[str, Deployment]", self.running.calls.deployments)
        one = deployments["table"]
        deployments["table"] = replace(one, session=replace(one.session, base_url=base_url))

    def alerts(self, code: str) -> float:
        """How often this alert was told."""
        found = self.running.calls.metrics.registry.collect()
        samples = [one for family in found for one in family.samples if one.name == "vfc_alert_total"]
        return sum(one.value for one in samples if one.labels["code"] == code)

    def model_at(self, way: str, kind: str, number: int = 1) -> float:
        """The bed's clock when the model first saw, sent or did this on a connection."""
        return next(
            one.at for one in self.evidence.model if (one.number, one.way, one.kind) == (number, way, kind)
        )


@cache
def artifact_of(text: str) -> Artifact:
    """The artifact of a flow given as text, whatever the checks say of it; each is compiled once a run."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "flow.yaml"
        path.write_text(text)
        checked = check(str(path))
    assert checked.flow is not None, [f"{one.code} {one.message}" for one in checked.findings]
    return lower(checked.flow)


@asynccontextmanager
async def open_bed(
    folder: Path,
    stand_in: StandIn | None = None,
    flow: str = FLOW,
    toml: str = "",
    action: str = LOCAL,
    others: int = OTHERS,
    disk: Disk = DISK,
    carry: Carry = carry,
) -> AsyncIterator[Bed]:
    """Start a server of this flow with this stand-in (one that speaks tones, when none is given). So many
    `others` call all the while: what is broken is not theirs, and they must not notice. `disk`: where the
    records of all of them are written; `carry`: what carries them.
    """
    artifact, evidence = artifact_of(flow), Evidence()
    model = stand_in or StandIn(voice="tones")
    evidence.watch(model, keep=True)
    (folder / "vfc.toml").write_text(SETTINGS.replace("{ACTION}", action) + toml)
    before = Held.now()
    async with model, StandIn(voice="tones") as well:
        options = {"model.base_url": model.base_url, "telephony.auth_token": TOKEN, "model.api_key": KEY}
        chosen = replace(settings.load(folder / "vfc.toml", {}, options), public_url="")
        running = await server.start([artifact, artifact_of(beside.FLOW)], chosen, disk=disk, carry=carry)
        beside.well(running, well)
        calling = Subscription(running.voice_url, TOKEN, beside.CALLED)
        bed = Bed(artifact, folder, model, running, evidence, Beside(calling, well, voice()))
        try:
            await bed.beside.begin(others)
            yield bed
            await bed.beside.end()
            await running.drain(60_000)
        finally:
            await running.aclose()
    await evidence.settled(before)


def live(work: Coroutine[Any, Any, Any], speed: float = SPEED) -> Any:
    """Run this by an idle clock."""
    with asyncio.Runner(loop_factory=idle(speed)) as runner:
        return runner.run(work)


def plan(faulty: Sequence[int] | int = 1, **faults: Any) -> FaultPlan:
    """A plan for these connections of the model (the first so many)."""
    numbers = range(1, faulty + 1) if isinstance(faulty, int) else faulty
    return FaultPlan(connections=frozenset(numbers), **faults)
