"""`vfc simulate`: many calls by synthetic callers, in text or in sound."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.base import Report, compiled, draw_cover, stop
from runtime.commands.llm import (
    MODEL,
    TOKENS,
    Judge,
    Llm,
    Model,
    Price,
    Property,
    Spend,
    Tokens,
    properties_of,
    purse_of,
    with_model,
)
from voiceflow_compiler import cli as compiler

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.simulate.crowd.run import Had, Wish
    from runtime.simulate.sound.ring import How
    from voiceflow_compiler.artifact import Artifact

MOST_SAVED = 50
CALLS, LLM_CALLS, AT_ONCE = 1000, 10, 4


class Engine(StrEnum):
    """What the calls are made on."""

    LOCAL = "local"
    RAY = "ray"


class Voice(StrEnum):
    """How callers speak with --audio."""

    TONES = "tones"
    SPOKEN = "spoken"


Flow = Annotated[
    Path | None, typer.Argument(help="A flow's file or folder; none: every flow here.", metavar="[FLOW]")
]
InLocale = Annotated[
    str | None, typer.Option("--locale", help="The language they call in, such as es-US.", metavar="TAG")
]
Calls = Annotated[
    int | None, typer.Option("--calls", help="How many calls: 1000, or 10 with a language model.", min=1)
]
Profiles = Annotated[
    str, typer.Option("--profiles", help="Kinds of callers, with commas; all without.", metavar="KIND,...")
]
Seed = Annotated[int, typer.Option("--seed", help="Another seed, other calls.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", help="Processes (1); with --audio calls at once (4).", min=1)
]
On = Annotated[Engine, typer.Option("--engine", help="local, or ray for a cluster.")]
Audio = Annotated[
    int | None,
    typer.Option("--audio", help="So many calls in sound, over the whole stack.", min=1, max=10_000),
]
Speaks = Annotated[Voice, typer.Option("--voice", help="With --audio: tones are exact, spoken is speech.")]
Snr = Annotated[float | None, typer.Option("--snr", min=-10, max=60, help="Noise so many dB below speech.")]
Loss = Annotated[
    float | None, typer.Option("--loss", min=0, max=50, help="Percent of packets that are lost.")
]
Jitter = Annotated[
    int | None, typer.Option("--jitter", min=0, max=1000, help="Packets come up to so many ms late.")
]
Overlap = Annotated[
    int | None,
    typer.Option("--overlap", min=0, max=100, help="Percent of the assistant's speeches talked into."),
]
Speed = Annotated[float, typer.Option("--speed", min=0.1, max=100, help="With tones: times real time.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Failing calls as records; with --audio every call's sound.", metavar="DIR"),
]
Coverage = Annotated[bool, typer.Option("--coverage", help="Tell what of the flow was reached.")]
Bar = Annotated[float | None, typer.Option("--bar", min=0, max=100, help="Fail below so much coverage.")]
Drawn = Annotated[
    Path | None,
    typer.Option("--picture", help="Draw what was reached: .html, .svg or .png.", metavar="FILE"),
]
Form = Annotated[Report, typer.Option("--format", help="How it is told.")]


def simulate(
    flow: Flow = None,
    locale: InLocale = None,
    calls: Calls = None,
    profiles: Profiles = "",
    seed: Seed = 1,
    jobs: Jobs = None,
    engine: On = Engine.LOCAL,
    audio: Audio = None,
    voice: Speaks = Voice.SPOKEN,
    snr: Snr = None,
    loss: Loss = None,
    jitter: Jitter = None,
    overlap: Overlap = None,
    speed: Speed = 1.0,
    llm: Llm = False,
    judge: Judge = False,
    properties: Property = None,
    model: Model = MODEL,
    most_tokens: Tokens = TOKENS,
    spend: Spend = None,
    price: Price = None,
    out: Out = None,
    coverage: Coverage = False,
    bar: Bar = None,
    picture: Drawn = None,
    form: Form = Report.TEXT,
) -> None:
    """Have synthetic callers of many kinds call a flow: thousands of calls in text, or some in sound."""
    if flow is None:
        raise typer.Exit(_every_flow(dict(locals())))
    from runtime.simulate.crowd.run import wishes_of

    asked = llm or judge or bool(properties)
    wishes = wishes_of(_kinds(profiles), audio or calls or (LLM_CALLS if asked else CALLS), seed)
    began = perf_counter()
    if audio is not None:
        if asked:
            stop("--llm and --judge are for calls in text; leave --audio away")
        if speed != 1 and voice is Voice.SPOKEN:
            stop("--speed hurries tones only: what hears speech is a process with a clock of its own")
        from runtime.simulate.sound.ring import How

        artifact = _in_locale(flow, locale)
        how = How(voice.value, jobs or AT_ONCE, speed, snr, loss, jitter, overlap)
        had, extra = _in_sound(artifact, wishes, how, out)
    elif asked:
        artifact = _in_locale(flow, locale)
        limits, about = purse_of(most_tokens, spend, price), properties_of(properties, judge=judge)
        with _progress(len(wishes)) as step:
            task = (llm, about, jobs or AT_ONCE)
            had, extra = with_model(artifact, wishes, task, model, limits, step)
    else:
        artifact = _in_locale(flow, locale)
        had = _in_text(artifact, wishes, jobs or 1, engine)
        extra = {}
    if audio is None:
        extra["saved"] = _save(artifact, [one for one in had if one.findings], out)
    wanted = coverage or bar is not None or picture is not None
    _tell(artifact, had, perf_counter() - began, extra, form, bar, coverage=wanted, picture=picture)


def _in_locale(flow: Path, tag: str | None) -> Artifact:
    """A flow; in another locale as an artifact of its own, so that what is kept of its calls replays."""
    from voiceflow_compiler.artifact import ArtifactError
    from voiceflow_compiler.overlay import alone

    try:
        return compiled(flow) if tag is None else alone(compiled(flow), tag)
    except ArtifactError as error:
        stop(str(error))


def _every_flow(given: dict[str, Any]) -> int:
    """The same for every flow of the project; what is told as JSON stands under `flows`."""
    told, worst = io.StringIO(), 0
    documents: list[Any] = []
    for flow in compiler.meant(None):
        told.seek(0)
        told.truncate()
        try:
            with redirect_stdout(told) if given["form"] is Report.JSON else nullcontext():
                simulate(**{**given, "flow": flow})
        except typer.Exit as ended:
            worst = max(worst, ended.exit_code)
        documents += [json.loads(told.getvalue())] if told.getvalue() else []
    if given["form"] is Report.JSON:
        print(json.dumps({"version": 1, "flows": documents}, indent=2, ensure_ascii=False))
    return worst


def _kinds(named: str) -> list[str]:
    from runtime.simulate.crowd.kinds import KINDS

    kinds = [name.strip() for name in named.split(",") if name.strip()] or list(KINDS)
    unknown = [name for name in kinds if name not in KINDS]
    if unknown:
        stop(f"no kind of caller is called {unknown[0]!r}; there are {', '.join(KINDS)}")
    return kinds


def _in_text(artifact: Artifact, wishes: Sequence[Wish], processes: int, engine: Engine) -> list[Had]:
    from runtime.simulate.crowd.spread import SpreadError, crowd

    had = []
    try:
        with _progress(len(wishes)) as step:
            for one in crowd(artifact, wishes, processes, engine.value):
                had.append(one)
                step()
    except SpreadError as error:
        stop(str(error))
    return had


def _in_sound(
    artifact: Artifact, wishes: Sequence[Wish], how: How, out: Path | None
) -> tuple[list[Had], dict[str, Any]]:
    from runtime.settings.keys import SettingsError
    from runtime.simulate.command import CallError
    from runtime.simulate.phone import PhoneError
    from runtime.simulate.sound.measure import together
    from runtime.simulate.sound.ring import ring
    from runtime.voices import VoiceMissing

    failures = (CallError, PhoneError, SettingsError, VoiceMissing)
    began, used = perf_counter(), _cpu_s()
    try:
        with _progress(len(wishes)) as step:
            rung = ring(artifact, wishes, how, out, lambda _: step())
    except* failures as group:
        stop(*(str(error) for error in group.exceptions[:1]))
    except* OSError as group:
        stop(f"the calls cannot be placed: {type(group.exceptions[0]).__name__}")
    used, lasted = _cpu_s() - used, perf_counter() - began
    sound = {
        "voice": how.voice,
        "at_once": how.at_once,
        "cpu_s": round(used, 1),
        "cores_busy": round(used / lasted, 2),
        **together([one.sounded for one in rung]),
    }
    return [one.had for one in rung], {"sound": sound, "saved": [one.folder for one in rung if one.folder]}


def _cpu_s() -> float:
    """Seconds of CPU that this process used, and those it started that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal's error stream; nothing where there is none."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("calls", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("calls", total=total)
        yield lambda: shown.advance(task)


