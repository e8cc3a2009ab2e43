"""`vfc check`: what is wrong with flows, with those that are named or with all of a project."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from voiceflow_compiler.commands.base import Format, FormatOption, flow_files, print_findings, put_error, stop
from voiceflow_compiler.commands.projects import current, meant, shown

if TYPE_CHECKING:
    from voiceflow_compiler.diagnostics import Finding
    from voiceflow_compiler.recheck import Look, Rechecks

_LOOK_S: Final = 0.3  # how often the files are looked at with --watch


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Flow files, or folders that hold them; none: the project.", metavar="[PATH]..."),
    ] = None,
    format: FormatOption = Format.TEXT,  # noqa: A002 - the option is called so
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Write what is safe to write, then check.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --fix would write, and stop.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Check again what changes, until Ctrl-C.")] = False,
) -> None:
    """Find what is wrong with flows, all at once, without a call."""
    from voiceflow_compiler.commands.fixing import fix_flow
    from voiceflow_compiler.recheck import Rechecks

    if fix or diff:
        changed = [fix_flow(path, write_them=fix and not diff) for path in meant(paths)]
        if diff:
            raise typer.Exit(int(any(changed)))
    memory = Rechecks()
    if watch:
        _watch(paths, memory, format)
    done = _look(paths, memory)
    _tell(done, format, whole=not paths)
    strict = strict or (done.project is not None and done.project.strict)
    failing = ("error", "warning") if strict else ("error",)
    raise typer.Exit(int(any(finding.severity in failing for finding in done.findings)))


def _look(paths: Sequence[Path] | None, memory: "Rechecks") -> "Look":
    from voiceflow_compiler.recheck import look

    project = current() if not paths else None
    if not paths and project is None:
        meant(None)  # says what to do, and ends the command
    flows = [shown(path) for path in project.flows] if project else list(flow_files(paths or ()))
    return look(project, flows, memory)


def _tell(done: "Look", format: Format, *, whole: bool) -> None:  # noqa: A002
    print_findings(done.findings, done.texts, format)
    if format is Format.TEXT and (whole or not done.findings):
        print(_summary(done), file=sys.stderr)


def _summary(done: "Look") -> str:
    counts = Counter(finding.severity for finding in done.findings)
    parts = [f"{done.flows} {'flow' if done.flows == 1 else 'flows'} checked"]
    parts += [f"{count} {severity}{'s' * (count != 1)}" for severity, count in sorted(counts.items())]
    if done.untold:
        parts.append(f"{done.untold} left out by vfc.toml")
    return ", ".join(parts)


def _watch(paths: Sequence[Path] | None, memory: "Rechecks", format: Format) -> None:  # noqa: A002
    """Check whenever something was written, and tell what is found then, until Ctrl-C."""
    if format is not Format.TEXT:
        stop("--watch tells what it finds as text")
    last: tuple[Finding, ...] | None = None
    while True:
        done = _look(paths, memory)
        if done.fresh or tuple(done.findings) != last:
            last = tuple(done.findings)
            _tell(done, format, whole=True)
            put_error(f"{done.fresh} of {done.flows} checked anew; waiting for a change (Ctrl-C ends)")
        time.sleep(_LOOK_S)
