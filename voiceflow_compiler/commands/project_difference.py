"""What changes for callers in each flow of a project since a git revision."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from voiceflow_compiler.commands.base import stop
from voiceflow_compiler.commands.projects import here, name_of
from voiceflow_compiler.commands.revision import beside, checked_out
from voiceflow_compiler.project import FILE_NAME, Project, load

if TYPE_CHECKING:
    from voiceflow_compiler.diagnostics import Finding
    from voiceflow_compiler.difference import Difference, Severity

State = Literal["compared", "new", "gone", "broken", "mended"]

_SAID: Final[Mapping[State, str]] = {
    "new": "a new flow since {revision}: there is nothing to compare",
    "gone": "this flow was there at {revision}, and is no flow of the project any more",
    "broken": "has errors, and was not compared",
    "mended": "had errors at {revision}, and was not compared",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One flow between a revision and now.

    `file` is seen from the project's folder; `findings` are the errors of one that is broken.
    """

    file: str
    state: State
    difference: "Difference | None" = None
    findings: "tuple[Finding, ...]" = ()
    texts: Mapping[str, str] | None = None

    @property
    def worst(self) -> "Severity | None":
        """The gravest change: callers of a flow that is gone have lost everything."""
        if self.state == "gone":
            return "breaking"
        return self.difference.worst if self.difference is not None else None


def of_project(revision: str) -> list[Part]:
    """Every flow of the project around the current folder since a revision, those that are gone last."""
    project = here()
    with ExitStack() as kept:
        folder = checked_out(revision, os.path.relpath(project.folder), kept).resolve()
        was = _flows_then(folder, project)
        now = [str(flow.relative_to(project.folder)) for flow in project.flows]
        if not set(was) & set(now):
            stop(f"{revision}: none of the project's flows is there")
        parts = [_part(file, project.folder, folder if file in was else None) for file in now]
        return [*parts, *(Part(file, "gone") for file in was if file not in now)]


def _flows_then(folder: Path, project: Project) -> list[str]:
    """The flows of a project as it was: by its own file, or those of today where it had none."""
    then = load(folder / FILE_NAME) if (folder / FILE_NAME).exists() else None
    if then is not None:
        return [str(flow.relative_to(then.folder)) for flow in then.flows]
    files = [flow.relative_to(project.folder) for flow in project.flows]
    return [str(file) for file in files if (folder / file).exists()]


def _part(file: str, folder: Path, before: Path | None) -> Part:
    from voiceflow_compiler.difference import compare
    from voiceflow_compiler.pipeline import compile as compile_

    after = compile_(os.path.relpath(folder / file))
    if after.artifact is None:
        errors = tuple(each for each in after.findings if each.severity == "error")
        return Part(file, "broken", findings=errors, texts=after.source.places.texts)
    if before is None:
        return Part(file, "new")
    old = compile_(str(before / file))
    if old.artifact is None:
        return Part(file, "mended")
    difference = compare(old.artifact, after.artifact, dict(beside((folder / file).parent)))
    return Part(file, "compared", difference)


def together(revision: str, parts: Sequence[Part], form: str) -> str:
    """All flows as text, Markdown or JSON."""
    if form == "json":
        plain = {"version": 1, "since": revision, "flows": [_plain(part) for part in parts]}
        return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    write = _markdown if form == "markdown" else _text
    return "\n".join(write(revision, parts)) + "\n"


def _text(revision: str, parts: Sequence[Part]) -> Iterator[str]:
    from voiceflow_compiler.difference.report import as_text
    from voiceflow_compiler.render import as_text as findings_as_text

    for part in parts:
        if part.difference is not None:
            yield as_text(part.difference)
        else:
            yield f"{part.file}: {_SAID[part.state].format(revision=revision)}"
            yield findings_as_text(part.findings, part.texts or {}) if part.findings else ""
    yield f"{len(parts)} flows since {revision}: {_counted(parts)}"


def _markdown(revision: str, parts: Sequence[Part]) -> Iterator[str]:
    from voiceflow_compiler.difference.report import as_markdown

    yield f"## {len(parts)} flows since {revision}: {_counted(parts)}\n"
    yield "| flow | breaking | notable | cosmetic |\n|---|---:|---:|---:|"
    for part in parts:
        yield f"| `{part.file}` | {' | '.join(_cells(part))} |"
    for part in parts:
        if part.difference is not None and part.difference.changes:
            yield f"\n{as_markdown(part.difference).rstrip()}"
        elif part.difference is None:
            yield f"\n### {_name(part)}\n\n**{_SAID[part.state].format(revision=revision)}**"
            yield from _listed(part.findings)


def _listed(findings: "Sequence[Finding]") -> Iterator[str]:
    from voiceflow_compiler.difference.report import escaped

    for at, each in enumerate(findings):
        place = f"{each.span.file}:{each.span.line}:{each.span.column}"
        yield f"{'' if at else chr(10)}- `{place}` **{each.code} {each.name}**: {escaped(each.message)}"


def _cells(part: Part) -> list[str]:
    from voiceflow_compiler.difference import SEVERITIES

    if part.difference is None:
        return [part.state, "", ""]
    counts = Counter(each.severity for each in part.difference.changes)
    return [str(counts[severity] or "") for severity in SEVERITIES]


def _counted(parts: Sequence[Part]) -> str:
    from voiceflow_compiler.difference import SEVERITIES

    counts = Counter(each.severity for part in parts if part.difference for each in part.difference.changes)
    states = Counter(part.state for part in parts if part.state != "compared")
    told = [f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity]]
    told += [f"{count} {'flow' if count == 1 else 'flows'} {state}" for state, count in states.items()]
    return ", ".join(told) or "nothing changes for callers"


def _plain(part: Part) -> dict[str, Any]:
    from voiceflow_compiler.difference.report import plain
    from voiceflow_compiler.render import plain as plain_finding

    findings = [plain_finding(each) for each in part.findings]
    found = {"file": part.file, "state": part.state, "worst": part.worst, "findings": findings}
    return {**(plain(part.difference) if part.difference is not None else {"changes": []}), **found}


def _name(part: Part) -> str:
    return name_of(Path(part.file))