def _tell(
    artifact: Artifact,
    had: list[Had],
    seconds: float,
    extra: dict[str, Any],
    form: Report,
    bar: float | None,
    *,
    coverage: bool,
    picture: Path | None,
) -> None:
    from runtime.simulate.cover.report import as_json as cover_json
    from runtime.simulate.cover.report import as_text as cover_text
    from runtime.simulate.cover.report import cover
    from runtime.simulate.crowd.report import as_text, as_value

    told = as_value(artifact, had, seconds) | extra
    covered = cover(artifact, Counter(goal for one in had for goal in one.goals)) if coverage else None
    if covered is not None and picture is not None:
        draw_cover(covered, picture)
    if form is Report.JSON:
        whole = told | ({"coverage": cover_json(covered)} if covered is not None else {})
        print(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        print(*as_text(told), sep="\n")
        if covered is not None:
            print(cover_text(covered), end="")
    below = covered is not None and bar is not None and covered.percent() < bar
    if told.get("model", {}).get("not_made"):
        raise typer.Exit(2)  # fewer calls than were asked for
    raise typer.Exit(int(below or any(one.findings for one in had)))


def _save(artifact: Artifact, failed: list[Had], out: Path | None) -> list[str]:
    """Failing calls as records, beside the artifact they were made with, so that `vfc replay` finds it."""
    if out is None or not failed:
        return []
    from runtime.simulate.crowd.saved import save
    from voiceflow_compiler.artifact import encode

    (out / "artifacts").mkdir(parents=True, exist_ok=True)
    (out / "artifacts" / f"{artifact.content_hash}.json").write_bytes(encode(artifact))
    found = []
    for one in failed[:MOST_SAVED]:
        path = out / f"{one.kind}-{one.seed}.jsonl"
        path.unlink(missing_ok=True)
        save(artifact, one.moments, path)
        found.append(os.fspath(path))
    return found
