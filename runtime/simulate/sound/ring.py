"""Many calls in sound at once: one server, one stand-in, one CRM that knows the callers, many telephones."""

from __future__ import annotations

import asyncio
import csv
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from runtime import record
from runtime.simulate.callers import hush
from runtime.simulate.clock import paced
from runtime.simulate.command import CallError, quiet_log, wait_for_end, write
from runtime.simulate.cover.classes import contexts
from runtime.simulate.crowd.kinds import KINDS, Kind, Quality
from runtime.simulate.crowd.run import PEOPLE, Had, Wish, judged
from runtime.simulate.drive.moves import Person as Answering
from runtime.simulate.drive.recorded import moments_of
from runtime.simulate.line import Deed, Moment
from runtime.simulate.loopback import CRM, RECORDS, World, open_world
from runtime.simulate.phone import Ended, PhoneError, place
from runtime.simulate.profile import Line, Profile
from runtime.simulate.receiver import Receiver
from runtime.simulate.sound.lines import BadLine
from runtime.simulate.sound.measure import Sounded, merged, noticed, overlap_ms, waits
from runtime.simulate.sound.person import Followed, Person
from runtime.simulate.sound.throats import Sounding, in_speech, in_tones
from runtime.voices import open_voice
from voiceflow_compiler.artifact import Artifact

LIMIT_S: Final = 900  # a flow's own bounds end a call long before
APART_MS: Final = 130  # calls do not begin in step; no whole number of frames
NUMBERS: Final = "+1202556{:04}"
MOST: Final = 10_000


class How(Struct, frozen=True):
    """How the calls are placed. `quality` and `overlap` stand instead of each kind's own, where given."""

    voice: str = "tones"
    at_once: int = 4
    speed: float = 1.0
    snr_db: float | None = None
    loss: float | None = None
    jitter_ms: int | None = None
    overlap: int | None = None

    def quality(self, kind: Kind) -> Quality:
        """The line of a caller of this kind."""
        wanted = {"snr_db": self.snr_db, "loss": self.loss, "jitter_ms": self.jitter_ms}
        return replace(kind.manner.line, **{name: one for name, one in wanted.items() if one is not None})


class Rung(Struct, frozen=True):
    """One call in sound: as any simulated call, how it sounded, and its folder, where one was asked for."""

    had: Had
    sounded: Sounded
    folder: str = ""


def ring(
    artifact: Artifact,
    wishes: Sequence[Wish],
    how: How,
    out: Path | None,
    done: Callable[[Rung], None] = lambda rung: None,
) -> list[Rung]:
    """Place these calls, so many at once, in order. `done` is told of each as it ends. Raises what the parts
    raise: PhoneError, SettingsError, VoiceMissing, OSError.
    """
    with quiet_log(), asyncio.Runner(loop_factory=paced(how.speed)) as runner:
        return runner.run(_ring_all(artifact, wishes, how, out, done))


async def _ring_all(
    artifact: Artifact, wishes: Sequence[Wish], how: How, out: Path | None, done: Callable[[Rung], None]
) -> list[Rung]:
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="vfc-ring-")))
        exchange = Exchange(artifact, how, home, out)
        _write_crm(artifact, wishes, home / CRM)
        exchange.aside = stack.enter_context(ThreadPoolExecutor(1, "voice"))
        profile = Profile(name="simulated", says=(Line(silence=True),))
        exchange.world = await stack.enter_async_context(
            open_world(artifact, home, profile, home, how.voice, exchange.take, apart=how.voice == "spoken")
        )
        lines = asyncio.Semaphore(how.at_once)

        async def placed(number: int, wish: Wish) -> Rung:
            async with lines:
                if number < how.at_once:
                    await asyncio.sleep(number * APART_MS / 1000)
                rung = await exchange.call(number, wish)
                done(rung)
                return rung

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(placed(number, wish)) for number, wish in enumerate(wishes)]
        return [task.result() for task in tasks]


def _write_crm(artifact: Artifact, wishes: Sequence[Wish], path: Path) -> None:
    """A CRM that knows those callers who are known."""
    mixes = contexts(artifact)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["phone", *artifact.facts])
        writer.writeheader()
        for number, wish in enumerate(wishes):
            facts = random.Random(f"{wish.kind}:{wish.seed}").choice(mixes)
            if KINDS[wish.kind].known and facts is not None:
                writer.writerow({"phone": NUMBERS.format(number), **facts})


