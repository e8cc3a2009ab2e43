"""`vfc test`: run scenarios, or make the set that covers a whole flow."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.base import (
    Report,
    compiled,
    crm,
    draw_cover,
    flow_of,
    folder_of,
    localized,
    scenario_files,
    stop,
    write,
)
from voiceflow_compiler import cli as compiler

if TYPE_CHECKING:
    from runtime.simulate.cover.goals import Goal
    from runtime.simulate.cover.report import Cover
    from runtime.simulate.scenario.many import Job, Ran
    from voiceflow_compiler.artifact import Artifact


def try_flows(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Scenario files, flows, or folders of them; none: the project.", metavar="[PATH]..."
        ),
    ] = None,
    audio: Annotated[bool, typer.Option("--audio", help="Call over the full audio stack.")] = False,
    voice: Annotated[str, typer.Option("--voice", help="tones or spoken, with --audio.")] = "tones",
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", help="Processes; calls at once with --audio.", min=1)
    ] = 1,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML.", metavar="FILE")] = None,
    format: Annotated[Report, typer.Option("--format", help="How results are told.")] = Report.TEXT,  # noqa: A002
    watch: Annotated[bool, typer.Option("--watch", help="Run again at every change.")] = False,
    coverage: Annotated[bool, typer.Option("--coverage", help="Tell what of the flows was reached.")] = False,
    bar: Annotated[
        float | None,
        typer.Option("--bar", min=0, max=100, help="Fail below so much coverage.", metavar="PERCENT"),
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Print each flow with counts per line.")] = False,
    picture: Annotated[
        Path | None,
        typer.Option("--picture", help="Draw what was reached: .html, .svg or .png.", metavar="FILE"),
    ] = None,
    records: Annotated[
        list[Path] | None, typer.Option("--records", help="Count these call records too.", metavar="DIR")
    ] = None,
    generate: Annotated[bool, typer.Option("--generate", help="Make the calls that cover PATH.")] = False,
    pairs: Annotated[bool, typer.Option("--pairs/--no-pairs", help="Cover pairs of edges too.")] = True,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where generated scenarios go.", metavar="FILE")
    ] = None,
) -> None:
    """Run scenarios: what callers do, turn by turn, and what must happen."""
    from runtime.simulate.cover.report import as_json

    paths = paths or compiler.meant(None)
    if generate:
        raise typer.Exit(_generate(paths, output, pairs=pairs))

    def once() -> int:
        ran, told, failed = _run(paths, jobs, audio=audio, voice=voice, form=format, junit=junit)
        below = 0
        if coverage or lines or bar is not None or picture is not None:
            covers = [] if failed and format is Report.TEXT else _covers(ran, records or [])
            told["coverage"] = [as_json(covered) for _, covered, _ in covers]
            below = _tell(covers, bar, lines=lines, form=format, picture=picture)
        if format is Report.JSON:
            print(json.dumps(told, indent=2, ensure_ascii=False))
        return failed or below

    raise typer.Exit(_watch(paths, once) if watch else once())


def _run(
    paths: list[Path],
    jobs: int,
    *,
    audio: bool,
    voice: str,
    form: Report,
    junit: Path | None,
) -> tuple[list[Ran], dict[str, Any], int]:
    """Run them; what ran, the same as data, and whether any failed."""
    from runtime.simulate.scenario.many import run_all
    from runtime.simulate.scenario.report import as_json, as_junit, as_text

    loaded = _Loaded(paths)
    began = time.perf_counter()
    if audio:
        from runtime.simulate.scenario.sound import ring_all

        ran = ring_all(loaded.artifacts, loaded.jobs, at_once=jobs, voice=voice)
    else:
        ran = list(run_all(loaded.artifacts, loaded.jobs, jobs))
    seconds = time.perf_counter() - began
    if junit is not None:
        write(junit, as_junit(ran, loaded.where, seconds))
    if form is Report.TEXT:
        print(as_text(ran, loaded.where, seconds), end="")
    return ran, as_json(ran, loaded.where), int(any(one.failures for one in ran))


class _Loaded:
    """The scenarios of some paths, their flows compiled once, and the place of everything in their files."""

    def __init__(self, paths: list[Path]) -> None:
        self.artifacts: dict[str, Artifact] = {}
        self.jobs: list[Job] = []
        self._places: dict[str, Any] = {}
        self._crm: dict[str, Any] = {}
        for path in scenario_files(paths):
            self._file(path)
        if not self.jobs:
            stop("there are no scenarios here: write one as scenarios/NAME.yaml beside the flow")

    def _file(self, path: Path) -> None:
        from runtime.simulate.scenario.form import ScenarioError, read_scenarios
        from runtime.simulate.scenario.many import Job

        plain, places = compiler.read_placed(path)
        self._places[str(path)] = places
        named = plain.get("flow") if isinstance(plain, dict) else None
        flow = path.parent / named if isinstance(named, str) and named else flow_of(path)
        key = str(flow)
        if key not in self.artifacts:
            self.artifacts[key] = compiled(flow)
            self._crm[key] = crm(folder_of(flow))
        try:
            for scenario, at in read_scenarios(plain):
                key = self._in_locale(str(flow), scenario.locale)
                place = f"{path}#{'/'.join(map(str, at))}"
                facts = self._crm[str(flow)].get(scenario.number or "")
                self.jobs.append(Job(key, scenario, facts, place))
        except ScenarioError as error:
            span = places.value(error.path)
            stop(f"{span.file}:{span.line}:{span.column}: {error}")

    def _in_locale(self, flow: str, tag: str | None) -> str:
        """The name of a flow in a locale among the artifacts."""
        key = flow if tag is None else f"{flow}#{tag}"
        if key not in self.artifacts:
            self.artifacts[key] = localized(self.artifacts[flow], tag)
        return key

    def where(self, ran: Ran, path: tuple[str | int, ...]) -> str:
        """file:line:column of a part of a scenario."""
        file, _, at = ran.place.partition("#")
        base = tuple(int(step) if step.isdigit() else step for step in at.split("/") if step)
        span = self._places[file].value((*base, *path))
        return f"{span.file}:{span.line}:{span.column}"


def _watch(paths: list[Path], once: Any) -> int:
    """Run at every change of a YAML file near the paths, until Ctrl-C."""
    last: Any = None
    while True:
        stamps = dict(_stamps(_watched(paths)))
        if stamps != last:
            last = stamps
            try:
                once()
            except typer.Exit:
                pass  # findings in a flow that is being written: they were printed
            print("waiting for a change (Ctrl-C ends)", file=sys.stderr, flush=True)
        time.sleep(0.3)


def _stamps(paths: list[Path]) -> Iterator[tuple[Path, int]]:
    for path in paths:
        with suppress(OSError):  # an editor puts the new file in place of the old one
            yield path, path.stat().st_mtime_ns


def _watched(paths: list[Path]) -> list[Path]:
    roots = {
        flow_of(path / "x").parent if path.is_dir() and path.name == "scenarios" else path for path in paths
    }
    found = [root for root in roots if root.is_file()]
    found += [path for root in roots if root.is_dir() for path in root.rglob("*.yaml")]
    return sorted(path for path in found if path.exists())


# ---- coverage


Covered = tuple[Path, "Cover", Any]  # a flow, what of it was reached, and the places in its file


def _covers(ran: Sequence[Ran], records: list[Path]) -> list[Covered]:
    """What was reached of each flow."""
    from runtime.simulate.cover.report import cover

    found: list[Covered] = []
    for flow in sorted({_file_of(one) for one in ran}):
        artifact, places = compiler.placed_flow(Path(flow))
        times: Counter[Goal] = Counter()
        for one in ran:
            if _file_of(one) == flow:
                times.update(one.goals)
        times.update(_recorded(artifact, records))
        found.append((Path(flow), cover(artifact, times), places))
    return found


def _file_of(one: Ran) -> str:
    """The file of a flow, whatever locale it was run in."""
    return one.flow.partition("#")[0]


def _tell(
    covers: list[Covered], bar: float | None, *, lines: bool, form: Report, picture: Path | None
) -> int:
    """Tell what was reached; 1 when it is less than the bar asks for."""
    from runtime.simulate.cover.report import as_text

    below = 0
    for flow, covered, places in covers:
        if form is Report.TEXT:
            print(as_text(covered), end="")
        if lines and form is Report.TEXT:
            print(_lines(covered, places, flow), end="")
        if picture is not None:
            draw_cover(covered, picture, several=len(covers) > 1)
        if bar is not None and covered.percent() < bar:
            below = 1
            print(f"vfc: {flow}: {covered.percent():.1f} % is below the bar of {bar:g} %", file=sys.stderr)
    return below


def _lines(covered: Cover, places: Any, flow: Path) -> str:
    from runtime.simulate.cover.report import per_line

    return per_line(covered, flow.read_text(encoding="utf-8"), lambda path: int(places.key(path).line))


def _recorded(artifact: Artifact, folders: list[Path]) -> Counter[Goal]:
    """What the call records in some folders reached, those that were made with this flow."""
    from runtime.record import RecordError, read
    from runtime.simulate.drive.recorded import moments_of

    times: Counter[Goal] = Counter()
    for folder in folders:
        for path in sorted(folder.rglob("*.jsonl")) if folder.is_dir() else [folder]:
            try:
                kept = read(path)
            except RecordError:
                continue
            if kept.header["artifact"]["flow"] == artifact.flow:
                from runtime.simulate.cover.seen import Track

                times.update(set(Track(artifact).follow(moments_of(artifact, kept.lines))))
    return times


# ---- the generated set


def _generate(paths: list[Path], output: Path | None, *, pairs: bool) -> int:
    from runtime.simulate.cover.goals import SEARCHED, in_words
    from runtime.simulate.cover.report import as_text, cover
    from runtime.simulate.cover.suite import generate
    from runtime.simulate.scenario.generated import scenarios
    from runtime.simulate.scenario.write import many_as_yaml

    if output is not None and len(paths) > 1:
        stop("one flow at a time goes into one file")
    missed = 0
    for path in paths:
        artifact = compiled(path)
        suite = generate(artifact, pairs=pairs)
        covered = cover(artifact, Counter(suite.reached), suite.impossible)
        print(as_text(covered), end="")
        told = sum(goal[0] == "pair" for goal in suite.reached)
        if pairs:
            print(f"  {'pairs of edges':<15}{told:>5}")
        print(f"  {len(suite.calls)} calls; no fewer than {suite.at_least} can do")
        for goal, reason in suite.impossible.items():
            print(f"  cannot be: {in_words(goal)}: {reason}")
        missed += sum(goal[0] not in SEARCHED for goal in suite.missed)
        if output is not None:
            head = f"Made by `vfc test --generate` from {artifact.flow} {artifact.flow_version}.\n"
            head += f"{len(suite.calls)} calls; no fewer than {suite.at_least} can do."
            write(output, many_as_yaml(scenarios(artifact, suite), head))
            print(f"  written to {output}")
    return int(missed > 0)
