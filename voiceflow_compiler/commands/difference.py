"""`vfc diff`: what changes for callers from one version of a flow to another."""

import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voiceflow_compiler.commands.base import compiled, flow_file, put, stop
from voiceflow_compiler.commands.coverage import Report, ReportOption
from voiceflow_compiler.commands.revision import beside, checked_out

if TYPE_CHECKING:
    from voiceflow_compiler.artifact import Artifact
    from voiceflow_compiler.difference import Difference


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
    from voiceflow_compiler.commands.project_difference import of_project, together
    from voiceflow_compiler.difference import SEVERITIES
    from voiceflow_compiler.difference import report as reports

    write = {Report.TEXT: reports.as_text, Report.JSON: reports.as_json, Report.MARKDOWN: reports.as_markdown}
    if new is None:
        parts = of_project(old)
        put(together(old, parts, format.value), sys.stdout)
        broken, severities = any(part.state == "broken" for part in parts), [part.worst for part in parts]
    else:
        found = _compared(old, new)
        put(write[format](found), sys.stdout)
        broken, severities = False, [found.worst]
    order = [*SEVERITIES, "never"]
    failed = any(order.index(each) <= order.index(fail_on) for each in severities if each is not None)
    raise typer.Exit(int(broken or (failed and fail_on is not FailOn.NEVER)))


def _compared(old: str, new: str) -> "Difference":
    from voiceflow_compiler.difference import compare

    with ExitStack() as kept:
        before, _ = _opened(old, kept)
        after, folder = _opened(new, kept)
        return compare(before, after, dict(beside(folder)))


def _opened(source: str, kept: ExitStack) -> tuple["Artifact", Path]:
    """The artifact of one side, and the folder its callers and scenarios stand in."""
    from voiceflow_compiler.artifact import ArtifactError, decode

    path = Path(source)
    revision, colon, inside = source.partition(":")
    if not path.exists() and colon and len(revision) > 1:  # one letter: a drive of another system
        path = checked_out(revision, inside, kept)
    if path.suffix == ".json" and path.is_file():
        try:
            return decode(path.read_bytes()), path.parent
        except ArtifactError as error:
            stop(f"{source}: {error}")
    flow = flow_file(path)
    return compiled(flow), flow.parent