class Exchange:
    """The calls under way, by their caller's number and by their id."""

    def __init__(self, artifact: Artifact, how: How, home: Path, out: Path | None) -> None:
        self.artifact, self.how, self.home, self.out = artifact, how, home, out
        self.aside: ThreadPoolExecutor
        self.world: World
        self._by_number: dict[str, Followed] = {}
        self._by_call: dict[str, Followed] = {}

    def take(self, call_id: str, line: Mapping[str, Any]) -> None:
        """A line of a record, as it is written."""
        plain = msgspec.to_builtins(line)
        event = plain.get("event", {})
        if event.get("type") == "CallStarted":
            self._by_call[call_id] = self._by_number[event["caller_number"]]
        if call_id in self._by_call:
            self._by_call[call_id].take(plain)

    async def call(self, number: int, wish: Wish) -> Rung:
        """One call to its end, judged and measured."""
        kind, phone_number = KINDS[wish.kind], NUMBERS.format(number % MOST)
        chance = random.Random(f"sound:{wish.kind}:{wish.seed}")
        followed = self._by_number[phone_number] = Followed(self.artifact)
        overlap = kind.manner.overlap if self.how.overlap is None else self.how.overlap
        person = Person(self.artifact, kind, wish, followed, overlap)
        receiver = Receiver(person, self._sounding(kind, chance), hush(spoken=self.how.voice == "spoken"))
        quality = self.how.quality(kind)
        line = BadLine(receiver, quality, f"{wish.kind}:{wish.seed}")
        ear = _Ear(line)
        try:
            ended = await self._place(ear, phone_number, chance.choice(PEOPLE))
            path = self.home / RECORDS / "calls" / f"{followed.call_id}.jsonl"
            if not followed.call_id:
                raise PhoneError("no record was begun")
            await wait_for_end(path)
        except (PhoneError, CallError) as error:
            # One call that goes wrong is a finding among the others, not the end of them.
            return Rung(_unmade(wish, str(error)), _sounded(receiver, line, ear, person, ()))
        kept = record.read(path)
        had = judged(self.artifact, wish, moments_of(self.artifact, kept.lines), ended=True)
        if record.replay(self.artifact, kept.lines) is not None:
            had = replace(had, findings=(*had.findings, "the record does not replay"))
        sounded = _sounded(receiver, line, ear, person, kept.lines)
        return Rung(had, sounded, self._keep(wish, number, path, ended))

    async def _place(self, ear: _Ear, number: str, person: Answering) -> Ended:
        human = open_voice(self.how.voice, "assistant")
        try:
            async with asyncio.timeout(LIMIT_S):
                return await place(
                    self.world.subscription, ear, caller_number=number, person=person, speak=human.speak
                )
        except TimeoutError:
            raise PhoneError(f"it did not end within {LIMIT_S} seconds") from None

    def _sounding(self, kind: Kind, chance: random.Random) -> Sounding:
        return in_speech(kind.manner, chance, self.aside) if self.how.voice == "spoken" else in_tones

    def _keep(self, wish: Wish, number: int, path: Path, ended: Ended) -> str:
        if self.out is None:
            return ""
        profile = Profile(name=wish.kind.replace("_", " "), says=(Line(silence=True),))
        return str(write(self.artifact, profile, path, ended, self.out / f"{number:03}-{wish.kind}").folder)


class _Ear:
    """A mouth that also notes when the assistant was heard."""

    def __init__(self, mouth: BadLine) -> None:
        self._mouth = mouth
        self.heard: list[int] = []
        self.at_ms = 0

    def tick(self, moment: Moment) -> Deed:
        self.at_ms = moment.at_ms
        if moment.playing:
            self.heard.append(moment.at_ms)
        return self._mouth.tick(moment)


def _unmade(wish: Wish, why: str) -> Had:
    """A call the assistant never held to its end."""
    return Had(wish.kind, wish.seed, "", "", 0, False, (f"the call could not be held: {why}",), frozenset())


def _sounded(
    receiver: Receiver, line: BadLine, ear: _Ear, person: Person, lines: Sequence[Mapping[str, Any]]
) -> Sounded:
    heard = merged(ear.heard)
    dropped, holes = noticed(lines)
    return Sounded(
        lasted_ms=ear.at_ms,
        waits_ms=waits(receiver.spoke, heard),
        overlap_ms=overlap_ms(receiver.spoke, heard),
        frames=line.frames,
        lost=line.lost,
        late=line.late,
        dropped=dropped,
        underrun_ms=holes,
        meant=len(person.meant),
        understood=person.understood,
    )
