"""`vfc diff`: what changes for callers from one version of a flow to another."""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voiceflow_compiler.commands.base import compiled, flow_file, put, put_error, stop
from voiceflow_compiler.commands.coverage import Report, ReportOption
from voiceflow_compiler.commands.projects import meant, together

if TYPE_CHECKING:
    from voiceflow_compiler.artifact import Artifact
    from voiceflow_compiler.difference import Difference


_READ = (
    ".yaml",
    ".yml",
    ".json",
    ".toml",
)  # what a flow, its includes, an artifact and a project may be called


class FailOn(StrEnum):
    """From which severity on a difference fails a build."""

    BREAKING = "breaking"
    NOTABLE = "notable"
    COSMETIC = "cosmetic"
    NEVER = "never"


def diff(
    old: Annotated[
        str,
        typer.Argument(
            help="A flow, an artifact, or REV:PATH in git; with no NEW, a revision of the project.",
            metavar="[OLD]",
        ),
    ] = "HEAD",
    new: Annotated[
        str | None, typer.Argument(help="The same, newer; none: every flow of the project.", metavar="[NEW]")
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="From which severity on the exit code is 1.")
    ] = FailOn.BREAKING,
    format: ReportOption = Report.TEXT,  # noqa: A002 - the option is called so
) -> None:
    """Show what changes for callers from one version of a flow, or of a project, to another."""
    from voiceflow_compiler.difference import SEVERITIES
    from voiceflow_compiler.difference import report as reports

    write = {Report.TEXT: reports.as_text, Report.JSON: reports.as_json, Report.MARKDOWN: reports.as_markdown}
    found = [_compared(old, new)] if new is not None else list(_of_project(old))
    put(together([write[format](each) for each in found], as_json=format is Report.JSON), sys.stdout)
    order = [*SEVERITIES, "never"]
    worst = [order.index(each.worst) for each in found if each.worst is not None]
    failed = any(each <= order.index(fail_on) for each in worst)
    raise typer.Exit(int(failed and fail_on is not FailOn.NEVER))


def _compared(old: str, new: str) -> "Difference":
    from voiceflow_compiler.difference import compare

    with ExitStack() as kept:
        before, _ = _opened(old, kept)
        after, folder = _opened(new, kept)
        return compare(before, after, dict(_beside(folder)))


def _of_project(revision: str) -> "Iterator[Difference]":
    """What changes in each flow of the project since a revision; one that is new has nothing to compare."""
    flows = meant(None)
    root = _git("rev-parse", "--show-toplevel", revision=revision).decode().strip()
    listed = _git("ls-tree", "-r", "-z", "--name-only", "--full-tree", revision, revision=revision)
    was = set(listed.decode().split("\0"))
    known = [flow for flow in flows if Path(os.path.relpath(flow.resolve(), root)).as_posix() in was]
    for flow in flows:
        if flow in known:
            yield _compared(f"{revision}:{os.path.relpath(flow)}", str(flow))
        else:
            put_error(f"vfc: {flow}: a new flow since {revision}")
    if not known:
        stop(f"{revision}: none of the project's flows is there")


def _opened(source: str, kept: ExitStack) -> tuple["Artifact", Path]:
    """The artifact of one side, and the folder its callers and scenarios stand in."""
    from voiceflow_compiler.artifact import ArtifactError, decode

    path = Path(source)
    revision, colon, inside = source.partition(":")
    if not path.exists() and colon and len(revision) > 1:  # one letter: a drive of another system
        path = _checked_out(revision, inside, kept)
    if path.suffix == ".json" and path.is_file():
        try:
            return decode(path.read_bytes()), path.parent
        except ArtifactError as error:
            stop(f"{source}: {error}")
    flow = flow_file(path)
    return compiled(flow), flow.parent


def _checked_out(revision: str, inside: str, kept: ExitStack) -> Path:
    """A path as it was at a git revision: what can be read of it, in a folder of its own."""
    prefix = _git("rev-parse", "--show-prefix", revision=revision).decode().strip()
    root = _git("rev-parse", "--show-toplevel", revision=revision).decode().strip()
    listed = _git("ls-tree", "-r", "-z", "--name-only", revision, revision=revision, folder=root)
    folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="vfc-")))
    for ending in _READ:
        if f"{ending}\0".encode() in listed:  # git refuses a pattern that matches nothing
            only = f":(glob)**/*{ending}"
            archive = _git("archive", "--format=tar", revision, only, revision=revision, folder=root)
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(folder, filter="data")
    (folder / ".git").mkdir()  # here ends what a flow may include, as it does where it was checked out
    path = folder / prefix / inside
    if not path.exists():
        stop(f"{revision}:{inside}: there is no such flow at this revision")
    return path


def _git(*words: str, revision: str, folder: str = ".") -> bytes:
    try:
        ran = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        stop(f"{revision}: no such file, and git, which would know a revision, is not installed")
    if ran.returncode:
        lines = ran.stderr.decode(errors="replace").strip().splitlines() or ["git failed"]
        stop(f"{revision}: {lines[0]}")
    return ran.stdout


def _beside(folder: Path) -> Iterator[tuple[str, Any]]:
    """The callers and scenarios in a flow's folder; one that cannot be read is nobody's change."""
    from voiceflow_compiler.include import read
    from voiceflow_compiler.source import Budget

    for kind in ("callers", "scenarios"):
        for path in sorted((folder / kind).glob("*.yaml")):
            result = read(path, str(path), Budget())
            if not result.findings:
                yield f"{kind}/{path.name}", result.data
