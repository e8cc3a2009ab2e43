"""The flows of a project checked again and again: only those whose files have changed since.

Laws
1. A flow is checked again when any file it was read from, or its project's file, was written since, and
   whenever a file that it names could not be read: that may be there by now.
2. What is told of a flow that was not checked again is what was told of it last.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from voiceflow_compiler.diagnostics import Finding, Related, Span
from voiceflow_compiler.locales.reading import FOLDER as LOCALES
from voiceflow_compiler.pipeline import Again, Checked, judge, load
from voiceflow_compiler.project import FILE_NAME, Project, yaml_files

_UNREAD = frozenset({"VF001", "VF021", "VF023"})

# When a file was written, and its size; nothing for one that is not there.
Stamp = tuple[int, int] | None


@dataclass(slots=True)
class _Known:
    checked: Checked
    again: Again
    seen: dict[str, Stamp]


@dataclass(slots=True)
class Rechecks:
    """What is remembered of the flows of a project between two checks."""

    known: dict[Path, _Known] = field(default_factory=dict)

    def check(self, flow: Path) -> tuple[Checked, bool]:
        """What is found in a flow, and whether it had to be looked at."""
        before = self.known.get(flow)
        if before is not None and all(_stamp(file) == stamp for file, stamp in before.seen.items()):
            return before.checked, False
        again = before.again if before else Again()
        loaded = load(str(flow), again=again)
        seen = {file: _stamp(file) for file in (str(flow), *loaded.source.places.texts)}
        seen[str(flow.parent / LOCALES)] = _stamp(str(flow.parent / LOCALES))
        if loaded.project is not None:
            seen[str(loaded.project.folder / FILE_NAME)] = _stamp(str(loaded.project.folder / FILE_NAME))
        if any(finding.code in _UNREAD for finding in loaded.findings):
            seen[""] = (-1, -1)  # never as it was
        checked = judge(loaded)
        self.known[flow] = _Known(checked, again, seen)
        return checked, True


@dataclass(frozen=True, slots=True)
class Look:
    """One look at flows, those of a project or others: what was found, in which texts, how many flows had to
    be checked anew, and how many findings the project leaves out.
    """

    findings: list[Finding]
    texts: dict[str, str]
    flows: int
    fresh: int
    untold: int
    project: Project | None


def look(project: Project | None, flows: Sequence[Path], memory: Rechecks) -> Look:
    """Check flows, each by itself; where they are a project's, its file and the flows together too."""
    findings: list[Finding] = list(project.findings) if project else []
    texts = {project.file: project.text} if project else {}
    checked, fresh = [], 0
    for flow in flows:
        each, is_fresh = memory.check(flow)
        checked.append((flow, each))
        findings += each.findings
        texts |= each.source.places.texts
        fresh += is_fresh
    if project:
        findings += among(project, checked)
    untold = sum(each.untold for _, each in checked)
    return Look(merged(findings), texts, len(flows), fresh, untold, project)


def _stamp(file: str) -> Stamp:
    try:
        seen = Path(file).stat()
    except (OSError, ValueError):
        return None
    return seen.st_mtime_ns, seen.st_size


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of several flows: one in a file they share is told once, with every related place."""
    found: dict[object, Finding] = {}
    for each in findings:
        key = (each.code, each.span, each.message)
        known = found.get(key)
        related = tuple(dict.fromkeys((*known.related, *each.related))) if known else each.related
        found[key] = replace(known or each, related=related)
    return list(found.values())


def among(project: Project, checked: Iterable[tuple[Path, Checked]]) -> Iterator[Finding]:
    """What is wrong with the flows of a project together."""
    first: dict[str, Span] = {}
    used: set[str] = set()
    for _, each in checked:
        used |= {str(Path(file).resolve()) for file in each.source.places.texts}
        if each.flow is None or not each.flow.name:
            continue
        span = each.source.places.value(("flow",))
        if each.flow.name in first:
            yield _twice(each.flow.name, span, first[each.flow.name])
        first.setdefault(each.flow.name, span)
    yield from _unused(project, used)


def _twice(name: str, span: Span, first: Span) -> Finding:
    message = f"two flows of this project are called `{name[:64]}`: records and settings could mean either"
    tip = "Give one of them another name under `flow:`."
    return Finding(
        "VF032", "flow-twice", "error", message, span, tip, (Related(span=first, text="the other"),)
    )


def _unused(project: Project, used: set[str]) -> Iterator[Finding]:
    """The files of the shared folder that no flow reads."""
    if project.shared is None:
        return
    folder = project.folder / project.shared
    for name in yaml_files(folder):
        if str((folder / name).resolve()) not in used:
            shown = str(Path(project.file).parent / project.shared / name)
            message = "no flow of this project reads this file"
            tip = "Include it or use it in a flow, or delete it."
            yield Finding("VF033", "unused-file", "warning", message, Span(shown, 1, 1, 1, 1), tip)
