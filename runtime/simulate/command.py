"""`vfc call`: one full call on loopback, watched while it runs and told afterwards.

The compiler is handed in by whoever mounts the command, since the runtime knows flows only as artifacts.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import msgspec
import structlog
from rich.console import Console
from structlog.typing import EventDict

from runtime import record
from runtime.settings.keys import FILE_NAME, SettingsError
from runtime.simulate.callers import Caller
from runtime.simulate.clock import paced
from runtime.simulate.live import Onlooker, Screen, Watched
from runtime.simulate.loopback import RECORDS, open_world
from runtime.simulate.phone import Ended, PhoneError, place
from runtime.simulate.profile import Profile, ProfileError, read_profile, unmet
from runtime.simulate.story import Story, markdown, tell
from runtime.voices import VoiceMissing, open_voice
from voiceflow_compiler.artifact import Artifact, encode

FINE, UNEXPECTED, COULD_NOT_RUN = 0, 1, 2
OUT: Final = Path("out/call")
ARTIFACTS: Final = "artifacts"
CALL_LIMIT_S: Final = 1200
WRITTEN_LOOKS: Final = 100


class CallError(Exception):
    """A call that cannot be placed; the message is one plain line for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call placed: its story, what was heard, what was not as expected, and where the files are."""

    story: Story
    ended: Ended
    unexpected: tuple[str, ...]
    folder: Path


def call(
    flow: Path,
    *,
    caller: str | None,
    out: Path | None,
    voice: str,
    form: Literal["text", "json"],
    compile_flow: Callable[[Path], Artifact],
    read_yaml: Callable[[Path], Any],
    speed: float = 1.0,
    line: str = "twilio",
    settings: Path | None = None,
) -> int:
    """Place one call to a flow (its folder, or the file in it); 0, 1 if it did not end as expected, 2 if it
    could not be.

    `compile_flow` and `read_yaml` may raise what they like: the caller of this function knows what that is.
    """
    console = Onlooker(stderr=form == "json", quiet=form == "json")
    folder = flow.parent if flow.is_file() else flow
    target = out or OUT / folder.name
    try:
        artifact = compile_flow(folder / "flow.yaml" if flow.is_dir() else flow)
        profile = choose(callers(folder, read_yaml), caller)
        with quiet_log(), asyncio.Runner(loop_factory=paced(speed)) as runner:
            placing = place_one(artifact, folder, profile, target, voice, Screen(console), line, settings)
            made = runner.run(placing)
    except (CallError, ProfileError, PhoneError, SettingsError, VoiceMissing, ValueError) as error:
        return _could_not(str(error))
    except OSError as error:
        return _could_not(f"{error.filename or target}: {(error.strerror or 'cannot be used').lower()}")
    _report(made, profile, form, console)
    return UNEXPECTED if made.unexpected else FINE


def _could_not(why: str) -> int:
    Console(stderr=True, soft_wrap=True).print(f"vfc call: {why}", style="red", highlight=False, markup=False)
    return COULD_NOT_RUN


@contextmanager
def quiet_log(level: int = logging.WARNING) -> Iterator[None]:
    """The server's log beside a live transcript is noise: only warnings, and not among the results."""
    before = structlog.get_config()
    late_ms: list[int] = []

    def without_lag(logger: Any, method: str, event: EventDict) -> EventDict:
        """Phone, server and stand-in share one loop here: that it stood still is one line, at the end."""
        if event.get("code", event["event"]).startswith("loop."):
            late_ms.append(event.get("ms", 0))
            raise structlog.DropEvent
        return event

    structlog.configure(
        processors=[without_lag, *before["processors"]],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)
        if late_ms:
            busy = f"(this machine was busy: a call stood still for up to {max(late_ms)} ms)"
            Console(stderr=True, soft_wrap=True).print(busy, style="dim", highlight=False)


def callers(folder: Path, read_yaml: Callable[[Path], Any]) -> Mapping[str, Profile]:
    """The callers of a flow, by the name of their file. Raises ProfileError, which names the file."""
    found = {}
    for path in sorted((folder / "callers").glob("*.yaml")):
        try:
            found[path.stem] = read_profile(read_yaml(path))
        except ProfileError as error:
            raise ProfileError(f"{path}: {error}") from None
    return found


def choose(known: Mapping[str, Profile], name: str | None) -> Profile:
    """The caller of that name, or the default one. Raises CallError."""
    if not known:
        raise CallError("the flow has no callers: write one as callers/NAME.yaml beside it")
    if name is None:
        return next((one for one in known.values() if one.default), next(iter(known.values())))
    if name not in known:
        raise CallError(f"no caller is called {name!r}; there are {', '.join(known)}")
    return known[name]


