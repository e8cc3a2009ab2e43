"""`vfc coverage`: what every listening node has for everything a caller may do."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voiceflow_compiler.commands.base import Format, print_findings, put, put_error
from voiceflow_compiler.commands.projects import FlowArgument, current, one, together

if TYPE_CHECKING:
    from voiceflow_compiler.coverage import Coverage
    from voiceflow_compiler.flow import Node


class Report(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


ReportOption = Annotated[Report, typer.Option("--format", help="How the report is written.")]


def coverage(
    flow: FlowArgument = None,
    bar: Annotated[
        float | None,
        typer.Option("--bar", min=0, max=100, help="Fail below this many percent.", metavar="PERCENT"),
    ] = None,
    keypad: Annotated[bool, typer.Option("--keypad", help="Count missing keypad answers too.")] = False,
    format: ReportOption = Report.TEXT,  # noqa: A002 - the option is called so
) -> None:
    """Show which nodes answer agreement, objection, silence and all else a caller may do."""
    flows = one(flow)
    project = current() if flow is None else None
    bar = bar if bar is not None or project is None else project.coverage
    documents, below = [], False
    for each in flows:
        covered = _covered(each, keypad=keypad)
        documents.append(_written(covered, bar, format))
        if bar is not None and covered.percent < bar:
            below = True
            where = f"{each}: " if len(flows) > 1 else ""
            put_error(f"vfc: {where}coverage {covered.percent:.1f} % is below the bar of {bar:g} %")
    put(together(documents, as_json=format is Report.JSON), sys.stdout)
    raise typer.Exit(int(below))


def _written(covered: "Coverage", bar: float | None, format: Report) -> str:  # noqa: A002
    from voiceflow_compiler.coverage.report import as_json, as_markdown, as_text

    match format:
        case Report.JSON:
            return as_json(covered, bar)
        case Report.MARKDOWN:
            return as_markdown(covered)
    return as_text(covered)


def _covered(flow: Path, *, keypad: bool) -> "Coverage":
    """What a flow answers. Ends the command where too little of it could be read."""
    from voiceflow_compiler.coverage import cover
    from voiceflow_compiler.pipeline import check

    checked = check(str(flow))
    whole = checked.flow is not None and checked.graph is not None and checked.flow.whole
    if not whole or checked.flow is None or checked.graph is None:
        print_findings(checked.findings, checked.source.places.texts, Format.TEXT, to_stderr=True)
        put_error("vfc: too little of this flow could be read to judge what it covers")
        raise typer.Exit(1)
    places, own = checked.source.places, checked.source.file

    def place_of(node: "Node") -> tuple[str, int]:
        place = places.key(node.path)
        return ("" if place.file == own else place.file), place.line

    return cover(checked.flow, checked.graph, place_of, keypad=keypad)
