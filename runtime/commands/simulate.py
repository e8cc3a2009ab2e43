"""`vfc simulate`: many calls by synthetic callers."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runtime.commands.base import compiled, stop

if TYPE_CHECKING:
    from runtime.simulate.crowd.run import Had
    from voiceflow_compiler.artifact import Artifact

ENGINES = ("local", "ray")


def simulate(
    flow: Annotated[Path, typer.Argument(help="A flow's file or folder.", metavar="FLOW")],
    calls: Annotated[int, typer.Option("--calls", help="How many calls.", min=1)] = 1000,
    profiles: Annotated[
        str,
        typer.Option("--profiles", help="Kinds of callers, with commas; all without.", metavar="KIND,..."),
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other calls.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Processes.", min=1)] = 1,
    engine: Annotated[str, typer.Option("--engine", help="local, or ray for a cluster.")] = "local",
    out: Annotated[
        Path | None, typer.Option("--out", help="Where failing calls are saved as records.", metavar="DIR")
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Tell what of the flow was reached.")] = False,
    bar: Annotated[
        float | None, typer.Option("--bar", min=0, max=100, help="Fail below so much coverage.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Have synthetic callers of many kinds call a flow, thousands of times."""
    from runtime.simulate.crowd.kinds import KINDS
    from runtime.simulate.crowd.run import crowd, wishes_of

    kinds = [name.strip() for name in profiles.split(",") if name.strip()] or list(KINDS)
    unknown = [name for name in kinds if name not in KINDS]
    if unknown:
        stop(f"no kind of caller is called {unknown[0]!r}; there are {', '.join(KINDS)}")
    if engine not in ENGINES:
        stop(f"no engine is called {engine!r}; there are {', '.join(ENGINES)}")
    artifact = compiled(flow)
    began = perf_counter()
    try:
        had = list(crowd(artifact, wishes_of(kinds, calls, seed), jobs, engine))
    except ImportError:
        stop("--engine ray needs Ray: install it with pip install ray")
    seconds = perf_counter() - began
    saved = _save(artifact, [one for one in had if one.findings], out)
    told = _told(artifact, had, seconds, saved)
    covered = _covered(artifact, had) if coverage or bar is not None else None
    _print(told, covered, form)
    below = covered is not None and bar is not None and covered.percent() < bar
    raise typer.Exit(int(below or any(one.findings for one in had)))


def _covered(artifact: Artifact, had: list[Had]) -> Any:
    from runtime.simulate.cover.report import cover

    times = Counter(goal for one in had for goal in one.goals)
    return cover(artifact, times)


def _told(artifact: Artifact, had: list[Had], seconds: float, saved: list[str]) -> dict[str, Any]:
    by_kind: dict[str, list[Had]] = {}
    for one in had:
        by_kind.setdefault(one.kind, []).append(one)
    return {
        "version": 1,
        "flow": artifact.flow,
        "calls": len(had),
        "seconds": round(seconds, 2),
        "calls_per_second": round(len(had) / seconds, 1),
        "outcomes": dict(Counter(one.outcome for one in had).most_common()),
        "kinds": {
            kind: {
                "calls": len(calls),
                "outcomes": dict(Counter(one.outcome for one in calls).most_common(4)),
                "turns": round(sum(one.turns for one in calls) / len(calls), 1),
                "transferred": sum(one.transferred for one in calls),
                "failed": sum(bool(one.findings) for one in calls),
            }
            for kind, calls in by_kind.items()
        },
        "findings": dict(Counter(finding for one in had for finding in one.findings).most_common()),
        "saved": saved,
    }


def _print(told: dict[str, Any], covered: Any, form: str) -> None:
    from runtime.simulate.cover.report import as_json, as_text

    if form == "json":
        whole = told | ({"coverage": as_json(covered)} if covered is not None else {})
        print(json.dumps(whole, indent=2, ensure_ascii=False))
        return
    print(f"{told['calls']} calls of {told['flow']} in {told['seconds']} s ({told['calls_per_second']}/s)")
    for outcome, count in told["outcomes"].items():
        print(f"  {outcome:<24}{count:>7}  {100 * count / told['calls']:5.1f} %")
    for kind, one in told["kinds"].items():
        most = ", ".join(f"{name} {count}" for name, count in one["outcomes"].items())
        print(f"  {kind:<20} {one['turns']:>5} turns  {one['failed']:>4} failed  {most}")
    for finding, count in told["findings"].items():
        print(f"failed {count}: {finding}")
    for path in told["saved"]:
        print(f"saved: {path}")
    if covered is not None:
        print(as_text(covered), end="")


MOST_SAVED = 50


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