async def place_one(
    artifact: Artifact,
    flow: Path,
    profile: Profile,
    out: Path,
    voice: str,
    screen: Screen,
    line: str = "twilio",
    settings: Path | None = None,
) -> Made:
    """Start the world, place the call, watch it, and write its folder. Raises what the parts raise."""
    if voice == "text":
        raise CallError("nothing is heard on a telephone in text: choose --voice tones or --voice spoken")
    watched = Watched(screen.show)
    with TemporaryDirectory(prefix="vfc-call-") as home:
        ended = await _ring(artifact, flow, profile, Path(home), voice, screen, watched, line, settings)
        if watched.call_id is None:
            raise CallError("the server left no record of the call")
        path = Path(home) / RECORDS / "calls" / f"{watched.call_id}.jsonl"
        await wait_for_end(path)
        return write(artifact, profile, path, ended, out)


async def wait_for_end(path: Path) -> None:
    """Wait for a record's last lines, which its own thread writes. Raises CallError."""
    for _ in range(WRITTEN_LOOKS):
        if record.read(path).whole:
            return
        await asyncio.sleep(0.1)
    raise CallError("the record of the call was not finished")


async def _ring(
    artifact: Artifact,
    flow: Path,
    profile: Profile,
    home: Path,
    voice: str,
    screen: Screen,
    watched: Watched,
    line: str,
    settings: Path | None,
) -> Ended:
    speaker, human = open_voice(voice, "caller"), open_voice(voice, "assistant")
    async with open_world(artifact, flow, profile, home, voice, watched.take, line, settings) as world:
        mouth = Caller(profile, speaker.speak, where=lambda: watched.node, spoken=voice == "spoken")
        try:
            with screen.open():
                async with asyncio.timeout(CALL_LIMIT_S):
                    return await place(
                        world.subscription,
                        mouth,
                        caller_number=profile.number,
                        person=profile.person,
                        speak=human.speak,
                    )
        except TimeoutError:
            raise CallError(f"the call did not end within {CALL_LIMIT_S} seconds") from None


def write(artifact: Artifact, profile: Profile, path: Path, ended: Ended, out: Path) -> Made:
    """Write the folder of a call: record, transcript, sound, settings, actions done, packages, and the
    artifact it was made with, so that it can be replayed.

    `path` is the record where the server left it.
    """
    records = path.parents[1]
    story = tell(artifact, record.read(path))
    unexpected = unmet(profile.expect, outcome=story.outcome, ends_at=story.ends_at)
    before = (out / "call.jsonl").exists()  # then what is left over from that call is ours to remove
    out.mkdir(parents=True, exist_ok=True)
    (out / "call.wav").write_bytes(ended.tape.wav())
    page = markdown(story, caller=profile.name, expected=unexpected)
    (out / "transcript.md").write_text(page, encoding="utf-8")
    settings, ledger = records.parent / FILE_NAME, records / "actions.jsonl"
    kept = {FILE_NAME: settings, "actions.jsonl": ledger, "call.jsonl": path}
    for name, source in kept.items():
        if source.exists():
            shutil.copyfile(source, out / name)
        elif before:
            (out / name).unlink(missing_ok=True)
    _write_packages(story, out, before=before)
    _keep_artifact(artifact, out, before=before)
    return Made(story, ended, unexpected, out)


def _keep_artifact(artifact: Artifact, out: Path, *, before: bool) -> None:
    folder = out / ARTIFACTS
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.json") if before else ():
        stale.unlink()
    (folder / f"{artifact.content_hash}.json").write_bytes(encode(artifact))


def _write_packages(story: Story, out: Path, *, before: bool) -> None:
    for stale in ("handoff.json", "handoff-2.json") if before else ():
        (out / stale).unlink(missing_ok=True)
    for number, package in enumerate(story.packages, start=1):
        name = "handoff.json" if number == 1 else f"handoff-{number}.json"
        (out / name).write_bytes(msgspec.json.format(msgspec.json.encode(package), indent=2) + b"\n")


def _report(made: Made, profile: Profile, form: str, console: Console) -> None:
    if form == "json":
        Console(highlight=False, soft_wrap=True).print(
            msgspec.json.encode(summary(made, profile)).decode(), markup=False
        )
        return
    for line in made.unexpected:
        console.print(f"not as expected: {line}", style="red", highlight=False, markup=False)
    console.print(f"call record, transcript and sound are in {made.folder}", highlight=False, markup=False)


def summary(made: Made, profile: Profile) -> dict[str, Any]:
    """The call in a few JSON fields."""
    story = made.story
    return {
        "version": 1,
        "caller": profile.name,
        "flow": story.flow,
        "flow_version": story.flow_version,
        "call_id": story.call_id,
        "outcome": story.outcome,
        "ends_at": story.ends_at,
        "ended": story.ended,
        "line": made.ended.how,
        "lasted_ms": story.lasted_ms,
        "nodes": [node for _, node in story.nodes],
        "slots": dict(story.slots),
        "unexpected": list(made.unexpected),
        "folder": str(made.folder),
    }
